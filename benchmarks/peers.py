"""The whole comparison: our book in every way it can be called, our reference, and the Python peers, in one interleaved run.

    python -m benchmarks.peers [--rounds 7] [--json benchmarks/results/NAME.json] [--write]

Every round runs every engine once, in an order drawn anew, from a fresh book; what is compared is the CPU time of the thread. Ratios are
taken within a round and the median of the rounds is shown, so that a disturbance of the machine meets both sides of a ratio. An engine whose
trades differ from the reference's in one maker, taker, price or quantity is reported as diverging, with no time. `--write` renews
docs/benchmarks/matching.md from the result.
"""

import argparse
import gc
import json
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple, TypeAlias

from benchmarks import native, report
from benchmarks.build_id import complaint
from benchmarks.engines import Engine, Fill, engines, reference, traded
from benchmarks.feed import Best, Keeper, feed_of, keepers
from benchmarks.machine import circumstances
from benchmarks.memory import memory_rows
from benchmarks.workload import Workload, make

SEED = 23
OPERATIONS = 100_000
RESTING = (1_000, 10_000)
SINGLE = ("compiled-calls", "compiled-batch-1", "reference", "lightmatchingengine", "order-matching")
NATIVE_BATCHES = (1, 1024)
BASELINE = "reference"
Row: TypeAlias = dict[str, Any]


class Contender(NamedTuple):
    """Something that can be timed: `round` gives CPU nanoseconds for one operation, once, from a fresh book."""

    name: str
    version: str
    operations: int
    round: Callable[[], float]
    what: str = ""


def cpu_ns(run: Callable[[], None]) -> int:
    """CPU time of this thread, the garbage collector off: it costs those that make many objects up to half of their time."""
    gc.collect()
    gc.disable()
    start = time.thread_time_ns()
    run()
    took = time.thread_time_ns() - start
    gc.enable()
    return took


def compare(contenders: list[Contender], rounds: int, rng: random.Random) -> list[Row]:
    """Interleaved rounds; one row for each contender."""
    seen: dict[str, list[float]] = {c.name: [] for c in contenders}
    for _ in range(rounds):
        for contender in rng.sample(contenders, len(contenders)):
            seen[contender.name].append(contender.round())
    return [row_of(c, seen[c.name], seen[BASELINE]) for c in contenders]


def row_of(contender: Contender, times: list[float], baseline: list[float]) -> Row:
    ratios = [base / own for base, own in zip(baseline, times, strict=True)]
    return {
        "engine": contender.name,
        "version": contender.version,
        "what": contender.what,
        "operations": contender.operations,
        "ns_per_operation": round(median(times), 1),
        "ns_per_operation_best": round(min(times), 1),
        "times_reference": round(median(ratios), 3),
        "diverges": False,
    }


def engine_contender(engine: Engine, work: Workload) -> Contender:
    part = work.first(engine.most or len(work.timed))
    count = len(part.timed)
    return Contender(engine.name, engine.version, count, lambda: cpu_ns(engine.prepare(part).run) / count, engine.what)


def native_contender(driver: Path, job: native.Job, batch: int, count: int) -> Contender:
    what = f"mc_process from C, {batch:,} a call, no interpreter"

    def round_() -> float:
        return native.measure(driver, job, batch=batch, rounds=1)[0]["ns_per_operation"]

    return Contender(f"c-batch-{batch}", "", count, round_, what)


def mix_rows(resting: int, rounds: int, rng: random.Random, folder: Path, driver: Path | None) -> list[Row]:
    """All engines that can hold so many orders, on the mix of workload.py."""
    work = make(seed=SEED, resting=resting, operations=OPERATIONS)
    expected = traded(Engine("reference", "", reference), work)
    chosen = [e for e in engines() if resting <= (e.largest or resting)]
    same = {e.name: agrees(traded(e, work.first(e.most or OPERATIONS)), expected, e.most) for e in chosen}
    contenders = [engine_contender(e, work) for e in chosen if same[e.name]]
    if driver is not None:
        job = native.job_of(work, folder, f"mix-{resting}")
        for batch in NATIVE_BATCHES:
            same[f"c-batch-{batch}"] = native.measure(driver, job, batch=batch, rounds=1)[1] == expected
            contenders.append(native_contender(driver, job, batch, OPERATIONS))
    rows = [row for row in compare(contenders, rounds, rng) if same[row["engine"]]]
    rows += [{"engine": name, "diverges": True} for name, agreed in same.items() if not agreed]
    return [{"resting": resting, **row} for row in rows]


