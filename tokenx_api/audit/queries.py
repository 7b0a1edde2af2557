"""SQL of the audit trail."""

from collections.abc import Sequence
from typing import Any, LiteralString

from tokenx_api.audit.models import AuditEvent, CheckedLeaf, Leaf, Seal
from tokenx_api.db import ReadConn, Record, WriteConn

APPEND: LiteralString = "SELECT audit.append($1, $2, $3, $4, $5, $6)"
LIST: LiteralString = """
    SELECT event_id, occurred_at, actor, action, subject_type, subject_id, correlation_id, detail FROM audit.events
    WHERE ($1::text IS NULL OR subject_id = $1) AND ($2::bigint IS NULL OR event_id < $2) ORDER BY event_id DESC LIMIT $3"""
LOCK_SEALING: LiteralString = "SELECT pg_try_advisory_xact_lock(hashtextextended('audit.seals', 0))"
LAST_HASH: LiteralString = "SELECT hash FROM audit.seals ORDER BY seal_id DESC LIMIT 1"
SELECT_UNSEALED: LiteralString = """
    WITH last AS (SELECT event_ids[cardinality(event_ids)] AS event_id FROM audit.seals ORDER BY seal_id DESC LIMIT 1),
         mark AS (SELECT e.recorded_xid, e.event_id FROM audit.events e JOIN last USING (event_id))
    SELECT e.event_id, e.leaf FROM audit.events e
    WHERE e.recorded_xid < pg_snapshot_xmin(pg_current_snapshot())
      AND (e.recorded_xid, e.event_id) > (coalesce((SELECT recorded_xid FROM mark), '0'::xid8), coalesce((SELECT event_id FROM mark), 0))
    ORDER BY e.recorded_xid, e.event_id LIMIT $1"""
INSERT_SEAL: LiteralString = """
    INSERT INTO audit.seals (event_ids, root, prev_hash, hash) VALUES ($1, $2, $3, $4) ON CONFLICT (prev_hash) DO NOTHING RETURNING seal_id"""
SELECT_SEALS: LiteralString = """
    SELECT seal_id, event_ids, root, prev_hash, hash FROM audit.seals WHERE seal_id > $1 ORDER BY seal_id LIMIT $2"""
_CHECKED: LiteralString = """
    SELECT event_id, leaf AS stored, recorded_xid::text::bigint AS recorded_xid,
           audit.leaf_hash(actor, action, subject_type, subject_id, correlation_id, detail, occurred_at) AS computed
    FROM audit.events"""
SELECT_CHECKED: LiteralString = _CHECKED + " WHERE event_id = ANY($1::bigint[]) ORDER BY event_id LIMIT $2"
SELECT_CHECKED_AFTER: LiteralString = _CHECKED + " WHERE event_id > $1 ORDER BY event_id LIMIT $2"


async def append(
    conn: WriteConn, *, actor: str, action: str, subject: tuple[str, str], correlation_id: str, detail: dict[str, Any]
) -> int:
    """Adds one row through the only door there is; returns its event_id."""
    return await conn.fetchval(APPEND, actor, action, subject[0], subject[1], correlation_id, detail)


async def select_page(conn: ReadConn, *, subject_id: str | None, before: int | None, limit: int) -> list[AuditEvent]:
    """Newest first."""
    return [_event(row) for row in await conn.fetch(LIST, subject_id, before, limit)]


async def try_lock_sealing(conn: WriteConn) -> bool:
    """Whether this transaction may seal; False while another one does."""
    return await conn.fetchval(LOCK_SEALING)


async def select_last_hash(conn: ReadConn) -> bytes | None:
    """None before the first seal."""
    return await conn.fetchval(LAST_HASH)


async def select_unsealed(conn: ReadConn, *, limit: int) -> list[Leaf]:
    """Events after the last sealed one, in order of (transaction, event), of transactions that have all ended: whoever is still running has
    a later transaction id than every row here, so nothing can appear before a seal's end once the seal is written."""
    return [Leaf(row["event_id"], row["leaf"]) for row in await conn.fetch(SELECT_UNSEALED, limit)]


async def insert_seal(conn: WriteConn, *, event_ids: Sequence[int], root: bytes, prev_hash: bytes, hash: bytes) -> bool:
    """False when another seal follows the same one already."""
    return await conn.fetchval(INSERT_SEAL, list(event_ids), root, prev_hash, hash) is not None


async def select_seals(conn: ReadConn, *, after: int, limit: int) -> list[Seal]:
    """Oldest first."""
    return [Seal(**dict(row)) for row in await conn.fetch(SELECT_SEALS, after, limit)]


async def select_checked(conn: ReadConn, event_ids: Sequence[int]) -> list[CheckedLeaf]:
    """Those of the events that exist."""
    return [_checked(row) for row in await conn.fetch(SELECT_CHECKED, list(event_ids), len(event_ids))]


async def select_checked_after(conn: ReadConn, *, after: int, limit: int) -> list[CheckedLeaf]:
    """In order of event_id."""
    return [_checked(row) for row in await conn.fetch(SELECT_CHECKED_AFTER, after, limit)]


def _event(row: Record) -> AuditEvent:
    return AuditEvent(**dict(row))


def _checked(row: Record) -> CheckedLeaf:
    return CheckedLeaf(**dict(row))
