"""Databento market by order: events of the venue, self-trade prevention, repriced aggressors, auctions, bad files.

TOKENX_DBN_SESSION may name a recorded session; then its fills are counted too.
"""

import os
from pathlib import Path

import pytest
import zstandard

from matcher_core.types import Op, Side, TimeInForce
from tests.core.recordings import commands, dbn_file, fills, mbo, replayed, run, run_without, written


def recording(path: Path, *records: bytes) -> Path:
    return written(path / "session.dbn", dbn_file(*records))


def did(path: Path) -> list[tuple[str, int, int]]:
    """(op, order, quantity) of each command."""
    return [(Op(c.op).name if c.op < 8 else "UNCROSS", c.order_id, c.quantity) for c in commands(path)]


ADDS = (mbo("A", "B", 1, 400, 5), mbo("A", "B", 2, 400, 5), mbo("A", "A", 3, 402, 5))


def test_trade_when_read_then_the_same_makers_are_filled(tmp_path: Path):
    trade = (
        mbo("T", "A", 9, 400, 7, last=False),
        mbo("F", "B", 1, 400, 5, last=False),
        mbo("F", "B", 2, 400, 2, last=False),
        mbo("C", "B", 1, 400, 5, last=False),
        mbo("M", "B", 2, 400, 3),
    )
    path = recording(tmp_path, *ADDS, *trade)
    aggressor = commands(path)[3]
    assert (aggressor.side, aggressor.tif, aggressor.order_id) == (Side.SELL, TimeInForce.IOC, 9)
    result = replayed(path)
    assert fills(result) == (2, 2)
    assert (result.already_gone, result.rejected, result.resting) == (1, 0, 2)


def test_prices_when_read_then_ticks_are_what_they_have_in_common(tmp_path: Path):
    assert [c.price for c in commands(recording(tmp_path, *ADDS))] == [200, 200, 201]


def test_order_when_the_venue_withdraws_it_in_a_trade_then_it_goes_first(tmp_path: Path):
    trade = (mbo("T", "A", 9, 400, 5, last=False), mbo("F", "B", 2, 400, 5, last=False))
    after = (mbo("C", "B", 2, 400, 5, last=False), mbo("C", "B", 1, 400, 5))
    path = recording(tmp_path, *ADDS, *trade, *after)
    assert did(path)[3:] == [("CANCEL", 1, 0), ("LIMIT", 9, 5), ("CANCEL", 2, 0)]
    assert fills(replayed(path)) == (1, 1)


def test_trade_when_its_order_rests_already_then_that_order_is_the_aggressor(tmp_path: Path):
    trade = (
        mbo("T", "A", 3, 400, 4, last=False),
        mbo("F", "A", 3, 400, 4, last=False),
        mbo("F", "B", 1, 400, 4, last=False),
        mbo("M", "B", 1, 400, 1, last=False),
        mbo("M", "A", 3, 401, 1),
    )
    path = recording(tmp_path, *ADDS, *trade)
    assert did(path)[3:] == [("CANCEL", 3, 0), ("LIMIT", 3, 4), ("REPLACE", 1, 1), ("LIMIT", 3, 1)]
    result = replayed(path)
    assert fills(result) == (2, 2)
    assert (result.rejected, result.resting) == (0, 3)


def test_cancel_when_it_is_partial_then_the_rest_stays(tmp_path: Path):
    path = recording(tmp_path, *ADDS, mbo("C", "B", 1, 400, 2), mbo("R", "N", 0, 0, 0))
    assert did(path)[3:] == [("REPLACE", 1, 3), ("MASS_CANCEL", 0, 0)]
    assert replayed(path).resting == 0


def test_iceberg_when_its_reserve_trades_then_that_fill_is_not_reproduced(tmp_path: Path):
    trade = (mbo("T", "A", 9, 400, 25, last=False), mbo("F", "B", 1, 400, 20, last=False))
    path = recording(tmp_path, *ADDS, *trade, mbo("F", "B", 2, 400, 5))
    assert fills(replayed(path)) == (2, 1)


