"""LOBSTER message files: what each line becomes, and lines that are none."""

from pathlib import Path

import pytest

from matcher_core.types import Op
from tests.core.recordings import commands, fills, replayed, run, written


def recording(path: Path, *lines: str) -> Path:
    return written(path / "messages.csv", "".join(f"34200.0{n},{line}\n" for n, line in enumerate(lines)).encode())


def test_lines_when_read_then_orders_follow_and_fills_are_reproduced(tmp_path: Path):
    path = recording(
        tmp_path,
        "1,11,300,5859400,1",
        "1,12,100,5859400,1",
        "2,11,50,5859400,1",
        "4,11,250,5859400,1",
        "4,12,60,5859400,1",
        "3,12,40,5859400,1",
    )
    assert [Op(c.op).name for c in commands(path)] == ["LIMIT", "LIMIT", "REPLACE", "LIMIT", "LIMIT", "CANCEL"]
    result = replayed(path)
    assert fills(result) == (2, 2)
    assert (result.rejected, result.resting, result.facts["messages"]) == (0, 0, 6)


def test_lines_when_the_book_is_not_concerned_then_they_only_count(tmp_path: Path):
    path = recording(tmp_path, "5,0,100,5859400,1", "6,0,1,1,1", "7,0,0,-1,-1", "4,99,10,5859400,-1")
    result = replayed(path)
    assert (result.ops, result.facts["hidden_executions"], result.facts["unknown_orders"]) == (0, 1, 1)
    assert fills(result) == (1, 0)


def test_limit_and_last_line_when_it_has_no_end_then_it_counts(tmp_path: Path):
    path = written(tmp_path / "m.csv", b"34200.1,1,1,5,100,1\r\n34200.2,1,2,5,100,-1")
    assert replayed(path).ops == 2
    assert replayed(path, limit=1).ops == 1


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        (["1,11,300,5859400,1", "1,11,300"], "line 2 is not a LOBSTER message: '34200.01,1,11,300'"),
        (["1,11,300,5859400,1", f"1,{2**63},300,100,1"], "line 2 has a number beyond 63 bits"),
        (["8,11,300,5859400,1"], "is none of"),
    ],
)
def test_file_when_it_is_bad_then_one_plain_line_and_status_2(tmp_path: Path, lines: list[str], says: str):
    done = run("replay", recording(tmp_path, *lines))
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr
    assert done.stderr.count("\n") == 1


def test_symbol_when_given_then_it_is_refused(tmp_path: Path):
    done = run("replay", recording(tmp_path, "1,11,300,5859400,1"), "--symbol", "AAPL")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
