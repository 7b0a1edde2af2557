"""The words of the order book: sides, orders, events and the reasons for refusals.

Shared by the compiled book and by reference/, so both speak of the same things. The numbers are part of the binary
records (see records.py) and never change their meaning; new ones are added at the end of their hundred.
"""

from enum import IntEnum
from typing import NamedTuple, TypeAlias

MAX_PRICE_TICKS = 2**63 - 1
MAX_QUANTITY_LOTS = 2**64 - 1
MAX_ID = 2**64 - 1
MAX_DISTANCE_TICKS = 2**62  # widths of bands, offsets of trailing stops and pegs
MAX_DISPLAY_PARTS = 1000  # an iceberg shows at least this fraction of itself, so one taker cannot cause endless parts
MAX_ENGINE_SYMBOLS = 1 << 20
ALL_SYMBOLS = 2**32 - 1  # to every book of an engine
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
    DAY = 3  # until a clock command with END_OF_DAY
    GTD = 4  # until the clock reaches expire_at
    OPG = 5  # for the opening auction only
    CLS = 6  # for the closing auction only; waits for it


class Op(IntEnum):
    """What a command asks for."""

    LIMIT = 1
    MARKET = 2
    CANCEL = 3
    REPLACE = 4
    MASS_CANCEL = 5
    SET_STATE = 6
    CLOCK = 7
    UNCROSS = 8
    SET_BANDS = 9
    DETAILS = 15  # not a command: the second record of the one before it


class OrderType(IntEnum):
    """The two kinds of order; the values are those of the operation that enters them."""

    LIMIT = Op.LIMIT
    MARKET = Op.MARKET


class CommandFlag(IntEnum):
    """Bits of a command's flags byte."""

    POST_ONLY = 1
    SLIDE = 2  # post-only that would trade steps back to one tick short of the other side
    HIDDEN = 4
    ONE_SIDE = 8  # mass cancel: only orders of `side`
    ALL_OWNERS = 16  # mass cancel: whoever entered them
    END_OF_DAY = 32  # clock: DAY, OPG and CLS orders expire too
    DETAILS = 128  # the next record holds the rest of this command


class PegKind(IntEnum):
    """What the price of a pegged order follows."""

    NONE = 0
    MIDPOINT = 1
    PRIMARY = 2  # the best price of its own side
    MARKET = 3  # the best price of the other side


class BookState(IntEnum):
    TRADING = 1
    CANCEL_ONLY = 2  # cancels and mass cancels only
    HALTED = 3  # nothing but the commands of the venue: states, clock, bands, uncross
    OPENING_AUCTION = 4  # this and the next two are calls: orders collect and nothing trades until UNCROSS
    CLOSING_AUCTION = 5
    AUCTION = 6  # within the day, planned or because a price band was hit


CALL_STATES = frozenset((BookState.OPENING_AUCTION, BookState.CLOSING_AUCTION, BookState.AUCTION))


class SelfTradePrevention(IntEnum):
    """What gives way when an incoming order meets a resting one of the same owner group."""

    OFF = 0
    CANCEL_NEWEST = 1  # the incoming order loses its remainder
    CANCEL_OLDEST = 2  # the resting order goes, the incoming one trades on
    CANCEL_BOTH = 3
    DECREMENT = 4  # both lose the quantity they would have traded


class EventType(IntEnum):
    ACCEPTED = 1
    TRADE = 2
    CANCELED = 3
    REPLACED = 4
    REJECTED = 5
    MASS_CANCELED = 6
    STATE_CHANGED = 7
    DECREMENTED = 8
    TRIGGERED = 9
    REFRESHED = 10
    REPRICED = 11
    UNCROSSED = 12
    BAND_HIT = 13
    CLOCK_SET = 14
    BANDS_SET = 15


class CancelReason(IntEnum):
    USER = 1
    REMAINDER = 2  # what an IOC or market order could not trade
    SELF_TRADE = 3
    MASS_CANCEL = 4
    EXPIRED = 5
    PRICE_BAND = 6  # a price band ended its matching and it may not wait


