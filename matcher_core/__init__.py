"""matcher_core: a deterministic limit order book, compiled, with nothing but the standard library behind it.

    from matcher_core import Book, Side
    book = Book()
    book.limit(1, Side.SELL, 101, 10, owner=7)
    book.limit(2, Side.BUY, 101, 4, owner=8)      # (Accepted(...), Trade(...))

`Book.process` takes packed commands and returns packed events (records.py); reference/ states every rule in Python.
"""

from pathlib import Path

from matcher_core.book import BUILD_ID, Book, Engine
from matcher_core.records import (
    COMMAND,
    COMMAND_FIELDS,
    DETAILS,
    DETAILS_FIELDS,
    EVENT,
    EVENT_FIELDS,
    RECORD_SIZE,
    Command,
    decode_events,
    encode_event,
)
from matcher_core.reference import ReferenceBook, ReferenceEngine
from matcher_core.types import (
    ALL_SYMBOLS,
    DEFAULT_MAX_ORDERS,
    MAX_DISTANCE_TICKS,
    MAX_ID,
    MAX_PRICE_TICKS,
    MAX_QUANTITY_LOTS,
    Accepted,
    BandHit,
    BandKind,
    BandsSet,
    BookState,
    BookStatistics,
    Canceled,
    CancelReason,
    ClockSet,
    CommandFlag,
    Decremented,
    DepthLevel,
    Event,
    EventType,
    Indicative,
    MassCanceled,
    Op,
    OrderType,
    PegKind,
    Place,
    Refreshed,
    RejectCode,
    Rejected,
    Replaced,
    Repriced,
    RestingOrder,
    SelfTradePrevention,
    Side,
    StateChanged,
    TimeInForce,
    Trade,
    Triggered,
    TriggerReason,
    Uncrossed,
)

__all__ = [
    "ALL_SYMBOLS",
    "BUILD_ID",
    "COMMAND",
    "COMMAND_FIELDS",
    "DEFAULT_MAX_ORDERS",
    "DETAILS",
    "DETAILS_FIELDS",
    "EVENT",
    "EVENT_FIELDS",
    "MAX_DISTANCE_TICKS",
    "MAX_ID",
    "MAX_PRICE_TICKS",
    "MAX_QUANTITY_LOTS",
    "RECORD_SIZE",
    "Accepted",
    "BandHit",
    "BandKind",
    "BandsSet",
    "Book",
    "BookState",
    "BookStatistics",
    "CancelReason",
    "Canceled",
    "ClockSet",
    "Command",
    "CommandFlag",
    "Decremented",
    "DepthLevel",
    "Engine",
    "Event",
    "EventType",
    "Indicative",
    "MassCanceled",
    "Op",
    "OrderType",
    "PegKind",
    "Place",
    "ReferenceBook",
    "ReferenceEngine",
    "Refreshed",
    "RejectCode",
    "Rejected",
    "Replaced",
    "Repriced",
    "RestingOrder",
    "SelfTradePrevention",
    "Side",
    "StateChanged",
    "TimeInForce",
    "Trade",
    "TriggerReason",
    "Triggered",
    "Uncrossed",
    "decode_events",
    "encode_event",
    "get_include",
]


def get_include() -> str:
    """The folder of matcher_core.h, for C and C++ compilers. Cython finds matcher_core.book's .pxd by itself."""
    return str(Path(__file__).resolve().parent / "include")
