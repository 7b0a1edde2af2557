"""Seals blocks of audit rows into one chain, and checks all of it again. Business transactions never wait for either."""

from typing import Final

from tokenx_api.audit import queries
from tokenx_api.audit.models import Broken, CheckedLeaf, Seal, Verification
from tokenx_api.db import ReadConn, WriteConn
from tokenx_common.canonical import ZERO_HASH
from tokenx_common.merkle import merkle_root, seal_hash

MAX_EVENTS_PER_SEAL: Final = 10_000
_BATCH: Final = 5_000


async def seal(conn: WriteConn) -> int:
    """Seal what is due; returns how many events that were. One replica at a time: the others find nothing to do."""
    if not await queries.try_lock_sealing(conn):
        return 0
    leaves = await queries.select_unsealed(conn, limit=MAX_EVENTS_PER_SEAL)
    if not leaves:
        return 0
    prev_hash = await queries.select_last_hash(conn) or ZERO_HASH
    root = merkle_root([leaf.leaf for leaf in leaves])
    sealed = await queries.insert_seal(
        conn,
        event_ids=[leaf.event_id for leaf in leaves],
        root=root,
        prev_hash=prev_hash,
        hash=seal_hash(prev_hash, root, len(leaves)),
    )
    return len(leaves) if sealed else 0


async def verify(conn: ReadConn) -> Verification:
    """Compute every leaf, root and seal again; names the first broken row. Run it in one REPEATABLE READ transaction, or rows that arrive
    meanwhile are counted as unsealed or not, as it happens."""
    return await _Check(conn).run()


class _Check:
    """One verification: seals in order, then all events for those no seal covers."""

    def __init__(self, conn: ReadConn) -> None:
        self._conn = conn
        self._covered: set[int] = set()
        self._newest_xid = 0
        self._seals = 0
        self._events = 0
        self._unsealed = 0

    async def run(self) -> Verification:
        broken = await self._check_seals() or await self._check_events()
        return Verification(
            ok=broken is None, events=self._events, seals=self._seals, unsealed=self._unsealed, broken=broken
        )

    async def _check_seals(self) -> Broken | None:
        last_id, prev_hash = 0, ZERO_HASH
        while page := await queries.select_seals(self._conn, after=last_id, limit=50):
            for item in page:
                if broken := await self._check_seal(item, prev_hash):
                    return broken
                last_id, prev_hash = item.seal_id, item.hash
        return None

    async def _check_seal(self, item: Seal, prev_hash: bytes) -> Broken | None:
        self._seals += 1
        if item.prev_hash != prev_hash:
            return _broken_seal(item, "does not follow the seal before it: one is missing or was changed")
        twice = self._covered & set(item.event_ids)
        if twice:
            return Broken(row="event", row_id=min(twice), problem="is in two seals")
        found = {row.event_id: row for row in await queries.select_checked(self._conn, item.event_ids)}
        for event_id in item.event_ids:
            if event_id not in found:
                return Broken(row="event", row_id=event_id, problem="was deleted: a seal covers it")
            if broken := _check_leaf(found[event_id]):
                return broken
        if merkle_root([found[event_id].stored for event_id in item.event_ids]) != item.root:
            return _broken_seal(
                item, "the root over its events is another: an event and its leaf were changed together"
            )
        if seal_hash(item.prev_hash, item.root, len(item.event_ids)) != item.hash:
            return _broken_seal(item, "its hash is not the hash of its contents")
        self._covered |= set(item.event_ids)
        self._newest_xid = max(self._newest_xid, *(row.recorded_xid for row in found.values()))
        return None

    async def _check_events(self) -> Broken | None:
        last_id = 0
        while page := await queries.select_checked_after(self._conn, after=last_id, limit=_BATCH):
            for row in page:
                self._events += 1
                if row.event_id not in self._covered and (broken := self._check_unsealed(row)):
                    return broken
            last_id = page[-1].event_id
        return None

    def _check_unsealed(self, row: CheckedLeaf) -> Broken | None:
        self._unsealed += 1
        if row.recorded_xid < self._newest_xid:
            return Broken(
                row="event",
                row_id=row.event_id,
                problem="is older than the newest seal but in none: it was inserted later",
            )
        return _check_leaf(row)


def _check_leaf(row: CheckedLeaf) -> Broken | None:
    if row.stored == row.computed:
        return None
    return Broken(row="event", row_id=row.event_id, problem="was changed: its leaf is not the hash of its contents")


def _broken_seal(item: Seal, problem: str) -> Broken:
    return Broken(row="seal", row_id=item.seal_id, problem=problem)
