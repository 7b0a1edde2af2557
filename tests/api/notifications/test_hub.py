"""The hub: slow listeners cost little and delay nobody, and a missed bell becomes 'look again'."""

import asyncio

import pytest

from tokenx_api.notifications import service
from tokenx_api.notifications.models import Bell
from tokenx_api.notifications.service import MAX_IDS, Hub
from tokenx_common.errors import DependencyUnavailable

ORDERS = frozenset({"orders"})


async def test_bells_of_a_topic_that_wait_together_become_one() -> None:
    hub = Hub()
    with hub.listening(ORDERS, with_ids=True) as listener:
        for name in ("b", "a", "b"):
            hub.ring(Bell(topic="orders", ids=(name,)))
        hub.ring(Bell(topic="alerts", ids=("x",)))
        assert await listener.take(timeout_s=1) == [Bell(topic="orders", ids=("a", "b"))]
        assert await listener.take(timeout_s=0.01) == []


@pytest.mark.parametrize("last", ["named", ""])
async def test_too_many_ids_become_look_again(last: str) -> None:
    hub = Hub()
    with hub.listening(ORDERS, with_ids=True) as listener:
        for number in range(100 * MAX_IDS):
            hub.ring(Bell(topic="orders", ids=(str(number),)))
        hub.ring(Bell(topic="orders", ids=(last,) if last else ()))
        assert await listener.take(timeout_s=1) == [Bell(topic="orders", ids=())]


async def test_unnamed_bell_stays_unnamed() -> None:
    hub = Hub()
    with hub.listening(ORDERS, with_ids=True) as listener:
        hub.ring(Bell(topic="orders"))
        hub.ring(Bell(topic="orders", ids=("a",)))
        assert await listener.take(timeout_s=1) == [Bell(topic="orders", ids=())]


async def test_after_a_loss_everyone_looks_at_everything() -> None:
    hub = Hub()
    with hub.listening(frozenset({"orders", "chain"}), with_ids=False) as listener:
        hub.ring_everything()
        assert {bell.topic for bell in await listener.take(timeout_s=1)} == {"orders", "chain"}


async def test_ring_wakes_a_waiting_listener() -> None:
    hub = Hub()
    with hub.listening(ORDERS, with_ids=False) as listener:
        waiting = asyncio.create_task(listener.take(timeout_s=5))
        await asyncio.sleep(0)
        hub.ring(Bell(topic="orders"))
        assert await waiting == [Bell(topic="orders")]


async def test_listeners_are_bounded_and_freed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "MAX_LISTENERS", 1)
    hub = Hub()
    with (
        hub.listening(ORDERS, with_ids=False),
        pytest.raises(DependencyUnavailable),
        hub.listening(ORDERS, with_ids=False),
    ):
        pass
    with hub.listening(ORDERS, with_ids=False):
        pass
