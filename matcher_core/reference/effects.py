"""What an accepted command does. Refusals are in checks.py, what follows of itself after a command in settling.py."""

from collections.abc import Iterable

from matcher_core.records import Command
from matcher_core.reference import auctions, checks, matching, pegs, states, stops
from matcher_core.reference.data import BookData, Order
from matcher_core.types import (
    Accepted,
    BandsSet,
    BookState,
    CancelReason,
    ClockSet,
    CommandFlag,
    MassCanceled,
    Op,
    PegKind,
    Place,
    Replaced,
    Side,
    TimeInForce,
)

LASTS_THE_DAY = frozenset((TimeInForce.DAY, TimeInForce.OPG, TimeInForce.CLS))


def carry_out(book: BookData, c: Command) -> None:
    if c.op == Op.LIMIT or c.op == Op.MARKET:
        new(book, c)
    elif c.op == Op.CANCEL:
        states.cancel(book, book.orders[c.order_id], CancelReason.USER)
    elif c.op == Op.REPLACE:
        replace(book, c, book.orders[c.order_id])
    else:
        VENUE_EFFECTS[Op(c.op)](book, c)


# ---- new orders ------------------------------------------------------------------------------------------------------


def new(book: BookData, c: Command) -> None:
    """A LIMIT or MARKET order: it waits for its trigger, its auction or its price, or enters now."""
    order = incoming(book, c)
    if checks.is_stop(c):
        stops.wait(book, order)
    elif order.peg:
        pegs.enter_waiting(book, order)
    elif order.tif is TimeInForce.CLS and book.state is not BookState.CLOSING_AUCTION:
        book.put(order, Place.CLOSE)
    else:
        price = order.price
        matching.enter(book, order, lambda rests: Accepted(c.seq, c.order_id, order.side, price, c.quantity, rests))
        return
    book.tell(Accepted(c.seq, c.order_id, order.side, c.price, c.quantity, c.quantity))


def incoming(book: BookData, c: Command) -> Order:
    """The order a command describes, post-only at the price it may have."""
    order = checks.incoming(c)
    if c.flags & CommandFlag.POST_ONLY:
        order.price = posted_price(book, c, order.side)
    if c.flags:
        order.hidden = bool(c.flags & CommandFlag.HIDDEN)
        order.stop, order.trail_offset = c.stop_price, c.trail_offset
        order.display, order.expire_at = c.display_quantity, c.expire_at
        order.peg, order.peg_offset = PegKind(c.peg), c.peg_offset
        order.cap = c.price if order.peg else 0
    return order


def posted_price(book: BookData, c: Command, side: Side) -> int:
    return matching.post_only_price(book, side, c.price, slide=bool(c.flags & CommandFlag.SLIDE))


# ---- replace ---------------------------------------------------------------------------------------------------------


def replace(book: BookData, c: Command, order: Order) -> None:
    """Same price and no more quantity than open: the order shrinks where it stands, because nobody behind it loses.

    Anything else leaves and enters again as new, and may trade at once. Owner, group, time in force, expiry, display
    and being hidden stay.
    """
    if order.peg:
        replace_peg(book, c, order)
    elif order.place is Place.STOP:
        replace_stop(book, c, order)
    else:
        replace_limit(book, c, order)


def replace_limit(book: BookData, c: Command, order: Order) -> None:
    price = c.price
    if c.flags & CommandFlag.POST_ONLY and order.place is not Place.CLOSE:
        price = posted_price(book, c, order.side)
    if price == order.price and c.quantity <= order.open:
        shrink(book, c, order, price)
        return
    place = order.place
    leave(book, order, price=price, quantity=c.quantity)
    if place is Place.CLOSE:
        book.put(order, Place.CLOSE)
        tell_replaced(book, c, order)
        return
    matching.enter(book, order, lambda rests: Replaced(c.seq, c.order_id, order.side, price, c.quantity, rests, False))


