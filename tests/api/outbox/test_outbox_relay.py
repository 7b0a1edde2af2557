"""The relay delivers everything at least once, whatever fails, and two relays do not do the same work."""

import asyncio
from collections import Counter

import pytest

from tests.api.in_process import Api
from tokenx_api.outbox import service as outbox
from tokenx_api.outbox.consumer import Relay, back_off_s
from tokenx_api.outbox.models import Entry, Kind
from tokenx_common.errors import DependencyUnavailable

KIND: tuple[Kind, ...] = ("chain_operation",)
DUE_NOW = "UPDATE api.outbox SET next_attempt_at = now()"


class Receiver:
    """Remembers what it was given; refuses what it is told to."""

    def __init__(self, refusals: dict[str, BaseException] | None = None) -> None:
        self.seen: list[str] = []
        self.refusals = refusals or {}

    async def __call__(self, entry: Entry) -> None:
        await asyncio.sleep(0)
        name = entry.payload["name"]
        if name in self.refusals:
            raise self.refusals[name]
        self.seen.append(name)


def relay(api: Api, receiver: Receiver) -> Relay:
    return Relay(api.context.db, api.context.wakeups, {"chain_operation": receiver})


async def add(api: Api, *names: str) -> None:
    async with api.context.db.write() as conn:
        for name in names:
            await outbox.enqueue(conn, kind="chain_operation", dedupe_key=name, payload={"name": name})


async def pending(api: Api) -> int:
    return await api.seed.value("SELECT count(*) FROM api.outbox WHERE sent_at IS NULL")


async def test_entries_go_out_in_order_once(api: Api) -> None:
    await add(api, "a", "b", "a", "c")
    receiver = Receiver()
    assert await relay(api, receiver).step(KIND) == 3
    assert await relay(api, receiver).step(KIND) == 0
    assert receiver.seen == ["a", "b", "c"]


async def test_two_relays_share_the_work(api: Api) -> None:
    await add(api, *(str(n) for n in range(60)))
    receiver = Receiver()
    while await pending(api):
        await asyncio.gather(*(relay(api, receiver).step(KIND) for _ in range(3)))
    assert Counter(receiver.seen) == Counter(str(n) for n in range(60))


async def test_refused_entry_does_not_hold_up_the_next(api: Api) -> None:
    await add(api, "bad", "good")
    receiver = Receiver({"bad": ValueError("no such kind")})
    assert await relay(api, receiver).step(KIND) == 1
    assert receiver.seen == ["good"]
    assert "no such kind" in await api.seed.value("SELECT last_error FROM api.outbox WHERE sent_at IS NULL")


async def test_everything_waits_while_nobody_is_there(api: Api) -> None:
    await add(api, "a", "b")
    receiver = Receiver({"a": DependencyUnavailable("chain did not answer")})
    assert await relay(api, receiver).step(KIND) == 0
    assert receiver.seen == []
    assert await relay(api, receiver).step(KIND) == 0, "both back off"
    receiver.refusals.clear()
    await api.seed.rows.execute(DUE_NOW)
    await relay(api, receiver).step(KIND)
    assert receiver.seen == ["a", "b"]


async def test_entry_of_a_relay_that_died_goes_out_again(api: Api) -> None:
    await add(api, "a")
    dying = Receiver({"a": asyncio.CancelledError()})
    with pytest.raises(asyncio.CancelledError):
        await relay(api, dying).step(KIND)
    receiver = Receiver()
    assert await relay(api, receiver).step(KIND) == 0, "held until the hold is over"
    await api.seed.rows.execute(DUE_NOW)
    assert await relay(api, receiver).step(KIND) == 1


async def test_ring_wakes_a_waiting_relay(api: Api) -> None:
    receiver = Receiver()
    task = asyncio.create_task(relay(api, receiver).run())
    await add(api, "a")
    api.context.wakeups.ring("outbox")
    async with asyncio.timeout(5):
        while receiver.seen != ["a"]:  # a condition polled with a bound
            await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def test_back_off_grows_to_a_bound() -> None:
    assert [back_off_s(n) for n in (1, 2, 3, 6, 100)] == [0.5, 1, 2, 15.0, 15.0]
