"""NASDAQ ITCH 5.0: what each message becomes, both ways of framing, and files that are not what they seem."""

import gzip
from pathlib import Path

import pytest

from matcher_core.types import Op, Side, TimeInForce
from tests.core.recordings import (
    commands,
    fills,
    itch,
    itch_add,
    itch_deleted,
    itch_executed,
    itch_executed_at,
    itch_hidden,
    itch_reduced,
    itch_replaced,
    itch_system,
    replayed,
    run,
    written,
)

START = itch_system()


def recording(path: Path, *messages: bytes) -> Path:
    return written(path / "day.bin", START + b"".join(messages))


def did(path: Path) -> list[tuple[str, int, int, int, int]]:
    """(op, side, order, price, quantity) of each command; aggressors' orders are 0."""
    return [(Op(c.op).name, c.side, 0 if c.order_id >> 63 else c.order_id, c.price, c.quantity) for c in commands(path)]


def test_add_when_read_then_it_is_a_limit_order(tmp_path: Path):
    path = recording(tmp_path, itch_add(5, "B", 300, 1_250_000), itch_add(6, "S", 1, 1_250_100))
    assert did(path) == [("LIMIT", 0, 5, 1_250_000, 300), ("LIMIT", 1, 6, 1_250_100, 1)]


def test_execution_when_read_then_it_is_an_aggressor_and_its_fill_is_reproduced(tmp_path: Path):
    path = recording(tmp_path, itch_add(5, "B", 300, 100), itch_executed(5, 120))
    aggressor = commands(path)[1]
    assert (aggressor.op, aggressor.side, aggressor.tif) == (Op.LIMIT, Side.SELL, TimeInForce.IOC)
    assert (aggressor.price, aggressor.quantity) == (100, 120)
    result = replayed(path)
    assert fills(result) == (1, 1)
    assert (result.trades, result.resting) == (1, 1)


def test_execution_when_the_venue_skips_the_queue_then_its_fill_is_not_reproduced(tmp_path: Path):
    path = recording(tmp_path, itch_add(5, "B", 300, 100), itch_add(6, "B", 300, 100), itch_executed(6, 120))
    assert fills(replayed(path)) == (1, 0)


def test_execution_at_the_orders_own_price_when_read_then_it_is_reproduced(tmp_path: Path):
    path = recording(tmp_path, itch_add(5, "S", 300, 100), itch_executed_at(5, 300, 100))
    result = replayed(path)
    assert fills(result) == (1, 1)
    assert result.resting == 0


def test_execution_at_another_price_when_read_then_the_order_is_reduced_and_nothing_trades(tmp_path: Path):
    path = recording(tmp_path, itch_add(5, "S", 300, 100), itch_executed_at(5, 120, 105), itch_executed_at(5, 180, 105))
    assert did(path)[1:] == [("REPLACE", 0, 5, 100, 180), ("CANCEL", 0, 5, 0, 0)]
    result = replayed(path)
    assert fills(result) == (2, 0)
    assert (result.trades, result.resting, result.facts["fills_at_other_price"]) == (0, 0, 2)


def test_changes_when_read_then_orders_follow(tmp_path: Path):
    path = recording(
        tmp_path,
        itch_add(5, "S", 300, 100),
        itch_reduced(5, 100),
        itch_replaced(5, 9, 50, 110),
        itch_reduced(9, 50),
        itch_add(10, "B", 1, 90),
        itch_deleted(10),
    )
    assert did(path) == [
        ("LIMIT", 1, 5, 100, 300), ("REPLACE", 0, 5, 100, 200), ("CANCEL", 0, 5, 0, 0), ("LIMIT", 1, 9, 110, 50),
        ("CANCEL", 0, 9, 0, 0), ("LIMIT", 0, 10, 90, 1), ("CANCEL", 0, 10, 0, 0),
    ]  # fmt: skip
    assert replayed(path).rejected == 0


def test_partial_cancel_when_read_then_the_order_keeps_its_place(tmp_path: Path):
    path = recording(
        tmp_path, itch_add(5, "S", 300, 100), itch_add(6, "S", 300, 100), itch_reduced(5, 100), itch_executed(5, 200)
    )
    assert fills(replayed(path)) == (1, 1)


def test_hidden_execution_when_read_then_the_book_is_left_alone(tmp_path: Path):
    result = replayed(recording(tmp_path, itch_add(5, "S", 300, 100), itch_hidden(100, 99)))
    assert (result.trades, result.resting, result.facts["hidden_executions"]) == (0, 1, 1)
    assert fills(result) == (0, 0)


def test_stocks_when_there_are_several_then_each_has_its_book(tmp_path: Path):
    path = recording(
        tmp_path, itch_add(5, "S", 300, 100, "ACME"), itch_add(6, "B", 300, 200, "BOB"), itch_executed(6, 10)
    )
    assert [(c.symbol, c.order_id >> 63) for c in commands(path)] == [(0, 0), (1, 0), (1, 1)]
    result = replayed(path)
    assert (result.symbols, result.trades) == (2, 1)
    only = replayed(path, symbol="BOB")
    assert (only.symbols, only.ops, only.facts["unknown_orders"], fills(only)) == (1, 2, 0, (1, 1))


def test_order_when_it_is_older_than_the_recording_then_it_is_counted(tmp_path: Path):
    result = replayed(recording(tmp_path, itch_executed(5, 300), itch_deleted(6)))
    assert (result.ops, result.facts["unknown_orders"], fills(result)) == (0, 2, (1, 0))


@pytest.mark.parametrize("packed", [False, True])
def test_framing_when_lengths_are_zero_then_types_tell_them(tmp_path: Path, packed: bool):
    content = b"".join(
        [itch_system(prefix=False), itch_add(5, "B", 3, 100, prefix=False), itch_executed(5, 3, prefix=False)]
    )
    path = written(tmp_path / "day", gzip.compress(content[:40]) + gzip.compress(content[40:]) if packed else content)
    assert fills(replayed(path)) == (1, 1)


def test_limit_when_given_then_reading_stops_there(tmp_path: Path):
    path = recording(tmp_path, itch_add(5, "B", 3, 100), itch_executed(5, 3))
    result = replayed(path, limit=2)
    assert (result.ops, result.facts["messages"]) == (1, 2)


def test_messages_when_they_cross_the_pieces_of_a_large_file_then_none_is_lost(tmp_path: Path):
    adds = b"".join(itch_add(number, "B", 1, 100) for number in range(1, 20_001))
    result = replayed(recording(tmp_path, adds))
    assert (result.resting, result.facts["messages"]) == (20_000, 20_001)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (START + itch_add(5, "B", 3, 100)[:-1], "is truncated: it ends in the middle of the message at byte 14"),
        (START * 9 + itch("!", b""), "unknown type '!' at byte 126"),
        (gzip.compress(START + itch_add(5, "B", 3, 100))[:-9], "is truncated: the compressed data has no end"),
        (gzip.compress(START)[:10] + b"\xff" * 20, "cannot be unpacked"),
        (START[:5], "is truncated"),
        (b"\0\x09" + START[2:], "is none of"),
    ],
)
def test_file_when_it_is_bad_then_one_plain_line_and_status_2(tmp_path: Path, content: bytes, says: str):
    done = run("replay", written(tmp_path / "bad.itch", content))
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr
    assert done.stderr.count("\n") == 1


def test_symbol_when_the_file_does_not_have_it_then_one_plain_line_and_status_2(tmp_path: Path):
    done = run("replay", recording(tmp_path, itch_add(5, "B", 3, 100)), "--symbol", "NONE")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "adds no order in stock 'NONE'" in done.stderr
