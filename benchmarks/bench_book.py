"""New, cancel and match inside one process: the compiled book by batch and by call, beside the baselines of the same run.

python -m pytest benchmarks/bench_book.py [--results benchmarks/results/NAME.json]
"""

from functools import cache

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.engines import Engine, Prepared, engines, reference
from benchmarks.workload import Workload, make

SEED = 23
OPERATIONS = 20_000
ROUNDS = 7


@cache
def workload(resting: int) -> Workload:
    return make(seed=SEED, resting=resting, operations=OPERATIONS)


@cache
def expected_lots(resting: int) -> int:
    prepared = reference(workload(resting))
    prepared.run()
    return prepared.traded_lots()


@pytest.mark.parametrize("resting", [1_000, 10_000])
@pytest.mark.parametrize("engine", engines(), ids=lambda engine: engine.name)
def test_match_mix(benchmark: BenchmarkFixture, engine: Engine, resting: int):
    """Every round starts from a fresh book; an engine that trades another quantity than the reference is no result."""
    latest: list[Prepared] = []

    def setup() -> None:
        latest[:] = [engine.prepare(workload(resting))]

    benchmark.group = f"match mix, {resting} resting"
    benchmark.extra_info.update(engine=engine.name, version=engine.version, resting=resting, operations=OPERATIONS)  # pyright: ignore  # pytest-benchmark is untyped
    benchmark.pedantic(lambda: latest[0].run(), setup=setup, rounds=ROUNDS, warmup_rounds=1)  # pyright: ignore  # pytest-benchmark is untyped
    assert latest[0].traded_lots() == expected_lots(resting)
