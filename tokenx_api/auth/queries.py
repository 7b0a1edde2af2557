"""SQL of sessions."""

from datetime import datetime
from typing import LiteralString

from tokenx_api.auth.models import Actor
from tokenx_api.db import ReadConn, WriteConn

INSERT: LiteralString = """
    INSERT INTO api.sessions (token_sha256, user_id, csrf_token, created_at, last_used_at, expires_at) VALUES ($1, $2, $3, $4, $4, $5)"""
DELETE: LiteralString = "DELETE FROM api.sessions WHERE token_sha256 = $1"
DELETE_EXPIRED: LiteralString = "DELETE FROM api.sessions WHERE user_id = $1 AND expires_at <= $2"
SELECT_ACTOR: LiteralString = """
    SELECT u.user_id, u.email, u.display_name, u.personas, s.csrf_token, i.investor_id, r.issuer_id
    FROM api.sessions s JOIN api.users u USING (user_id)
    LEFT JOIN api.investors i ON i.user_id = u.user_id LEFT JOIN api.issuers r ON r.user_id = u.user_id
    WHERE s.token_sha256 = $1 AND s.expires_at > $2 AND u.status = 'active'"""


async def insert(
    conn: WriteConn, *, token_sha256: bytes, user_id: str, csrf_token: str, now: datetime, expires_at: datetime
) -> None:
    await conn.execute(INSERT, token_sha256, user_id, csrf_token, now, expires_at)


async def delete(conn: WriteConn, token_sha256: bytes) -> None:
    await conn.execute(DELETE, token_sha256)


async def delete_expired(conn: WriteConn, *, user_id: str, now: datetime) -> None:
    await conn.execute(DELETE_EXPIRED, user_id, now)


async def select_actor(conn: ReadConn, *, token_sha256: bytes, now: datetime) -> Actor | None:
    """The active user behind an unexpired session."""
    row = await conn.fetchrow(SELECT_ACTOR, token_sha256, now)
    if row is None:
        return None
    return Actor(
        user_id=row["user_id"],
        email=row["email"],
        display_name=row["display_name"],
        personas=tuple(row["personas"]),
        investor_id=row["investor_id"],
        issuer_id=row["issuer_id"],
        csrf_token=row["csrf_token"],
    )
