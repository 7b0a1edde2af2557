"""Why a command is refused. The checks run in the order of the numbers of RejectCode; the first that fails answers.

That order is part of the API. A refused command has no effect at all.

1xx  malformed(): the command alone, without a look at the book
2xx  not_now(): the state of the book
3xx  not_allowed(): the order id, and whose it is. An id is never a capability: cancel and replace must name the owner.
4xx  no_room(): only orders that may wait need room
5xx  unmet(): the order's own conditions

A command whose details cannot be read (see records.py) is checked as if they were all zero up to 110; 111 then answers.
"""

from matcher_core.records import DETAILED_OPS, BrokenCommand, Command
from matcher_core.reference import matching
from matcher_core.reference.data import BookData, Order
from matcher_core.types import (
    CALL_STATES,
    MAX_DISPLAY_PARTS,
    MAX_DISTANCE_TICKS,
    MAX_QUANTITY_LOTS,
    BookState,
    CommandFlag,
    Op,
    PegKind,
    Place,
    RejectCode,
    Side,
    TimeInForce,
)

BOTH, TIFS = tuple(Side), tuple(TimeInForce)  # by number, which is quicker than to ask the enum
OPS, SIDES, STATES = frozenset(Op) - {Op.DETAILS}, frozenset(Side), frozenset(BookState)
ENTERING = frozenset((Op.LIMIT, Op.MARKET))
NAMING = frozenset((Op.LIMIT, Op.MARKET, Op.CANCEL, Op.REPLACE))  # these name an order
VENUE_OPS = frozenset((Op.SET_STATE, Op.CLOCK, Op.SET_BANDS, Op.UNCROSS))
CANCELS = frozenset((Op.CANCEL, Op.MASS_CANCEL))
AFTER_UNCROSS = frozenset((BookState.TRADING, BookState.CANCEL_ONLY, BookState.HALTED))

LASTING = frozenset((TimeInForce.GTC, TimeInForce.DAY, TimeInForce.GTD))
IMMEDIATE = frozenset((TimeInForce.IOC, TimeInForce.FOK))
AUCTION_ONLY = frozenset((TimeInForce.OPG, TimeInForce.CLS))

POST_ONLY, SLIDE, HIDDEN = CommandFlag.POST_ONLY, CommandFlag.SLIDE, CommandFlag.HIDDEN
ALLOWED_FLAGS = {
    Op.LIMIT: POST_ONLY | SLIDE | HIDDEN | CommandFlag.DETAILS,
    Op.MARKET: CommandFlag.DETAILS,
    Op.REPLACE: POST_ONLY | SLIDE | CommandFlag.DETAILS,
    Op.MASS_CANCEL: CommandFlag.ONE_SIDE | CommandFlag.ALL_OWNERS,
    Op.CLOCK: CommandFlag.END_OF_DAY,
}


def refusal(book: BookData, c: Command) -> RejectCode | None:
    """The answer to a command that cannot be carried out, None when it can."""
    return malformed(c, book.symbol) or not_now(book, c) or not_allowed(book, c) or no_room(book, c) or unmet(book, c)


# ---- 1xx -------------------------------------------------------------------------------------------------------------


def malformed(c: Command, symbol: int) -> RejectCode | None:
    """1xx: is the command well formed in itself?"""
    if c.op not in OPS:
        return RejectCode.UNKNOWN_OP
    if c.symbol != symbol:
        return RejectCode.WRONG_SYMBOL
    if c.reserved != 0:
        return RejectCode.RESERVED_NOT_ZERO
    if (c.op in ENTERING or (c.op == Op.MASS_CANCEL and c.flags & CommandFlag.ONE_SIDE)) and c.side not in SIDES:
        return RejectCode.BAD_SIDE
    if c.op in ENTERING and c.tif not in possible_tifs(c):
        return RejectCode.BAD_TIME_IN_FORCE
    if c.flags and not flags_fit(c):
        return RejectCode.BAD_FLAGS
    if c.op in NAMING and c.order_id == 0:
        return RejectCode.BAD_ORDER_ID
    if not price_fits(c):
        return RejectCode.BAD_PRICE
    if not quantity_fits(c):
        return RejectCode.BAD_QUANTITY
    if not state_fits(c):
        return RejectCode.BAD_STATE
    return bad_details(c) if c.op in DETAILED_OPS else None


def is_stop(c: Command) -> bool:
    return c.stop_price != 0 or c.trail_offset != 0


ANY_TIF = frozenset(TimeInForce)
MARKET_TIFS = IMMEDIATE | AUCTION_ONLY


def possible_tifs(c: Command) -> frozenset[TimeInForce]:
    """105. A stop may only last; a market order may not last, because it has no price to rest at outside a call."""
    if is_stop(c):
        return LASTING
    return ANY_TIF if c.op == Op.LIMIT else MARKET_TIFS


