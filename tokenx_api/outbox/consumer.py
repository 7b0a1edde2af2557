"""The relay: takes due entries, delivers them outside any transaction, marks them sent. At least once, in order within a lane, never lost.

A relay that dies between delivery and mark leaves the entry due again after HOLD_S; receivers recognise what they already have."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final

import asyncpg
import structlog

from tokenx_api.db import Database
from tokenx_api.outbox import queries
from tokenx_api.outbox.models import Deliver, Entry, Kind
from tokenx_api.wakeup import Wakeups
from tokenx_common.errors import DependencyUnavailable
from tokenx_common.log import get_logger

log = get_logger(__name__)

WAKEUP: Final = "outbox"
POLL_S: Final = 0.5
"""Only a safety net: whoever commits an entry rings the wake-up."""
HOLD_S: Final = 30
DELIVERY_TIMEOUT_S: Final = 10
BATCH: Final = 20
LANES: Final[tuple[tuple[Kind, ...], ...]] = (
    ("chain_operation",),
    ("workflow_start", "workflow_signal"),
    ("payment_instruction",),
    ("notification",),
)
"""A lane waits for nobody but itself: no Temporal server must not hold up the chain."""


def back_off_s(attempts: int) -> float:
    """Seconds until the next attempt: 0.5, 1, 2, 4, 8, then 15."""
    return min(15.0, 0.5 * 2 ** min(attempts - 1, 10))


class Relay:
    """Delivers the kinds it has a receiver for. Several replicas may run at once."""

    def __init__(self, db: Database, wakeups: Wakeups, deliveries: Mapping[Kind, Deliver]) -> None:
        self._db = db
        self._wakeups = wakeups
        self._deliveries = deliveries

    async def run(self) -> None:
        """For ever. Runs as a task that its owner cancels."""
        async with asyncio.TaskGroup() as lanes:
            for kinds in LANES:
                lanes.create_task(self._lane([kind for kind in kinds if kind in self._deliveries]))

    async def _lane(self, kinds: Sequence[Kind]) -> None:
        while True:
            try:
                delivered = await self.step(kinds)
            except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError) as error:
                log.warning("outbox.database_unavailable", error=str(error))
                delivered = 0
            if not delivered:
                await self._wakeups.wait(WAKEUP, timeout_s=POLL_S)

    async def step(self, kinds: Sequence[Kind]) -> int:
        """Claim and deliver once; returns how many entries went out."""
        async with self._db.write() as conn:
            entries = await queries.claim(conn, kinds=kinds, limit=BATCH, hold_s=HOLD_S)
        sent = 0
        for position, entry in enumerate(entries):
            try:
                await self._deliver(entry)
            except DependencyUnavailable as error:
                await self._failed(entries[position:], error.detail)
                break
            except Exception as error:  # noqa: BLE001  # whatever the receiver says against this entry, the ones behind it still go out
                log.error("outbox.refused", outbox_id=entry.outbox_id, kind=entry.kind, error=repr(error))
                await self._failed([entry], repr(error))
            else:
                sent += 1
        return sent

    async def _deliver(self, entry: Entry) -> None:
        with structlog.contextvars.bound_contextvars(correlation_id=entry.correlation_id):
            async with asyncio.timeout(DELIVERY_TIMEOUT_S):
                await self._deliveries[entry.kind](entry)
        async with self._db.write() as conn:
            await queries.mark_sent(conn, entry.outbox_id)

    async def _failed(self, entries: Sequence[Entry], error: str) -> None:
        log.warning("outbox.not_delivered", kind=entries[0].kind, entries=len(entries), error=error)
        async with self._db.write() as conn:
            await queries.mark_failed(
                conn,
                [entry.outbox_id for entry in entries],
                error=error[:500],
                again_in_s=back_off_s(entries[0].attempts),
            )
