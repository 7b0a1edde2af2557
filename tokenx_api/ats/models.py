"""A market as its operator sees it."""

from tokenx_common.wire import WireModel


class MarketView(WireModel):
    """best_bid, best_ask and spread are null while a side of the book is empty. lag: commands the matcher's answer to which is not ingested."""

    offering_id: str
    symbol: str
    market_state: str
    best_bid: str | None
    best_ask: str | None
    spread: str | None
    last_price: str | None
    volume_units_24h: str
    trades_24h: int
    open_orders: int
    cmd_seq: int
    exec_seq: int
    lag: int
