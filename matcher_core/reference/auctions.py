"""Auctions: the price at which a call ends, and who trades at it.

Uncross price, among all whole ticks between the lowest and the highest limit (market orders take part at each; without
any limit order only the reference price is asked):
  1 the one with the largest volume, which must be more than nothing
  2 of those the one that leaves the smallest surplus
  3 if all that remain leave a surplus of buys, the highest; if all leave a surplus of sells, the lowest
  4 otherwise the one nearest to the reference price, the last price or else the static reference; without reference
    the middle of what remains, rounded down
The same four steps as in the market models of the large European venues (Xetra Market Model Equities, price
determination in auctions); they depend on quantities and prices alone, never on who came first.

Allocation    All trades are at that one price. Buys and sells each in priority order: market orders, then the better
              price, displayed before hidden, oldest first; the first trades with the first. Hidden orders and reserves
              of icebergs count in full. The buy is named as the taker, which means nothing here.
Self-trade    When two orders of one group meet (and prevention is on), both lose the quantity instead, whatever the
              mode: taking an order out of an auction would change its price.
Afterwards    What was only for this auction is canceled: OPG orders, and CLS orders that had joined the book.
"""

from collections.abc import Iterator
from typing import NamedTuple

from matcher_core.reference import matching, states
from matcher_core.reference.data import BookData, Order
from matcher_core.types import (
    CancelReason,
    Decremented,
    Indicative,
    Place,
    Side,
    TimeInForce,
    Trade,
    Triggered,
    TriggerReason,
    Uncrossed,
)

TRADING_PLACES = (Place.BOOK, Place.HIDDEN)


class Stretch(NamedTuple):
    """Neighbouring ticks, both ends included, at which the same quantities would buy and sell."""

    lowest: int
    highest: int
    buys: int
    sells: int

    @property
    def volume(self) -> int:
        return min(self.buys, self.sells)

    @property
    def surplus(self) -> int:
        return self.buys - self.sells


# ---- the price -------------------------------------------------------------------------------------------------------


def indicative(book: BookData) -> Indicative | None:
    """What an uncross would do now, in any state. None when nothing could trade."""
    stretches = list(all_stretches(book))
    most = max((s.volume for s in stretches), default=0)
    if most == 0:
        return None
    fullest = [s for s in stretches if s.volume == most]
    least = min(abs(s.surplus) for s in fullest)
    remaining = [s for s in fullest if abs(s.surplus) == least]
    price = choose(remaining, book.last_price or book.static_reference)
    (there,) = (s for s in remaining if s.lowest <= price <= s.highest)
    return Indicative(price, most, Side.SELL if there.surplus < 0 else Side.BUY, least)


def choose(remaining: list[Stretch], reference: int) -> int:
    """Steps 3 and 4. What remains is one unbroken range, for buys only fall and sells only rise with the price."""
    lowest, highest = remaining[0].lowest, remaining[-1].highest
    if all(s.surplus > 0 for s in remaining):
        return highest
    if all(s.surplus < 0 for s in remaining):
        return lowest
    return min(max(reference, lowest), highest) if reference else (lowest + highest) // 2


def all_stretches(book: BookData) -> Iterator[Stretch]:
    """All ticks that may be the uncross price, ascending: each limit price, and the ticks between two of them."""
    orders = {side: [o for place in TRADING_PLACES for o in book.shelf(place, side)] for side in Side}
    limits = sorted({o.price for side in Side for o in orders[side] if o.price})
    if not limits and (reference := book.last_price or book.static_reference):
        limits = [reference]
    buys = sum(o.open for o in orders[Side.BUY])  # at the lowest price every buy takes part
    sells = sum(o.open for o in orders[Side.SELL] if o.price == 0)
    bought, sold = at_limits(orders[Side.BUY]), at_limits(orders[Side.SELL])
    for price, following in zip(limits, [*limits[1:], limits[-1] + 1] if limits else [], strict=True):
        sells += sold.get(price, 0)
        yield Stretch(price, price, buys, sells)
        buys -= bought.get(price, 0)
        if following - price > 1:
            yield Stretch(price + 1, following - 1, buys, sells)


def at_limits(orders: list[Order]) -> dict[int, int]:
    """Open quantity per limit price; market orders are left out."""
    lots: dict[int, int] = {}
    for order in orders:
        if order.price:
            lots[order.price] = lots.get(order.price, 0) + order.open
    return lots


# ---- the trades ------------------------------------------------------------------------------------------------------


def uncross(book: BookData) -> None:
    """Trade at the uncross price, if there is one, and cancel what was only for this auction. The state stays.

    When anything traded, the uncross price is the last price, and the middle of the static band where one is set.
    """
    found = indicative(book)
    book.tell(Uncrossed(book.seq, *(found or Indicative(0, 0, Side.BUY, 0))))
    if found is not None and allocate(book, found.price_ticks):
        book.last_price = found.price_ticks
        if book.static_width:
            book.static_reference = found.price_ticks
    for side in Side:
        for order in list(book.shelf(Place.BOOK, side)):
            if order.tif in (TimeInForce.OPG, TimeInForce.CLS):
                states.cancel(book, order, CancelReason.REMAINDER)
    book.call_pending = False


def allocate(book: BookData, price: int) -> bool:
    """The first buy with the first sell, until one side has nothing more at this price. Whether anything traded."""
    traded = False
    buys, sells = list(in_priority(book, Side.BUY, price)), list(in_priority(book, Side.SELL, price))
    while buys and sells:
        buy, sell = buys[0], sells[0]
        prevented = matching.may_not_trade(book, buy, sell)
        traded = traded or not prevented
        pair(book, buy, sell, price, prevented=prevented)
        if buy.open == 0:
            buys.pop(0)
        if sell.open == 0:
            sells.pop(0)
    return traded


def pair(book: BookData, buy: Order, sell: Order, price: int, *, prevented: bool) -> None:
    lots = min(buy.open, sell.open)
    lose(book, buy, lots)
    lose(book, sell, lots)
    fields = (book.seq, buy.order_id, sell.order_id, Side.BUY, price, lots, buy.open, sell.open)
    book.tell(Decremented(*fields) if prevented else Trade(*fields, auction=True))


def lose(book: BookData, order: Order, lots: int) -> None:
    """An iceberg takes part with all it has, and then shows what it can, where it stands."""
    book.reduce(order, lots)
    order.reserve = max(order.open - order.display, 0) if order.display else 0


def in_priority(book: BookData, side: Side, price: int) -> Iterator[Order]:
    """Orders that may trade at a price: market orders, then by price, displayed before hidden, oldest first."""
    shown, hidden = book.shelf(Place.BOOK, side), book.shelf(Place.HIDDEN, side)
    for key in sorted({*shown.keys, *hidden.keys}):
        for order in (*matching.level_at(shown, key), *matching.level_at(hidden, key)):
            if order.price and (order.price < price if side is Side.BUY else order.price > price):
                return
            yield order


# ---- the closing auction ---------------------------------------------------------------------------------------------


def join_closing_auction(book: BookData) -> None:
    """Entering CLOSING_AUCTION: orders that waited for it join the book, buys then sells, in priority order."""
    for side in Side:
        for order in list(book.shelf(Place.CLOSE, side)):
            book.move(order, Place.BOOK)
            book.tell(
                Triggered(book.seq, order.order_id, side, order.price, order.open, order.open, TriggerReason.CLOSE)
            )
