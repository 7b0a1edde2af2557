"""SQL of settlements."""

from collections.abc import Sequence
from datetime import datetime
from typing import LiteralString

from tokenx_api.db import ReadConn, Record, WriteConn
from tokenx_api.settlement.models import Due, Legs

SELECT_CHAINS: LiteralString = """
    SELECT DISTINCT o.chain_id FROM api.settlements s JOIN api.offerings o USING (offering_id)
    WHERE s.status = 'pending' AND s.next_attempt_at <= $1 AND o.chain_id IS NOT NULL ORDER BY o.chain_id LIMIT 100"""
LOCK_DUE: LiteralString = """
    SELECT s.settlement_id, s.offering_id, s.buyer_id, s.seller_id, b.key_ref AS buyer_key_ref, c.key_ref AS seller_key_ref,
           o.token_address AS token, s.units, s.amount_minor, s.attempts, s.amount_minor / s.units AS price_minor
    FROM api.settlements s JOIN api.offerings o USING (offering_id)
    JOIN api.wallets b ON b.investor_id = s.buyer_id AND b.chain_id = o.chain_id
    JOIN api.wallets c ON c.investor_id = s.seller_id AND c.chain_id = o.chain_id
    WHERE s.status = 'pending' AND s.next_attempt_at <= $2 AND o.chain_id = $1
    ORDER BY s.created_at, s.settlement_id LIMIT $3 FOR NO KEY UPDATE OF s SKIP LOCKED"""
SET_INSTRUCTED: LiteralString = """
    UPDATE api.settlements s SET status = 'instructed', operation_id = $1, decision_id = u.decision_id, failure_reason = NULL
    FROM unnest($2::text[], $3::text[]) AS u (settlement_id, decision_id) WHERE s.settlement_id = u.settlement_id"""
LOCK_LEGS: LiteralString = """
    SELECT s.settlement_id, s.offering_id, o.currency, s.buyer_id, s.seller_id, s.units, s.amount_minor, s.status, s.operation_id, s.attempts
    FROM api.settlements s JOIN api.offerings o USING (offering_id) WHERE s.settlement_id = $1 FOR NO KEY UPDATE OF s"""
SELECT_INSTRUCTED: LiteralString = """
    SELECT settlement_id FROM api.settlements WHERE operation_id = $1 AND status = 'instructed' ORDER BY settlement_id LIMIT 1000"""
SET_SETTLED: LiteralString = """
    UPDATE api.settlements SET status = 'settled', tx_hash = $2, settled_at = clock_timestamp(), failure_reason = NULL WHERE settlement_id = $1"""
SET_RETRY: LiteralString = """
    UPDATE api.settlements SET status = 'pending', attempts = $2, failure_reason = $3, next_attempt_at = $4 WHERE settlement_id = $1"""
SET_FAILED: LiteralString = """
    UPDATE api.settlements SET status = 'failed', attempts = $2, failure_reason = $3 WHERE settlement_id = $1"""
SELECT_PAGE: LiteralString = """
    SELECT s.settlement_id, s.fill_id, s.offering_id, o.symbol, s.buyer_id, s.seller_id, s.units, s.amount_minor, s.status, s.failure_reason,
           s.attempts, s.operation_id, s.tx_hash, s.created_at, s.settled_at
    FROM api.settlements s JOIN api.offerings o USING (offering_id)
    WHERE ($1::text IS NULL OR s.buyer_id = $1 OR s.seller_id = $1) AND ($2::text IS NULL OR s.status = $2)
      AND ($3::text IS NULL OR s.settlement_id < $3)
    ORDER BY s.settlement_id DESC LIMIT $4"""


async def select_chains(conn: ReadConn, now: datetime) -> list[int]:
    """Chains on which something is due."""
    return [row["chain_id"] for row in await conn.fetch(SELECT_CHAINS, now)]


async def lock_due(conn: WriteConn, *, chain_id: int, now: datetime, limit: int) -> list[Due]:
    """Oldest first, skipping what another replica is batching."""
    return [Due(**row) for row in await conn.fetch(LOCK_DUE, chain_id, now, limit)]


async def set_instructed(conn: WriteConn, operation_id: str, decisions: dict[str, str]) -> None:
    """decisions: decision id by settlement id."""
    await conn.execute(SET_INSTRUCTED, operation_id, list(decisions), list(decisions.values()))


async def lock_legs(conn: WriteConn, settlement_id: str) -> Legs | None:
    row = await conn.fetchrow(LOCK_LEGS, settlement_id)
    return Legs(**row) if row else None


async def select_instructed(conn: ReadConn, operation_id: str) -> list[str]:
    """Settlements that still wait for an operation."""
    return [row["settlement_id"] for row in await conn.fetch(SELECT_INSTRUCTED, operation_id)]


async def set_settled(conn: WriteConn, settlement_id: str, tx_hash: str | None) -> None:
    await conn.execute(SET_SETTLED, settlement_id, tx_hash)


async def set_retry(conn: WriteConn, settlement_id: str, *, attempts: int, reason: str, at: datetime) -> None:
    await conn.execute(SET_RETRY, settlement_id, attempts, reason, at)


async def set_failed(conn: WriteConn, settlement_id: str, *, attempts: int, reason: str) -> None:
    await conn.execute(SET_FAILED, settlement_id, attempts, reason)


async def select_page(conn: ReadConn, *, investor_id: str | None, status: str | None, before: str | None, limit: int) -> Sequence[Record]:  # fmt: skip
    """Newest first. investor_id: as buyer or seller; None for all."""
    return await conn.fetch(SELECT_PAGE, investor_id, status, before, limit)
