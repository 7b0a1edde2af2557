"""Replay a recording through the compiled engine, measure it, digest what came out, and compare fills with the recorded ones.

Three fresh engines take the same commands. One is digested; one is measured in batches, with nothing but `process` inside
the clocks; one is measured in single calls. The first two must end in the same state, so what was measured is what was
checked. Reading the file and packing commands is not timed, and neither is picking the trades out of the events.
"""

import gc
import hashlib
import os
import platform
import struct
import sys
import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path
from typing import IO, TypeAlias

from matcher_core.book import BUILD_ID, Engine
from matcher_core.feeds.chunks import Bytes, Chunk, Fill, Source
from matcher_core.records import COMMAND, EVENT
from matcher_core.types import EventType, SelfTradePrevention

TRADE_ROW = struct.Struct("<QQqQ")  # maker id, taker id, price, quantity
RESTING_ROW = struct.Struct("<IIqQQ")  # symbol, side, price, id, open quantity
SINGLES = 4096
"""Single calls timed in a row. Their commands are cut out of the chunk just before, as a caller's would be warm."""
TradePicker: TypeAlias = Callable[[Bytes], tuple[bytes, list[int]]]
"""Events -> (trade rows in order, seqs of refused commands)."""


@dataclass
class ReplayResult:
    """Digests and counts cover every record, times only the records after the warm ones. Times are nanoseconds.

    `rejected` leaves out `already_gone`, see Chunk.gone. Fills are None where the file records none.
    """

    kind: str
    ops: int
    trades: int
    trades_digest: str
    resting: int
    book_digest: str
    rejected: int
    already_gone: int
    fills_recorded: int | None
    fills_reproduced: int | None
    batch: int
    ops_per_s: int
    cpu_ns_per_op: float
    p50_ns: int
    p99_ns: int
    p999_ns: int
    timer_ns: int
    memory_bytes: int
    symbols: int
    build_id: str
    machine: dict[str, str | int]
    facts: dict[str, int] = field(default_factory=dict[str, int])

    def as_json(self) -> dict[str, object]:
        """Flat: facts beside the rest, and nothing that is None."""
        rows = {name: value for name, value in vars(self).items() if name != "facts" and value is not None}
        return {**rows, **self.facts}


def replay(
    source: Source,
    *,
    batch: int = 1024,
    trades_out: IO[bytes] | None = None,
    progress: Callable[[int], None] = lambda done: None,
) -> ReplayResult:
    """Replay a source. `batch` is the number of commands per call; `progress` gets how far the source is read."""
    checked, batches, singles = (Engine(source.symbols, stp=SelfTradePrevention.OFF) for _ in range(3))
    tally = _Tally(trades_out)
    clock = BatchClock(batches, batch)
    latency = SingleClock(singles)
    for chunk in source.chunks():
        for symbol in chunk.opened:
            for engine in (checked, batches, singles):
                engine.open(symbol)
        tally.add(checked, chunk, batch)
        clock.add(chunk)
        latency.add(chunk)
        progress(chunk.done)
    if checked.state_hash() != batches.state_hash():
        raise RuntimeError("two engines came out differently from the same commands")  # a bug in the engine
    book_digest, resting = _book_digest(checked)
    p50, p99, p999 = latency.percentiles(500, 990, 999)
    return ReplayResult(
        kind=source.kind,
        ops=clock.ops,
        trades=tally.trades,
        trades_digest=tally.digest.hexdigest(),
        resting=resting,
        book_digest=book_digest,
        rejected=tally.rejected,
        already_gone=tally.already_gone,
        fills_recorded=None if source.kind == "flow" else tally.fills_recorded,
        fills_reproduced=None if source.kind == "flow" else tally.fills_reproduced,
        batch=batch,
        ops_per_s=clock.ops * 10**9 // max(clock.wall_ns, 1),
        cpu_ns_per_op=round(clock.cpu_ns / max(clock.ops, 1), 1),
        p50_ns=p50,
        p99_ns=p99,
        p999_ns=p999,
        timer_ns=timer_ns(),
        memory_bytes=checked.memory_bytes(),
        symbols=len(checked.symbols),
        build_id=BUILD_ID,
        machine=machine(),
        facts=dict(source.facts),
    )


def pieces(commands: Bytes, size: int) -> Iterator[memoryview]:
    """The commands in pieces of `size` of them."""
    view = memoryview(commands)
    for at in range(0, len(view), size * COMMAND.size):
        yield view[at : at + size * COMMAND.size]


class _Tally:
    """What came out: trades in their order, rejections, and fills compared with the recording."""

    def __init__(self, trades_out: IO[bytes] | None) -> None:
        self.trades = self.rejected = self.already_gone = 0
        self.fills_recorded = self.fills_reproduced = 0
        self.digest = hashlib.blake2b(digest_size=32)
        self._out = trades_out
        self._pick = best_picker()

    def add(self, engine: Engine, chunk: Chunk, batch: int) -> None:
        by_seq = trades_by_seq if chunk.fills else None
        found: dict[tuple[int, int, int], int] = {}
        for part in pieces(chunk.commands, batch):
            events = engine.process(part)
            rows, refused = self._pick(events)
            if by_seq is not None:
                by_seq(events, found)
            self._count(rows, refused, chunk)
        self._compare(chunk.fills, found)

    def _count(self, rows: bytes, refused: list[int], chunk: Chunk) -> None:
        gone = sum(seq in chunk.gone for seq in refused) if chunk.gone else 0
        self.already_gone += gone
        self.rejected += len(refused) - gone
        self.trades += len(rows) // TRADE_ROW.size
        self.digest.update(rows)
        if self._out is not None:
            self._out.write(rows)

    def _compare(self, fills: tuple[Fill, ...], found: dict[tuple[int, int, int], int]) -> None:
        """A recorded fill is reproduced when the same command gave the same order the same quantity at the same price."""
        wanted: Counter[tuple[int, int, int]] = Counter()
        for fill in fills:
            wanted[fill[:3]] += fill.quantity_lots
        self.fills_recorded += len(fills)
        self.fills_reproduced += sum(found.get(fill[:3]) == wanted[fill[:3]] for fill in fills)


