"""One shape for every stream: dense sequence numbers, announced on Redis with prev_seq, a heartbeat with the head, replay by HTTP, and
consumers that commit effect and cursor together by compare-and-set.

A message that never arrives, arrives twice or arrives late changes nothing but latency: what has been seen is dropped, what is missing is
pulled from the producer. See docs/architecture.md, "One shape for every stream"."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final, Protocol

from prometheus_client import Counter, Gauge
from pydantic import ValidationError

from tokenx_common.bus import Bus
from tokenx_common.errors import TokenxError
from tokenx_common.events import Announcement, Heartbeat, ReplayPage
from tokenx_common.log import get_logger

log = get_logger(__name__)

GRACE_S: Final = 0.005
"""How long a gap may be a reordering before it is pulled."""
RETRY_S: Final = 0.2
BATCH_ITEMS: Final = 1000
BUFFER_ITEMS: Final = 10_000

PULLS = Counter("tokenx_stream_pulls_total", "Ranges pulled because an announcement was missing", ["consumer"])
LAG = Gauge("tokenx_stream_lag_items", "Head of the stream minus the committed cursor", ["consumer", "stream"])

Item = dict[str, Any]


def heartbeat_channel(stream: str) -> str:
    return f"hb:{stream}"


async def announce(bus: Bus, *, stream: str, epoch: int, items: list[Item]) -> None:
    """Ring the bell for items that are durable or decided. items are dense and in order; each has 'seq'."""
    message = Announcement(stream=stream, epoch=epoch, prev_seq=items[0]["seq"] - 1, seq=items[-1]["seq"], items=items)
    await bus.publish(stream, message.model_dump_json())


HeadSource = Callable[[], Awaitable[Iterable[tuple[str, int, int]]]]
"""Yields (stream, epoch, head) for each stream this producer serves."""


async def beat(bus: Bus, heads: HeadSource, *, every_s: float) -> None:
    """Publish the head of each stream for ever. Runs as a task that its owner cancels."""
    while True:
        try:
            for stream, epoch, head in await heads():
                await bus.publish(
                    heartbeat_channel(stream), Heartbeat(stream=stream, epoch=epoch, head=head).model_dump_json()
                )
        except (TokenxError, OSError) as error:
            log.warning("stream.heartbeat_failed", error=str(error))
        await asyncio.sleep(every_s)


@dataclass(frozen=True)
class Batch:
    """Contiguous items of one stream: items[0].seq == prev_seq + 1."""

    stream: str
    epoch: int
    prev_seq: int
    items: list[Item]

    @property
    def seq(self) -> int:
        return int(self.items[-1]["seq"])


class Handler(Protocol):
    """What a consumer does with a batch."""

    async def cursor(self, stream: str) -> int:
        """The committed cursor: the last seq whose effect is durable; 0 at the start."""
        ...

    async def pull(self, stream: str, after: int, limit: int) -> ReplayPage:
        """The missing range, from the producer."""
        ...

    async def commit(self, batch: Batch) -> bool:
        """Commit effect and cursor in one transaction, `WHERE cursor = batch.prev_seq`. False: another replica was first.
        May raise; the same batch is then tried again after a pause. Raise SystemExit to stop the process."""
        ...


class StreamConsumer:
    """Follows one stream: takes announcements in order, pulls what is missing, hands contiguous batches to its handler."""

    def __init__(self, name: str, stream: str, handler: Handler, *, batch_items: int = BATCH_ITEMS) -> None:
        self._name = name
        self._stream = stream
        self._handler = handler
        self._batch_items = batch_items
        self._buffer: dict[int, tuple[int, Item]] = {}
        self._cursor = 0
        self._head = 0
        self._epoch = 0
        self._wake = asyncio.Event()
        self._wake.set()

    @property
    def cursor(self) -> int:
        """Last committed seq."""
        return self._cursor

    def heard(self, message: Announcement | Heartbeat | None) -> None:
        """Take in what the bus said. None: the subscription was (re)made, so anything may be missing."""
        if message is None:
            self._head = max(self._head, self._cursor + 1)  # forces one pull; an empty page corrects it
        elif message.epoch < self._epoch:
            return  # a stale producer still talking
        elif isinstance(message, Heartbeat):
            self._head = max(self._head, message.head)
        else:
            self._keep(message)
        if self._head > self._cursor:
            self._wake.set()

    def _keep(self, message: Announcement) -> None:
        self._epoch = message.epoch
        self._head = max(self._head, message.seq)
        if len(self._buffer) + len(message.items) <= BUFFER_ITEMS:
            self._buffer.update(
                {item["seq"]: (message.epoch, item) for item in message.items if item["seq"] > self._cursor}
            )

    async def run(self) -> None:
        """Consume for ever. Runs as a task that its owner cancels."""
        await self._retrying(self._reload)
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._head > self._cursor:
                await self._retrying(self._step)

    async def _retrying(self, step: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                return await step()
            except (TokenxError, ValidationError, OSError, TimeoutError) as error:
                log.warning(
                    "stream.step_failed",
                    consumer=self._name,
                    stream=self._stream,
                    cursor=self._cursor,
                    error=str(error),
                )
                await asyncio.sleep(RETRY_S)

    async def _reload(self) -> None:
        self._cursor = await self._handler.cursor(self._stream)
        self._head = max(self._head, self._cursor + 1)

    async def _step(self) -> None:
        batch = self._buffered()
        if batch is None:
            await asyncio.sleep(GRACE_S)
            batch = self._buffered() or await self._pulled()
        if batch is None:
            return
        try:
            committed = await self._handler.commit(batch)
        except (TokenxError, ValidationError):
            self._buffer.clear()  # what was refused may have come from a stale producer: the next try pulls from the current one
            raise
        if committed:
            self._advance(batch.seq)
        else:
            await self._reload()
        LAG.labels(self._name, self._stream).set(max(0, self._head - self._cursor))

    def _buffered(self) -> Batch | None:
        items: list[Item] = []
        epoch = None
        while len(items) < self._batch_items and (entry := self._buffer.get(self._cursor + 1 + len(items))) is not None:
            if epoch is not None and entry[0] != epoch:
                break
            epoch = entry[0]
            items.append(entry[1])
        return Batch(self._stream, epoch, self._cursor, items) if epoch is not None else None

    async def _pulled(self) -> Batch | None:
        page = await self._handler.pull(self._stream, self._cursor, self._batch_items)
        PULLS.labels(self._name).inc()
        self._epoch = max(self._epoch, page.epoch)
        expected = range(self._cursor + 1, self._cursor + 1 + len(page.items))
        if [item["seq"] for item in page.items] != list(expected):
            raise OSError(f"{self._stream}: the page after {self._cursor} is not dense")
        self._head = max([page.head, *self._buffer])  # also takes back a head that was only guessed at
        if not page.items:
            if page.head > self._cursor:
                raise OSError(f"{self._stream}: head {page.head} but nothing after {self._cursor}")
            return None
        return Batch(self._stream, page.epoch, self._cursor, page.items)

    def _advance(self, seq: int) -> None:
        for done in range(self._cursor + 1, seq + 1):
            self._buffer.pop(done, None)
        self._cursor = seq


class ConsumerGroup:
    """All streams of one kind that this process follows, on one Redis subscription.

    pattern is e.g. 'ev:*'. Streams appear when first heard of or when `follow` is called; each gets its own task."""

    def __init__(self, name: str, pattern: str, handler: Handler, bus: Bus, *, batch_items: int = BATCH_ITEMS) -> None:
        self._name = name
        self._pattern = pattern
        self._handler = handler
        self._bus = bus
        self._batch_items = batch_items
        self._consumers: dict[str, StreamConsumer] = {}
        self._tasks: asyncio.TaskGroup | None = None

    @property
    def consumers(self) -> dict[str, StreamConsumer]:
        """By stream name."""
        return self._consumers

    async def run(self, streams: Iterable[str] = ()) -> None:
        """Follow `streams` and whatever else is heard, for ever. Runs as a task that its owner cancels."""
        async with asyncio.TaskGroup() as self._tasks:
            for stream in streams:
                self.follow(stream)
            async for message in self._bus.subscribe([self._pattern, heartbeat_channel(self._pattern)]):
                self._dispatch(message)

    def follow(self, stream: str) -> StreamConsumer:
        """The consumer of a stream, started if it is new."""
        consumer = self._consumers.get(stream)
        if consumer is None:
            assert self._tasks is not None, "run() first"
            consumer = self._consumers[stream] = StreamConsumer(
                self._name, stream, self._handler, batch_items=self._batch_items
            )
            self._tasks.create_task(consumer.run(), name=f"{self._name}:{stream}")
        return consumer

    def _dispatch(self, message: tuple[str, str] | None) -> None:
        if message is None:
            for consumer in self._consumers.values():
                consumer.heard(None)
            return
        channel, text = message
        try:
            parsed = (
                Heartbeat.model_validate_json(text)
                if channel.startswith("hb:")
                else Announcement.model_validate_json(text)
            )
        except ValidationError as error:
            log.error("stream.bad_message", channel=channel, error=str(error))
            return
        self.follow(parsed.stream).heard(parsed)
