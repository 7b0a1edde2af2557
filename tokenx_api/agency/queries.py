"""SQL of acts and of what they freeze."""

from collections.abc import Sequence
from typing import LiteralString

from tokenx_api.agency.models import Act, ActItem, ActKind, Position
from tokenx_api.db import ReadConn, Record, WriteConn

INSERT: LiteralString = """
    INSERT INTO api.agent_acts (act_id, kind, offering_id, items, units_total, reason, requested_by, operation_id)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"""
SELECT: LiteralString = """
    SELECT a.act_id, a.offering_id, a.kind, a.items, a.reason, a.status, a.requested_by, a.operation_id, a.error_code, a.error_detail, a.created_at,
           a.updated_at, (SELECT count(*) FROM chain.approvals p WHERE p.subject = 'operation:' || a.operation_id) AS approvals,
           a.status = 'requested' AND EXISTS (SELECT 1 FROM chain.transactions t WHERE t.operation_id = a.operation_id AND t.state = 'paused'
                                              AND t.state_reason = 'approval_required') AS waits_for_approval
    FROM api.agent_acts a
    WHERE ($1::text IS NULL OR a.offering_id = $1) AND ($2::text IS NULL OR a.status = $2) AND ($3::text IS NULL OR a.act_id < $3)
      AND ($4::text IS NULL OR a.act_id = $4)
    ORDER BY a.act_id DESC LIMIT $5"""
LOCK: LiteralString = "SELECT 1 FROM api.agent_acts WHERE act_id = $1 FOR UPDATE"
CLOSE: LiteralString = """
    UPDATE api.agent_acts SET status = $2, error_code = $3, error_detail = $4, updated_at = now()
    WHERE act_id = $1 AND status = 'requested' RETURNING act_id"""
SELECT_POSITION: LiteralString = """
    SELECT coalesce(a.balance, 0) AS balance, coalesce(a.reserved, 0) AS reserved, coalesce(h.wallet_frozen, false) AS wallet_frozen,
           coalesce(h.units, 0) AS frozen_units
    FROM (SELECT 1) AS one
    LEFT JOIN api.ledger_accounts a ON a.owner = 'investor:' || $2 AND a.asset = $1
    LEFT JOIN api.holding_freezes h ON h.offering_id = $1 AND h.investor_id = $2"""
SELECT_COMMITTED: LiteralString = """
    SELECT coalesce((SELECT -balance FROM api.ledger_accounts WHERE owner = 'issuance:' || $1 AND asset = $1), 0)
           + coalesce((SELECT sum(units) FROM api.subscriptions WHERE offering_id = $1 AND status IN ('awaiting_funds', 'funded', 'accepted')), 0)::bigint
           + coalesce((SELECT sum(units_total) FROM api.agent_acts WHERE offering_id = $1 AND kind = 'mint' AND status = 'requested'), 0)::bigint"""
SELECT_PAUSED: LiteralString = "SELECT token_paused FROM api.offerings WHERE offering_id = $1"
FREEZE: LiteralString = """
    INSERT INTO api.holding_freezes AS h (offering_id, investor_id, wallet_frozen) VALUES ($1, $2, $3)
    ON CONFLICT (offering_id, investor_id) DO UPDATE SET wallet_frozen = excluded.wallet_frozen"""
FREEZE_UNITS: LiteralString = """
    INSERT INTO api.holding_freezes AS h (offering_id, investor_id, units) VALUES ($1, $2, greatest($3::bigint, 0))
    ON CONFLICT (offering_id, investor_id) DO UPDATE SET units = greatest(h.units + $3::bigint, 0)"""


async def insert(
    conn: WriteConn, *, act_id: str, kind: ActKind, offering_id: str, items: Sequence[ActItem], reason: str, requested_by: str, operation_id: str
) -> None:  # fmt: skip
    total = sum(int(item.units or 0) for item in items)
    stored = [item.model_dump() for item in items]
    await conn.execute(INSERT, act_id, kind, offering_id, stored, total, reason, requested_by, operation_id)


async def select(conn: ReadConn, act_id: str) -> Act | None:
    rows = await conn.fetch(SELECT, None, None, None, act_id, 1)
    return _act(rows[0]) if rows else None


async def select_page(
    conn: ReadConn, *, offering_id: str | None, status: str | None, before: str | None, limit: int
) -> list[Act]:
    """Newest first; before: the last act_id of the previous page. None: no such filter."""
    return [_act(row) for row in await conn.fetch(SELECT, offering_id, status, before, None, limit)]


async def lock(conn: WriteConn, act_id: str) -> None:
    """Takes the row lock."""
    await conn.execute(LOCK, act_id)


async def close(conn: WriteConn, act_id: str, *, status: str, error_code: str | None = None, error_detail: str | None = None) -> bool:  # fmt: skip
    """Whether it was still open."""
    return await conn.fetchval(CLOSE, act_id, status, error_code, error_detail) is not None


async def select_position(conn: ReadConn, *, offering_id: str, investor_id: str) -> Position:
    row = await conn.fetchrow(SELECT_POSITION, offering_id, investor_id)
    assert row is not None, "the query starts from a row of its own"
    return Position(row["balance"], row["reserved"], row["wallet_frozen"], row["frozen_units"])


async def select_committed(conn: ReadConn, offering_id: str) -> int:
    """Units issued, subscribed for, or being minted. Hold the offering's row, or the answer is out of date at once."""
    return await conn.fetchval(SELECT_COMMITTED, offering_id)


async def select_paused(conn: ReadConn, offering_id: str) -> bool:
    return await conn.fetchval(SELECT_PAUSED, offering_id)


async def set_wallet_frozen(conn: WriteConn, *, offering_id: str, investor_id: str, frozen: bool) -> None:
    await conn.execute(FREEZE, offering_id, investor_id, frozen)


async def add_frozen_units(conn: WriteConn, *, offering_id: str, investor_id: str, units: int) -> None:
    """Negative to set free; never below zero."""
    await conn.execute(FREEZE_UNITS, offering_id, investor_id, units)


def _act(row: Record) -> Act:
    values = dict(row)
    items = tuple(ActItem.model_validate(item) for item in values.pop("items"))
    return Act(items=items, **values)