def flags_fit(c: Command) -> bool:
    """106. SLIDE is a manner of POST_ONLY. What never rests can be neither post-only nor hidden, and an auction shows
    neither who came first nor who is displayed."""
    if c.flags & ~ALLOWED_FLAGS.get(Op(c.op), 0):
        return False
    if c.flags & SLIDE and not c.flags & POST_ONLY:
        return False
    return not (c.op == Op.LIMIT and c.flags & (POST_ONLY | HIDDEN) and c.tif not in LASTING)


def price_fits(c: Command) -> bool:
    """108. A limit is positive; a peg's cap and a market order's protection may be 0, for none.

    Market orders for an auction have no protection: they stand ahead of all prices.
    """
    if c.op == Op.LIMIT:
        return c.price > 0 or (c.price == 0 and c.peg != 0)
    if c.op == Op.REPLACE:
        return c.price > 0
    if c.op == Op.MARKET:
        return c.price == 0 or (c.price > 0 and c.tif not in AUCTION_ONLY)
    if c.op == Op.SET_BANDS:
        return c.price > 0 or (c.price == 0 and c.quantity == 0)
    return True


def quantity_fits(c: Command) -> bool:
    """109. Orders have a quantity. Widths of bands stay small enough that no sum of prices overflows."""
    if c.op in DETAILED_OPS:
        return c.quantity != 0
    return c.op != Op.SET_BANDS or max(c.quantity, c.group) <= MAX_DISTANCE_TICKS


def state_fits(c: Command) -> bool:
    """110. An uncross never ends in another call."""
    if c.op == Op.SET_STATE:
        return c.quantity in STATES
    return c.op != Op.UNCROSS or c.quantity in AFTER_UNCROSS


def bad_details(c: Command) -> RejectCode | None:
    """111 to 116: what the details say, and what they may be combined with."""
    if isinstance(c, BrokenCommand):
        return RejectCode.BAD_DETAILS
    if c.op == Op.REPLACE:
        if c.peg or c.trail_offset or c.display_quantity or c.min_quantity or c.expire_at or c.peg_offset:
            return RejectCode.BAD_DETAILS  # a replace changes price, quantity and stop price only
        return RejectCode.BAD_STOP if c.stop_price < 0 else None
    if c.flags & CommandFlag.DETAILS:
        if not stop_fits(c):
            return RejectCode.BAD_STOP
        if c.display_quantity and not display_fits(c):
            return RejectCode.BAD_DISPLAY
        if c.min_quantity and not min_quantity_fits(c):
            return RejectCode.BAD_MIN_QUANTITY
        if not peg_fits(c):
            return RejectCode.BAD_PEG
    return None if (c.tif == TimeInForce.GTD) == (c.expire_at > 0) else RejectCode.BAD_EXPIRY


def stop_fits(c: Command) -> bool:
    """112. One trigger, not two; what a stop does on entry is settled when it is triggered, so no entry flags."""
    if c.stop_price < 0 or (c.stop_price and c.trail_offset) or c.trail_offset > MAX_DISTANCE_TICKS:
        return False
    return not (is_stop(c) and c.flags & (POST_ONLY | SLIDE | HIDDEN))


def display_fits(c: Command) -> bool:
    """113. An iceberg is a limit order that rests displayed. Its parts are at most a thousand, so that one taker cannot
    be made to cause events without end."""
    if c.op == Op.MARKET or is_stop(c) or c.peg or c.flags & HIDDEN or c.tif not in LASTING:
        return False
    return c.quantity <= MAX_DISPLAY_PARTS * c.display_quantity


def min_quantity_fits(c: Command) -> bool:
    """114. A minimum is a condition of entering and trading at once; what waits or may not trade cannot have one."""
    if c.min_quantity > c.quantity or c.tif == TimeInForce.FOK or c.tif in AUCTION_ONLY:
        return False
    return not (c.flags & POST_ONLY or is_stop(c) or c.peg)


def peg_fits(c: Command) -> bool:
    """115. A peg is a limit order that lasts. An offset would make a midpoint something else; without one a market peg
    would take what it follows."""
    if c.peg == PegKind.NONE:
        return c.peg_offset == 0
    if c.peg > PegKind.MARKET or c.op == Op.MARKET or is_stop(c) or c.tif not in LASTING:
        return False
    if c.flags & (POST_ONLY | SLIDE | HIDDEN) or c.peg_offset > MAX_DISTANCE_TICKS:
        return False
    return c.peg == PegKind.PRIMARY or (c.peg == PegKind.MIDPOINT) == (c.peg_offset == 0)


# ---- 2xx -------------------------------------------------------------------------------------------------------------


def not_now(book: BookData, c: Command) -> RejectCode | None:
    """2xx: does the book take such a command in its present state, at its present time?"""
    if c.op in VENUE_OPS:
        return not_now_for_the_venue(book, c)
    if book.state is BookState.HALTED:
        return RejectCode.HALTED
    if book.state is BookState.CANCEL_ONLY and c.op not in CANCELS:
        return RejectCode.CANCEL_ONLY
    if book.state in CALL_STATES and wants_to_trade_now(c):
        return RejectCode.NOT_IN_AUCTION
    if c.op in ENTERING:
        if c.tif == TimeInForce.OPG and book.state is not BookState.OPENING_AUCTION:
            return RejectCode.ONLY_IN_OPENING_AUCTION
        if c.tif == TimeInForce.GTD and c.expire_at <= book.clock:
            return RejectCode.ALREADY_EXPIRED
    return None


