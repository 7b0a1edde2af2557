"""What everyone may see of a market, from what the database holds: never a fill that is not committed."""

from datetime import timedelta
from typing import Final

from tokenx_api.db import ReadConn, Record
from tokenx_api.trades import queries
from tokenx_api.trades.models import BookView, CandleView, Interval, LevelView, TradeView
from tokenx_common.clock import rfc3339
from tokenx_common.errors import NotFound
from tokenx_common.money import format_amount

WIDTHS: Final = {"1m": timedelta(minutes=1), "5m": timedelta(minutes=5), "1h": timedelta(hours=1)}


async def book(conn: ReadConn, offering_id: str, *, depth: int) -> BookView:
    """Aggregated by price, at most `depth` levels a side. Raises NotFound."""
    rows = await queries.select_book(conn, offering_id, depth)
    if not rows:
        raise NotFound("offering")
    bids = [_level(row) for row in rows if row["side"] == "buy"]
    asks = [_level(row) for row in rows if row["side"] == "sell"]
    return BookView(offering_id=offering_id, exec_seq=rows[0]["exec_seq"], bids=bids, asks=asks)


async def trades(conn: ReadConn, offering_id: str, *, before_seq: int | None, limit: int) -> list[tuple[int, TradeView]]:  # fmt: skip
    """(exec_seq, trade), newest first. Raises NotFound."""
    await _require(conn, offering_id)
    rows = await queries.select_trades(conn, offering_id, before_seq=before_seq, limit=limit)
    return [(row["exec_seq"], _trade(row)) for row in rows]


async def candles(conn: ReadConn, offering_id: str, *, interval: Interval, limit: int) -> list[CandleView]:
    """The newest intervals, oldest first. Raises NotFound."""
    await _require(conn, offering_id)
    rows = await queries.select_candles(conn, offering_id, width=WIDTHS[interval], limit=limit)
    return [_candle(row) for row in reversed(rows)]


async def _require(conn: ReadConn, offering_id: str) -> None:
    if not await queries.offering_exists(conn, offering_id):
        raise NotFound("offering")


def _level(row: Record) -> LevelView:
    return LevelView(price=format_amount(row["price_minor"]), quantity=str(row["units"]), orders=row["orders"])


def _trade(row: Record) -> TradeView:
    return TradeView(
        fill_id=row["fill_id"],
        price=format_amount(row["price_minor"]),
        quantity=str(row["units"]),
        side=row["side"],
        executed_at=rfc3339(row["executed_at"]),
    )


def _candle(row: Record) -> CandleView:
    tick = row["tick_size_minor"]
    return CandleView(
        time=rfc3339(row["start"]),
        open=format_amount(row["open"] * tick),
        high=format_amount(row["high"] * tick),
        low=format_amount(row["low"] * tick),
        close=format_amount(row["close"] * tick),
        volume=str(row["units"]),
    )
