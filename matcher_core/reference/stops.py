"""Stops and trailing stops: orders that wait until the last price reaches their stop price.

Stop          A buy waits until a trade at or above its stop price, a sell until one at or below. Only trades trigger,
              never quotes: a quote can be withdrawn at once.
Trailing      A sell's stop price is its watermark, the highest last price since it entered, less its offset; a buy's is
              the lowest plus its offset. It never moves back. Before the first trade there is no watermark and no stop.
              A stop price that is no price (0 or less, or above the largest) is never reached.
Run           The trades of one taker run from their first to their last price in one direction. Stops look at the run
              once it is over: plain ones at its whole span; trailing ones at its first price, then at its last, each
              time moving the watermark first.
Arming        What is triggered goes to the end of one queue, ARMED: stop buys (lowest stop price first, then oldest),
              stop sells (highest first), trailing buys, trailing sells. Armed orders then enter one after the other,
              each completely, so a cascade plays out in an order everyone can foresee.
"""

from matcher_core.reference.data import BookData, Order
from matcher_core.snapshot import NO_BUY_STOP, trailing_price
from matcher_core.types import Place, Side

WAITING = (Place.STOP, Place.TRAILING)


def wait(book: BookData, order: Order) -> None:
    """A stop that enters. While the book trades, one whose price is already reached is armed at once."""
    if order.trail_offset:
        order.watermark = book.last_price
        order.stop = trailing_price(order.side, order.watermark, order.trail_offset)
        book.put(order, Place.TRAILING)
    elif book.trading and book.last_price and is_reached(order, book.last_price):
        book.put(order, Place.ARMED)
    else:
        book.put(order, Place.STOP)


def run(book: BookData, first: int, last: int) -> None:
    """Trades went from one price to another: arm what that triggers."""
    if not any(book.shelf(place, side).keys for place in WAITING for side in Side):
        return
    extreme = {Side.BUY: max(first, last), Side.SELL: min(first, last)}
    for side in Side:
        arm_reached(book, Place.STOP, side, extreme[side])
    for side in Side:
        for price in (first, last):
            ratchet(book, side, price)
            arm_reached(book, Place.TRAILING, side, price)


def arm_reached(book: BookData, place: Place, side: Side, price: int) -> None:
    """Move every order whose stop price is reached to the end of the queue, the first to trigger first."""
    shelf = book.shelf(place, side)
    while (order := shelf.first()) is not None and is_reached(order, price):
        book.move(order, Place.ARMED)


def ratchet(book: BookData, side: Side, price: int) -> None:
    """Move the watermarks that this price passes. Orders that move queue behind, in the order they stood."""
    passed = [order for order in book.shelf(Place.TRAILING, side) if moves_watermark(order, price)]
    for order in passed:
        book.take(order)
        order.watermark = price
        order.stop = trailing_price(side, price, order.trail_offset)
        book.put(order, Place.TRAILING)


def moves_watermark(order: Order, price: int) -> bool:
    if order.watermark == 0:
        return True
    return price < order.watermark if order.side is Side.BUY else price > order.watermark


def is_reached(order: Order, price: int) -> bool:
    if order.side is Side.BUY:
        return order.stop != NO_BUY_STOP and price >= order.stop
    return price <= order.stop
