"""What this machine does with the compiled book: the table of the README, from flow made up here (synthetic.py).

Each profile is measured in batches of several sizes and in single calls, on fresh engines filled before the clocks start,
and the plain-Python rulebook takes the beginning of the same commands in the same run. All engines of a profile must end in
the same state, and the rulebook's trades must be the engine's, or there is no result.
"""

import time
from collections.abc import Callable
from statistics import median
from typing import Final, NamedTuple

from matcher_core.book import BUILD_ID, Engine
from matcher_core.build import source_id
from matcher_core.feeds.chunks import Chunk
from matcher_core.records import COMMAND
from matcher_core.reference import ReferenceBook
from matcher_core.replay import BatchClock, SingleClock, best_picker, machine, pieces, timer_ns, undisturbed
from matcher_core.synthetic import PROFILES, Profile, Synthetic, make
from matcher_core.types import SelfTradePrevention

BATCHES: Final = (1, 16, 256, 1024, 8192)
SEED: Final = 23


class Size(NamedTuple):
    """How much is measured. Of several rounds the median counts."""

    ops: int
    reference_ops: int
    rounds: int


FULL: Final = Size(ops=200_000, reference_ops=20_000, rounds=3)
QUICK: Final = Size(ops=20_000, reference_ops=2_000, rounds=1)


class BatchResult(NamedTuple):
    batch: int
    ops_per_s: int
    cpu_ns_per_op: float


class ProfileResult(NamedTuple):
    """Times are nanoseconds. `times_reference` is the rulebook's CPU time per command over ours, at batches of 1,024."""

    profile: str
    books: int
    resting: int
    ops: int
    trades: int
    batches: tuple[BatchResult, ...]
    p50_ns: int
    p99_ns: int
    p999_ns: int
    memory_bytes_per_order: float
    reference_cpu_ns_per_op: float
    times_reference: float


class BenchResult(NamedTuple):
    build_id: str
    machine: dict[str, str | int]
    seed: int
    timer_ns: int
    profiles: tuple[ProfileResult, ...]

    def as_json(self) -> dict[str, object]:
        profiles = [{**p._asdict(), "batches": [b._asdict() for b in p.batches]} for p in self.profiles]
        return {**self._asdict(), "profiles": profiles}


def stale_source() -> str | None:
    """The id of today's source if the sources are at hand and the extension is of others, else None."""
    try:
        today = source_id()
    except FileNotFoundError:
        return None
    return None if today == BUILD_ID else today


def bench(size: Size, *, seed: int = SEED, progress: Callable[[int], None] = lambda done: None) -> BenchResult:
    """Measure every profile. `progress` gets the number of profiles done."""
    done: list[ProfileResult] = []
    for profile in PROFILES:
        done.append(measure(profile, make(profile, ops=size.ops, seed=seed), size))
        progress(len(done))
    return BenchResult(BUILD_ID, machine(), seed, timer_ns(), tuple(done))


def measure(profile: Profile, flow: Synthetic, size: Size) -> ProfileResult:
    """Raises RuntimeError when two ways of running the same commands differ, which is a bug in the book."""
    ends: set[bytes] = set()
    rounds = [[_one_batch(flow, batch, ends) for batch in BATCHES] for _ in range(size.rounds)]
    batches = tuple(_middle([found[at] for found in rounds]) for at in range(len(BATCHES)))
    engine = Engine(range(flow.books), stp=SelfTradePrevention.OFF)
    latency = SingleClock(engine)
    latency.add(Chunk(flow.warm, timed=False, done=0))
    memory = engine.memory_bytes() / len(engine)
    latency.add(Chunk(flow.timed, timed=True, done=0))
    ends.add(engine.state_hash())
    if len(ends) != 1:
        raise RuntimeError(f"{profile.name}: batches of different sizes ended in different states")
    reference_ns = _reference(profile, flow, size.reference_ops)
    ours = next(result.cpu_ns_per_op for result in batches if result.batch == 1024)
    p50, p99, p999 = latency.percentiles(500, 990, 999)
    return ProfileResult(
        profile=profile.name,
        books=profile.books,
        resting=profile.resting * profile.books,
        ops=size.ops,
        trades=len(_trades(flow)) // 32,
        batches=batches,
        p50_ns=p50,
        p99_ns=p99,
        p999_ns=p999,
        memory_bytes_per_order=round(memory, 1),
        reference_cpu_ns_per_op=round(reference_ns, 1),
        times_reference=round(reference_ns / ours, 1),
    )


def _one_batch(flow: Synthetic, batch: int, ends: set[bytes]) -> BatchResult:
    engine = Engine(range(flow.books), stp=SelfTradePrevention.OFF)
    clock = BatchClock(engine, batch)
    clock.add(Chunk(flow.warm, timed=False, done=0))
    clock.add(Chunk(flow.timed, timed=True, done=0))
    ends.add(engine.state_hash())
    return BatchResult(batch, clock.ops * 10**9 // clock.wall_ns, round(clock.cpu_ns / clock.ops, 1))


def _middle(rounds: list[BatchResult]) -> BatchResult:
    speed, cpu = median(r.ops_per_s for r in rounds), median(r.cpu_ns_per_op for r in rounds)
    return BatchResult(rounds[0].batch, int(speed), cpu)


def _trades(flow: Synthetic, ops: int | None = None) -> bytes:
    """The engine's trades of the timed commands, or of the first `ops` of them."""
    engine, pick = Engine(range(flow.books), stp=SelfTradePrevention.OFF), best_picker()
    engine.process(flow.warm)
    part = flow.timed if ops is None else flow.timed[: ops * COMMAND.size]
    return b"".join(pick(engine.process(piece))[0] for piece in pieces(part, 8192))


def _reference(profile: Profile, flow: Synthetic, ops: int) -> float:
    """CPU nanoseconds per command of the rulebook, over the first `ops` commands after the warm ones."""
    books = [ReferenceBook(symbol, stp=SelfTradePrevention.OFF) for symbol in range(flow.books)]
    for piece in pieces(flow.warm, 1):
        books[_symbol(piece)].process(piece)
    work = [bytes(piece) for piece in pieces(flow.timed[: ops * COMMAND.size], 1)]
    with undisturbed():
        begin = time.thread_time_ns()
        events = [books[_symbol(piece)].process(piece) for piece in work]
        spent = time.thread_time_ns() - begin
    if best_picker()(b"".join(events))[0] != _trades(flow, ops):
        raise RuntimeError(f"{profile.name}: the compiled book trades differently from the rulebook")
    return spent / len(work)


def _symbol(command: bytes | memoryview) -> int:
    return int.from_bytes(command[4:8], "little")
