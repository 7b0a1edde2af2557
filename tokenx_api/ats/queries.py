"""SQL of the market monitor."""

from collections.abc import Sequence
from datetime import datetime
from typing import LiteralString

from tokenx_api.db import ReadConn, Record

SELECT_MARKETS: LiteralString = """
    SELECT o.offering_id, o.symbol, o.market_state, o.tick_size_minor, o.lot_size_units, s.cmd_seq, s.exec_seq,
           greatest(0, s.cmd_seq - s.exec_cmd_seq) AS lag, book.best_bid, book.best_ask, book.open_orders, last.price_ticks AS last_price,
           day.lots AS lots_24h, day.trades AS trades_24h
    FROM matcher.sequencers s JOIN api.offerings o USING (offering_id)
    CROSS JOIN LATERAL (
        SELECT max(m.price_ticks) FILTER (WHERE m.side = 'buy' AND m.last_exec_seq > 0) AS best_bid,
               min(m.price_ticks) FILTER (WHERE m.side = 'sell' AND m.last_exec_seq > 0) AS best_ask, count(*) AS open_orders
        FROM matcher.orders m WHERE m.offering_id = s.offering_id AND m.closed_at IS NULL) book
    LEFT JOIN LATERAL (
        SELECT f.price_ticks FROM matcher.fills f WHERE f.offering_id = s.offering_id ORDER BY f.exec_seq DESC LIMIT 1) last ON true
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(f.quantity_lots), 0)::bigint AS lots, count(*) AS trades FROM matcher.fills f
        WHERE f.offering_id = s.offering_id AND f.executed_at >= $1) day
    ORDER BY o.symbol LIMIT 1000"""


async def select_markets(conn: ReadConn, since: datetime) -> Sequence[Record]:
    return await conn.fetch(SELECT_MARKETS, since)
