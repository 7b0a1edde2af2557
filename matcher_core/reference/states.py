"""States of the book, and the ways orders leave it without a trade.

TRADING       matches continuously.
CANCEL_ONLY   orders may leave, none may enter or change.
HALTED        only the venue's own commands: states, clock, bands, uncross.
Calls         OPENING_AUCTION, CLOSING_AUCTION, AUCTION: orders collect, nothing trades. A call is pending from its
              beginning (SET_STATE, or a price band that was hit) until UNCROSS, also through a halt; while it is pending
              the book cannot go to TRADING, because the orders collected may stand across each other.
"""

from matcher_core.reference.data import BookData, Order
from matcher_core.types import (
    CALL_STATES,
    MAX_PRICE_TICKS,
    BookState,
    Canceled,
    CancelReason,
    Place,
    Repriced,
    StateChanged,
)


def change(book: BookData, new: BookState) -> None:
    previous, book.state = book.state, new
    book.call_pending = book.call_pending or new in CALL_STATES
    book.tell(StateChanged(book.seq, new, previous))


def take_prices_from_pegs(book: BookData) -> None:
    """Leaving TRADING: there is no best price to follow, so every priced peg, oldest first, waits without a price."""
    for order in sorted(book.pegs.values(), key=lambda peg: peg.stamp):
        if order.place is Place.HIDDEN:
            lose_price(book, order)
    book.peg_bid = book.peg_ask = 0


def lose_price(book: BookData, order: Order) -> None:
    book.take(order)
    order.price = 0
    book.put(order, Place.PEG)
    book.tell(Repriced(book.seq, order.order_id, order.side, 0, order.open, order.open))


def cancel(book: BookData, order: Order, reason: CancelReason) -> None:
    book.take(order)
    book.tell(Canceled(book.seq, order.order_id, order.side, order.listed_price, order.open, reason))


def a_price_or_none(price: int) -> int:
    """A price that came out of a calculation, 0 when it is no price."""
    return price if 0 < price <= MAX_PRICE_TICKS else 0
