"""Runs on a current build only, prints ratios instead of bare times, and records what was measured where."""

import json
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from benchmarks.build_id import complaint
from benchmarks.machine import circumstances

BASELINE = "reference"
Row = dict[str, Any]  # Any: JSON values of several kinds


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--results", type=Path, help="write the results of bench_book with machine and build as JSON")


def pytest_configure(config: pytest.Config) -> None:
    """Without the collector: it doubles the time of the Python engines, and that is not what is compared."""
    config.option.benchmark_disable_gc = True


def pytest_sessionstart(session: pytest.Session) -> None:
    stale = complaint()
    if stale:
        pytest.exit(stale, returncode=2)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    rows = list(_rows(config))
    if not rows:
        return
    terminalreporter.section("times of the baseline per time of each engine (higher is faster)")
    for row in rows:
        terminalreporter.write_line(
            f"{row['resting']:>6} resting  {row['engine']:<22} {row['ns_per_operation']:>10,.0f} ns/op"
            f"  {row['times_baseline']:>8.1f} x {BASELINE}"
        )
    target: Path | None = config.getoption("--results")
    if target is not None:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(json.dumps({**_versions(), "results": rows}, indent=1) + "\n")


def _rows(config: pytest.Config) -> Iterator[Row]:
    """One row for each benchmark of the session, medians of the rounds."""
    measured: list[Any] = getattr(config, "_benchmarksession").benchmarks  # noqa: B009 - private to pytest-benchmark
    named = [b for b in measured if "engine" in b.extra_info and b.stats.rounds]
    baseline = {b.extra_info["resting"]: b.stats.median for b in named if b.extra_info["engine"] == BASELINE}
    for b in named:
        resting, operations = b.extra_info["resting"], b.extra_info["operations"]
        yield {
            **b.extra_info,
            "rounds": b.stats.rounds,
            "ns_per_operation": round(b.stats.median / operations * 1e9, 1),
            "ns_per_operation_best": round(b.stats.min / operations * 1e9, 1),
            "times_baseline": round(baseline[resting] / b.stats.median, 1) if resting in baseline else 0.0,
        }


def _versions() -> Row:
    return {
        **circumstances(),
        "cython": metadata.version("cython"),
        "pytest_benchmark": metadata.version("pytest-benchmark"),
    }
