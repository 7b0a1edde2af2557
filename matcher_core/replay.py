"""Replay an order-flow file through the compiled book, measure it, and digest what came out.

Two passes over fresh books: batches for throughput and digests, then one call per operation for latency. Only the calls
into the book are timed; reading the file and packing commands is not.
"""

import hashlib
import struct
import time
from typing import NamedTuple

from matcher_core.book import BUILD_ID, Book
from matcher_core.flow import Flow, commands
from matcher_core.records import EVENT
from matcher_core.types import EventType, SelfTradePrevention

TRADE_ROW = struct.Struct("<QQqQ")  # maker id, taker id, price, quantity
RESTING_ROW = struct.Struct("<IIqQQ")  # symbol, side, price, id, open quantity
ROUND_MAX = 1 << 18


class ReplayResult(NamedTuple):
    """Digests cover every record, times only those after the warm ones. Latencies include the call from Python."""

    ops: int
    trades: int
    trades_digest: str
    resting: int
    book_digest: str
    rejected: int
    batch: int
    ops_per_s: int
    cpu_ns_per_op: float
    p50_ns: int
    p99_ns: int
    build_id: str


class _Tally:
    """What came out of a replay: trades in the order of their commands, and the number of rejections."""

    def __init__(self) -> None:
        self.trades = 0
        self.rejected = 0
        self.digest = hashlib.blake2b(digest_size=32)

    def add(self, outputs: list[bytes]) -> None:
        """Take the events of one round, one output per book. Merging by seq restores the order across books."""
        found: list[tuple[int, bytes]] = []
        for output in outputs:
            for kind, _side, _code, _symbol, seq, taker, maker, price, quantity, *_ in EVENT.iter_unpack(output):
                if kind == EventType.TRADE:
                    found.append((seq, TRADE_ROW.pack(maker, taker, price, quantity)))
                elif kind == EventType.REJECTED:
                    self.rejected += 1
        if len(outputs) > 1:
            found.sort(key=lambda row: row[0])
        self.trades += len(found)
        self.digest.update(b"".join(row for _, row in found))


def replay(flow: Flow, *, batch: int = 1024) -> ReplayResult:
    """Replay a flow. `batch` is the number of commands per call and symbol aimed at."""
    books = _books(flow.symbols)
    tally = _Tally()
    _run(books, flow, 0, flow.warm, batch, tally)
    wall_ns, cpu_ns = _run(books, flow, flow.warm, flow.records, batch, tally)
    latencies = _latencies(flow)
    timed = flow.records - flow.warm
    book_digest, resting = _book_digest(books)
    return ReplayResult(
        ops=timed,
        trades=tally.trades,
        trades_digest=tally.digest.hexdigest(),
        resting=resting,
        book_digest=book_digest,
        rejected=tally.rejected,
        batch=batch,
        ops_per_s=timed * 10**9 // max(wall_ns, 1),
        cpu_ns_per_op=round(cpu_ns / max(timed, 1), 1),
        p50_ns=_percentile(latencies, 50),
        p99_ns=_percentile(latencies, 99),
        build_id=BUILD_ID,
    )


def _books(symbols: int) -> list[Book]:
    return [Book(symbol, stp=SelfTradePrevention.OFF) for symbol in range(symbols)]


def _run(books: list[Book], flow: Flow, start: int, stop: int, batch: int, tally: _Tally) -> tuple[int, int]:
    """Process records start to stop in rounds; return wall and CPU nanoseconds inside the books."""
    wall_ns = cpu_ns = 0
    step = min(batch * flow.symbols, max(batch, ROUND_MAX))
    for first in range(start, stop, step):
        by_symbol: dict[int, list[bytes]] = {}
        for symbol, command in commands(flow, first, min(first + step, stop)):
            by_symbol.setdefault(symbol, []).append(command)
        work = [(books[symbol], b"".join(parts)) for symbol, parts in by_symbol.items()]
        wall, cpu = time.perf_counter_ns(), time.thread_time_ns()
        outputs = [book.process(packed) for book, packed in work]
        wall_ns += time.perf_counter_ns() - wall
        cpu_ns += time.thread_time_ns() - cpu
        tally.add(outputs)
    return wall_ns, cpu_ns


def _latencies(flow: Flow) -> list[int]:
    """Nanoseconds of each timed operation, one call each, ascending."""
    books = _books(flow.symbols)
    out: list[int] = []
    clock = time.perf_counter_ns
    for first in range(0, flow.records, ROUND_MAX):
        for number, (symbol, command) in enumerate(commands(flow, first, min(first + ROUND_MAX, flow.records)), first):
            book = books[symbol]
            begin = clock()
            book.process(command)
            end = clock()
            if number >= flow.warm:
                out.append(end - begin)
    return sorted(out)


def _percentile(ascending: list[int], percent: int) -> int:
    return ascending[min(len(ascending) * percent // 100, len(ascending) - 1)] if ascending else 0


def _book_digest(books: list[Book]) -> tuple[str, int]:
    digest = hashlib.blake2b(digest_size=32)
    for book in books:
        for order in book.orders():
            digest.update(RESTING_ROW.pack(book.symbol, order.side, order.price_ticks, order.order_id, order.open_lots))
    return digest.hexdigest(), sum(len(book) for book in books)
