"""With no Redis the stream stays open and says so every ten seconds; clients poll."""

import pytest

from tests.api.in_process import Api
from tests.api.in_process import api as api
from tokenx_api.notifications import routes


async def test_stream_keeps_itself_alive(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routes, "KEEP_ALIVE_S", 0.01)
    actor = await api.seed.user("admin")
    answer = await routes.stream_events(api.context, actor, "orders")
    chunks = aiter(answer.body_iterator)
    assert str(await anext(chunks)).endswith(": listening\n\n")
    assert await anext(chunks) == ": \n\n"
    assert await anext(chunks) == ": \n\n"
