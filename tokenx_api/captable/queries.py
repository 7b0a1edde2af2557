"""SQL of the register and the cap table."""

from typing import LiteralString

from tokenx_api.captable.models import Holder
from tokenx_api.db import ReadConn, WriteConn

MOVE_BALANCE: LiteralString = """
    INSERT INTO api.token_balances AS held (chain_id, token, address, amount, last_seq) VALUES ($1, $2, $3, $4::numeric, $5)
    ON CONFLICT (chain_id, token, address) DO UPDATE SET amount = held.amount + excluded.amount, last_seq = excluded.last_seq
    WHERE held.last_seq < excluded.last_seq"""
TAKE_BALANCE: LiteralString = """
    UPDATE api.token_balances SET amount = amount - $4::numeric, last_seq = $5
    WHERE chain_id = $1 AND token = $2 AND address = $3 AND last_seq < $5"""
SELECT_LAST_SEQ: LiteralString = """
    SELECT last_seq FROM api.token_balances WHERE chain_id = $1 AND token = $2 AND address = $3"""

REBUILD: LiteralString = """
    WITH transfers AS (
        SELECT seq, lower(body->'payload'->>'from') AS sender, lower(body->'payload'->>'to') AS receiver, (body->'payload'->>'amount')::numeric AS amount
        FROM chain.events WHERE chain_id = $1 AND seq <= $3 AND type = 'transfer.final' AND lower(body->'payload'->>'token') = $2),
    moves AS (SELECT receiver AS address, amount, seq FROM transfers UNION ALL SELECT sender, -amount, seq FROM transfers)
    INSERT INTO api.token_balances AS held (chain_id, token, address, amount, last_seq)
    SELECT $1, $2, address, sum(amount), max(seq) FROM moves WHERE address <> $4 GROUP BY address
    ON CONFLICT (chain_id, token, address) DO UPDATE SET amount = excluded.amount, last_seq = excluded.last_seq"""

SELECT_ISSUER: LiteralString = "SELECT issuer_id FROM api.offerings WHERE offering_id = $1"
SELECT_ISSUED: LiteralString = """
    SELECT coalesce(-sum(balance), 0)::bigint FROM api.ledger_accounts WHERE owner = 'issuance:' || $1 AND asset = $1"""
SELECT_HOLDERS: LiteralString = """
    WITH ledger AS (
        SELECT substr(owner, 10) AS investor_id, balance AS units FROM api.ledger_accounts
        WHERE asset = $1 AND owner LIKE 'investor:%' AND balance <> 0),
    in_flight AS (
        SELECT investor_id, sum(bought)::bigint AS bought, sum(bought - sold)::bigint AS net FROM (
            SELECT seller_id AS investor_id, 0 AS bought, units AS sold FROM api.settlements
            WHERE offering_id = $1 AND status IN ('pending', 'instructed')
            UNION ALL
            SELECT buyer_id, units, 0 FROM api.settlements WHERE offering_id = $1 AND status IN ('pending', 'instructed')) legs
        GROUP BY investor_id),
    on_chain AS (
        SELECT b.address, w.investor_id, w.issuer_id, b.amount::bigint AS units
        FROM api.offerings o
        JOIN api.token_balances b ON b.chain_id = o.chain_id AND b.token = o.token_address AND b.amount > 0
        LEFT JOIN api.wallets w ON w.chain_id = b.chain_id AND w.address = b.address
        WHERE o.offering_id = $1),
    investors AS (
        SELECT investor_id FROM ledger UNION SELECT investor_id FROM in_flight
        UNION SELECT investor_id FROM on_chain WHERE investor_id IS NOT NULL)
    SELECT i.investor_id, i.legal_name, i.country, w.address, coalesce(l.units, 0) + coalesce(f.bought, 0) AS ledger,
           coalesce(f.net, 0) AS in_flight, coalesce(c.units, 0) AS on_chain
    FROM investors JOIN api.investors i USING (investor_id)
    LEFT JOIN ledger l USING (investor_id) LEFT JOIN in_flight f USING (investor_id) LEFT JOIN on_chain c USING (investor_id)
    LEFT JOIN api.wallets w ON w.investor_id = i.investor_id AND w.chain_id = (SELECT chain_id FROM api.offerings WHERE offering_id = $1)
    UNION ALL
    SELECT NULL, coalesce(s.legal_name, 'unknown address'), s.country, c.address, 0, 0, c.units
    FROM on_chain c LEFT JOIN api.issuers s USING (issuer_id) WHERE c.investor_id IS NULL
    ORDER BY 5 DESC, 4 LIMIT 10000"""


async def add_units(conn: WriteConn, *, chain_id: int, token: str, address: str, amount: int, seq: int) -> None:
    """Nothing when the row has seen this event or a later one."""
    await conn.execute(MOVE_BALANCE, chain_id, token, address, amount, seq)


async def take_units(conn: WriteConn, *, chain_id: int, token: str, address: str, amount: int, seq: int) -> bool:
    """False when there is no row, or it has seen this event. Raises asyncpg.CheckViolationError below zero."""
    return await conn.execute(TAKE_BALANCE, chain_id, token, address, amount, seq) == "UPDATE 1"


async def select_last_seq(conn: ReadConn, *, chain_id: int, token: str, address: str) -> int | None:
    """The event that moved the balance last; None for one that never held."""
    return await conn.fetchval(SELECT_LAST_SEQ, chain_id, token, address)


async def rebuild(conn: WriteConn, *, chain_id: int, token: str, seq: int, nobody: str) -> None:
    """All balances of a token from its final transfers up to seq. Raises asyncpg.CheckViolationError when one would be negative."""
    await conn.execute(REBUILD, chain_id, token, seq, nobody)


async def select_issuer(conn: ReadConn, offering_id: str) -> str | None:
    return await conn.fetchval(SELECT_ISSUER, offering_id)


async def select_issued(conn: ReadConn, offering_id: str) -> int:
    """Units issued and not redeemed, by the ledger."""
    return await conn.fetchval(SELECT_ISSUED, offering_id)


async def select_holders(conn: ReadConn, offering_id: str) -> list[Holder]:
    """Largest first."""
    return [Holder(**dict(row)) for row in await conn.fetch(SELECT_HOLDERS, offering_id)]
