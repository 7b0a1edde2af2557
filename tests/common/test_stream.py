"""Producers and consumers: what is lost, doubled, reordered, stale or forged on the bus changes nothing but latency."""

import asyncio
import random
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from tests.common.standin import until
from tests.support.servers import ValkeyServer, valkey_server
from tokenx_common import stream
from tokenx_common.bus import Bus
from tokenx_common.errors import StaleEpoch, TokenxError
from tokenx_common.events import Announcement, Heartbeat, ReplayPage
from tokenx_common.stream import Batch, ConsumerGroup, Item, StreamConsumer

NAME = "ev:off_a"


def item(seq: int, *, note: str = "true") -> Item:
    return {"seq": seq, "note": note}


def announcement(first: int, last: int, *, epoch: int = 1, note: str = "true") -> Announcement:
    return Announcement(stream=NAME, epoch=epoch, prev_seq=first - 1, seq=last,
                        items=[item(seq, note=note) for seq in range(first, last + 1)])  # fmt: skip


class Store:
    """A producer's log and a consumer's table. Refuses what the tests tell it to."""

    def __init__(self, produced: int = 0) -> None:
        self.log = [item(seq) for seq in range(1, produced + 1)]
        self.rows: list[Item] = []
        self.epoch = 1
        self.pulls = 0
        self.refusals: list[TokenxError] = []
        self.least_epoch = 0
        self.page_limit = 1000
        self.broken_pages = 0

    async def cursor(self, stream: str) -> int:
        return len(self.rows)

    async def pull(self, stream: str, after: int, limit: int) -> ReplayPage:
        self.pulls += 1
        if self.broken_pages:
            self.broken_pages -= 1
            return ReplayPage(
                stream=stream, epoch=self.epoch, head=len(self.log), items=self.log[after + 1 : after + 3]
            )
        items = self.log[after : after + min(limit, self.page_limit)]
        return ReplayPage(stream=stream, epoch=self.epoch, head=len(self.log), items=items)

    async def commit(self, batch: Batch) -> bool:
        await asyncio.sleep(0)
        if self.refusals:
            raise self.refusals.pop()
        if batch.epoch < self.least_epoch:
            raise StaleEpoch("too old")
        if len(self.rows) != batch.prev_seq:
            return False
        if any(entry["note"] != "true" for entry in batch.items):
            raise TokenxError("forged", code="log.broken", status=500)
        self.rows.extend(batch.items)
        return True

    @property
    def complete(self) -> bool:
        return self.rows == self.log


@asynccontextmanager
async def following(store: Store) -> AsyncGenerator[StreamConsumer]:
    consumer = StreamConsumer("test", NAME, store)
    task = asyncio.create_task(consumer.run())
    await asyncio.sleep(0.02)
    try:
        yield consumer
    finally:
        task.cancel()


async def test_announcements_in_order_need_no_pull() -> None:
    store = Store()
    async with following(store) as consumer:
        await until(lambda: store.pulls == 1, "the first pull")
        for first in (1, 4, 7):
            store.log.extend(item(seq) for seq in range(first, first + 3))
            consumer.heard(announcement(first, first + 2))
        await until(lambda: store.complete, "all committed")
        assert (store.pulls, consumer.cursor) == (1, 9)


async def test_any_mixture_of_lost_doubled_and_reordered_announcements_ends_complete() -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    rng = random.Random(seed)
    store = Store()
    store.page_limit = 7
    async with following(store) as consumer:
        waiting: list[Announcement | Heartbeat] = []
        for _ in range(300):
            first = len(store.log) + 1
            last = first + rng.randint(0, 4)
            store.log.extend(item(seq) for seq in range(first, last + 1))
            waiting += [announcement(first, last)] * rng.choice([0, 1, 1, 1, 2])
            if rng.random() < 0.1:
                waiting.append(Heartbeat(stream=NAME, epoch=1, head=last))
            rng.shuffle(waiting)
            while waiting and rng.random() < 0.7:
                consumer.heard(waiting.pop())
            if rng.random() < 0.1:
                await asyncio.sleep(0.002)
        consumer.heard(Heartbeat(stream=NAME, epoch=1, head=len(store.log)))
        await until(lambda: store.complete, "all committed")


async def test_lost_last_message_is_found_by_the_heartbeat() -> None:
    store = Store(3)
    async with following(store) as consumer:
        await until(lambda: store.complete, "start")
        store.log.append(item(4))
        await asyncio.sleep(0.05)
        assert not store.complete
        consumer.heard(Heartbeat(stream=NAME, epoch=1, head=4))
        await until(lambda: store.complete, "the last one")


async def test_new_subscription_pulls_once_even_when_nothing_is_missing() -> None:
    store = Store(3)
    async with following(store) as consumer:
        await until(lambda: store.complete, "start")
        pulls = store.pulls
        consumer.heard(None)
        await until(lambda: store.pulls == pulls + 1, "one more pull")
        await asyncio.sleep(0.05)
        assert store.pulls == pulls + 1