def replace_stop(book: BookData, c: Command, order: Order) -> None:
    """The price is the limit; a stop price of 0 in the command leaves the stop price as it is."""
    stop = c.stop_price or order.stop
    if stop == order.stop and c.price == order.price and c.quantity <= order.open:
        shrink(book, c, order, c.price)
        return
    leave(book, order, price=c.price, quantity=c.quantity)
    order.stop = stop
    stops.wait(book, order)
    tell_replaced(book, c, order)


def replace_peg(book: BookData, c: Command, order: Order) -> None:
    """The price is the cap. With the same cap and no more quantity it keeps place and price; else it is a new peg."""
    if c.price == order.cap and c.quantity <= order.open:
        shrink(book, c, order, c.price)
        return
    leave(book, order, price=0, quantity=c.quantity)
    order.cap = c.price
    pegs.enter_waiting(book, order)
    tell_replaced(book, c, order)


def shrink(book: BookData, c: Command, order: Order, price: int) -> None:
    """Down to the new quantity, in its place. An iceberg gives up its reserve first: what is seen stays longest."""
    lots = order.open - c.quantity
    order.reserve -= min(order.reserve, lots)
    book.reduce(order, lots)
    book.tell(Replaced(c.seq, c.order_id, order.side, price, c.quantity, c.quantity, kept_priority=True))


def leave(book: BookData, order: Order, *, price: int, quantity: int) -> None:
    """Out of its place, to come again as new."""
    book.take(order)
    order.price, order.open, order.reserve, order.stamp = price, quantity, 0, 0


def tell_replaced(book: BookData, c: Command, order: Order) -> None:
    book.tell(Replaced(c.seq, c.order_id, order.side, c.price, c.quantity, order.open, kept_priority=False))


# ---- the venue's commands --------------------------------------------------------------------------------------------


def mass_cancel(book: BookData, c: Command) -> None:
    """Orders of one owner or of all, on one side or both, in place order."""
    everybody, one_side = c.flags & CommandFlag.ALL_OWNERS, c.flags & CommandFlag.ONE_SIDE
    theirs = [
        order
        for order in book.in_place_order()
        if (everybody or order.owner == c.owner) and not (one_side and order.side != c.side)
    ]
    cancel_all(book, theirs, CancelReason.MASS_CANCEL)
    book.tell(MassCanceled(c.seq, 0 if everybody else c.owner, len(theirs)))


def cancel_all(book: BookData, orders: Iterable[Order], reason: CancelReason) -> None:
    for order in orders:
        states.cancel(book, order, reason)


def set_state(book: BookData, c: Command) -> None:
    was_trading = book.trading
    states.change(book, BookState(c.quantity))
    if was_trading and not book.trading:
        states.take_prices_from_pegs(book)
    if book.state is BookState.CLOSING_AUCTION:
        auctions.join_closing_auction(book)
    begin_trading(book)


def begin_trading(book: BookData) -> None:
    """Stops look at the last price when the book goes to TRADING: it may have moved, or they come, during a call."""
    if book.trading and book.last_price:
        stops.run(book, book.last_price, book.last_price)


def set_clock(book: BookData, c: Command) -> None:
    """Time comes only from outside. GTD orders expire first, by age; at the end of the day those that last the day."""
    book.clock = c.quantity
    due = (order for order in book.orders.values() if 0 < order.expire_at <= book.clock)
    expired = sorted(due, key=lambda order: order.stamp)
    if c.flags & CommandFlag.END_OF_DAY:
        expired += [order for order in book.in_place_order() if order.tif in LASTS_THE_DAY]
    cancel_all(book, expired, CancelReason.EXPIRED)
    book.tell(ClockSet(c.seq, c.quantity, len(expired)))


def uncross(book: BookData, c: Command) -> None:
    auctions.uncross(book)
    states.change(book, BookState(c.quantity))
    begin_trading(book)


def set_bands(book: BookData, c: Command) -> None:
    book.static_reference, book.static_width, book.dynamic_width = c.price, c.quantity, c.group
    book.tell(BandsSet(c.seq, c.price, c.quantity, c.group))


VENUE_EFFECTS = {
    Op.MASS_CANCEL: mass_cancel,
    Op.SET_STATE: set_state,
    Op.CLOCK: set_clock,
    Op.UNCROSS: uncross,
    Op.SET_BANDS: set_bands,
}
