"""Continuous matching: what an order that comes in does to those that rest.

Priority      Best price first; at one price displayed orders before hidden ones (who shows, helps others find a price,
              and goes first); within each the order that has stood there longest. Trades are at the resting price.
Icebergs      A taker trades with the part that is shown. When it is used up the next part is shown, last in the queue
              of its price, because the market sees it only now; REFRESHED follows the trade.
Self-trade    An order's group is its `group`, or its owner when that is 0. Two orders of one group (not 0) never trade
              (wash trades: FINRA rule 5210, MAR article 12). The mode of the book says which of them gives way:
              CANCEL_NEWEST the incoming order, CANCEL_OLDEST the resting one, CANCEL_BOTH both; DECREMENT takes the
              quantity they would have traded off both.
Price bands   A trade may happen only inside the static band, reference +- width, and the dynamic one, last price +-
              width, the last price being that before the order now matching began. Without a last price there is no
              dynamic band. At the first price outside, matching stops, BAND_HIT says so, and the book goes into an
              auction, where all may answer the new price (MiFID II article 48(5): a venue must be able to halt or
              constrain trading on a significant price movement). The band is looked at before self-trade
              prevention. What is left of the order waits if it may, else it is canceled with PRICE_BAND.
"""

from collections.abc import Callable, Iterator

from matcher_core.reference import states, stops
from matcher_core.reference.data import BookData, Order, Shelf, other
from matcher_core.types import (
    BandHit,
    BandKind,
    BookState,
    Canceled,
    CancelReason,
    Decremented,
    Event,
    Place,
    Refreshed,
    SelfTradePrevention,
    Side,
    Trade,
)


def enter(book: BookData, order: Order, acknowledge: Callable[[int], Event]) -> None:
    """Match an order while the book trades, then let what is left rest, or drop it.

    `acknowledge` makes the event that stands before all that follows from the order, from the quantity that rests.
    """
    at = len(book.events)
    ended_by = match(book, order) if book.state is BookState.TRADING else None
    rests = order.open if order.may_wait and ended_by is not CancelReason.SELF_TRADE else 0
    if rests:
        rest(book, order)
    book.events.insert(at, acknowledge(rests))
    if order.open and not rests:
        reason = ended_by or CancelReason.REMAINDER
        book.tell(Canceled(book.seq, order.order_id, order.side, order.price, order.open, reason))
    if ended_by is CancelReason.PRICE_BAND:
        states.take_prices_from_pegs(book)


def rest(book: BookData, order: Order) -> None:
    """Into the book, last at its price. An iceberg shows its first part."""
    if order.display:
        order.reserve = max(order.open - order.display, 0)
    book.put(order, Place.HIDDEN if order.hidden or order.peg else Place.BOOK)


def match(book: BookData, taker: Order) -> CancelReason | None:
    """Trade in priority order until the order is done or the prices part (None), or until what is returned ends it.

    All trades together are one run, from the first price to the last, which is then the last price; stops look at it.
    """
    first_price = last_price = 0
    ended_by: CancelReason | None = None
    while taker.open and ended_by is None:
        maker = first_maker(book, taker)
        if maker is None:
            break
        if (band := band_around(book, maker.price)) is not None:
            ended_by = hit(book, taker, maker.price, band)
        elif may_not_trade(book, taker, maker):
            ended_by = prevent(book, taker, maker)
        else:
            last_price = maker.price
            first_price = first_price or last_price
            trade(book, taker, maker)
    if first_price:
        book.last_price = last_price
        stops.run(book, first_price, last_price)
    return ended_by


def trade(book: BookData, taker: Order, maker: Order) -> None:
    lots = min(taker.open, maker.shown)
    taker.open -= lots
    price, maker_leaves = maker.price, maker.open - lots
    book.tell(Trade(book.seq, taker.order_id, maker.order_id, taker.side, price, lots, taker.open, maker_leaves))
    lose(book, maker, lots)


def lose(book: BookData, maker: Order, lots: int) -> None:
    """Take from a maker what it lost; an iceberg that shows nothing any more shows its next part, last in its queue."""
    book.reduce(maker, lots)
    if maker.open == 0 or maker.shown:
        return
    maker.reserve = max(maker.open - maker.display, 0)
    shelf = book.shelf(maker.place, maker.side)
    shelf.discard(maker)
    shelf.add(maker)
    book.tell(Refreshed(book.seq, maker.order_id, maker.side, maker.price, maker.shown, maker.open))


# ---- who is next -----------------------------------------------------------------------------------------------------


