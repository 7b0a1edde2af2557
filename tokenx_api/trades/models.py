"""The market's public data: book, trades, candles. Prices and quantities are decimal strings."""

from typing import Literal

from tokenx_common.wire import WireModel

Interval = Literal["1m", "5m", "1h"]


class LevelView(WireModel):
    """All open orders at one price."""

    price: str
    quantity: str
    orders: int


class BookView(WireModel):
    """Best price first on both sides. exec_seq: the last execution the book contains."""

    offering_id: str
    exec_seq: int
    bids: list[LevelView]
    asks: list[LevelView]


class TradeView(WireModel):
    """side is the taker's."""

    fill_id: str
    price: str
    quantity: str
    side: Literal["buy", "sell"]
    executed_at: str


class CandleView(WireModel):
    """time is the start of the interval; intervals without a trade are left out."""

    time: str
    open: str
    high: str
    low: str
    close: str
    volume: str
