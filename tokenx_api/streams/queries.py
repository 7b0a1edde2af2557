"""SQL of leases, cursors and the durable part of every stream."""

from typing import Any, LiteralString

from tokenx_api.db import ReadConn, WriteConn
from tokenx_api.streams.models import Head, Lease, MatcherOffering

TAKE_LEASE: LiteralString = """
    INSERT INTO api.leases AS held (resource, holder, epoch, expires_at)
    VALUES ($1, $2, 1, clock_timestamp() + make_interval(secs => $3))
    ON CONFLICT (resource) DO UPDATE
    SET epoch = held.epoch + CASE WHEN held.holder = excluded.holder THEN 0 ELSE 1 END,
        holder = excluded.holder, expires_at = excluded.expires_at
    WHERE held.holder = excluded.holder OR held.expires_at <= clock_timestamp()
    RETURNING epoch, expires_at"""
LEASE_REST_S: LiteralString = """
    SELECT greatest(0, extract(epoch FROM expires_at - clock_timestamp()))::float8 FROM api.leases WHERE resource = $1"""
RELEASE_LEASE: LiteralString = """
    UPDATE api.leases SET expires_at = clock_timestamp()
    WHERE resource = $1 AND epoch = $2 AND ($3::text IS NULL OR holder = $3) AND expires_at > clock_timestamp()"""
SHARE_EPOCH: LiteralString = "SELECT epoch FROM api.leases WHERE resource = $1 FOR SHARE"
SELECT_EPOCH: LiteralString = "SELECT epoch FROM api.leases WHERE resource = $1"

SELECT_CURSOR: LiteralString = "SELECT seq FROM api.stream_cursors WHERE consumer = $1 AND stream = $2"
SELECT_CURSORS: LiteralString = """
    SELECT stream, seq FROM api.stream_cursors WHERE consumer = $1 ORDER BY stream LIMIT 100000"""
MOVE_CURSOR: LiteralString = """
    WITH moved AS (UPDATE api.stream_cursors SET seq = $4, updated_at = clock_timestamp()
                   WHERE consumer = $1 AND stream = $2 AND seq = $3 RETURNING seq),
         started AS (INSERT INTO api.stream_cursors (consumer, stream, seq)
                     SELECT $1, $2, $4 WHERE $3 = 0 AND NOT EXISTS (SELECT 1 FROM moved)
                     ON CONFLICT (consumer, stream) DO NOTHING RETURNING seq)
    SELECT EXISTS (SELECT 1 FROM moved) OR EXISTS (SELECT 1 FROM started)"""

MATCHER_OFFERINGS: LiteralString = """
    SELECT s.offering_id, s.cmd_seq, s.exec_seq, s.exec_cmd_seq, s.exec_hash, o.market_state
    FROM matcher.sequencers s JOIN api.offerings o USING (offering_id) ORDER BY s.offering_id LIMIT 100000"""
COMMAND_HEADS: LiteralString = "SELECT offering_id, cmd_seq FROM matcher.sequencers ORDER BY offering_id LIMIT 100000"
COMMAND_HEAD: LiteralString = "SELECT 0 AS epoch, cmd_seq AS seq FROM matcher.sequencers WHERE offering_id = $1"
COMMANDS: LiteralString = """
    SELECT cmd_seq, body, hash FROM matcher.commands WHERE offering_id = $1 AND cmd_seq > $2 ORDER BY cmd_seq LIMIT $3"""
EXECUTION_HEAD: LiteralString = "SELECT epoch, exec_seq AS seq FROM matcher.sequencers WHERE offering_id = $1"
EXECUTIONS: LiteralString = """
    SELECT exec_seq, cmd_seq, body, hash FROM matcher.executions
    WHERE offering_id = $1 AND exec_seq > $2 ORDER BY exec_seq LIMIT $3"""
CHAIN_HEAD: LiteralString = "SELECT epoch, seq FROM chain.streams WHERE chain_id = $1"
CHAIN_EVENTS: LiteralString = """
    SELECT seq, event_id, type, body FROM chain.events WHERE chain_id = $1 AND seq > $2 ORDER BY seq LIMIT $3"""
KYT_ALERT_HEAD: LiteralString = """
    SELECT coalesce((SELECT epoch FROM api.leases WHERE resource = 'kyt'), 0) AS epoch, coalesce(max(seq), 0) AS seq FROM kyt.alerts"""
KYT_ALERTS: LiteralString = """
    SELECT seq, alert_id, kind, severity, title FROM kyt.alerts WHERE seq > $1 ORDER BY seq LIMIT $2"""