def wants_to_trade_now(c: Command) -> bool:
    """203. Conditions on trading at once mean nothing where nothing trades."""
    if c.op in ENTERING:
        return c.tif in IMMEDIATE or bool(c.flags & POST_ONLY) or c.min_quantity > 0
    return c.op == Op.REPLACE and bool(c.flags & POST_ONLY)


def not_now_for_the_venue(book: BookData, c: Command) -> RejectCode | None:
    """States, clock, bands and uncross work in every state, with these exceptions."""
    if c.op == Op.UNCROSS and book.trading:
        return RejectCode.NOT_AN_AUCTION
    if c.op == Op.SET_STATE and c.quantity == BookState.TRADING and book.call_pending:
        return RejectCode.UNCROSS_FIRST
    if c.op == Op.CLOCK and c.quantity < book.clock:
        return RejectCode.CLOCK_BACKWARDS
    return None


# ---- 3xx and 4xx -----------------------------------------------------------------------------------------------------


def not_allowed(book: BookData, c: Command) -> RejectCode | None:
    """3xx: is the id free, or does it name a live order, wherever it waits, of this owner?"""
    if c.op in ENTERING:
        return RejectCode.DUPLICATE_ORDER_ID if c.order_id in book.orders else None
    if c.op in (Op.CANCEL, Op.REPLACE):
        order = book.orders.get(c.order_id)
        if order is None:
            return RejectCode.UNKNOWN_ORDER
        return None if order.owner == c.owner else RejectCode.NOT_OWNER
    return None


def no_room(book: BookData, c: Command) -> RejectCode | None:
    """4xx: places for orders, and the sum of open quantities of a direction. All places count together.

    The whole quantity is counted, whatever would trade at once, so that the answer never depends on the other side.
    """
    if c.op in ENTERING and c.tif not in IMMEDIATE:
        if len(book.orders) >= book.max_orders:
            return RejectCode.BOOK_FULL
        if book.open_lots[c.side] + c.quantity > MAX_QUANTITY_LOTS:
            return RejectCode.SIDE_QUANTITY_TOO_LARGE
    if c.op == Op.REPLACE:
        order = book.orders[c.order_id]
        if book.open_lots[order.side] - order.open + c.quantity > MAX_QUANTITY_LOTS:
            return RejectCode.SIDE_QUANTITY_TOO_LARGE
    return None


# ---- 5xx -------------------------------------------------------------------------------------------------------------


def unmet(book: BookData, c: Command) -> RejectCode | None:
    """5xx: can the order's own conditions be met?"""
    if c.op == Op.REPLACE:
        return unmet_replace(book, c, book.orders[c.order_id])
    if c.op not in ENTERING or not (c.flags & POST_ONLY or c.tif == TimeInForce.FOK or c.min_quantity):
        return None
    if c.flags & POST_ONLY and not may_post(book, c, Side(c.side)):
        return RejectCode.POST_ONLY_WOULD_TRADE
    if c.tif == TimeInForce.FOK and could_trade(book, c) < c.quantity:
        return RejectCode.FOK_NOT_FILLABLE
    return RejectCode.MIN_QUANTITY_NOT_MET if could_trade(book, c) < c.min_quantity else None


def unmet_replace(book: BookData, c: Command, order: Order) -> RejectCode | None:
    """504, 505, 501: what cannot change is found before how it would change."""
    if not replaceable(order, new_stop=c.stop_price != 0):
        return RejectCode.NOT_REPLACEABLE
    if order.display and c.quantity > MAX_DISPLAY_PARTS * order.display:
        return RejectCode.DISPLAY_TOO_SMALL
    if c.flags & POST_ONLY and enters_by_replace(order) and not may_post(book, c, order.side):
        return RejectCode.POST_ONLY_WOULD_TRADE
    return None


def replaceable(order: Order, *, new_stop: bool) -> bool:
    """504. A replace gives a limit price, so what has none keeps having none; a trailing stop moves by itself; an armed
    order has been triggered and is as good as sent."""
    if order.op is Op.MARKET or order.place in (Place.TRAILING, Place.ARMED):
        return False
    return order.place is Place.STOP or not new_stop


def enters_by_replace(order: Order) -> bool:
    """Whether a replaced order comes into the book now. Others wait, where post-only means nothing."""
    return order.place in (Place.BOOK, Place.HIDDEN) and order.peg is PegKind.NONE


def may_post(book: BookData, c: Command, side: Side) -> bool:
    return matching.post_only_price(book, side, c.price, slide=bool(c.flags & SLIDE)) != 0


def could_trade(book: BookData, c: Command) -> int:
    return matching.tradable(book, incoming(c))


def incoming(c: Command) -> Order:
    """A LIMIT or MARKET as an order on its way in."""
    return Order(c.order_id, BOTH[c.side], c.price, c.quantity, c.owner, c.group or c.owner, Op(c.op), TIFS[c.tif])
