"""The monitor of all markets."""

from datetime import datetime, timedelta

from tokenx_api.ats import queries
from tokenx_api.ats.models import MarketView
from tokenx_api.db import ReadConn, Record
from tokenx_common.money import format_amount


async def markets(conn: ReadConn, *, now: datetime) -> list[MarketView]:
    """By symbol."""
    return [_view(row) for row in await queries.select_markets(conn, now - timedelta(hours=24))]


def _view(row: Record) -> MarketView:
    bid, ask, tick = row["best_bid"], row["best_ask"], row["tick_size_minor"]
    return MarketView(
        offering_id=row["offering_id"],
        symbol=row["symbol"],
        market_state=row["market_state"],
        best_bid=_price(bid, tick),
        best_ask=_price(ask, tick),
        spread=_price(ask - bid, tick) if bid is not None and ask is not None else None,
        last_price=_price(row["last_price"], tick),
        volume_units_24h=str(row["lots_24h"] * row["lot_size_units"]),
        trades_24h=row["trades_24h"],
        open_orders=row["open_orders"],
        cmd_seq=row["cmd_seq"],
        exec_seq=row["exec_seq"],
        lag=row["lag"],
    )


def _price(ticks: int | None, tick_size_minor: int) -> str | None:
    return None if ticks is None else format_amount(ticks * tick_size_minor)
