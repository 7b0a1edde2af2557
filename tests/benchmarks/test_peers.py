"""What the comparison rests on: all our ways of calling trade alike, a feed is kept alike, and the report hides no divergence."""

import random

import pytest

from benchmarks import report
from benchmarks.engines import Engine, engines, reference, traded
from benchmarks.feed import feed_of, keepers
from benchmarks.memory import row
from benchmarks.peers import Contender, compare
from benchmarks.workload import Workload, make

SEED = 23


@pytest.fixture(scope="module")
def work() -> Workload:
    return make(seed=SEED, resting=200, operations=400)


@pytest.mark.parametrize("engine", engines(), ids=lambda e: e.name)
def test_engines_when_given_the_same_mix_then_every_trade_is_the_references(engine: Engine, work: Workload):
    expected = traded(Engine("reference", "", reference), work)
    assert len(expected) > 10, f"seed {SEED} trades too little to tell"
    assert traded(engine, work) == expected


def test_feed_when_kept_by_all_then_best_prices_agree(work: Workload):
    feed, warm = feed_of(work)
    prepared = [keeper.prepare(feed, warm) for keeper in keepers()]
    for p in prepared:
        p.run()
    assert len({p.best() for p in prepared}) == 1


def test_compare_when_one_is_twice_as_slow_then_its_ratio_is_a_half():
    contenders = [Contender("reference", "1", 10, lambda: 100.0), Contender("slow", "1", 10, lambda: 200.0)]
    rows = compare(contenders, 3, random.Random(SEED))
    assert [r["times_reference"] for r in rows] == [1.0, 0.5]


def test_report_when_an_engine_diverges_then_it_has_no_time():
    cells = report.mix_cells({"resting": 1000, "engine": "odd", "diverges": True})
    assert cells[:5] == ("1,000", "odd", "", "", "diverges")
    assert len(cells) == len(report.MIX)


def test_memory_when_orders_rest_then_bytes_an_order_are_told():
    found = row(2_000, SEED, sparse=False)
    assert found["bytes_per_order"] == pytest.approx(found["bytes"] / 2_000, abs=0.1)
