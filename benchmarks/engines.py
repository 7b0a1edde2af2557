"""The engines measured, behind one small interface: prepare a warm book, run the timed operations, tell every trade.

Preparing (packing commands, choosing methods, making a peer's own objects) is not timed; the run is one loop over calls into the engine.
The same calls are made a second time, untimed, to compare every trade with the reference's.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from importlib import import_module, metadata
from importlib.util import find_spec
from itertools import chain
from typing import Any, NamedTuple, TypeAlias

from benchmarks.workload import Workload
from matcher_core import Book, Command, Event, Op, ReferenceBook, SelfTradePrevention, Side, Trade, decode_events

Fill: TypeAlias = tuple[int, int, int, int]
"""(maker's id, taker's id, price in ticks, quantity in lots)"""
Call: TypeAlias = Callable[[], Any]  # Any: engines answer in their own words


class Prepared(NamedTuple):
    """A warm book and what is to be done to it, once: `run` does all of it in one loop, `calls` are its single calls. `fills` reads the
    trades out of what the calls returned."""

    run: Callable[[], None]
    calls: Sequence[Call]
    fills: Callable[[list[Any]], list[Fill]]


class Engine(NamedTuple):
    """`most` is how many operations it is given at most and `largest` how many resting orders, because some need a millisecond for one;
    None means no bound."""

    name: str
    version: str
    prepare: Callable[[Workload], Prepared]
    most: int | None = None
    what: str = ""
    largest: int | None = None


def traded(engine: Engine, work: Workload) -> list[Fill]:
    """Every trade of the timed operations, in order. A batch answers with bytes that the next call may reuse, so they are copied."""
    prepared = engine.prepare(work)
    answers: list[Any] = []
    for call in prepared.calls:
        answer = call()
        copy = getattr(answer, "tobytes", None)
        answers.append(copy() if copy else answer)
    return prepared.fills(answers)


def packed_batches(commands: list[Command], batch: int) -> list[bytes]:
    packed = [c.pack() for c in commands]
    return [b"".join(packed[i : i + batch]) for i in range(0, len(packed), batch)]


def loop(calls: Sequence[Call]) -> Callable[[], None]:
    def run() -> None:
        for call in calls:
            call()

    return run


def fill_of(event: Event) -> list[Fill]:
    if isinstance(event, Trade):
        return [(event.maker_id, event.taker_id, event.price_ticks, event.quantity_lots)]
    return []


def fills_of(events: Any) -> list[Fill]:
    return [fill for event in events for fill in fill_of(event)]


def fills_of_events(answers: list[Any]) -> list[Fill]:
    return fills_of(chain.from_iterable(answers))


def fills_of_records(answers: list[Any]) -> list[Fill]:
    return fills_of(chain.from_iterable(decode_events(raw) for raw in answers))


def bound(method: Callable[..., Any], *arguments: Any) -> Call:
    return lambda: method(*arguments)


def warm_book(work: Workload) -> Book:
    book = Book(stp=SelfTradePrevention.OFF)
    for packed in packed_batches(work.warm, 1024):
        book.process(packed)
    return book


def compiled_batch(batch: int) -> Callable[[Workload], Prepared]:
    """`process` over packed commands, `batch` of them a call."""

    def prepare(work: Workload) -> Prepared:
        book, batches = warm_book(work), packed_batches(work.timed, batch)

        def run() -> None:
            process = book.process
            for packed in batches:
                process(packed)

        return Prepared(run, [bound(book.process, packed) for packed in batches], fills_of_records)

    return prepare


def compiled_calls(work: Workload) -> Prepared:
    """One typed method call an operation, one tuple of event objects back."""
    book, sides = warm_book(work), (Side.BUY, Side.SELL)
    timed = [(c.op == Op.LIMIT, c.order_id, sides[c.side], c.price, c.quantity) for c in work.timed]

    def run() -> None:
        limit, cancel = book.limit, book.cancel
        for is_new, order_id, side, price, quantity in timed:
            if is_new:
                limit(order_id, side, price, quantity)
            else:
                cancel(order_id)

    calls = [
        bound(book.limit, order_id, side, price, quantity) if is_new else bound(book.cancel, order_id)
        for is_new, order_id, side, price, quantity in timed
    ]
    return Prepared(run, calls, fills_of_events)


def reference(work: Workload) -> Prepared:
    """The plain Python rulebook."""
    book = ReferenceBook(stp=SelfTradePrevention.OFF)
    for command in work.warm:
        book.apply(command)
    calls = [bound(book.apply, command) for command in work.timed]
    return Prepared(loop(calls), calls, fills_of_events)


def lightmatchingengine(work: Workload) -> Prepared:
    """It issues ids itself, densely from 1, as the workload does. A trade is listed once for the taker and once for each maker; the makers'
    entries are the fills."""
    engine: Any = import_module("lightmatchingengine.lightmatchingengine").LightMatchingEngine()  # Any: without types
    for c in work.warm:
        engine.add_order("x", c.price, c.quantity, c.side + 1)
    calls = [
        bound(engine.add_order, "x", c.price, c.quantity, c.side + 1)
        if c.op == Op.LIMIT
        else bound(engine.cancel_order, c.order_id, "x")
        for c in work.timed
    ]

    def fills(answers: list[Any]) -> list[Fill]:
        entered = [answer for c, answer in zip(work.timed, answers, strict=True) if c.op == Op.LIMIT]
        return [fill for order, trades in entered for fill in makers_fills(order.order_id, trades)]

    return Prepared(loop(calls), calls, fills)


def makers_fills(taker_id: int, trades: list[Any]) -> list[Fill]:
    return [(t.order_id, taker_id, t.trade_price, t.trade_qty) for t in trades if t.order_id != taker_id]


def order_matching(work: Workload) -> Prepared:
    """It matches what has been placed at a given moment, so an operation is place and match at the next microsecond. Its own log is off, as
    its manual advises; prices and sizes are floats, whole numbers here."""
    import_module("loguru").logger.disable("order_matching")
    engines, enums, kinds, lists = (
        import_module(f"order_matching.{name}") for name in ("matching_engine", "enums", "order", "orders")
    )
    engine: Any = engines.MatchingEngine(seed=1)  # Any: its types are partial
    sides: tuple[Any, Any] = (enums.Side.BUY, enums.Side.SELL)
    start = datetime(2026, 1, 1, tzinfo=UTC).replace(tzinfo=None)  # it compares with datetime.max, which has no zone

    def enter(c: Command, at: datetime) -> Callable[[], Any]:
        order: Any = kinds.LimitOrder(side=sides[c.side], price=float(c.price), size=float(c.quantity), timestamp=at,
                           order_id=str(c.order_id), trader_id="x")  # fmt: skip

        def place_and_match() -> Any:
            engine.place(lists.Orders([order]))
            return engine.match(at)

        return place_and_match

    def operation(number: int, c: Command) -> Callable[[], Any]:
        at = start + timedelta(microseconds=number)
        return enter(c, at) if c.op == Op.LIMIT else bound(engine.cancel_order, str(c.order_id))

    for number, c in enumerate(work.warm):
        operation(number, c)()
    calls = [operation(len(work.warm) + number, c) for number, c in enumerate(work.timed)]

    def fills(answers: list[Any]) -> list[Fill]:
        trades = [trade for answer in answers if answer is not None for trade in answer.trades]
        return [(int(t.book_order_id), int(t.incoming_order_id), int(t.price), int(t.size)) for t in trades]

    return Prepared(loop(calls), calls, fills)


PEERS: dict[str, tuple[Callable[[Workload], Prepared], int, int | None]] = {
    "lightmatchingengine": (lightmatchingengine, 20_000, None),
    "order-matching": (order_matching, 400, 1_000),
}
"""By name on PyPI: prepare, most, largest."""


def engines() -> list[Engine]:
    """Everything that can be measured here, the baseline first. The peers come with `pip install tokenx[bench]`."""
    ours = metadata.version("tokenx")
    found = [
        Engine("reference", ours, reference, 20_000, "our rulebook in plain Python"),
        Engine("compiled-batch-1024", ours, compiled_batch(1024), None, "process, 1,024 commands a call"),
        Engine("compiled-batch-256", ours, compiled_batch(256), None, "process, 256 commands a call"),
        Engine("compiled-batch-64", ours, compiled_batch(64), None, "process, 64 commands a call"),
        Engine("compiled-batch-1", ours, compiled_batch(1), None, "process, one command a call"),
        Engine("compiled-calls", ours, compiled_calls, None, "limit() and cancel(), event objects back"),
    ]
    for name, (prepare, most, largest) in PEERS.items():
        if find_spec(name.replace("-", "_")):
            found.append(Engine(name, metadata.version(name), prepare, most, "peer from PyPI", largest))
    return found