def agrees(fills: list[Fill], expected: list[Fill], most: int | None) -> bool:
    """Equal, or, for an engine that was given only the first operations, equal to the first trades."""
    return fills == (expected if most is None else expected[: len(fills)]) and bool(fills)


def feed_rows(resting: int, rounds: int, rng: random.Random) -> list[Row]:
    """Adds, updates and deletes only."""
    feed, warm = feed_of(make(seed=SEED, resting=resting, operations=20_000))
    best: dict[str, Best] = {}

    def contender(keeper: Keeper) -> Contender:
        def round_() -> float:
            prepared = keeper.prepare(feed, warm)
            took = cpu_ns(prepared.run) / (len(feed) - warm)
            best[keeper.name] = prepared.best()
            return took

        return Contender(keeper.name, keeper.version, len(feed) - warm, round_)

    rows = compare([contender(k) for k in keepers()], rounds, rng)
    for row in rows:
        row["diverges"] = best[row["engine"]] != best[BASELINE]
    return [{"resting": resting, **row} for row in rows]


def percentile_rows(resting: int, rounds: int, driver: Path | None, folder: Path) -> list[Row]:
    """Single calls by the steady clock, all rounds together, the cost of reading the clock taken off."""
    work = make(seed=SEED, resting=resting, operations=20_000)
    chosen = [e for e in engines() if e.name in SINGLE and resting <= (e.largest or resting)]
    seen: dict[str, list[int]] = {e.name: [] for e in chosen}
    for _ in range(rounds):
        for e in chosen:
            seen[e.name] += single_calls(e.prepare(work.first(e.most or len(work.timed))).calls)
    rows: list[Row] = [{"engine": name, **percentiles(times)} for name, times in seen.items()]
    if driver is not None:
        rows.append({"engine": "c-batch-1", **native_percentiles(driver, native.job_of(work, folder, "single"))})
    return [{"resting": resting, **row} for row in rows]


def single_calls(calls: Any) -> list[int]:
    clock = time.perf_counter_ns
    empty = sorted(clock() - clock() for _ in range(1001))[500]
    times: list[int] = []
    gc.collect()
    gc.disable()
    for call in calls:
        start = clock()
        call()
        times.append(clock() - start + empty)
    gc.enable()
    return times


def percentiles(times: list[int]) -> Row:
    times = sorted(times)
    points = {"p50_ns": 500, "p99_ns": 990, "p999_ns": 999}
    return {"calls": len(times), **{name: times[len(times) * part // 1000] for name, part in points.items()}}


def native_percentiles(driver: Path, job: native.Job) -> Row:
    said = native.measure(driver, job, batch=1, rounds=1)[0]
    return {name: round(said[name]) for name in ("p50_ns", "p99_ns", "p999_ns")}


def run(rounds: int, clib: Path) -> Row:
    rng = random.Random(SEED)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        driver = native.compile_driver(folder, clib) if native.library(clib) else None
        return {
            **circumstances(),
            "seed": SEED,
            "rounds": rounds,
            "mix": [row for resting in RESTING for row in mix_rows(resting, rounds, rng, folder, driver)],
            "feed": [row for resting in RESTING for row in feed_rows(resting, rounds, rng)],
            "single": [row for resting in RESTING for row in percentile_rows(resting, min(rounds, 3), driver, folder)],
            "memory": memory_rows(SEED),
        }


def main() -> int:
    parser = argparse.ArgumentParser(description="Compare matcher_core with its reference and with Python peers.")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument(
        "--clib", type=Path, default=native.CLIB, help="what `make clib` built; without it no figures from C"
    )
    parser.add_argument("--json", type=Path)
    parser.add_argument("--write", action="store_true", help="renew docs/benchmarks/matching.md")
    options = parser.parse_args()
    stale = complaint()
    if stale:
        sys.exit(stale)
    result = run(options.rounds, options.clib)
    print(report.tables(result))
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(result, indent=1) + "\n")
    if options.write:
        report.PAGE.write_text(report.page(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
