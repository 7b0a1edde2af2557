"""A listener that starts again knows what it has published, however much of it is still open."""

import pytest

from tests.networks.world import LOCAL, node_of, with_depth, world
from tokenx_chain.listener import publisher as publisher_module

pytestmark = pytest.mark.stack


async def test_restart_when_more_is_open_than_the_tail_holds_publishes_nothing_twice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(publisher_module, "TAIL", 7)
    with node_of(LOCAL) as url:
        async with world(url, network=with_depth(8)) as w:
            for number in range(12):
                await w.emit(5, first=100 * number)
            await w.look()
        before = len(w.state.events)
        async with world(url, network=with_depth(8), state=w.state) as later:
            await later.look()
            assert len(w.state.events) == before
            await later.mine(8)
            await later.look()
            assert later.finals() == await later.chain_logs(upto=later.follower.finalized_number)
