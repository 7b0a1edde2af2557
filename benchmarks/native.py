"""The book without an interpreter: compiles the C driver of adapters/native against the C library and runs it on packed commands.

    python -m benchmarks.native [--flow FILE] [--clib build/clib]

FILE is a recorded flow as `python -m matcher_core replay` reads it; without one the mix of workload.py is used, 10,000 orders resting.
"""

import argparse
import json
import os
import struct
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from benchmarks.engines import Fill
from benchmarks.workload import Workload, make
from matcher_core.flow import best_packer, read_flow

ROOT = Path(__file__).parents[1]
SOURCE = Path(__file__).parent / "adapters" / "native" / "single_call.c"
CLIB = ROOT / "build" / "clib"
TRADE = struct.Struct("<QQqQ")


class Job(NamedTuple):
    """A file of packed commands, of which the first `warm` are not timed, for books 0 to symbols - 1."""

    commands: Path
    warm: int
    symbols: int = 1


def library(clib: Path = CLIB) -> Path | None:
    """The archive `make clib` leaves, if it is there."""
    archive = clib / "libmatcher_core.a"
    return archive if archive.exists() else None


def compile_driver(folder: Path, clib: Path = CLIB, cc: str = os.environ.get("CC", "cc")) -> Path:
    driver = folder / "single_call"
    archive = clib / "libmatcher_core.a"
    flags = ["-std=gnu11", "-O2", "-Wall", "-Wextra", f"-I{clib / 'include'}"]
    subprocess.run([cc, *flags, str(SOURCE), str(archive), "-o", str(driver)], check=True)
    return driver


def job_of(work: Workload, folder: Path, name: str) -> Job:
    path = folder / f"{name}.commands"
    path.write_bytes(b"".join(c.pack() for c in [*work.warm, *work.timed]))
    return Job(path, len(work.warm))


def measure(driver: Path, job: Job, *, batch: int, rounds: int) -> tuple[dict[str, float], list[Fill]]:
    """What the driver printed, and every trade of the timed part."""
    trades = job.commands.with_suffix(".trades")
    words = [str(job.commands), str(job.warm), str(batch), str(rounds), str(job.symbols), str(trades)]
    done = subprocess.run([str(driver), *words], check=True, capture_output=True, text=True)
    return json.loads(done.stdout), list(TRADE.iter_unpack(trades.read_bytes()))


def job_of_flow(path: Path, folder: Path) -> Job:
    opened = read_flow(path)
    target = folder / "flow.commands"
    target.write_bytes(best_packer()(opened.rows, 0, None))
    return Job(target, opened.warm, opened.symbols)


def main() -> int:
    parser = argparse.ArgumentParser(description="CPU time of one command from C, no interpreter.")
    parser.add_argument("--flow", type=Path)
    parser.add_argument("--clib", type=Path, default=CLIB)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    if library(options.clib) is None:
        sys.exit(f"{options.clib} holds no libmatcher_core.a: run `make clib` first")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        driver = compile_driver(folder, options.clib)
        flow: Path | None = options.flow
        mix = make(seed=23, resting=10_000, operations=200_000)
        job = job_of(mix, folder, "mix") if flow is None else job_of_flow(flow, folder)
        for batch in (1, 256, 1024):
            print(f"{batch:>5} a call", json.dumps(measure(driver, job, batch=batch, rounds=options.rounds)[0]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
