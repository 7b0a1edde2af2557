"""What follows of itself after a command, while the book trades: armed orders enter, and pegs are priced.

One thing at a time, until nothing is left to do: the first armed order enters and matches completely; only when none is
armed, pegs are priced once. So a stop cascade is over before pegs look at the prices it left.
"""

from matcher_core.reference import matching, pegs
from matcher_core.reference.data import BookData, Order
from matcher_core.types import Op, Side, TimeInForce, Triggered, TriggerReason


def settle(book: BookData) -> None:
    armed = book.armed()
    while book.trading:
        if (order := armed.first()) is not None:
            enter_armed(book, order)
        elif book.pegs and (best := prices_to_follow(book)) is not None:
            book.peg_entered = False
            pegs.pricing_pass(book, *best)
        else:
            return


def prices_to_follow(book: BookData) -> tuple[int, int] | None:
    """The best displayed prices when pegs have to be priced at them, None when they have been."""
    best = (book.best_displayed(Side.BUY), book.best_displayed(Side.SELL))
    return best if book.peg_entered or best != (book.peg_bid, book.peg_ask) else None


def enter_armed(book: BookData, order: Order) -> None:
    """As a new order under its id, without new checks: it was accepted when it came.

    A stop without limit enters as a market order with its protection, and drops what it cannot trade.
    """
    book.take(order)
    order.stop = order.trail_offset = order.watermark = 0
    before, price = order.open, order.price
    if order.op is Op.MARKET:
        order.tif = TimeInForce.IOC
    if order.expire_at == 0:
        order.stamp = 0
    matching.enter(
        book,
        order,
        lambda rests: Triggered(book.seq, order.order_id, order.side, price, before, rests, TriggerReason.STOP),
    )