def test_auction_when_fills_name_both_sides_then_the_book_is_called_and_uncrossed(tmp_path: Path):
    crossed = (mbo("A", "B", 1, 402, 5), mbo("A", "A", 2, 400, 8))
    auction = (
        mbo("T", "N", 0, 401, 8, last=False),
        mbo("F", "N", 1, 401, 5, last=False),
        mbo("F", "N", 2, 401, 8, last=False),
        mbo("F", "N", 77, 401, 3),
    )
    path = recording(tmp_path, *crossed, *auction)
    assert did(path) == [("SET_STATE", 0, 4), ("LIMIT", 1, 5), ("LIMIT", 2, 8), ("MARKET", 77, 3), ("UNCROSS", 0, 1)]
    assert commands(path)[3].side == Side.BUY
    assert replayed(path).facts["auctions"] == 1
    assert fills(replayed(path)) == (3, 3)


def test_call_when_it_is_later_then_it_begins_after_the_last_trade_before_it(tmp_path: Path):
    trade = (mbo("T", "A", 9, 400, 1, last=False), mbo("F", "B", 1, 400, 1, last=False), mbo("M", "B", 1, 400, 4))
    auction = (mbo("T", "N", 0, 401, 4, last=False), mbo("F", "N", 1, 401, 4, last=False), mbo("F", "N", 5, 401, 4))
    path = recording(tmp_path, *ADDS, *trade, mbo("A", "A", 5, 399, 4), *auction)
    assert [op for op, *_ in did(path)][3:] == ["LIMIT", "REPLACE", "SET_STATE", "LIMIT", "UNCROSS"]


def test_instruments_when_there_are_several_then_each_has_its_book_and_its_name(tmp_path: Path):
    path = recording(tmp_path, mbo("A", "B", 1, 400, 5), mbo("A", "A", 1, 300, 5, instrument=8))
    assert [c.symbol for c in commands(path)] == [0, 1]
    for asked in ("ESM4", "8"):
        result = replayed(path, symbol=asked)
        assert (result.symbols, result.ops) == (1, 1)


@pytest.mark.parametrize("version", [1, 2, 3])
def test_file_when_of_any_version_and_packed_then_it_is_read(tmp_path: Path, version: int):
    path = written(tmp_path / "s.dbn.zst", zstandard.compress(dbn_file(*ADDS, version=version)))
    assert replayed(path, symbol="ESH4").ops == 3
    assert replayed(path, limit=2).ops == 2


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (dbn_file(*ADDS)[:-1], "is truncated: it ends in the middle of the record at byte"),
        (dbn_file(*ADDS)[:50], "is truncated: it ends in its metadata"),
        (zstandard.compress(dbn_file(*ADDS))[:-6], "is truncated: the compressed data has no end"),
        (dbn_file(schema="trades"), "not market by order"),
        (dbn_file(), "has no market-by-order record"),
        (dbn_file() + b"\1" + bytes(60), "has a record of 4 bytes"),
        (b"DBN\x09" + dbn_file()[4:], "is DBN version 9"),
        (b"DBN\3\x08\0\0\0" + bytes(8), "has metadata that cannot be read"),
    ],
)
def test_file_when_it_is_bad_then_one_plain_line_and_status_2(tmp_path: Path, content: bytes, says: str):
    done = run("replay", written(tmp_path / "bad.dbn", content))
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr
    assert done.stderr.count("\n") == 1


def test_zstd_when_its_package_is_missing_then_one_line_says_what_to_install(tmp_path: Path):
    path = written(tmp_path / "s.dbn.zst", zstandard.compress(dbn_file(*ADDS)))
    done = run_without("zstandard", "replay", path)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "pip install 'tokenx[databento]'" in done.stderr


def test_session_when_recorded_then_nearly_every_fill_is_reproduced(tmp_path: Path):
    trades = b"".join(mbo("T", "A", 10 + n, 400, 1, last=False) + mbo("F", "B", 1, 400, 1) for n in range(5))
    recordings = [recording(tmp_path, *ADDS, trades), *map(Path, filter(None, [os.environ.get("TOKENX_DBN_SESSION")]))]
    for path in recordings:
        recorded, reproduced = fills(replayed(path))
        assert recorded
        assert reproduced
        assert reproduced / recorded > 0.985
