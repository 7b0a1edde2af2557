"""SQL of payments."""

from datetime import datetime
from typing import LiteralString

from tokenx_api.db import ReadConn, Record, WriteConn
from tokenx_api.payments.models import Direction, Payment

INSERT: LiteralString = """
    INSERT INTO api.payments (payment_id, investor_id, direction, amount_minor, currency, provider, provider_ref)
    VALUES ($1, $2, $3, $4, $5, $6, $7)
    RETURNING payment_id, investor_id, direction, amount_minor, currency, provider, provider_ref, status, operation_id, created_at, settled_at"""
LIST: LiteralString = """
    SELECT payment_id, investor_id, direction, amount_minor, currency, provider, provider_ref, status, operation_id, created_at, settled_at
    FROM api.payments WHERE investor_id = $1 AND ($2::text IS NULL OR payment_id < $2) ORDER BY payment_id DESC LIMIT $3"""
SELECT_PENDING: LiteralString = """
    SELECT provider_ref, created_at FROM api.payments WHERE provider = $1 AND status = 'pending' ORDER BY payment_id LIMIT $2"""
EXISTS: LiteralString = "SELECT 1 FROM api.payments WHERE provider_ref = $1"
SETTLE: LiteralString = """
    UPDATE api.payments SET status = 'settled', settled_at = now() WHERE provider_ref = $1 AND status = 'pending'
    RETURNING payment_id, investor_id, direction, amount_minor, currency, provider, provider_ref, status, operation_id, created_at, settled_at"""
SELECT_FAILED_MINT: LiteralString = """
    SELECT p.payment_id, p.investor_id, p.direction, p.amount_minor, p.currency, p.provider, p.provider_ref, p.status, p.operation_id,
           p.created_at, p.settled_at
    FROM api.payments p JOIN chain.operations c USING (operation_id)
    WHERE p.payment_id = $1 AND p.direction = 'deposit' AND c.state = 'failed' FOR UPDATE OF p"""
EXISTS_ID: LiteralString = "SELECT 1 FROM api.payments WHERE payment_id = $1"
SET_OPERATION: LiteralString = "UPDATE api.payments SET operation_id = $2 WHERE payment_id = $1"


async def insert(
    conn: WriteConn,
    *,
    payment_id: str,
    investor_id: str,
    direction: Direction,
    amount_minor: int,
    currency: str,
    provider: str,
    provider_ref: str,
) -> Payment:
    row = await conn.fetchrow(
        INSERT, payment_id, investor_id, direction, amount_minor, currency, provider, provider_ref
    )
    assert row is not None, "an insert returns its row"
    return _payment(row)


async def select_page(conn: ReadConn, *, investor_id: str, before: str | None, limit: int) -> list[Payment]:
    """Newest first."""
    return [_payment(row) for row in await conn.fetch(LIST, investor_id, before, limit)]


async def select_pending(conn: ReadConn, *, provider: str, limit: int) -> list[tuple[str, datetime]]:
    """(provider reference, created at) of pending payments, oldest first."""
    return [(row["provider_ref"], row["created_at"]) for row in await conn.fetch(SELECT_PENDING, provider, limit)]


async def exists(conn: ReadConn, provider_ref: str) -> bool:
    return await conn.fetchval(EXISTS, provider_ref) is not None


async def settle(conn: WriteConn, provider_ref: str) -> Payment | None:
    """The payment, now settled; None when it was not pending. Takes the row lock: of two at once, one gets None."""
    row = await conn.fetchrow(SETTLE, provider_ref)
    return _payment(row) if row else None


async def select_failed_mint(conn: WriteConn, payment_id: str) -> Payment | None:
    """The deposit, if its operation failed. Takes the row lock: of two at once, the second sees the new operation."""
    row = await conn.fetchrow(SELECT_FAILED_MINT, payment_id)
    return _payment(row) if row else None


async def exists_id(conn: ReadConn, payment_id: str) -> bool:
    return await conn.fetchval(EXISTS_ID, payment_id) is not None


async def set_operation(conn: WriteConn, payment_id: str, operation_id: str) -> None:
    await conn.execute(SET_OPERATION, payment_id, operation_id)


def _payment(row: Record) -> Payment:
    return Payment(**dict(row))
