"""Pegged orders: their price follows the best displayed prices. A priced peg is a hidden order.

MIDPOINT      between both sides, rounded away from trading: a buy down, a sell up.
PRIMARY       the best price of its own side, by its offset less eager.
MARKET        the best price of the other side, by its offset (at least a tick) less eager, so it never takes at once
              what it follows.
Cap           its price field, a price it never goes beyond; 0 is none. What is missing or no price leaves it without.
Following     Pegs follow displayed limit orders only: following each other or hidden orders would be a loop, or tell
              what is hidden. They are priced after each command, when the best prices are others than those they were
              last priced at or a peg has entered, all in one pass, oldest first, with the prices at the start of the
              pass. A peg whose price changes leaves its place and enters again as new, so it may trade, and stands last
              at its price; one whose price stays keeps its place. Trades in a pass may move the best prices; then
              another pass follows.
Outside       TRADING pegs have no price and wait.
"""

from matcher_core.reference import matching, states
from matcher_core.reference.data import BookData, Order
from matcher_core.types import PegKind, Place, Repriced, Side


def pricing_pass(book: BookData, bid: int, ask: int) -> None:
    """Give every peg the price it has at these best prices. Ends at once when a trade takes the book out of TRADING."""
    for order in sorted(book.pegs.values(), key=lambda peg: peg.stamp):
        if order.order_id not in book.pegs:
            continue  # traded away or canceled earlier in this pass
        reprice(book, order, peg_price(order, bid, ask))
        if not book.trading:
            return
    book.peg_bid, book.peg_ask = bid, ask


def reprice(book: BookData, order: Order, price: int) -> None:
    if price == order.price:
        return
    if price == 0:
        states.lose_price(book, order)
        return
    before = order.open
    book.take(order)
    order.price = price
    matching.enter(book, order, lambda rests: Repriced(book.seq, order.order_id, order.side, price, before, rests))


def peg_price(order: Order, bid: int, ask: int) -> int:
    """The price of a peg at these best prices (0: none), 0 when it has none."""
    price = followed_price(order, bid, ask)
    if price is None:
        return 0
    if order.cap:
        price = min(price, order.cap) if order.side is Side.BUY else max(price, order.cap)
    return states.a_price_or_none(price)


def followed_price(order: Order, bid: int, ask: int) -> int | None:
    """Before its cap; not yet known to be a price. None when what it follows is missing."""
    buys = order.side is Side.BUY
    if order.peg is PegKind.MIDPOINT:
        return (bid + ask + (not buys)) // 2 if bid and ask else None
    follows_bid = buys == (order.peg is PegKind.PRIMARY)
    reference = bid if follows_bid else ask
    if reference == 0:
        return None
    return reference - order.peg_offset if buys else reference + order.peg_offset


def enter_waiting(book: BookData, order: Order) -> None:
    """A new peg, or one that was replaced: it waits without a price until the command's end."""
    order.price = 0
    book.put(order, Place.PEG)
    book.peg_entered = True
