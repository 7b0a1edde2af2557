"""SQL of portfolios."""

from collections.abc import Sequence
from typing import LiteralString

from tokenx_api.db import ReadConn, Record

SELECT_HOLDINGS: LiteralString = """
    WITH incoming AS (
        SELECT offering_id, sum(units)::bigint AS units FROM api.settlements
        WHERE buyer_id = $1 AND status IN ('pending', 'instructed') GROUP BY offering_id)
    SELECT o.offering_id, o.symbol, coalesce(a.balance, 0) AS units, coalesce(a.reserved, 0) AS reserved, coalesce(i.units, 0) AS pending_in,
           coalesce(b.amount, 0)::bigint AS on_chain, o.unit_price_minor, last.price_minor
    FROM api.offerings o
    LEFT JOIN api.ledger_accounts a ON a.owner = 'investor:' || $1 AND a.asset = o.offering_id
    LEFT JOIN incoming i ON i.offering_id = o.offering_id
    LEFT JOIN api.wallets w ON w.investor_id = $1 AND w.chain_id = o.chain_id
    LEFT JOIN api.token_balances b ON b.chain_id = o.chain_id AND b.token = o.token_address AND b.address = w.address
    LEFT JOIN LATERAL (
        SELECT f.price_ticks * o.tick_size_minor AS price_minor FROM matcher.fills f WHERE f.offering_id = o.offering_id
        ORDER BY f.exec_seq DESC LIMIT 1) last ON true
    WHERE coalesce(a.balance, 0) > 0 OR i.units > 0 OR b.amount > 0
    ORDER BY o.symbol LIMIT 1000"""


async def select_holdings(conn: ReadConn, investor_id: str) -> Sequence[Record]:
    """Whatever the investor has in the ledger, on the way or on chain."""
    return await conn.fetch(SELECT_HOLDINGS, investor_id)
