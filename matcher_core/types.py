"""The words of the order book: sides, orders, events and the reasons for refusals.

Shared by the compiled book and by reference.py, so both speak of the same things. The numbers are part of the binary
records (see records.py) and never change their meaning; new ones are added at the end of their hundred.
"""

from enum import IntEnum
from typing import NamedTuple, TypeAlias

MAX_PRICE_TICKS = 2**63 - 1
MAX_QUANTITY_LOTS = 2**64 - 1
MAX_ID = 2**64 - 1
DEFAULT_MAX_ORDERS = 1 << 24
MAX_ORDERS_CEILING = 1 << 31


class Side(IntEnum):
    BUY = 0
    SELL = 1


class TimeInForce(IntEnum):
    """How long an order may wait. An order that may not wait drops its remainder (IOC) or trades whole or not at all (FOK)."""

    GTC = 0
    IOC = 1
    FOK = 2


class Op(IntEnum):
    """What a command asks for."""

    LIMIT = 1
    MARKET = 2
    CANCEL = 3
    REPLACE = 4
    MASS_CANCEL = 5
    SET_STATE = 6


class OrderType(IntEnum):
    """The two kinds of order; the values are those of the operation that enters them."""

    LIMIT = Op.LIMIT
    MARKET = Op.MARKET


class CommandFlag(IntEnum):
    """Bits of a command's flags byte."""

    POST_ONLY = 1


class BookState(IntEnum):
    TRADING = 1
    CANCEL_ONLY = 2  # cancels and mass cancels only
    HALTED = 3  # nothing but a change of state


class SelfTradePrevention(IntEnum):
    """What gives way when an incoming order meets a resting one of the same owner group."""

    OFF = 0
    CANCEL_NEWEST = 1  # the incoming order loses its remainder
    CANCEL_OLDEST = 2  # the resting order goes, the incoming one trades on
    CANCEL_BOTH = 3


class EventType(IntEnum):
    ACCEPTED = 1
    TRADE = 2
    CANCELED = 3
    REPLACED = 4
    REJECTED = 5
    MASS_CANCELED = 6
    STATE_CHANGED = 7


class CancelReason(IntEnum):
    USER = 1
    REMAINDER = 2  # what an IOC or market order could not trade
    SELF_TRADE = 3
    MASS_CANCEL = 4


class RejectCode(IntEnum):
    """Why a command was refused. A refused command has no effect at all.

    The checks run in the order of these numbers, and the first that fails is the answer. That order is part of the API.
    """

    # 1xx: the command is malformed; the book was not consulted.
    UNKNOWN_OP = 101
    WRONG_SYMBOL = 102
    RESERVED_NOT_ZERO = 103
    BAD_SIDE = 104
    BAD_TIME_IN_FORCE = 105
    BAD_FLAGS = 106
    BAD_ORDER_ID = 107
    BAD_PRICE = 108
    BAD_QUANTITY = 109
    BAD_STATE = 110
    # 2xx: the book does not take such commands now.
    HALTED = 201
    CANCEL_ONLY = 202
    # 3xx: identity and authority, always before any effect.
    DUPLICATE_ORDER_ID = 301
    UNKNOWN_ORDER = 302
    NOT_OWNER = 303
    # 4xx: no room.
    BOOK_FULL = 401
    SIDE_QUANTITY_TOO_LARGE = 402
    OUT_OF_MEMORY = 403
    # 5xx: the order's own conditions cannot be met.
    POST_ONLY_WOULD_TRADE = 501
    FOK_NOT_FILLABLE = 502


class Accepted(NamedTuple):
    """A new order was taken. `resting` is what waits in the book once the whole command is done (0: nothing)."""

    seq: int
    order_id: int
    side: Side
    price_ticks: int
    quantity_lots: int
    resting_lots: int


class Trade(NamedTuple):
    """One fill, always at the maker's price. Leaves are the open quantities after it."""

    seq: int
    taker_id: int
    maker_id: int
    taker_side: Side
    price_ticks: int
    quantity_lots: int
    taker_leaves_lots: int
    maker_leaves_lots: int


class Canceled(NamedTuple):
    """`quantity_lots` of an order left the market untraded. Nothing of the order remains."""

    seq: int
    order_id: int
    side: Side
    price_ticks: int
    quantity_lots: int
    reason: CancelReason


class Replaced(NamedTuple):
    """An order has a new price or open quantity. Without `kept_priority` it entered again as if new."""

    seq: int
    order_id: int
    side: Side
    price_ticks: int
    quantity_lots: int
    resting_lots: int
    kept_priority: bool


class Rejected(NamedTuple):
    seq: int
    order_id: int
    code: RejectCode


class MassCanceled(NamedTuple):
    """A mass cancel is done; one Canceled came before it for each of the `canceled_orders`."""

    seq: int
    owner: int
    canceled_orders: int


class StateChanged(NamedTuple):
    seq: int
    state: BookState
    previous: BookState


Event: TypeAlias = Accepted | Trade | Canceled | Replaced | Rejected | MassCanceled | StateChanged


class RestingOrder(NamedTuple):
    """One order as it stands in the book."""

    order_id: int
    side: Side
    price_ticks: int
    open_lots: int
    owner: int
    group: int


class DepthLevel(NamedTuple):
    """All orders of one side at one price."""

    price_ticks: int
    quantity_lots: int
    orders: int
