"""`python -m matcher_core replay` on flow files: digests equal the reference's, and bad files are refused in one plain line."""

import gzip
import json
from collections import Counter
from pathlib import Path

import pytest

from matcher_core.arrays import pack_flow, pick_trades
from matcher_core.book import Engine
from matcher_core.flow import HEADER, MAGIC, RECORD, Flow, pack_plainly, read_flow
from matcher_core.records import iter_commands
from matcher_core.replay import percentiles, pick_trades_plainly, timer_ns
from matcher_core.types import SelfTradePrevention
from tests.core import flows
from tests.core.builders import a_seed
from tests.core.recordings import run, run_without, written


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
    assert 0 < result["p50_ns"] <= result["p99_ns"] <= result["p999_ns"]
    assert result["cpu_ns_per_op"] > 0
    assert result["ops_per_s"] > 0
    assert (result["batch"], result["symbols"]) == (batch, symbols)
    assert {"cpu", "cores", "system", "python"} == set(result["machine"])


def test_replay_when_flow_is_empty_then_nothing_is_counted(tmp_path: Path):
    done = run("replay", flows.write(tmp_path / "f.flow", [], symbols=1))
    assert done.returncode == 0
    assert "trades         0\n" in done.stdout


def a_flow(path: Path, *, symbols: int = 3, warm: int = 0) -> Flow:
    return read_flow(flows.write(path / "f.flow", flows.rows(a_seed(), 3000, symbols), symbols=symbols, warm=warm))


@pytest.mark.parametrize("only", [None, 1])
def test_packing_when_numpy_is_there_then_it_is_the_same_as_without(tmp_path: Path, only: int | None):
    rows = a_flow(tmp_path).rows
    assert bytes(pack_flow(rows, 17, only)) == pack_plainly(rows, 17, only)
    assert bytes(pack_flow(rows[:0], 17, only)) == b""


def test_trades_when_numpy_is_there_then_they_are_the_same_as_without(tmp_path: Path):
    events = Engine(range(3), stp=SelfTradePrevention.OFF).process(pack_plainly(a_flow(tmp_path).rows, 0))
    rows, refused = pick_trades(events)
    assert (rows, refused) == pick_trades_plainly(events)
    assert len(rows) > 0
    assert len(refused) > 0


def test_replay_when_numpy_is_missing_then_digests_are_the_same(tmp_path: Path):
    flow = flows.rows(a_seed(), 3000, 2)
    path = flows.write(tmp_path / "f.flow", flow, symbols=2, warm=100)
    done = run_without("numpy", "replay", path, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    result = json.loads(done.stdout)
    wanted = flows.expected(flow, 2)
    assert {name: result[name] for name in wanted} == wanted


def test_replay_when_trades_are_asked_for_then_their_digest_is_the_one_reported(tmp_path: Path):
    flow = flows.rows(a_seed(), 3000, 2)
    path, out = flows.write(tmp_path / "f.flow", flow, symbols=2), tmp_path / "trades.bin"
    result = json.loads(run("replay", path, "--json", "--trades-out", out).stdout)
    assert len(out.read_bytes()) == 32 * result["trades"]
    assert flows.digest([out.read_bytes()]) == result["trades_digest"] == flows.expected(flow, 2)["trades_digest"]


def test_replay_when_limited_then_only_the_first_records_count(tmp_path: Path):
    flow = flows.rows(a_seed(), 3000, 2)
    path = flows.write(tmp_path / "f.flow", flow, symbols=2, warm=2000)
    result = json.loads(run("replay", path, "--json", "--limit", "1500").stdout)
    wanted = flows.expected(flow[:1500], 2)
    assert {name: result[name] for name in wanted} == wanted
    assert result["ops"] == 0


def test_replay_when_a_symbol_is_asked_for_then_only_its_records_count(tmp_path: Path):
    flow = flows.rows(a_seed(), 3000, 3)
    path = flows.write(tmp_path / "f.flow", flow, symbols=3)
    result = json.loads(run("replay", path, "--json", "--symbol", "1").stdout)
    wanted = flows.expected([row for row in flow if row[4] == 1], 3)
    assert {name: result[name] for name in wanted} == wanted
    for asked, says in (("3", "symbols 0 to 2"), ("ACME", "by number")):
        done = run("replay", path, "--symbol", asked)
        assert (done.returncode, done.stderr.count("\n")) == (2, 1)
        assert says in done.stderr


def test_replay_when_ids_are_sparse_then_digests_equal_the_reference(tmp_path: Path):
    flow = [(*row[:5], row[5] * 0x9E3779B97F4A7C15 % 2**64, *row[6:]) for row in flows.rows(a_seed(), 3000, 2)]
    result = json.loads(run("replay", flows.write(tmp_path / "f.flow", flow, symbols=2), "--json").stdout)
    wanted = flows.expected(flow, 2)
    assert {name: result[name] for name in wanted} == wanted


def test_seq_when_commands_are_packed_then_it_is_the_number_of_the_record(tmp_path: Path):
    rows = a_flow(tmp_path).rows
    assert [command.seq for command in iter_commands(pack_plainly(rows, 5))] == list(range(5, 3005))


def test_percentiles_when_counted_then_they_are_the_nearest_ranks():
    counts = Counter(range(1, 1001))
    assert percentiles(counts, (500, 990, 999, 1000)) == [500, 990, 999, 1000]
    assert percentiles(Counter([7]), (500, 999)) == [7, 7]
    assert percentiles(Counter(), (500, 999)) == [0, 0]
    assert 0 < timer_ns() < 100_000


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
        (b"", "is empty"),
        (head()[:40], "at least 64 bytes"),
        (head(magic=b"NOTAFLOW") + GOOD, "is none of"),
        (head(version=2) + GOOD, "not a version 1 flow file"),
        (head(record=16) + GOOD, "not a version 1 flow file"),
        (head(count=2) + GOOD, "announces 2 records"),
        (head(count=2**64 - 1) + GOOD, "announces"),
        (head() + GOOD[:-1], "announces 1 records"),
        (gzip.compress(head() + GOOD), "compressed flow file"),
        (head(warm=2) + GOOD, "2 warm records of 1"),
        (head(symbols=0) + GOOD, "names no symbol"),
        (head() + RECORD.pack(4, 0, 0, 0, 0, 1, 100, 5), "record 0 has op 4"),
        (head() + RECORD.pack(0, 2, 0, 0, 0, 1, 100, 5), "side 2"),
        (head() + RECORD.pack(0, 0, 4, 0, 0, 1, 100, 5), "tif 4"),
        (head() + RECORD.pack(0, 0, 0, 0, 1, 1, 100, 5), "symbol 1"),
    ],
)
def test_replay_when_file_is_bad_then_one_plain_line_and_status_2(tmp_path: Path, content: bytes, says: str):
    done = run("replay", written(tmp_path / "bad.flow", content), "--json")
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr
    assert done.stderr.count("\n") == 1


def test_replay_when_file_is_missing_then_one_plain_line_and_status_2(tmp_path: Path):
    done = run("replay", tmp_path / "none.flow")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