class TriggerReason(IntEnum):
    STOP = 1  # the last price reached its stop price
    CLOSE = 2  # the closing auction began


class BandKind(IntEnum):
    STATIC = 1
    DYNAMIC = 2


class Place(IntEnum):
    """Where a live order is. The first two trade, the others wait for something."""

    BOOK = 0  # displayed
    HIDDEN = 1  # hidden orders, and pegged ones that have a price
    STOP = 2
    TRAILING = 3
    CLOSE = 4  # for the closing auction
    PEG = 5  # pegged orders without a price
    ARMED = 6  # triggered, not entered yet


class RejectCode(IntEnum):
    """Why a command was refused. A refused command has no effect at all.

    The checks run in the order of these numbers, and the first that fails is the answer. That order is part of the API.
    """

    # 1xx: the command is malformed; the book was not consulted.
    UNKNOWN_OP = 101  # no operation of Op; a DETAILS record that belongs to no command is none either
    WRONG_SYMBOL = 102  # not the symbol of the book, or of no open book of the engine
    RESERVED_NOT_ZERO = 103  # the last field of a command
    BAD_SIDE = 104  # neither BUY nor SELL, where a side is needed
    BAD_TIME_IN_FORCE = 105
    BAD_FLAGS = 106  # flags this operation does not have, or that do not go together
    BAD_ORDER_ID = 107  # 0 is no id
    BAD_PRICE = 108
    BAD_QUANTITY = 109
    BAD_STATE = 110  # no state, or for an uncross not TRADING, CANCEL_ONLY or HALTED
    BAD_DETAILS = 111  # no details record, one of another symbol or not zero where it must be; or a replace gives more than a stop price
    BAD_STOP = 112
    BAD_DISPLAY = 113
    BAD_MIN_QUANTITY = 114
    BAD_PEG = 115
    BAD_EXPIRY = 116  # GTD needs an expire_at, everything else has none
    # 2xx: the book does not take such commands now.
    HALTED = 201  # nothing but states, clock, bands and uncross
    CANCEL_ONLY = 202  # nothing enters or changes; cancels are fine
    NOT_IN_AUCTION = 203  # IOC, FOK, post-only or a minimum quantity during a call
    ONLY_IN_OPENING_AUCTION = 204  # an OPG order at any other time
    NOT_AN_AUCTION = 205  # an uncross while the book trades
    UNCROSS_FIRST = 206  # to TRADING while a call is pending
    CLOCK_BACKWARDS = 207  # a time before the book's clock
    ALREADY_EXPIRED = 208  # GTD until a time that the clock has reached
    # 3xx: identity and authority, always before any effect.
    DUPLICATE_ORDER_ID = 301  # an order with this id is alive, wherever it waits
    UNKNOWN_ORDER = 302  # no order with this id is alive
    NOT_OWNER = 303  # the order was entered by another owner
    # 4xx: no room.
    BOOK_FULL = 401  # max_orders orders are alive
    SIDE_QUANTITY_TOO_LARGE = 402  # all open quantity of this direction would pass MAX_QUANTITY_LOTS
    OUT_OF_MEMORY = 403  # the machine has none for one more order
    # 5xx: the order's own conditions cannot be met.
    POST_ONLY_WOULD_TRADE = 501  # and may not slide, or finds no price to slide to
    FOK_NOT_FILLABLE = 502  # less than the whole quantity can trade now
    MIN_QUANTITY_NOT_MET = 503  # less than the minimum quantity can trade now
    NOT_REPLACEABLE = 504
    DISPLAY_TOO_SMALL = 505  # an iceberg replaced to more than a thousand times its display quantity


class Accepted(NamedTuple):
    """A new order was taken. `resting_lots` is what rests or waits after its own matching (0: nothing)."""

    seq: int
    order_id: int
    side: Side
    price_ticks: int
    quantity_lots: int
    resting_lots: int


