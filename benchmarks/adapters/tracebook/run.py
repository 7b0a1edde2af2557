"""Runs tracebook-conformance against our book: every bundled case, then the qualification of a profile with generated traces.

    python -m benchmarks.adapters.tracebook.run [--profile fifo-full-v1] [--seed 42] [--traces 25] [--events 200]

Exit status 0 when every first-in-first-out case and every generated trace agrees. The pro-rata case is run and shown: we do not offer that
allocation, so it has to differ, and a run where it does not is a mistake of this adapter.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, cast

from tracebook.conformance.external import ExternalProcessAdapterFactory
from tracebook.conformance.suite import (
    copy_bundled_conformance_suite,
    run_conformance_suite,  # pyright: ignore  # returns a bare dict
)

ADAPTER = [sys.executable, "-m", "benchmarks.adapters.tracebook.adapter"]
ROOT = Path(__file__).parents[3]
NOT_OFFERED = {"pro-rata-allocation"}


def suite_results() -> dict[str, bool]:
    """Each bundled case by name, and whether our book agreed with the reference on all of it."""
    with tempfile.TemporaryDirectory() as folder:
        suite = copy_bundled_conformance_suite(Path(folder) / "suite")
        report = cast(Any, run_conformance_suite(suite, ExternalProcessAdapterFactory(ADAPTER, cwd=ROOT)))
    cases: list[Any] = report["cases"]  # Any: JSON
    return {case["name"]: case["report"]["conformant"] for case in cases}


def qualify(profile: str, *, seed: int, traces: int, events: int) -> int:
    """The package's own qualification command; its exit status."""
    with tempfile.TemporaryDirectory() as folder:
        words = ["--profile", profile, "--seed", str(seed), "--traces", str(traces), "--events-per-trace", str(events)]
        command = [sys.executable, "-m", "tracebook.conformance.cli", "qualify", *words, "--output-dir", f"{folder}/q"]
        return subprocess.run([*command, "--candidate", *ADAPTER], cwd=ROOT, check=False).returncode


def main() -> int:
    parser = argparse.ArgumentParser(description="Run tracebook-conformance against matcher_core.Book.")
    parser.add_argument("--profile", default="fifo-full-v1")
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--traces", type=int, default=25)
    parser.add_argument("--events", type=int, default=200)
    options = parser.parse_args()
    results = suite_results()
    for name, agrees in results.items():
        note = "  (allocation not offered)" if name in NOT_OFFERED else ""
        print(f"{name:<28} {'agrees' if agrees else 'DIFFERS'}{note}")
    as_expected = all(agrees != (name in NOT_OFFERED) for name, agrees in results.items())
    status = qualify(options.profile, seed=options.seed, traces=options.traces, events=options.events)
    return 0 if as_expected and status == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