def trades_by_seq(events: Bytes, into: dict[tuple[int, int, int], int]) -> None:
    """Adds up traded quantity by (seq, order, price), for maker and taker both."""
    for kind, _side, _code, _symbol, seq, taker, maker, price, quantity, *_ in EVENT.iter_unpack(events):
        if kind == EventType.TRADE:
            for order in (maker, taker):
                key = (seq, order, price)
                into[key] = into.get(key, 0) + quantity


def pick_trades_plainly(events: Bytes) -> tuple[bytes, list[int]]:
    """See TradePicker."""
    rows: list[bytes] = []
    refused: list[int] = []
    for kind, _side, _code, _symbol, seq, taker, maker, price, quantity, *_ in EVENT.iter_unpack(events):
        if kind == EventType.TRADE:
            rows.append(TRADE_ROW.pack(maker, taker, price, quantity))
        elif kind == EventType.REJECTED:
            refused.append(seq)
    return b"".join(rows), refused


def best_picker() -> TradePicker:
    """With numpy where it is installed."""
    try:
        from matcher_core.arrays import pick_trades
    except ImportError:
        return pick_trades_plainly
    return pick_trades


class BatchClock:
    """Wall and CPU time of whole batches. A batch's events are dropped before the next one, as a caller does who is done
    with them; the loop around the calls is inside the clocks, the cutting into batches is not."""

    def __init__(self, engine: Engine, batch: int) -> None:
        self._engine, self._batch = engine, batch
        self.ops = self.wall_ns = self.cpu_ns = 0

    def add(self, chunk: Chunk) -> None:
        work = list(pieces(chunk.commands, self._batch))
        process = self._engine.process
        with undisturbed():
            wall, cpu = time.perf_counter_ns(), time.thread_time_ns()
            for part in work:
                process(part)
            cpu, wall = time.thread_time_ns() - cpu, time.perf_counter_ns() - wall
        if chunk.timed:
            self.ops += len(chunk.commands) // COMMAND.size
            self.wall_ns += wall
            self.cpu_ns += cpu


class SingleClock:
    """How long single calls of `process` take, as counts of each duration."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._counts: Counter[int] = Counter()

    def add(self, chunk: Chunk) -> None:
        if not chunk.timed:
            self._engine.process(chunk.commands)
            return
        for part in pieces(chunk.commands, SINGLES):
            raw = part.tobytes()
            commands = [raw[at : at + COMMAND.size] for at in range(0, len(raw), COMMAND.size)]
            self._counts.update(time_each(self._engine.process, commands))

    def percentiles(self, *per_mille: int) -> list[int]:
        return percentiles(self._counts, per_mille)


def time_each(call: Callable[[bytes], object], arguments: list[bytes]) -> list[int]:
    """Nanoseconds of each call, the clock's own cost (timer_ns) included."""
    clock = time.perf_counter_ns
    out = [0] * len(arguments)
    with undisturbed():
        for number, argument in enumerate(arguments):
            begin = clock()
            call(argument)
            out[number] = clock() - begin
    return out


def timer_ns() -> int:
    """What time_each shows for doing nothing: the median of two clock readings in a row."""
    clock = time.perf_counter_ns
    out = [0] * 10_001
    for number in range(len(out)):
        begin = clock()
        out[number] = clock() - begin
    return sorted(out)[len(out) // 2]


def percentiles(counts: Counter[int], per_mille: tuple[int, ...]) -> list[int]:
    """The smallest value that at least so many of a thousand are not above; zeros when there is none."""
    values = sorted(counts)
    passed = list(accumulate(counts[value] for value in values))
    if not values:
        return [0] * len(per_mille)
    return [values[bisect_left(passed, -(-passed[-1] * wanted // 1000))] for wanted in per_mille]


@contextmanager
def undisturbed() -> Generator[None, None, None]:
    """No garbage collection meanwhile: the interpreter's rhythm is not what is measured."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _book_digest(engine: Engine) -> tuple[str, int]:
    digest = hashlib.blake2b(digest_size=32)
    resting = 0
    for symbol in sorted(engine.symbols):
        for order in engine.book(symbol).orders():
            digest.update(RESTING_ROW.pack(symbol, order.side, order.price_ticks, order.order_id, order.open_lots))
            resting += 1
    return digest.hexdigest(), resting


def machine() -> dict[str, str | int]:
    """What the figures were measured on."""
    return {
        "cpu": _cpu_model(),
        "cores": os.cpu_count() or 0,
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
    }


def _cpu_model() -> str:
    if sys.platform == "linux":
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or "unknown"
