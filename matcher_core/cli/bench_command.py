"""`bench`: the figures of the README, on this machine."""

import argparse
import json
import sys
from typing import TYPE_CHECKING

from matcher_core.bench import FULL, PROFILES, QUICK, SEED, BenchResult, bench, stale_source
from matcher_core.book import BUILD_ID
from matcher_core.cli import table
from matcher_core.cli.arguments import Plain, positive
from matcher_core.cli.errors import Refused
from matcher_core.cli.progress import bar

if TYPE_CHECKING:
    from matcher_core.cli.arguments import Verbs

ABOUT = """\
Measure the compiled book on this machine, from flow made up here: 1,000, 10,000 and 100,000 resting orders, large sweeps,
100,000 prices, and 1,000 books in one engine. Takes about a minute; --quick some ten seconds, with more noise.
"""
MORE = """\
what the figures mean
  batches of N   commands per call; first CPU nanoseconds of this thread per command, then commands per second of wall time.
                 What batches of 1 take above the others is the call from Python.
  p50 p99 p99.9  wall time of single calls from Python, the clock's own cost (given below the table) included
  bytes/order    all memory of the engine over its resting orders, once the books are filled
  x rulebook     how many times the CPU time the plain-Python rulebook takes for the same commands, in the same run

Before anything is said, all sizes of batches must have ended in the same state, and the rulebook must have traded the same.

example
  python -m matcher_core bench --quick
"""


def add(verbs: "Verbs") -> None:
    parser = verbs.add_parser(
        "bench", help="measure the book on this machine", description=ABOUT, epilog=MORE, formatter_class=Plain
    )
    parser.add_argument("--json", action="store_true", help="one JSON object instead of tables")
    parser.add_argument("--quick", action="store_true", help="a tenth of the operations, one round instead of three")
    parser.add_argument("--seed", type=positive, default=SEED, metavar="N", help=f"of the flow (default {SEED})")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    stale = stale_source()
    if stale is not None:
        raise Refused(
            f"the extension is built from other sources ({BUILD_ID[:12]}) than those here ({stale[:12]}): "
            "python setup.py build_ext --inplace"
        )
    with bar("bench", len(PROFILES)) as progress:
        result = bench(QUICK if arguments.quick else FULL, seed=arguments.seed, progress=progress)
    sys.stdout.write(json.dumps(result.as_json()) + "\n" if arguments.json else as_tables(result))
    return 0


def as_tables(result: BenchResult) -> str:
    sizes = [f"{batch.batch:,}" for batch in result.profiles[0].batches]
    cpu = [[p.profile, *(f"{b.cpu_ns_per_op:.1f}" for b in p.batches)] for p in result.profiles]
    speed = [[p.profile, *(f"{b.ops_per_s / 1e6:.2f}" for b in p.batches)] for p in result.profiles]
    single = [
        [
            p.profile, table.count(p.books), table.count(p.resting), f"{p.p50_ns:,}", f"{p.p99_ns:,}", f"{p.p999_ns:,}",
            f"{p.memory_bytes_per_order:.1f}", f"{p.times_reference:.0f}",
        ]
        for p in result.profiles
    ]  # fmt: skip
    return (
        "CPU nanoseconds per command, by commands per call\n\n"
        + table.columns(["", *sizes], cpu)
        + "\nmillion commands per second, by commands per call\n\n"
        + table.columns(["", *sizes], speed)
        + "\nsingle calls in nanoseconds, memory, and the plain-Python rulebook\n\n"
        + table.columns(["", "books", "resting", "p50", "p99", "p99.9", "bytes/order", "x rulebook"], single)
        + "\n"
        + table.pairs(
            [
                ("clock", f"{result.timer_ns} ns of each single call"),
                ("machine", "{cpu}, {cores} cores, {system}, {python}".format(**result.machine)),
                ("seed", str(result.seed)),
                ("build", result.build_id),
            ]
        )
    )
