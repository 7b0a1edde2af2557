"""SQL of users."""

from collections.abc import Sequence
from typing import LiteralString

from tokenx_api.auth.models import Persona
from tokenx_api.db import ReadConn, Record, WriteConn
from tokenx_api.users.models import Credential, User

INSERT: LiteralString = """
    INSERT INTO api.users (user_id, email, display_name, password_hash, personas) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (email) DO NOTHING RETURNING user_id"""
SELECT_CREDENTIAL: LiteralString = "SELECT user_id, password_hash, status FROM api.users WHERE email = $1"
SELECT_EMAILS: LiteralString = "SELECT email FROM api.users WHERE email = ANY($1::text[])"
LIST: LiteralString = """
    SELECT user_id, email, display_name, personas, status, created_at FROM api.users
    WHERE $1::text IS NULL OR user_id < $1 ORDER BY user_id DESC LIMIT $2"""


async def insert(
    conn: WriteConn, *, user_id: str, email: str, display_name: str, password_hash: str, personas: Sequence[Persona]
) -> bool:
    """Whether the address was free."""
    return await conn.fetchval(INSERT, user_id, email, display_name, password_hash, list(personas)) is not None


async def select_credential(conn: ReadConn, email: str) -> Credential | None:
    row = await conn.fetchrow(SELECT_CREDENTIAL, email)
    return Credential(row["user_id"], row["password_hash"], row["status"]) if row else None


async def select_taken(conn: ReadConn, emails: Sequence[str]) -> set[str]:
    """Those of the addresses that have an account."""
    return {row["email"] for row in await conn.fetch(SELECT_EMAILS, list(emails))}


async def select_page(conn: ReadConn, *, before: str | None, limit: int) -> list[User]:
    """Newest first."""
    return [_user(row) for row in await conn.fetch(LIST, before, limit)]


def _user(row: Record) -> User:
    return User(
        user_id=row["user_id"],
        email=row["email"],
        display_name=row["display_name"],
        personas=tuple(row["personas"]),
        status=row["status"],
        created_at=row["created_at"],
    )
