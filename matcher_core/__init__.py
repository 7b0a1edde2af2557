"""matcher_core: a deterministic limit order book, compiled, with nothing but the standard library behind it.

    from matcher_core import Book, Side
    book = Book()
    book.limit(1, Side.SELL, 101, 10, owner=7)
    book.limit(2, Side.BUY, 101, 4, owner=8)      # (Accepted(...), Trade(...))

`Book.process` takes packed commands and returns packed events (records.py); reference.py states every rule in Python.
"""

from matcher_core.book import BUILD_ID, Book
from matcher_core.records import (
    COMMAND,
    COMMAND_FIELDS,
    EVENT,
    EVENT_FIELDS,
    RECORD_SIZE,
    Command,
    decode_events,
    encode_event,
)
from matcher_core.reference import ReferenceBook
from matcher_core.types import (
    DEFAULT_MAX_ORDERS,
    MAX_ID,
    MAX_PRICE_TICKS,
    MAX_QUANTITY_LOTS,
    Accepted,
    BookState,
    Canceled,
    CancelReason,
    CommandFlag,
    DepthLevel,
    Event,
    EventType,
    MassCanceled,
    Op,
    OrderType,
    RejectCode,
    Rejected,
    Replaced,
    RestingOrder,
    SelfTradePrevention,
    Side,
    StateChanged,
    TimeInForce,
    Trade,
)

__all__ = [
    "BUILD_ID",
    "COMMAND",
    "COMMAND_FIELDS",
    "DEFAULT_MAX_ORDERS",
    "EVENT",
    "EVENT_FIELDS",
    "MAX_ID",
    "MAX_PRICE_TICKS",
    "MAX_QUANTITY_LOTS",
    "RECORD_SIZE",
    "Accepted",
    "Book",
    "BookState",
    "CancelReason",
    "Canceled",
    "Command",
    "CommandFlag",
    "DepthLevel",
    "Event",
    "EventType",
    "MassCanceled",
    "Op",
    "OrderType",
    "ReferenceBook",
    "RejectCode",
    "Rejected",
    "Replaced",
    "RestingOrder",
    "SelfTradePrevention",
    "Side",
    "StateChanged",
    "TimeInForce",
    "Trade",
    "decode_events",
    "encode_event",
]
