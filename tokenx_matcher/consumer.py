"""Commands in: a Handler of ConsumerGroup on `cmd:*`. The desk is the cursor; what it makes is announced before the next batch."""

import asyncio
from typing import Final

from prometheus_client import Histogram

from tokenx_common.clock import monotonic_s
from tokenx_common.errors import NotFound
from tokenx_common.events import ReplayPage
from tokenx_common.log import get_logger
from tokenx_common.stream import Batch, Item
from tokenx_matcher.commands import CommandLogBroken
from tokenx_matcher.desk import Desk, Desks
from tokenx_matcher.journal import Journal, OfferingHead
from tokenx_matcher.publisher import Publisher
from tokenx_matcher.recovery import Diverged, open_desk
from tokenx_matcher.snapshots import SnapshotStore

log = get_logger(__name__)

STREAM_PREFIX: Final = "cmd:"
INLINE_ITEMS: Final = 64
"""A larger batch is matched in a thread: the event loop is never held for more than about two milliseconds."""

ANNOUNCED = Histogram("tokenx_matcher_command_to_execution_seconds", "From a batch of commands in hand to its executions taken by Redis",
                      buckets=(1e-4, 2.5e-4, 5e-4, 7.5e-4, 1e-3, 1.5e-3, 2.5e-3, 5e-3, 0.01, 0.05, 0.25, 1))  # fmt: skip


class CommandHandler:
    """Feeds each offering's desk from its command stream."""

    def __init__(self, journal: Journal, desks: Desks, snapshots: SnapshotStore, publisher: Publisher) -> None:
        self._journal = journal
        self._desks = desks
        self._snapshots = snapshots
        self._publisher = publisher
        self._opening = asyncio.Lock()
        self.broken: dict[str, str] = {}
        """Offerings whose command log cannot be followed, with the reason. A human must look."""

    async def cursor(self, stream: str) -> int:
        """Opens the offering when it is not open yet. Raises NotFound when the api does not know it."""
        return (await self._open(stream.removeprefix(STREAM_PREFIX))).cmd_seq

    async def pull(self, stream: str, after: int, limit: int) -> ReplayPage:
        """The missing commands, from the api."""
        return await self._journal.commands(stream.removeprefix(STREAM_PREFIX), after=after, limit=limit)

    async def commit(self, batch: Batch) -> bool:
        """Match and announce. False when the desk is not where the batch begins. Raises CommandLogBroken, without any effect, for a
        batch that does not continue the log: the consumer then pulls what the api stored."""
        started = monotonic_s()
        offering_id = batch.stream.removeprefix(STREAM_PREFIX)
        desk = self._desks.named(offering_id)
        if batch.prev_seq != desk.cmd_seq:
            return False
        try:
            executions = await _apply(desk, batch.items)
        except CommandLogBroken as error:
            self.broken[offering_id] = error.detail  # an announcement is only a hint: what is pulled next may heal this
            raise
        self.broken.pop(offering_id, None)
        await self._publisher.announce(offering_id, executions)
        ANNOUNCED.observe(monotonic_s() - started)
        return True

    async def _open(self, offering_id: str) -> Desk:
        async with self._opening:
            desk = self._desks.get(offering_id)
            if desk is None:
                head = (await self._journal.offerings()).get(offering_id)
                if head is None:
                    raise NotFound("offering")
                desk = await self._opened(head)
            return desk

    async def _opened(self, head: OfferingHead) -> Desk:
        try:
            desk = await open_desk(head, self._journal, self._snapshots)
        except (Diverged, CommandLogBroken) as error:
            self.broken[head.offering_id] = error.detail
            raise
        self._desks[head.offering_id] = desk
        return desk


async def _apply(desk: Desk, items: list[Item]) -> list[Item]:
    return desk.apply(items) if len(items) <= INLINE_ITEMS else await asyncio.to_thread(desk.apply, items)
