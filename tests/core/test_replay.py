"""`python -m matcher_core replay`: digests equal the reference's, and bad files are refused in one plain line."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from matcher_core.flow import HEADER, MAGIC, RECORD
from tests.core import flows
from tests.core.builders import a_seed


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "matcher_core", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, env={**os.environ})


@pytest.mark.parametrize(("symbols", "warm", "batch"), [(1, 0, 1024), (1, 500, 7), (4, 100, 64)])
def test_replay_when_flow_is_good_then_digests_equal_the_reference(tmp_path: Path, symbols: int, warm: int, batch: int):
    flow = flows.rows(a_seed(), 4000, symbols)
    path = flows.write(tmp_path / "f.flow", flow, symbols=symbols, warm=warm)
    done = run("replay", path, "--json", "--batch", str(batch))
    assert (done.returncode, done.stderr) == (0, "")
    result = json.loads(done.stdout)
    wanted = flows.expected(flow, symbols)
    assert {name: result[name] for name in wanted} == wanted
    assert result["ops"] == 4000 - warm
    assert 0 < result["p50_ns"] <= result["p99_ns"]


def test_replay_when_flow_is_empty_then_nothing_is_counted(tmp_path: Path):
    done = run("replay", flows.write(tmp_path / "f.flow", [], symbols=1))
    assert done.returncode == 0
    assert "trades         0\n" in done.stdout


GOOD = RECORD.pack(0, 0, 0, 0, 0, 1, 100, 5)


def head(**changed: int | bytes) -> bytes:
    fields: dict[str, int | bytes] = {
        "magic": MAGIC, "version": 1, "header": 64, "record": 32, "symbols": 1, "count": 1, "warm": 0,
        "low": 1, "high": 1, "max_id": 1,
    }  # fmt: skip
    return HEADER.pack(*{**fields, **changed}.values())


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "at least 64 bytes"),
        (head()[:40], "at least 64 bytes"),
        (head(magic=b"NOTAFLOW") + GOOD, "not a version 1 flow file"),
        (head(version=2) + GOOD, "not a version 1 flow file"),
        (head(record=16) + GOOD, "not a version 1 flow file"),
        (head(count=2) + GOOD, "announces 2 records"),
        (head(count=2**64 - 1) + GOOD, "announces"),
        (head() + GOOD[:-1], "announces 1 records"),
        (head(warm=2) + GOOD, "2 warm records of 1"),
        (head(symbols=0) + GOOD, "names no symbol"),
        (head() + RECORD.pack(4, 0, 0, 0, 0, 1, 100, 5), "record 0 has op 4"),
        (head() + RECORD.pack(0, 2, 0, 0, 0, 1, 100, 5), "side 2"),
        (head() + RECORD.pack(0, 0, 4, 0, 0, 1, 100, 5), "tif 4"),
        (head() + RECORD.pack(0, 0, 0, 0, 1, 1, 100, 5), "symbol 1"),
    ],
)
def test_replay_when_file_is_bad_then_one_plain_line_and_status_2(tmp_path: Path, content: bytes, says: str):
    path = tmp_path / "bad.flow"
    path.write_bytes(content)
    done = run("replay", path, "--json")
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr
    assert done.stderr.count("\n") == 1


def test_replay_when_file_is_missing_then_one_plain_line_and_status_2(tmp_path: Path):
    done = run("replay", tmp_path / "none.flow")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
