"""The engines measured, behind one small interface: prepare a warm book, run the timed operations, count what traded.

Preparing (packing commands, choosing methods) is not timed; the run is one loop over calls into the engine.
"""

from collections.abc import Callable
from importlib import metadata
from importlib.util import find_spec
from typing import Any, NamedTuple

from benchmarks.workload import Workload
from matcher_core import Book, Command, Op, ReferenceBook, SelfTradePrevention, Side, Trade, decode_events

Run = Callable[[], None]


class Prepared(NamedTuple):
    """`run` does the timed work once; `traded_lots` tells afterwards what it traded, to compare engines."""

    run: Run
    traded_lots: Callable[[], int]


class Engine(NamedTuple):
    name: str
    version: str
    prepare: Callable[[Workload], Prepared]


def _pack(commands: list[Command], batch: int) -> list[bytes]:
    packed = [c.pack() for c in commands]
    return [b"".join(packed[i : i + batch]) for i in range(0, len(packed), batch)]


def _traded(outputs: list[bytes]) -> int:
    return sum(e.quantity_lots for raw in outputs for e in decode_events(raw) if isinstance(e, Trade))


def compiled_batch(batch: int) -> Callable[[Workload], Prepared]:
    """`process` over packed commands, `batch` of them a call."""

    def prepare(work: Workload) -> Prepared:
        book = Book(stp=SelfTradePrevention.OFF)
        for packed in _pack(work.warm, 1024):
            book.process(packed)
        batches, outputs = _pack(work.timed, batch), list[bytes]()

        def run() -> None:
            process, keep = book.process, outputs.append
            for packed in batches:
                keep(process(packed))

        return Prepared(run, lambda: _traded(outputs))

    return prepare


def compiled_calls(work: Workload) -> Prepared:
    """One typed method call an operation, one tuple of event objects back."""
    book = Book(stp=SelfTradePrevention.OFF)
    for packed in _pack(work.warm, 1024):
        book.process(packed)
    sides, traded = (Side.BUY, Side.SELL), [0]
    timed = [(c.op == Op.LIMIT, c.order_id, sides[c.side], c.price, c.quantity) for c in work.timed]

    def run() -> None:
        limit, cancel, total = book.limit, book.cancel, 0
        for is_new, order_id, side, price, quantity in timed:
            if is_new:
                for event in limit(order_id, side, price, quantity):
                    if type(event) is Trade:
                        total += event.quantity_lots
            else:
                cancel(order_id)
        traded[0] = total

    return Prepared(run, lambda: traded[0])


def reference(work: Workload) -> Prepared:
    """The plain Python rulebook."""
    book = ReferenceBook(stp=SelfTradePrevention.OFF)
    for command in work.warm:
        book.apply(command)
    traded = [0]

    def run() -> None:
        apply, total = book.apply, 0
        for command in work.timed:
            for event in apply(command):
                if type(event) is Trade:
                    total += event.quantity_lots
        traded[0] = total

    return Prepared(run, lambda: traded[0])


def lightmatchingengine(work: Workload) -> Prepared:
    """The peer from PyPI. It issues ids itself, densely from 1, as the workload does, and lists each trade twice."""
    from lightmatchingengine.lightmatchingengine import LightMatchingEngine  # pyright: ignore  # the peer is untyped

    engine: Any = LightMatchingEngine()  # Any: the peer has no types
    for c in work.warm:
        engine.add_order("x", c.price, c.quantity, c.side + 1)
    timed = [(c.op == Op.LIMIT, c.order_id, c.side + 1, c.price, c.quantity) for c in work.timed]
    traded = [0]

    def run() -> None:
        add, cancel, total = engine.add_order, engine.cancel_order, 0
        for is_new, order_id, side, price, quantity in timed:
            if is_new:
                for trade in add("x", price, quantity, side)[1]:
                    total += trade.trade_qty
            else:
                cancel(order_id, "x")
        traded[0] = total // 2

    return Prepared(run, lambda: traded[0])


def engines() -> list[Engine]:
    """Everything that can be measured here, the baseline first. The peer comes with `pip install tokenx[bench]`."""
    ours = metadata.version("tokenx")
    found = [
        Engine("reference", ours, reference),
        Engine("compiled-batch-1024", ours, compiled_batch(1024)),
        Engine("compiled-batch-64", ours, compiled_batch(64)),
        Engine("compiled-batch-1", ours, compiled_batch(1)),
        Engine("compiled-calls", ours, compiled_calls),
    ]
    if find_spec("lightmatchingengine"):
        found.append(Engine("lightmatchingengine", metadata.version("lightmatchingengine"), lightmatchingengine))
    return found