SURVEILLANCE_ALERT_HEAD: LiteralString = """
    SELECT coalesce((SELECT epoch FROM api.leases WHERE resource = 'kyt'), 0) AS epoch, coalesce(max(seq), 0) AS seq
    FROM surveillance.alerts"""
SURVEILLANCE_ALERTS: LiteralString = """
    SELECT seq, alert_id, detector AS kind, severity, title FROM surveillance.alerts WHERE seq > $1 ORDER BY seq LIMIT $2"""


async def take_lease(conn: WriteConn, *, resource: str, holder: str, ttl_s: float) -> Lease | None:
    """The lease, new or renewed, in one statement; None when another holder's has not expired."""
    row = await conn.fetchrow(TAKE_LEASE, resource, holder, ttl_s)
    return Lease(resource, holder, row["epoch"], row["expires_at"]) if row else None


async def lease_rest_s(conn: ReadConn, resource: str) -> float:
    """Seconds until the lease expires unless it is renewed."""
    return await conn.fetchval(LEASE_REST_S, resource) or 0.0


async def release_lease(conn: WriteConn, *, resource: str, epoch: int, holder: str | None) -> bool:
    return await conn.execute(RELEASE_LEASE, resource, epoch, holder) == "UPDATE 1"


async def share_epoch(conn: WriteConn, resource: str) -> int | None:
    """The lease's epoch, None before its first holder. Holds the row FOR SHARE: nobody can take the lease over before this commits."""
    return await conn.fetchval(SHARE_EPOCH, resource)


async def select_epoch(conn: ReadConn, resource: str) -> int | None:
    return await conn.fetchval(SELECT_EPOCH, resource)


async def select_cursor(conn: ReadConn, *, consumer: str, stream: str) -> int:
    return await conn.fetchval(SELECT_CURSOR, consumer, stream) or 0


async def select_cursors(conn: ReadConn, consumer: str) -> dict[str, int]:
    return {row["stream"]: row["seq"] for row in await conn.fetch(SELECT_CURSORS, consumer)}


async def move_cursor(conn: WriteConn, *, consumer: str, stream: str, prev_seq: int, seq: int) -> bool:
    """Whether the cursor stood at prev_seq and now stands at seq. Takes its row lock."""
    return await conn.fetchval(MOVE_CURSOR, consumer, stream, prev_seq, seq)


async def matcher_offerings(conn: ReadConn) -> list[MatcherOffering]:
    return [
        MatcherOffering(
            row["offering_id"],
            row["cmd_seq"],
            row["exec_seq"],
            row["exec_cmd_seq"],
            row["exec_hash"],
            row["market_state"],
        )
        for row in await conn.fetch(MATCHER_OFFERINGS)
    ]


async def command_heads(conn: ReadConn) -> dict[str, int]:
    """Last command number of every offering."""
    return {row["offering_id"]: row["cmd_seq"] for row in await conn.fetch(COMMAND_HEADS)}


async def head(conn: ReadConn, *, stream: str, sql: LiteralString, key: tuple[Any, ...]) -> Head | None:
    """A stream's head by one of the *_HEAD statements; None when there is no such stream."""
    row = await conn.fetchrow(sql, *key)
    return Head(stream, row["epoch"], row["seq"]) if row else None


async def commands(conn: ReadConn, offering_id: str, after: int, limit: int) -> list[dict[str, Any]]:
    return [
        {"seq": row["cmd_seq"], "body": row["body"], "hash": row["hash"].hex()}
        for row in await conn.fetch(COMMANDS, offering_id, after, limit)
    ]


async def executions(conn: ReadConn, offering_id: str, after: int, limit: int) -> list[dict[str, Any]]:
    return [
        {"seq": row["exec_seq"], "cmd_seq": row["cmd_seq"], "body": row["body"], "hash": row["hash"].hex()}
        for row in await conn.fetch(EXECUTIONS, offering_id, after, limit)
    ]


async def chain_events(conn: ReadConn, chain_id: int, after: int, limit: int) -> list[dict[str, Any]]:
    return [
        row["body"] | {"seq": row["seq"], "event_id": row["event_id"], "type": row["type"]}
        for row in await conn.fetch(CHAIN_EVENTS, chain_id, after, limit)
    ]


async def kyt_alerts(conn: ReadConn, after: int, limit: int) -> list[dict[str, Any]]:
    return [dict(row) for row in await conn.fetch(KYT_ALERTS, after, limit)]


async def surveillance_alerts(conn: ReadConn, after: int, limit: int) -> list[dict[str, Any]]:
    return [dict(row) for row in await conn.fetch(SURVEILLANCE_ALERTS, after, limit)]
