"""SQL of redemptions."""

from collections.abc import Sequence
from typing import Any, LiteralString

from tokenx_api.db import ReadConn, WriteConn
from tokenx_api.redemptions.models import Redemption, Status

INSERT: LiteralString = """
    INSERT INTO api.redemptions (redemption_id, offering_id, investor_id, units, amount_minor, workflow_id, decision_id)
    VALUES ($1, $2, $3, $4, $5, $6, $7)"""
SELECT: LiteralString = """
    SELECT r.redemption_id, r.offering_id, o.symbol, o.currency, o.issuer_id, r.investor_id, i.legal_name AS investor_name,
           i.user_id AS investor_user_id, r.units, r.amount_minor, r.status, r.status_reason, r.workflow_id, r.approver_id, r.decision_id,
           r.operation_id, r.payout_operation_id, r.payment_id, r.statement, r.created_at, r.updated_at, r.burned_at, r.paid_at
    FROM api.redemptions r JOIN api.offerings o USING (offering_id) JOIN api.investors i USING (investor_id)
    WHERE r.redemption_id = $1"""
SELECT_PAGE: LiteralString = """
    SELECT r.redemption_id, r.offering_id, o.symbol, o.currency, o.issuer_id, r.investor_id, i.legal_name AS investor_name,
           i.user_id AS investor_user_id, r.units, r.amount_minor, r.status, r.status_reason, r.workflow_id, r.approver_id, r.decision_id,
           r.operation_id, r.payout_operation_id, r.payment_id, r.statement, r.created_at, r.updated_at, r.burned_at, r.paid_at
    FROM api.redemptions r JOIN api.offerings o USING (offering_id) JOIN api.investors i USING (investor_id)
    WHERE ($1::text IS NULL OR r.investor_id = $1) AND ($2::text IS NULL OR r.status = $2) AND ($3::text IS NULL OR r.redemption_id < $3)
    ORDER BY r.redemption_id DESC LIMIT $4"""
LOCK: LiteralString = "SELECT 1 FROM api.redemptions WHERE redemption_id = $1 FOR UPDATE"
MOVE: LiteralString = """
    UPDATE api.redemptions SET status = $3, status_reason = coalesce($4, status_reason), approver_id = coalesce($5, approver_id),
           operation_id = coalesce($6, operation_id), updated_at = now(),
           burned_at = CASE WHEN $3 = 'burned' THEN now() ELSE burned_at END,
           paid_at = CASE WHEN $3 = 'paid' THEN now() ELSE paid_at END
    WHERE redemption_id = $1 AND status = ANY($2) RETURNING redemption_id"""
SET_PAYOUT: LiteralString = """
    UPDATE api.redemptions SET payout_operation_id = $2, payment_id = coalesce($3, payment_id), status_reason = $4, updated_at = now()
    WHERE redemption_id = $1"""
SET_STATEMENT: LiteralString = """
    UPDATE api.redemptions SET statement = $2, status = 'closed', status_reason = '', updated_at = now()
    WHERE redemption_id = $1 AND status = 'paid'"""


async def insert(
    conn: WriteConn,
    *,
    redemption_id: str,
    offering_id: str,
    investor_id: str,
    units: int,
    amount_minor: int,
    workflow_id: str,
    decision_id: str,
) -> None:
    await conn.execute(INSERT, redemption_id, offering_id, investor_id, units, amount_minor, workflow_id, decision_id)


async def select(conn: ReadConn, redemption_id: str) -> Redemption | None:
    row = await conn.fetchrow(SELECT, redemption_id)
    return Redemption(**dict(row)) if row else None


async def select_page(
    conn: ReadConn, *, investor_id: str | None, status: str | None, before: str | None, limit: int
) -> list[Redemption]:
    """Newest first. None: no such filter."""
    return [Redemption(**dict(row)) for row in await conn.fetch(SELECT_PAGE, investor_id, status, before, limit)]


async def lock(conn: WriteConn, redemption_id: str) -> None:
    """Takes the row lock."""
    await conn.execute(LOCK, redemption_id)


async def move(
    conn: WriteConn,
    redemption_id: str,
    *,
    before: Sequence[Status],
    after: Status,
    reason: str | None = None,
    approver_id: str | None = None,
    operation_id: str | None = None,
) -> bool:
    """False, and nothing changed, when the status was not one of `before`. None keeps what is there."""
    moved = await conn.fetchval(MOVE, redemption_id, list(before), after, reason, approver_id, operation_id)
    return moved is not None


async def set_payout(
    conn: WriteConn, redemption_id: str, *, operation_id: str | None, payment_id: str | None = None, reason: str = ""
) -> None:
    """The payout under way; operation_id None: there is none, for this reason."""
    await conn.execute(SET_PAYOUT, redemption_id, operation_id, payment_id, reason)


async def set_statement(conn: WriteConn, redemption_id: str, statement: dict[str, Any]) -> None:
    """A paid redemption is closed with its statement."""
    await conn.execute(SET_STATEMENT, redemption_id, statement)
