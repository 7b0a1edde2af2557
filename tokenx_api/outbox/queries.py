"""SQL of the outbox."""

from collections.abc import Sequence
from typing import Any, LiteralString

from tokenx_api.db import ReadConn, WriteConn
from tokenx_api.outbox.models import Entry

INSERT: LiteralString = """
    INSERT INTO api.outbox (kind, dedupe_key, payload, correlation_id) VALUES ($1, $2, $3, $4) ON CONFLICT (dedupe_key) DO NOTHING"""
CLAIM: LiteralString = """
    WITH due AS (SELECT outbox_id FROM api.outbox WHERE sent_at IS NULL AND next_attempt_at <= now() AND kind = ANY($1)
                 ORDER BY outbox_id LIMIT $2 FOR UPDATE SKIP LOCKED),
         claimed AS (UPDATE api.outbox o SET attempts = o.attempts + 1, next_attempt_at = now() + make_interval(secs => $3)
                     FROM due WHERE o.outbox_id = due.outbox_id
                     RETURNING o.outbox_id, o.kind, o.payload, o.correlation_id, o.attempts)
    SELECT outbox_id, kind, payload, correlation_id, attempts FROM claimed ORDER BY outbox_id"""
MARK_SENT: LiteralString = "UPDATE api.outbox SET sent_at = now(), last_error = NULL WHERE outbox_id = $1"
MARK_FAILED: LiteralString = """
    UPDATE api.outbox SET last_error = $2, next_attempt_at = now() + make_interval(secs => $3)
    WHERE outbox_id = ANY($1) AND sent_at IS NULL"""
SELECT_BACKLOG: LiteralString = """
    SELECT count(*) AS entries, coalesce(extract(epoch FROM now() - min(created_at)), 0)::bigint AS oldest_s
    FROM api.outbox WHERE sent_at IS NULL"""


async def insert(conn: WriteConn, *, kind: str, dedupe_key: str, payload: dict[str, Any], correlation_id: str) -> None:
    await conn.execute(INSERT, kind, dedupe_key, payload, correlation_id)


async def claim(conn: WriteConn, *, kinds: Sequence[str], limit: int, hold_s: int) -> list[Entry]:
    """Due entries of these kinds, oldest first, nobody else's for hold_s seconds. Rows that another replica claims now are skipped."""
    return [Entry(**dict(row)) for row in await conn.fetch(CLAIM, list(kinds), limit, hold_s)]


async def mark_sent(conn: WriteConn, outbox_id: int) -> None:
    await conn.execute(MARK_SENT, outbox_id)


async def mark_failed(conn: WriteConn, outbox_ids: Sequence[int], *, error: str, again_in_s: float) -> None:
    """Due again after again_in_s seconds."""
    await conn.execute(MARK_FAILED, list(outbox_ids), error, again_in_s)


async def select_backlog(conn: ReadConn) -> tuple[int, int]:
    row = await conn.fetchrow(SELECT_BACKLOG)
    assert row is not None, "an aggregate always has a row"
    return row["entries"], row["oldest_s"]
