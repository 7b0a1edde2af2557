"""The chain's event stream: dense numbers, durable in the api before anyone hears of them, replayed from memory."""

import asyncio
from collections import deque
from collections.abc import Sequence
from itertools import islice
from typing import Final

from tokenx_chain.journal import Journal, Record
from tokenx_common.bus import Bus
from tokenx_common.errors import TokenxError
from tokenx_common.events import ReplayPage
from tokenx_common.lease import stop_stale
from tokenx_common.log import get_logger
from tokenx_common.stream import announce

log = get_logger(__name__)

MEMORY: Final = 10_000
TAIL: Final = 2_000
"""Events looked at after a start, to know what has been published already; more where these do not reach back to a final block."""
LOOK_BACK: Final = 200_000
"""Most events looked at: a stream that has had no transfer for that long has none open."""
APPEND: Final = 500


class StreamTooOld(TokenxError):
    """The range is no longer in memory here; the api has it."""

    code = "stream.too_old"
    status = 410


class Publisher:
    """The one writer of 'chain:<id>'. An event id is published once, however often it is offered."""

    def __init__(self, journal: Journal, bus: Bus) -> None:
        self._journal = journal
        self._bus = bus
        self._memory: deque[Record] = deque(maxlen=MEMORY)
        self._published: dict[str, None] = {}
        self._lock = asyncio.Lock()
        self.head = 0
        self.checkpoint: tuple[int, str] = (0, "")

    @property
    def stream(self) -> str:
        return self._journal.resource

    @property
    def epoch(self) -> int:
        return self._journal.epoch

    async def load(self) -> list[Record]:
        """Take up where the stream stands; returns its last events, oldest first: at least all that may still wait to become final."""
        head = await self._journal.stream_head()
        self.head, self.checkpoint = head.seq, (head.block_number, head.block_hash)
        start = max(0, head.seq - TAIL)
        newest = await self._read(start, head.seq)
        older = await self._older(newest, start)
        self._know(older)
        self._remember(newest)
        return older + newest

    async def _older(self, newest: list[Record], before: int) -> list[Record]:
        """What was published before the newest events, back to a seen event whose block is final: blocks are seen in their order, so
        nothing before it can still be open. While finality stands still that may be far more than TAIL."""
        found, page = list[Record](), newest
        while before > 0 and self.head - before < LOOK_BACK and not any(self._is_settled(item) for item in page):
            start = max(0, before - TAIL)
            page = await self._read(start, before)
            found, before = page + found, start
        return found

    def _is_settled(self, item: Record) -> bool:
        return item["type"] == "transfer.seen" and int(item["block_number"]) <= self.checkpoint[0]

    async def _read(self, after: int, upto: int) -> list[Record]:
        found: list[Record] = []
        while after < upto:
            page = await self._journal.events_after(after, min(upto - after, TAIL))
            if not page:
                break
            found += page
            after = int(page[-1]["seq"])
        return found

    async def publish(self, items: Sequence[Record], checkpoint: tuple[int, str] | None = None) -> None:
        """Append the items not yet published and, if given, move the checkpoint. Returns when both are durable."""
        async with self._lock:
            fresh = [item for item in items if item["event_id"] not in self._published]
            moved = checkpoint or self.checkpoint
            for start in range(0, len(fresh), APPEND):
                is_last = start + APPEND >= len(fresh)
                await self._append(fresh[start : start + APPEND], moved if is_last else self.checkpoint)
            if not fresh and moved != self.checkpoint:
                await self._journal.append_events(prev_seq=self.head, checkpoint=moved, items=[])
            self.checkpoint = moved

    async def _append(self, items: Sequence[Record], checkpoint: tuple[int, str]) -> None:
        numbered = [{**item, "seq": self.head + 1 + offset} for offset, item in enumerate(items)]
        try:
            await self._journal.append_events(prev_seq=self.head, checkpoint=checkpoint, items=numbered)
        except TokenxError as error:
            if error.code != "stream.conflict" or not await self._was_ours(numbered):
                raise
        self._remember(numbered)
        self.head = numbered[-1]["seq"]
        await announce(self._bus, stream=self.stream, epoch=self.epoch, items=numbered)

    async def _was_ours(self, numbered: list[Record]) -> bool:
        """Whether a conflict is only our own append whose answer was lost. Someone else's: this instance is over."""
        durable = await self._journal.events_after(self.head, len(numbered))
        if [(row["seq"], row["event_id"]) for row in durable] == [(row["seq"], row["event_id"]) for row in numbered]:
            return True
        stop_stale(self.stream)
        return False

    def _remember(self, items: Sequence[Record]) -> None:
        self._memory.extend(items)
        self._know(items)

    def _know(self, items: Sequence[Record]) -> None:
        """The last ones only, as many as a start would look at: what is older is final and is not offered again."""
        self._published.update((item["event_id"], None) for item in items)
        for event_id in list(islice(self._published, max(0, len(self._published) - LOOK_BACK))):
            del self._published[event_id]

    def replay(self, after: int, limit: int) -> ReplayPage:
        """Items after a seq from memory. Raises StreamTooOld when memory does not reach back that far."""
        oldest = int(self._memory[0]["seq"]) if self._memory else self.head + 1
        if after + 1 < oldest and after < self.head:
            raise StreamTooOld(f"memory starts at {oldest}")
        skip = max(0, after + 1 - oldest)
        items = [self._memory[index] for index in range(skip, min(skip + limit, len(self._memory)))]
        return ReplayPage(stream=self.stream, epoch=self.epoch, head=self.head, items=items)

    async def heads(self) -> list[tuple[str, int, int]]:
        """For the heartbeat."""
        return [(self.stream, self.epoch, self.head)]
