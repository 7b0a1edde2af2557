"""SQL of idempotency keys."""

from dataclasses import dataclass
from typing import Any, LiteralString

from tokenx_api.db import WriteConn

LOCK: LiteralString = "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))"
SELECT: LiteralString = """
    SELECT body_sha256, response_status, response_body FROM api.idempotency_keys WHERE principal_id = $1 AND route = $2 AND key = $3"""
INSERT: LiteralString = """
    INSERT INTO api.idempotency_keys (principal_id, route, key, body_sha256, response_status, response_body) VALUES ($1, $2, $3, $4, $5, $6)"""


@dataclass(frozen=True)
class StoredAnswer:
    body_sha256: bytes
    status: int
    body: dict[str, Any]


async def lock(conn: WriteConn, name: str) -> None:
    """Held until the transaction ends; equal names wait for each other."""
    await conn.execute(LOCK, name)


async def select(conn: WriteConn, *, principal_id: str, route: str, key: str) -> StoredAnswer | None:
    row = await conn.fetchrow(SELECT, principal_id, route, key)
    return StoredAnswer(row["body_sha256"], row["response_status"], row["response_body"]) if row else None


async def insert(
    conn: WriteConn, *, principal_id: str, route: str, key: str, body_sha256: bytes, status: int, body: dict[str, Any]
) -> None:
    await conn.execute(INSERT, principal_id, route, key, body_sha256, status, body)
