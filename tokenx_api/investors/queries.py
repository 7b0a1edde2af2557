"""SQL of investors."""

from datetime import datetime
from typing import Any, LiteralString

from tokenx_api.db import ReadConn, Record, WriteConn
from tokenx_api.investors.models import Investor, KycStatus

INSERT: LiteralString = """
    INSERT INTO api.investors (investor_id, user_id, legal_name, country) VALUES ($1, $2, $3, $4)
    ON CONFLICT (user_id) DO NOTHING RETURNING investor_id"""
SELECT: LiteralString = """
    SELECT investor_id, user_id, legal_name, country, owner_group, kyc_expires_at, frozen, created_at, revoked_at, revocation_operation_id, claim_serial,
           CASE WHEN kyc_status = 'approved' AND kyc_expires_at <= now() THEN 'expired' ELSE kyc_status END AS kyc_status
    FROM api.investors WHERE investor_id = $1"""
LOCK: LiteralString = "SELECT 1 FROM api.investors WHERE investor_id = $1 FOR UPDATE"
LIST: LiteralString = """
    SELECT investor_id, user_id, legal_name, country, owner_group, kyc_expires_at, frozen, created_at, revoked_at, revocation_operation_id, claim_serial, kyc_status
    FROM (SELECT investor_id, user_id, legal_name, country, owner_group, kyc_expires_at, frozen, created_at, revoked_at, revocation_operation_id, claim_serial,
                 CASE WHEN kyc_status = 'approved' AND kyc_expires_at <= now() THEN 'expired' ELSE kyc_status END AS kyc_status
          FROM api.investors) i
    WHERE ($1::text IS NULL OR kyc_status = $1) AND ($2::text IS NULL OR investor_id < $2)
    ORDER BY investor_id DESC LIMIT $3"""
DECIDE_KYC: LiteralString = """
    UPDATE api.investors SET kyc_status = $2, kyc_expires_at = $3, kyc_reviewer_id = $4, kyc_reason = $5 WHERE investor_id = $1"""
REVOKE: LiteralString = """
    UPDATE api.investors SET revoked_at = coalesce(revoked_at, $2), kyc_status = 'rejected', kyc_expires_at = NULL, kyc_reviewer_id = coalesce($3, kyc_reviewer_id),
           kyc_reason = $4, revocation_operation_id = $5 WHERE investor_id = $1"""
END_REVOCATION: LiteralString = """
    UPDATE api.investors SET revocation_operation_id = NULL WHERE investor_id = $1 AND revocation_operation_id = $2 RETURNING investor_id"""
REINSTATE: LiteralString = """
    UPDATE api.investors SET revoked_at = NULL, claim_serial = claim_serial + 1 WHERE investor_id = $1 AND revoked_at IS NOT NULL"""
SET_FROZEN: LiteralString = """
    UPDATE api.investors SET frozen = $2 WHERE investor_id = $1 AND frozen <> $2 RETURNING investor_id"""
INSERT_DECISION: LiteralString = """
    INSERT INTO compliance.decisions (decision_id, stage, subject_type, subject_id, outcome, results, facts, engine_version, correlation_id)
    VALUES ($1, 'onboarding', 'investor', $2, $3, $4, $5, 'manual', $6)"""
SELECT_TOKENS: LiteralString = """
    SELECT token_address FROM api.offerings WHERE chain_id = $1 AND token_address IS NOT NULL
      AND NOT EXISTS (SELECT 1 FROM api.holding_freezes h WHERE h.offering_id = offerings.offering_id AND h.investor_id = $2 AND h.wallet_frozen)
    ORDER BY offering_id LIMIT 1000"""
SELECT_OPERATION_KIND: LiteralString = "SELECT kind FROM chain.operations WHERE operation_id = $1"


async def insert(conn: WriteConn, *, investor_id: str, user_id: str, legal_name: str, country: str) -> bool:
    """Whether the user had no profile before."""
    return await conn.fetchval(INSERT, investor_id, user_id, legal_name, country) is not None


async def select(conn: ReadConn, investor_id: str) -> Investor | None:
    row = await conn.fetchrow(SELECT, investor_id)
    return _investor(row) if row else None


async def lock(conn: WriteConn, investor_id: str) -> None:
    """Holds the investor's row until the transaction ends."""
    await conn.execute(LOCK, investor_id)


async def select_page(
    conn: ReadConn, *, kyc_status: KycStatus | None, before: str | None, limit: int
) -> list[Investor]:
    """Newest first."""
    return [_investor(row) for row in await conn.fetch(LIST, kyc_status, before, limit)]


async def decide_kyc(
    conn: WriteConn,
    *,
    investor_id: str,
    status: KycStatus,
    expires_at: datetime | None,
    reviewer_id: str,
    reason: str,
) -> None:
    await conn.execute(DECIDE_KYC, investor_id, status, expires_at, reviewer_id, reason)


async def set_frozen(conn: WriteConn, *, investor_id: str, frozen: bool) -> bool:
    """Whether it changed. Takes the row lock."""
    return await conn.fetchval(SET_FROZEN, investor_id, frozen) is not None


async def insert_decision(
    conn: WriteConn,
    *,
    decision_id: str,
    investor_id: str,
    outcome: str,
    results: list[dict[str, Any]],
    facts: dict[str, Any],
    correlation_id: str,
) -> None:
    await conn.execute(INSERT_DECISION, decision_id, investor_id, outcome, results, facts, correlation_id)


async def revoke(conn: WriteConn, *, investor_id: str, at: datetime, reviewer_id: str | None, reason: str, operation_id: str | None) -> None:  # fmt: skip
    """operation_id: the revocation on chain, None when there is nothing to revoke there."""
    await conn.execute(REVOKE, investor_id, at, reviewer_id, reason, operation_id)


async def end_revocation(conn: WriteConn, *, investor_id: str, operation_id: str) -> bool:
    """Whether this revocation was under way."""
    return await conn.fetchval(END_REVOCATION, investor_id, operation_id) is not None


async def reinstate(conn: WriteConn, investor_id: str) -> None:
    """Not revoked any more; the next claim is another one. Nothing for an investor who was not."""
    await conn.execute(REINSTATE, investor_id)


async def select_tokens(conn: ReadConn, chain_id: int, investor_id: str) -> list[str]:
    """Addresses of all deployed offerings' tokens on a chain, but those an agent keeps this investor's wallet frozen on."""
    return [row["token_address"] for row in await conn.fetch(SELECT_TOKENS, chain_id, investor_id)]


async def select_operation_kind(conn: ReadConn, operation_id: str) -> str | None:
    return await conn.fetchval(SELECT_OPERATION_KIND, operation_id)


def _investor(row: Record) -> Investor:
    return Investor(
        investor_id=row["investor_id"],
        user_id=row["user_id"],
        legal_name=row["legal_name"],
        country=row["country"],
        owner_group=row["owner_group"],
        kyc_status=row["kyc_status"],
        kyc_expires_at=row["kyc_expires_at"],
        frozen=row["frozen"],
        created_at=row["created_at"],
        revoked_at=row["revoked_at"],
        revocation_operation_id=row["revocation_operation_id"],
        claim_serial=row["claim_serial"],
    )
