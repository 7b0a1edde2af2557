"""New, cancel and match inside one process: the compiled book by batch and by call, beside the baselines of the same run.

python -m pytest benchmarks/bench_book.py [--results benchmarks/results/NAME.json]

The small, repeatable measurement; `python -m benchmarks.peers` is the whole comparison.
"""

from functools import cache

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.engines import Engine, Fill, Prepared, engines, reference, traded
from benchmarks.workload import Workload, make

SEED = 23
OPERATIONS = 20_000
ROUNDS = 7


@cache
def workload(resting: int) -> Workload:
    return make(seed=SEED, resting=resting, operations=OPERATIONS)


@cache
def expected(resting: int, operations: int) -> list[Fill]:
    return traded(Engine("reference", "", reference), workload(resting).first(operations))


@pytest.mark.parametrize("resting", [1_000, 10_000])
@pytest.mark.parametrize("engine", [e for e in engines() if (e.most or OPERATIONS) >= OPERATIONS], ids=lambda e: e.name)
def test_match_mix(benchmark: BenchmarkFixture, engine: Engine, resting: int):
    """Every round starts from a fresh book; an engine that trades otherwise than the reference is no result."""
    latest: list[Prepared] = []

    def setup() -> None:
        latest[:] = [engine.prepare(workload(resting))]

    assert traded(engine, workload(resting)) == expected(resting, OPERATIONS)
    benchmark.group = f"match mix, {resting} resting"
    benchmark.extra_info.update(engine=engine.name, version=engine.version, resting=resting, operations=OPERATIONS)  # pyright: ignore  # pytest-benchmark is untyped
    benchmark.pedantic(lambda: latest[0].run(), setup=setup, rounds=ROUNDS, warmup_rounds=1)  # pyright: ignore  # pytest-benchmark is untyped
