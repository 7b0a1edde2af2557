"""SQL of subscriptions."""

from dataclasses import dataclass
from typing import LiteralString

from tokenx_api.db import ReadConn, Record, WriteConn
from tokenx_api.subscriptions.models import Subscription, SubscriptionStatus

INSERT: LiteralString = """
    INSERT INTO api.subscriptions (subscription_id, offering_id, investor_id, units, amount_minor, decision_id) VALUES ($1, $2, $3, $4, $5, $6)"""
_SELECT: LiteralString = """
    SELECT s.subscription_id, s.offering_id, o.symbol, o.issuer_id, s.investor_id, i.legal_name AS investor_name, s.units, s.amount_minor,
           o.currency, s.status, s.status_reason, s.decision_id, s.operation_id, s.created_at, s.updated_at
    FROM api.subscriptions s JOIN api.offerings o USING (offering_id) JOIN api.investors i USING (investor_id)"""
SELECT: LiteralString = _SELECT + " WHERE s.subscription_id = $1"
SELECT_LOCKED: LiteralString = _SELECT + " WHERE s.subscription_id = $1 FOR UPDATE OF s"
LIST: LiteralString = (
    _SELECT
    + """
    WHERE ($1 OR s.investor_id = $2 OR o.issuer_id = $3) AND ($4::text IS NULL OR s.offering_id = $4)
      AND ($5::text IS NULL OR s.subscription_id < $5)
    ORDER BY s.subscription_id DESC LIMIT $6"""
)
SELECT_TAKEN: LiteralString = """
    SELECT coalesce(sum(units), 0)::bigint FROM (
        SELECT units FROM api.subscriptions WHERE offering_id = $1 AND status IN ('awaiting_funds', 'funded', 'accepted', 'issued')
        UNION ALL SELECT units_total FROM api.agent_acts WHERE offering_id = $1 AND kind = 'mint' AND status <> 'failed') taken"""
MOVE: LiteralString = """
    UPDATE api.subscriptions SET status = $3, status_reason = $4, operation_id = $5, updated_at = now()
    WHERE subscription_id = $1 AND status = ANY($2::text[]) RETURNING subscription_id"""
SELECT_FUNDABLE: LiteralString = """
    SELECT s.subscription_id FROM api.subscriptions s JOIN api.offerings o USING (offering_id)
    JOIN api.ledger_accounts a ON a.owner = 'investor:' || s.investor_id AND a.asset = o.currency
    WHERE s.status = 'awaiting_funds' AND a.balance - a.reserved >= s.amount_minor ORDER BY s.subscription_id LIMIT $1"""
SELECT_ISSUABLE: LiteralString = """
    SELECT s.subscription_id FROM api.subscriptions s WHERE s.status = 'accepted' AND s.operation_id IS NULL
      AND NOT EXISTS (SELECT 1 FROM api.payments p JOIN chain.operations c USING (operation_id)
                      WHERE p.investor_id = s.investor_id AND c.state IN ('queued', 'running'))
    ORDER BY s.subscription_id LIMIT $1"""
CASH_IS_COMING: LiteralString = """
    SELECT EXISTS (SELECT 1 FROM api.payments p JOIN chain.operations c USING (operation_id)
                   WHERE p.investor_id = $1 AND c.state IN ('queued', 'running'))"""


@dataclass(frozen=True)
class Scope:
    """Whose subscriptions: everybody's, or those of this investor and those of this issuer's offerings."""

    everybody: bool
    investor_id: str | None
    issuer_id: str | None


async def insert(
    conn: WriteConn,
    *,
    subscription_id: str,
    offering_id: str,
    investor_id: str,
    units: int,
    amount_minor: int,
    decision_id: str,
) -> None:
    await conn.execute(INSERT, subscription_id, offering_id, investor_id, units, amount_minor, decision_id)


async def select(conn: ReadConn, subscription_id: str) -> Subscription | None:
    row = await conn.fetchrow(SELECT, subscription_id)
    return _subscription(row) if row else None


async def select_locked(conn: WriteConn, subscription_id: str) -> Subscription | None:
    """Holds the row until the transaction ends."""
    row = await conn.fetchrow(SELECT_LOCKED, subscription_id)
    return _subscription(row) if row else None


async def select_page(
    conn: ReadConn, *, scope: Scope, offering_id: str | None, before: str | None, limit: int
) -> list[Subscription]:
    """Newest first."""
    rows = await conn.fetch(LIST, scope.everybody, scope.investor_id, scope.issuer_id, offering_id, before, limit)
    return [_subscription(row) for row in rows]


async def select_taken(conn: ReadConn, offering_id: str) -> int:
    """Units of the offering that are subscribed, issued or minted by an agent. Hold the offering's row, or the answer is out of date at once."""
    return await conn.fetchval(SELECT_TAKEN, offering_id)


async def move(
    conn: WriteConn,
    subscription_id: str,
    *,
    before: tuple[SubscriptionStatus, ...],
    after: SubscriptionStatus,
    reason: str = "",
    operation_id: str | None = None,
) -> bool:
    """Whether it was in one of the statuses before, and so moved. Takes the row lock."""
    return await conn.fetchval(MOVE, subscription_id, list(before), after, reason, operation_id) is not None


async def select_fundable(conn: ReadConn, *, limit: int) -> list[str]:
    """Waiting subscriptions that the investor's cash covers now, each for itself; oldest first."""
    return [row["subscription_id"] for row in await conn.fetch(SELECT_FUNDABLE, limit)]


async def select_issuable(conn: ReadConn, *, limit: int) -> list[str]:
    """Accepted subscriptions not sent to the chain yet, whose investor has no deposit on its way there; oldest first."""
    return [row["subscription_id"] for row in await conn.fetch(SELECT_ISSUABLE, limit)]


async def cash_is_coming(conn: ReadConn, investor_id: str) -> bool:
    """Whether a deposit of the investor is still on its way onto the chain."""
    return await conn.fetchval(CASH_IS_COMING, investor_id)


def _subscription(row: Record) -> Subscription:
    return Subscription(**dict(row))