class Trade(NamedTuple):
    """One fill: at the maker's price or, in an auction, at the uncross price with the buy order as taker.

    Leaves are the open quantities after it, an iceberg's reserve included.
    """

    seq: int
    taker_id: int
    maker_id: int
    taker_side: Side
    price_ticks: int
    quantity_lots: int
    taker_leaves_lots: int
    maker_leaves_lots: int
    auction: bool = False


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


class Decremented(NamedTuple):
    """Two orders of one group met and both lost a quantity without a trade. Leaves 0: that order is gone."""

    seq: int
    taker_id: int
    maker_id: int
    taker_side: Side
    price_ticks: int
    quantity_lots: int
    taker_leaves_lots: int
    maker_leaves_lots: int


class Triggered(NamedTuple):
    """A waiting order entered the book. `price_ticks` is its limit (0: none), `resting_lots` as for Accepted."""

    seq: int
    order_id: int
    side: Side
    price_ticks: int
    quantity_lots: int
    resting_lots: int
    reason: TriggerReason


class Refreshed(NamedTuple):
    """What an iceberg showed is used up; its next part is shown, last at its price."""

    seq: int
    order_id: int
    side: Side
    price_ticks: int
    shown_lots: int
    open_lots: int


class Repriced(NamedTuple):
    """A pegged order has a new price (0: none now); its trades at that price follow."""

    seq: int
    order_id: int
    side: Side
    price_ticks: int
    quantity_lots: int
    resting_lots: int


class Uncrossed(NamedTuple):
    """A call ended at `price_ticks` (0: nothing could trade). The surplus is what found no other side at that price."""

    seq: int
    price_ticks: int
    volume_lots: int
    surplus_side: Side
    surplus_lots: int


class BandHit(NamedTuple):
    """An order would have traded outside a price band: at `price_ticks`, with `quantity_lots` still open."""

    seq: int
    order_id: int
    side: Side
    price_ticks: int
    quantity_lots: int
    band: BandKind


class ClockSet(NamedTuple):
    """The clock moved; one Canceled came before it for each of the `expired_orders`."""

    seq: int
    now: int
    expired_orders: int


class BandsSet(NamedTuple):
    seq: int
    reference_ticks: int
    static_width_ticks: int
    dynamic_width_ticks: int


Event: TypeAlias = (
    Accepted
    | Trade
    | Canceled
    | Replaced
    | Rejected
    | MassCanceled
    | StateChanged
    | Decremented
    | Triggered
    | Refreshed
    | Repriced
    | Uncrossed
    | BandHit
    | ClockSet
    | BandsSet
)


class RestingOrder(NamedTuple):
    """One live order as it stands now.

    price_ticks is the price it rests at (0: a market order in a call); where it only waits, its limit (0: none).
    open_lots is all of it; shown_lots is what the displayed book shows of it (0 for hidden and waiting orders).
    stop_ticks is the present stop price of a waiting stop or trailing stop (0: none yet).
    """

    order_id: int
    side: Side
    price_ticks: int
    open_lots: int
    owner: int
    group: int
    place: Place = Place.BOOK
    tif: TimeInForce = TimeInForce.GTC
    shown_lots: int = 0
    stop_ticks: int = 0
    expire_at: int = 0
    peg: PegKind = PegKind.NONE


class DepthLevel(NamedTuple):
    """All orders of one side at one price."""

    price_ticks: int
    quantity_lots: int
    orders: int


class Indicative(NamedTuple):
    """What an uncross would do now."""

    price_ticks: int
    volume_lots: int
    surplus_side: Side
    surplus_lots: int


class BookStatistics(NamedTuple):
    """Counts since the book was opened. traded_lots is modulo 2^64; a price of 0 means no trade yet."""

    accepted: int
    rejected: int
    canceled: int
    trades: int
    traded_lots: int
    open_ticks: int
    high_ticks: int
    low_ticks: int
    last_ticks: int
