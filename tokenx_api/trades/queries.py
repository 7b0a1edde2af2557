"""SQL of market data."""

from collections.abc import Sequence
from datetime import timedelta
from typing import LiteralString

from tokenx_api.db import ReadConn, Record

# One statement, so that the levels and exec_seq are of one moment. An order is in the book once an execution named it.
SELECT_BOOK: LiteralString = """
    SELECT coalesce(s.exec_seq, 0) AS exec_seq, l.side, l.price_ticks * o.tick_size_minor AS price_minor, l.lots * o.lot_size_units AS units, l.orders
    FROM api.offerings o LEFT JOIN matcher.sequencers s USING (offering_id)
    LEFT JOIN LATERAL (
        (SELECT m.side, m.price_ticks, sum(m.remaining_lots)::bigint AS lots, count(*) AS orders FROM matcher.orders m
         WHERE m.offering_id = o.offering_id AND m.side = 'buy' AND m.closed_at IS NULL AND m.last_exec_seq > 0
         GROUP BY m.side, m.price_ticks ORDER BY m.price_ticks DESC LIMIT $2)
        UNION ALL
        (SELECT m.side, m.price_ticks, sum(m.remaining_lots)::bigint AS lots, count(*) AS orders FROM matcher.orders m
         WHERE m.offering_id = o.offering_id AND m.side = 'sell' AND m.closed_at IS NULL AND m.last_exec_seq > 0
         GROUP BY m.side, m.price_ticks ORDER BY m.price_ticks LIMIT $2)) l ON true
    WHERE o.offering_id = $1 ORDER BY l.side, CASE WHEN l.side = 'buy' THEN -l.price_ticks ELSE l.price_ticks END LIMIT 2000"""
SELECT_OFFERING: LiteralString = "SELECT 1 AS found FROM api.offerings WHERE offering_id = $1"
SELECT_TRADES: LiteralString = """
    SELECT f.fill_id, f.price_ticks * o.tick_size_minor AS price_minor, f.quantity_lots * o.lot_size_units AS units,
           CASE WHEN f.taker_order_id = f.buy_order_id THEN 'buy' ELSE 'sell' END AS side, f.executed_at, f.exec_seq
    FROM matcher.fills f JOIN api.offerings o USING (offering_id)
    WHERE f.offering_id = $1 AND ($2::bigint IS NULL OR f.exec_seq < $2) ORDER BY f.exec_seq DESC LIMIT $3"""
SELECT_CANDLES: LiteralString = """
    SELECT date_bin($2, f.executed_at, '2020-01-01T00:00:00Z') AS start, o.tick_size_minor,
           (array_agg(f.price_ticks ORDER BY f.exec_seq))[1] AS open, max(f.price_ticks) AS high, min(f.price_ticks) AS low,
           (array_agg(f.price_ticks ORDER BY f.exec_seq DESC))[1] AS close, (sum(f.quantity_lots) * o.lot_size_units)::bigint AS units
    FROM matcher.fills f JOIN api.offerings o USING (offering_id)
    WHERE f.offering_id = $1 GROUP BY start, o.tick_size_minor, o.lot_size_units ORDER BY start DESC LIMIT $3"""


async def select_book(conn: ReadConn, offering_id: str, depth: int) -> Sequence[Record]:
    """Bids best first, then asks best first; a single row without a side for an empty book; nothing for an unknown offering."""
    return await conn.fetch(SELECT_BOOK, offering_id, depth)


async def offering_exists(conn: ReadConn, offering_id: str) -> bool:
    return await conn.fetchval(SELECT_OFFERING, offering_id) is not None


async def select_trades(conn: ReadConn, offering_id: str, *, before_seq: int | None, limit: int) -> Sequence[Record]:
    """Newest first."""
    return await conn.fetch(SELECT_TRADES, offering_id, before_seq, limit)


async def select_candles(conn: ReadConn, offering_id: str, *, width: timedelta, limit: int) -> Sequence[Record]:
    """The newest intervals with a trade, newest first."""
    return await conn.fetch(SELECT_CANDLES, offering_id, width, limit)
