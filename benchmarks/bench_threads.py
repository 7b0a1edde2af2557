"""How much faster several books run in several threads than one after the other: wall-clock time, the ratio printed.

python -m benchmarks.bench_threads [--engines 4] [--operations 400000] [--batch 8192] [--results FILE]

Each engine has its own commands. The threads only call `process`, which releases the GIL; the rest is Python that shares it. The best of
several rounds counts. The ratio cannot pass the cores at hand, which are printed beside it. Status 2 when the build is stale.
"""

import argparse
import json
import os
import random
import sys
import sysconfig
import threading
from collections.abc import Callable
from pathlib import Path
from time import perf_counter_ns

from benchmarks.build_id import complaint
from matcher_core import BUILD_ID, Book, Command, Op, SelfTradePrevention

SEED = 23
ROUNDS = 5
IDS = 20_000


def commands(seed: int, operations: int, batch: int) -> list[bytes]:
    """Batches of limit orders around one price and cancels of some; most of the cost is the book's."""
    rng = random.Random(seed)
    packed: list[bytes] = []
    for seq in range(operations):
        order_id = rng.randrange(1, IDS)
        op = Op.LIMIT if rng.random() < 0.6 else Op.CANCEL
        packed.append(
            Command(op, rng.randrange(2), seq=seq, order_id=order_id, price=rng.randrange(950, 1051), quantity=5).pack()
        )
    return [b"".join(packed[at : at + batch]) for at in range(0, operations, batch)]


def replay(batches: list[bytes]) -> None:
    book = Book(stp=SelfTradePrevention.OFF)
    for batch in batches:
        book.process(batch)


def serially(work: list[list[bytes]]) -> None:
    for batches in work:
        replay(batches)


def in_threads(work: list[list[bytes]]) -> None:
    threads = [threading.Thread(target=replay, args=(batches,)) for batches in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def best_ns(run: Callable[[list[list[bytes]]], None], work: list[list[bytes]]) -> int:
    times: list[int] = []
    for _ in range(ROUNDS):
        start = perf_counter_ns()
        run(work)
        times.append(perf_counter_ns() - start)
    return min(times)


def measure(engines: int, operations: int, batch: int) -> dict[str, object]:
    work = [commands(SEED + number, operations, batch) for number in range(engines)]
    serial, threaded = best_ns(serially, work), best_ns(in_threads, work)
    return {
        "engines": engines,
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "free_threaded": bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
        "operations_each": operations,
        "batch": batch,
        "serial_ms": serial // 1_000_000,
        "threads_ms": threaded // 1_000_000,
        "ratio_percent": serial * 100 // threaded,
        "build": BUILD_ID,
    }


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bench_threads")
    parser.add_argument("--engines", type=int, default=4)
    parser.add_argument("--operations", type=int, default=400_000)
    parser.add_argument("--batch", type=int, default=8192, help="commands a call")
    parser.add_argument("--results", type=Path, help="write what was measured as JSON")
    arguments = parser.parse_args(argv)
    stale = complaint()
    if stale:
        sys.stderr.write(f"{stale}\n")
        return 2
    result = measure(arguments.engines, arguments.operations, arguments.batch)
    for name, value in result.items():
        print(f"{name:16} {value}")
    if arguments.results:
        arguments.results.write_text(json.dumps(result, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
