"""SQL of facts, decisions and transfer restrictions."""

from collections.abc import Sequence
from typing import Any, LiteralString

from tokenx_api.compliance.models import Decision
from tokenx_api.db import ReadConn, Record, WriteConn

SELECT_FACTS: LiteralString = """
    SELECT i.kyc_status, i.kyc_expires_at, i.frozen, i.revoked_at IS NOT NULL AS revoked, i.country, o.token_paused,
           coalesce(h.wallet_frozen, false) AS wallet_frozen, o.status AS offering_status, o.market_state, o.blocked_countries,
           o.collar_bps, coalesce(w.status, 'none') AS wallet_status,
           coalesce((SELECT f.price_ticks * o.tick_size_minor FROM matcher.fills f WHERE f.offering_id = o.offering_id
                     ORDER BY f.exec_seq DESC LIMIT 1), o.unit_price_minor) AS reference_price_minor,
           coalesce(cash.balance - cash.reserved, 0) AS available_minor, coalesce(units.balance - units.reserved, 0) AS available_units,
           (SELECT coalesce(jsonb_agg(jsonb_build_object('kind', r.kind, 'units', r.units,
                       'until', to_char(r.until AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')) ORDER BY r.restriction_id), '[]')
            FROM compliance.transfer_restrictions r
            WHERE r.offering_id = $2 AND (r.investor_id IS NULL OR r.investor_id = $1) AND r.lifted_at IS NULL)
           || CASE WHEN h.units > 0 THEN jsonb_build_array(jsonb_build_object('kind', 'freeze', 'units', h.units, 'until', NULL)) ELSE '[]' END
               AS restrictions
    FROM (SELECT 1) AS one
    LEFT JOIN api.investors i ON i.investor_id = $1
    LEFT JOIN api.offerings o ON o.offering_id = $2
    LEFT JOIN api.wallets w ON w.investor_id = $1 AND w.chain_id = o.chain_id
    LEFT JOIN api.holding_freezes h ON h.investor_id = $1 AND h.offering_id = $2
    LEFT JOIN api.ledger_accounts cash ON cash.owner = 'investor:' || $1 AND cash.asset = o.currency
    LEFT JOIN api.ledger_accounts units ON units.owner = 'investor:' || $1 AND units.asset = $2"""
INSERT_DECISION: LiteralString = """
    INSERT INTO compliance.decisions (decision_id, stage, subject_type, subject_id, outcome, results, facts, engine_version, correlation_id)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"""
SELECT_DECISIONS: LiteralString = """
    SELECT decision_id, stage, subject_type, subject_id, outcome, results, facts, engine_version, created_at
    FROM compliance.decisions WHERE ($1::text IS NULL OR subject_id = $1) AND ($2::text IS NULL OR decision_id < $2)
    ORDER BY decision_id DESC LIMIT $3"""
SELECT_DECISION: LiteralString = """
    SELECT decision_id, stage, subject_type, subject_id, outcome, results, facts, engine_version, created_at
    FROM compliance.decisions WHERE decision_id = $1"""
SELECT_RULES: LiteralString = """
    SELECT rule_id, version, reason_code, source, status, effective_from FROM compliance.rules ORDER BY rule_id, version LIMIT 1000"""
INSERT_RESTRICTION: LiteralString = """
    INSERT INTO compliance.transfer_restrictions (restriction_id, offering_id, investor_id, kind, units, until, reason, created_by)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"""
SELECT_RESTRICTIONS: LiteralString = """
    SELECT restriction_id, offering_id, investor_id, kind, units, until, reason, created_at, lifted_at
    FROM compliance.transfer_restrictions WHERE ($1::text IS NULL OR offering_id = $1) AND ($2::text IS NULL OR restriction_id < $2)
    ORDER BY restriction_id DESC LIMIT $3"""
SELECT_RESTRICTION: LiteralString = """
    SELECT restriction_id, offering_id, investor_id, kind, units, until, reason, created_at, lifted_at
    FROM compliance.transfer_restrictions WHERE restriction_id = $1 FOR UPDATE"""
LIFT_RESTRICTION: LiteralString = """
    UPDATE compliance.transfer_restrictions SET lifted_at = now() WHERE restriction_id = $1"""


async def select_facts(conn: ReadConn, *, investor_id: str, offering_id: str) -> Record:
    """One row with everything the rules look at; columns are null where the investor or the offering does not exist."""
    row = await conn.fetchrow(SELECT_FACTS, investor_id, offering_id)
    assert row is not None, "the query starts from a row of its own"
    return row


async def insert_decision(
    conn: WriteConn, decision: Decision, *, subject: tuple[str, str], engine_version: str, correlation_id: str
) -> None:
    results = [result.as_json() for result in decision.verdict.results]
    await conn.execute(INSERT_DECISION, decision.decision_id, decision.stage, subject[0], subject[1], decision.verdict.outcome, results,
                       decision.facts, engine_version, correlation_id)  # fmt: skip


async def select_decisions(
    conn: ReadConn, *, subject_id: str | None, before: str | None, limit: int
) -> Sequence[Record]:
    """Newest first."""
    return await conn.fetch(SELECT_DECISIONS, subject_id, before, limit)


async def select_decision(conn: ReadConn, decision_id: str) -> Record | None:
    return await conn.fetchrow(SELECT_DECISION, decision_id)


async def select_rules(conn: ReadConn) -> Sequence[Record]:
    return await conn.fetch(SELECT_RULES)


async def insert_restriction(conn: WriteConn, values: tuple[Any, ...]) -> None:
    """values in the order of the statement's columns."""
    await conn.execute(INSERT_RESTRICTION, *values)


async def select_restrictions(
    conn: ReadConn, *, offering_id: str | None, before: str | None, limit: int
) -> Sequence[Record]:
    """Newest first."""
    return await conn.fetch(SELECT_RESTRICTIONS, offering_id, before, limit)


async def select_restriction(conn: WriteConn, restriction_id: str) -> Record | None:
    """Locks the row."""
    return await conn.fetchrow(SELECT_RESTRICTION, restriction_id)


async def lift_restriction(conn: WriteConn, restriction_id: str) -> None:
    await conn.execute(LIFT_RESTRICTION, restriction_id)
