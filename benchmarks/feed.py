"""What a venue's order-by-order feed does to a book: add, update and delete, never two orders meeting.

nautilus_trader's OrderBook keeps such a feed and cannot match, so this is all it can be compared in. The feed is made from the trades and
orders of the mix, and ours take it as limit orders that never cross, replacements to a smaller quantity, and cancels.
"""

from collections.abc import Callable, Iterator
from importlib import import_module, metadata
from importlib.util import find_spec
from typing import Any, NamedTuple

from benchmarks.engines import bound, loop, packed_batches
from benchmarks.workload import Workload
from matcher_core import (
    Accepted,
    Book,
    Canceled,
    Command,
    Event,
    Op,
    ReferenceBook,
    SelfTradePrevention,
    Side,
    Trade,
)

Best = tuple[int | None, int | None]
"""Best bid and best ask once all was applied; all that kept the same feed must agree on it."""


class Prepared(NamedTuple):
    run: Callable[[], None]
    best: Callable[[], Best]


class Keeper(NamedTuple):
    """One that keeps a feed: (feed, how many of it only build the book) -> what is to be timed."""

    name: str
    version: str
    prepare: Callable[[list[Command], int], Prepared]


def feed_of(work: Workload) -> tuple[list[Command], int]:
    """The feed as commands, and how many of them belong to the warm part."""
    book = ReferenceBook(stp=SelfTradePrevention.OFF)
    warm = [message for command in work.warm for message in messages(book.apply(command))]
    timed = [message for command in work.timed for message in messages(book.apply(command))]
    return warm + timed, len(warm)


def messages(events: tuple[Event, ...]) -> Iterator[Command]:
    """Makers shrink or leave first, what rests of the taker comes last."""
    for e in events:
        if isinstance(e, Trade):
            yield shrunk(e)
        elif isinstance(e, Canceled):
            yield Command(Op.CANCEL, e.side, order_id=e.order_id, price=0)
    for e in events:
        if isinstance(e, Accepted) and e.resting_lots:
            yield Command(Op.LIMIT, e.side, order_id=e.order_id, price=e.price_ticks, quantity=e.resting_lots)


def shrunk(trade: Trade) -> Command:
    side = Side(1 - trade.taker_side)
    if trade.maker_leaves_lots == 0:
        return Command(Op.CANCEL, side, order_id=trade.maker_id)
    return Command(Op.REPLACE, side, order_id=trade.maker_id, price=trade.price_ticks, quantity=trade.maker_leaves_lots)


def batches(feed: list[Command], warm: int) -> Prepared:
    book = Book(stp=SelfTradePrevention.OFF)
    for packed in packed_batches(feed[:warm], 1024):
        book.process(packed)
    calls = [bound(book.process, packed) for packed in packed_batches(feed[warm:], 1024)]
    return Prepared(loop(calls), lambda: (book.best_bid, book.best_ask))


def typed_calls(make: Callable[[], Any]) -> Callable[[list[Command], int], Prepared]:
    def prepare(feed: list[Command], warm: int) -> Prepared:
        book = make()
        calls = [call_of(book, c) for c in feed]
        loop(calls[:warm])()
        return Prepared(loop(calls[warm:]), lambda: (book.best_bid, book.best_ask))

    return prepare


def call_of(book: Any, c: Command) -> Callable[[], Any]:
    if c.op == Op.LIMIT:
        return bound(book.limit, c.order_id, Side(c.side), c.price, c.quantity)
    if c.op == Op.REPLACE:
        return bound(book.replace, c.order_id, c.price, c.quantity)
    return bound(book.cancel, c.order_id)


def reference(feed: list[Command], warm: int) -> Prepared:
    book = ReferenceBook(stp=SelfTradePrevention.OFF)
    calls = [bound(book.apply, c) for c in feed]
    loop(calls[:warm])()
    return Prepared(loop(calls[warm:]), lambda: (book.best_bid, book.best_ask))


def nautilus(feed: list[Command], warm: int) -> Prepared:
    """Its own objects are made beforehand; only apply_delta is timed."""
    book_of, data, enums = (import_module(f"nautilus_trader.model.{name}") for name in ("book", "data", "enums"))
    identifiers, objects = (import_module(f"nautilus_trader.model.{name}") for name in ("identifiers", "objects"))
    instrument: Any = identifiers.InstrumentId.from_str("X.Y")  # Any: compiled, without types
    action: Any = enums.BookAction
    actions: dict[int, Any] = {Op.LIMIT: action.ADD, Op.REPLACE: action.UPDATE, Op.CANCEL: action.DELETE}
    sides: tuple[Any, Any] = (enums.OrderSide.BUY, enums.OrderSide.SELL)
    book: Any = book_of.OrderBook(instrument, enums.BookType.L3_MBO)
    prices: dict[int, int] = {}

    def delta(number: int, c: Command) -> Any:
        prices.setdefault(c.order_id, c.price)
        price, size = objects.Price(prices[c.order_id], 0), objects.Quantity(c.quantity, 0)
        order: Any = data.BookOrder(sides[c.side], price, size, c.order_id)
        return data.OrderBookDelta(instrument, actions[c.op], order, 0, number, number, number)

    deltas = [delta(number, c) for number, c in enumerate(feed, 1)]
    for d in deltas[:warm]:
        book.apply_delta(d)
    calls = [bound(book.apply_delta, d) for d in deltas[warm:]]

    def best() -> Best:
        bid, ask = book.best_bid_price(), book.best_ask_price()
        return (None if bid is None else int(bid), None if ask is None else int(ask))

    return Prepared(loop(calls), best)


def keepers() -> list[Keeper]:
    ours = metadata.version("tokenx")
    found = [
        Keeper("reference", ours, reference),
        Keeper("compiled-batch-1024", ours, batches),
        Keeper("compiled-calls", ours, typed_calls(lambda: Book(stp=SelfTradePrevention.OFF))),
    ]
    if find_spec("nautilus_trader"):
        found.append(Keeper("nautilus_trader", metadata.version("nautilus_trader"), nautilus))
    return found
