"""SQL of issuers and their KYB cases."""

from typing import LiteralString

from tokenx_api.db import ReadConn, Record, WriteConn
from tokenx_api.issuers.models import Issuer, KybStatus

INSERT: LiteralString = """
    INSERT INTO api.issuers (issuer_id, user_id, legal_name, country) VALUES ($1, $2, $3, $4)
    ON CONFLICT (user_id) DO NOTHING RETURNING issuer_id"""
INSERT_KYB: LiteralString = "INSERT INTO compliance.kyb (kyb_id, issuer_id, status) VALUES ($1, $2, 'pending')"
SELECT: LiteralString = """
    SELECT issuer_id, user_id, legal_name, country, kyb_status, created_at FROM api.issuers WHERE issuer_id = $1"""
LIST: LiteralString = """
    SELECT issuer_id, user_id, legal_name, country, kyb_status, created_at FROM api.issuers
    WHERE $1::text IS NULL OR issuer_id < $1 ORDER BY issuer_id DESC LIMIT $2"""
DECIDE: LiteralString = """
    UPDATE api.issuers SET kyb_status = $2 WHERE issuer_id = $1 AND kyb_status = 'pending' RETURNING issuer_id"""
DECIDE_KYB: LiteralString = """
    UPDATE compliance.kyb SET status = $2, reviewer_id = $3, reason = $4, decided_at = now() WHERE issuer_id = $1 AND status = 'pending'"""


async def insert(conn: WriteConn, *, issuer_id: str, user_id: str, legal_name: str, country: str) -> bool:
    """Whether the user had no profile before."""
    return await conn.fetchval(INSERT, issuer_id, user_id, legal_name, country) is not None


async def insert_kyb(conn: WriteConn, *, kyb_id: str, issuer_id: str) -> None:
    await conn.execute(INSERT_KYB, kyb_id, issuer_id)


async def select(conn: ReadConn, issuer_id: str) -> Issuer | None:
    row = await conn.fetchrow(SELECT, issuer_id)
    return _issuer(row) if row else None


async def select_page(conn: ReadConn, *, before: str | None, limit: int) -> list[Issuer]:
    """Newest first."""
    return [_issuer(row) for row in await conn.fetch(LIST, before, limit)]


async def decide(conn: WriteConn, *, issuer_id: str, status: KybStatus) -> bool:
    """Whether the case was open. Takes the row lock."""
    return await conn.fetchval(DECIDE, issuer_id, status) is not None


async def decide_kyb(conn: WriteConn, *, issuer_id: str, status: KybStatus, reviewer_id: str, reason: str) -> None:
    await conn.execute(DECIDE_KYB, issuer_id, status, reviewer_id, reason)


def _issuer(row: Record) -> Issuer:
    return Issuer(
        issuer_id=row["issuer_id"],
        user_id=row["user_id"],
        legal_name=row["legal_name"],
        country=row["country"],
        kyb_status=row["kyb_status"],
        created_at=row["created_at"],
    )
