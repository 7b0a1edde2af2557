"""SQL of offerings."""

from typing import Any, LiteralString

from tokenx_api.db import ReadConn, Record, WriteConn
from tokenx_api.offerings.models import Offering, OfferingStatus, Terms, TransferRules

INSERT: LiteralString = """
    INSERT INTO api.offerings (offering_id, issuer_id, symbol, name, exemption, unit_price_minor, max_units, tick_size_minor, lot_size_units,
                               collar_bps, blocked_countries, transfer_rules)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT (symbol) DO NOTHING RETURNING offering_id"""
_SELECT: LiteralString = """
    SELECT o.offering_id, o.issuer_id, r.legal_name AS issuer_name, o.symbol, o.name, o.exemption, o.currency, o.unit_price_minor, o.max_units,
           o.tick_size_minor, o.lot_size_units, o.collar_bps, o.blocked_countries, o.transfer_rules, o.status, o.market_state, o.chain_id, o.token_address,
           o.created_at, (SELECT f.price_ticks * o.tick_size_minor FROM matcher.fills f WHERE f.offering_id = o.offering_id
                          ORDER BY f.exec_seq DESC LIMIT 1) AS last_price_minor
    FROM api.offerings o JOIN api.issuers r USING (issuer_id)"""
SELECT: LiteralString = _SELECT + " WHERE o.offering_id = $1"
LIST: LiteralString = (
    _SELECT
    + """
    WHERE ($1 OR o.status <> 'draft' OR o.issuer_id = $2) AND ($3::text IS NULL OR o.offering_id < $3)
    ORDER BY o.offering_id DESC LIMIT $4"""
)
LOCK: LiteralString = "SELECT 1 FROM api.offerings WHERE offering_id = $1 FOR UPDATE"
MOVE: LiteralString = """
    UPDATE api.offerings SET status = $3 WHERE offering_id = $1 AND status = $2 RETURNING offering_id"""
SET_PAUSED: LiteralString = """
    UPDATE api.offerings SET token_paused = $2 WHERE offering_id = $1 AND token_paused <> $2 RETURNING offering_id"""
START_DEPLOYMENT: LiteralString = """
    UPDATE api.offerings SET status = 'deploying', chain_id = $2 WHERE offering_id = $1 AND status = 'approved' RETURNING offering_id"""
FINISH_DEPLOYMENT: LiteralString = """
    UPDATE api.offerings SET status = 'deployed', token_address = $2, contracts = $3 WHERE offering_id = $1 AND status = 'deploying'
    RETURNING offering_id"""


async def set_paused(conn: WriteConn, offering_id: str, *, paused: bool) -> bool:
    """Whether it changed."""
    return await conn.fetchval(SET_PAUSED, offering_id, paused) is not None


async def insert(conn: WriteConn, *, offering_id: str, issuer_id: str, terms: Terms) -> bool:
    """Whether the symbol was free."""
    new_id = await conn.fetchval(INSERT, offering_id, issuer_id, terms.symbol, terms.name, terms.exemption, terms.unit_price_minor,
                                 terms.max_units, terms.tick_size_minor, terms.lot_size_units, terms.collar_bps,
                                 list(terms.blocked_countries), terms.transfer_rules.model_dump(mode="json", exclude_defaults=True))  # fmt: skip
    return new_id is not None


async def select(conn: ReadConn, offering_id: str) -> Offering | None:
    row = await conn.fetchrow(SELECT, offering_id)
    return _offering(row) if row else None


async def select_page(
    conn: ReadConn, *, all_drafts: bool, issuer_id: str | None, before: str | None, limit: int
) -> list[Offering]:
    """Newest first; drafts of issuer_id only, unless all_drafts."""
    return [_offering(row) for row in await conn.fetch(LIST, all_drafts, issuer_id, before, limit)]


async def lock(conn: WriteConn, offering_id: str) -> None:
    """Holds the offering's row until the transaction ends."""
    await conn.execute(LOCK, offering_id)


async def move(conn: WriteConn, offering_id: str, *, before: OfferingStatus, after: OfferingStatus) -> bool:
    """Whether the offering was in the status before, and so moved. Takes the row lock."""
    return await conn.fetchval(MOVE, offering_id, before, after) is not None


async def start_deployment(conn: WriteConn, offering_id: str, *, chain_id: int) -> bool:
    """As move, from approved to deploying."""
    return await conn.fetchval(START_DEPLOYMENT, offering_id, chain_id) is not None


async def finish_deployment(conn: WriteConn, offering_id: str, *, token: str, contracts: dict[str, Any]) -> bool:
    """As move, from deploying to deployed."""
    return await conn.fetchval(FINISH_DEPLOYMENT, offering_id, token, contracts) is not None


def _offering(row: Record) -> Offering:
    terms = Terms(
        symbol=row["symbol"],
        name=row["name"],
        exemption=row["exemption"],
        unit_price_minor=row["unit_price_minor"],
        max_units=row["max_units"],
        tick_size_minor=row["tick_size_minor"],
        lot_size_units=row["lot_size_units"],
        collar_bps=row["collar_bps"],
        blocked_countries=tuple(row["blocked_countries"]),
        transfer_rules=TransferRules.model_validate(row["transfer_rules"]),
    )
    return Offering(
        offering_id=row["offering_id"],
        issuer_id=row["issuer_id"],
        issuer_name=row["issuer_name"],
        terms=terms,
        currency=row["currency"],
        status=row["status"],
        market_state=row["market_state"],
        chain_id=row["chain_id"],
        token_address=row["token_address"],
        last_price_minor=row["last_price_minor"],
        created_at=row["created_at"],
    )
