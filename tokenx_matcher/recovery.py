"""Opening an offering: newest usable snapshot, then the command log, then proof that the api's executions are ours."""

import asyncio
from collections.abc import Iterator
from typing import Final

from tokenx_common.canonical import ZERO_HASH
from tokenx_common.errors import TokenxError
from tokenx_common.log import get_logger
from tokenx_matcher.commands import CommandLogBroken
from tokenx_matcher.desk import Desk
from tokenx_matcher.engine import OfferingEngine
from tokenx_matcher.executions import ExecutionLog
from tokenx_matcher.journal import Journal, OfferingHead
from tokenx_matcher.snapshots import SnapshotStore

log = get_logger(__name__)

PAGE: Final = 1000
EXIT_DIVERGED: Final = 65
"""Process exit status when the stored executions are not what the stored commands give (EX_DATAERR)."""


class Diverged(TokenxError):
    """Replaying the command log does not give the executions the api holds: one of the two logs was altered, or the rules were."""

    code = "matcher.diverged"
    status = 500


async def open_desk(head: OfferingHead, journal: Journal, snapshots: SnapshotStore) -> Desk:
    """The offering as of its last stored command. Raises Diverged, TokenxError when the api does not answer."""
    for engine in _starting_points(head, snapshots):
        from_snapshot = engine.cmd_seq > 0
        try:
            return await _caught_up(engine, head, journal)
        except (Diverged, CommandLogBroken) as error:
            if not from_snapshot:
                raise
            log.warning("snapshot.rejected", offering_id=head.offering_id, reason=error.detail)
    raise AssertionError("the last starting point is never a snapshot")


def _starting_points(head: OfferingHead, snapshots: SnapshotStore) -> Iterator[OfferingEngine]:
    yield from snapshots.engines(head.offering_id, exec_seq=head.exec_seq, cmd_seq=head.cmd_seq)
    yield OfferingEngine(head.offering_id)


async def _caught_up(engine: OfferingEngine, head: OfferingHead, journal: Journal) -> Desk:
    start = engine.cmd_seq
    executions = ExecutionLog(after=engine.exec_seq)
    _compare(engine, head, engine.exec_seq, engine.exec_hash.hex())
    while engine.cmd_seq < head.cmd_seq:
        page = await journal.commands(head.offering_id, after=engine.cmd_seq, limit=PAGE)
        if not page.items:
            raise CommandLogBroken(f"{head.offering_id}: the api has no command after {engine.cmd_seq}")
        made = await asyncio.to_thread(engine.apply, page.items)
        for item in made:
            _compare(engine, head, item["seq"], item["hash"])
        executions.extend(made)
    if engine.exec_seq < head.exec_seq:
        raise Diverged(
            f"{head.offering_id}: the api holds {head.exec_seq} executions, its commands give {engine.exec_seq}"
        )
    log.info("offering.opened", offering_id=head.offering_id, snapshot_cmd_seq=start, cmd_seq=engine.cmd_seq,
             exec_seq=engine.exec_seq)  # fmt: skip
    return Desk(engine, executions)


def _compare(engine: OfferingEngine, head: OfferingHead, exec_seq: int, exec_hash: str) -> None:
    expected = head.exec_hash if head.exec_seq else ZERO_HASH.hex()
    if exec_seq == head.exec_seq and exec_hash != expected:
        raise Diverged(
            f"{engine.offering_id}: execution log of the api and replay of its commands differ at or before {exec_seq}",
            offering_id=engine.offering_id,
            exec_seq=exec_seq,
        )