async def test_stale_producer_is_not_heard() -> None:
    store = Store()
    store.epoch = 2
    async with following(store) as consumer:
        store.log.append(item(1))
        consumer.heard(announcement(1, 1, epoch=2))
        await until(lambda: store.complete, "the new producer's")
        consumer.heard(announcement(2, 2, epoch=1, note="stale"))
        consumer.heard(Heartbeat(stream=NAME, epoch=1, head=99))
        await asyncio.sleep(0.05)
        assert store.rows == [item(1)]


@pytest.mark.parametrize("epoch", [1, 2])
async def test_refused_announcement_is_replaced_by_what_the_producer_stored(epoch: int) -> None:
    """Epoch 1: the producer lost its lease after it announced. Epoch 2: the announcement is not what was stored."""
    store = Store()
    async with following(store) as consumer:
        await until(lambda: store.pulls == 1, "start")
        store.least_epoch = store.epoch = 2
        store.log.extend([item(1), item(2)])
        consumer.heard(announcement(1, 2, epoch=epoch, note="forged" if epoch == 2 else "true"))
        await until(lambda: store.complete, "healed by a pull")


async def test_commit_that_fails_is_tried_again() -> None:
    store = Store(5)
    store.refusals = [TokenxError("not now", status=503)] * 2
    async with following(store):
        await until(lambda: store.complete, "third try")


async def test_another_replica_that_was_first_only_moves_the_cursor() -> None:
    store = Store()
    async with following(store) as consumer:
        await until(lambda: store.pulls == 1, "start")
        store.log.extend(item(seq) for seq in range(1, 6))
        store.rows.extend(store.log[:3])
        consumer.heard(announcement(1, 5))
        await until(lambda: store.complete, "the rest")
        assert consumer.cursor == 5


async def test_page_with_a_hole_is_refused_and_asked_for_again() -> None:
    store = Store(5)
    store.broken_pages = 1
    async with following(store):
        await until(lambda: store.complete, "a good page")


async def test_announced_but_never_stored_items_do_not_block() -> None:
    store = Store(2)
    async with following(store) as consumer:
        await until(lambda: store.complete, "start")
        consumer.heard(announcement(7, 8))
        await asyncio.sleep(0.1)
        assert store.rows == store.log
        store.log.extend(item(seq) for seq in range(3, 9))
        consumer.heard(Heartbeat(stream=NAME, epoch=1, head=8))
        await until(lambda: store.complete, "after all")


# ---- over a real server -------------------------------------------------------------------------------------------------


@asynccontextmanager
async def group(store: Store, url: str, *known: str) -> AsyncGenerator[tuple[ConsumerGroup, Bus]]:
    bus = Bus(url)
    consumers = ConsumerGroup("test", "ev:*", store, bus)
    task = asyncio.create_task(consumers.run(known))
    try:
        yield consumers, bus
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await bus.close()


@pytest.mark.stack
async def test_streams_are_found_by_their_heartbeat_and_followed(valkey: ValkeyServer) -> None:
    store = Store(3)
    async with group(store, valkey.url("api")) as (_, bus):

        async def heads() -> list[tuple[str, int, int]]:
            return [(NAME, 1, len(store.log))]

        beating = asyncio.create_task(stream.beat(bus, heads, every_s=0.05))
        await until(lambda: store.complete, "found and pulled")
        store.log.append(item(4))
        await stream.announce(bus, stream=NAME, epoch=1, items=[item(4)])
        await until(lambda: store.complete, "the announced one")
        beating.cancel()


@pytest.mark.stack
async def test_redis_that_dies_and_comes_back_costs_latency_only() -> None:
    store = Store()
    with valkey_server() as server:
        producer = Bus(server.url("matcher"))

        async def heads() -> list[tuple[str, int, int]]:
            return [(NAME, 1, len(store.log))]

        async with group(store, server.url("api")) as (consumers, _):
            beating = asyncio.create_task(stream.beat(producer, heads, every_s=0.05))
            for turn in range(3):
                for _ in range(50):
                    store.log.append(item(len(store.log) + 1))
                    await stream.announce(producer, stream=NAME, epoch=1, items=store.log[-1:])
                if turn < 2:
                    await asyncio.to_thread(server.running.kill)
                    store.log.append(item(len(store.log) + 1))
                    await stream.announce(producer, stream=NAME, epoch=1, items=store.log[-1:])
                    await asyncio.to_thread(server.running.restart)
            await until(lambda: store.complete, "all committed")
            assert consumers.consumers[NAME].cursor == 152
            beating.cancel()
        await producer.close()


@pytest.mark.stack
async def test_bad_messages_are_passed_over(valkey: ValkeyServer) -> None:
    store = Store(1)
    async with group(store, valkey.url("api"), NAME) as (_, bus):
        await until(lambda: store.complete, "start")
        for text in (
            "",
            "{}",
            "no json",
            '{"v":2}',
            '{"v":1,"stream":"ev:off_a","epoch":1,"prev_seq":0,"seq":0,"items":[]}',
        ):
            await bus.publish(NAME, text)
        store.log.append(item(2))
        await stream.announce(bus, stream=NAME, epoch=1, items=[item(2)])
        await until(lambda: store.complete, "the good one")