def first_maker(book: BookData, taker: Order) -> Order | None:
    """The order a taker meets next, None when no price is within its limit."""
    maker = first_resting(book, other(taker.side))
    return maker if maker is not None and within_limit(taker, maker.price) else None


def first_resting(book: BookData, side: Side) -> Order | None:
    """The first order of a side, displayed or hidden."""
    shown, hidden = book.shelf(Place.BOOK, side), book.shelf(Place.HIDDEN, side)
    if hidden.keys and (not shown.keys or hidden.keys[0] < shown.keys[0]):
        return hidden.first()
    return shown.first()


def within_limit(taker: Order, maker_price: int) -> bool:
    if taker.price == 0:
        return True
    return maker_price <= taker.price if taker.side is Side.BUY else maker_price >= taker.price


# ---- self-trade prevention -------------------------------------------------------------------------------------------


def may_not_trade(book: BookData, one: Order, two: Order) -> bool:
    return one.group != 0 and one.group == two.group and book.stp is not SelfTradePrevention.OFF


def prevent(book: BookData, taker: Order, maker: Order) -> CancelReason | None:
    """Two orders of one group have met. Returns SELF_TRADE when the taker ends here."""
    if book.stp is SelfTradePrevention.DECREMENT:
        decrement(book, taker, maker)
        return None
    if book.stp is not SelfTradePrevention.CANCEL_NEWEST:
        states.cancel(book, maker, CancelReason.SELF_TRADE)
    return None if book.stp is SelfTradePrevention.CANCEL_OLDEST else CancelReason.SELF_TRADE


def decrement(book: BookData, taker: Order, maker: Order) -> None:
    lots = min(taker.open, maker.shown)
    taker.open -= lots
    price, maker_leaves = maker.price, maker.open - lots
    book.tell(Decremented(book.seq, taker.order_id, maker.order_id, taker.side, price, lots, taker.open, maker_leaves))
    lose(book, maker, lots)


# ---- price bands -----------------------------------------------------------------------------------------------------


def band_around(book: BookData, price: int) -> BandKind | None:
    """The band that a trade at this price would leave; the static one if it would leave both."""
    if book.static_width and abs(price - book.static_reference) > book.static_width:
        return BandKind.STATIC
    if book.dynamic_width and book.last_price and abs(price - book.last_price) > book.dynamic_width:
        return BandKind.DYNAMIC
    return None


def hit(book: BookData, taker: Order, price: int, band: BandKind) -> CancelReason:
    book.tell(BandHit(book.seq, taker.order_id, taker.side, price, taker.open, band))
    states.change(book, BookState.AUCTION)
    return CancelReason.PRICE_BAND


# ---- conditions of entry ---------------------------------------------------------------------------------------------


def tradable(book: BookData, taker: Order) -> int:
    """How much of an order could trade now, counted no further than its quantity.

    Within its limit and the price bands. Other people's orders only, and, unless the mode is CANCEL_OLDEST (they would
    make room) or OFF (they would trade), only those ahead of its group's first resting order.
    """
    total = 0
    for maker, lots in in_match_order(book, other(taker.side)):
        if not within_limit(taker, maker.price) or band_around(book, maker.price) is not None:
            break
        if may_not_trade(book, taker, maker):
            if book.stp is SelfTradePrevention.CANCEL_OLDEST:
                continue
            break
        total += lots
        if total >= taker.open:
            break
    return total


def in_match_order(book: BookData, side: Side) -> Iterator[tuple[Order, int]]:
    """Orders and the quantities a taker would meet: at each price the shown parts, then reserves, then hidden orders."""
    shown, hidden = book.shelf(Place.BOOK, side), book.shelf(Place.HIDDEN, side)
    for key in sorted({*shown.keys, *hidden.keys}):
        level = level_at(shown, key)
        yield from ((order, order.shown) for order in level)
        yield from ((order, order.reserve) for order in level if order.reserve)
        yield from ((order, order.open) for order in level_at(hidden, key))


def level_at(shelf: Shelf, key: int) -> list[Order]:
    return shelf.levels.get(key, [])


def post_only_price(book: BookData, order_side: Side, price: int, *, slide: bool) -> int:
    """The price at which a post-only order may rest, 0 when there is none.

    Without SLIDE its own price, if that meets no displayed or hidden order; with SLIDE one tick short of the best price
    of the other side. Telling who is hidden there is the cost of never taking: the price answers, not the book.
    """
    first = first_resting(book, other(order_side))
    if first is None:
        return price
    step = -1 if order_side is Side.BUY else 1
    if (price < first.price) if order_side is Side.BUY else (price > first.price):
        return price
    return states.a_price_or_none(first.price + step) if slide else 0
