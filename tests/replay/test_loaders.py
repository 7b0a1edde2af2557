"""Recorded order flow becomes one kind of message, and a bad file is one plain line."""

import struct
from pathlib import Path

import databento_dbn
import pytest
import zstandard

from tokenx_cli.replay.generate import main as generate
from tokenx_cli.replay.generate import rows
from tokenx_cli.replay.loaders import CSV_COLUMNS, load
from tokenx_cli.replay.messages import BadFile, OrderMessage, anchor_ticks, from_first_trade, only_known_orders

HEADER = ",".join(CSV_COLUMNS)
SHIPPED = Path(__file__).parents[2] / "tokenx_cli" / "replay" / "demo_flow.csv"


def written(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_csv_lines_become_messages(tmp_path: Path) -> None:
    file = written(
        tmp_path / "a.csv",
        f"# comment\n{HEADER}\nnew,l1,buy,limit,gtc,100,5\nreplace,l1,buy,limit,gtc,101,4\ncancel,l1,buy,limit,gtc,,\n",
    )
    assert list(load(file)) == [
        OrderMessage("new", "l1", "buy", price_ticks=100, quantity=5),
        OrderMessage("replace", "l1", "buy", price_ticks=101, quantity=4),
        OrderMessage("cancel", "l1", "buy"),
    ]


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.csv", "who,what\n", "the header must be"),
        ("a.csv", f"{HEADER}\nbuy,l1,buy,limit,gtc,1,1\n", ":2: unknown action"),
        ("a.csv", f"{HEADER}\nnew,l1,buy,limit,gtc,1.5,1\n", "whole numbers"),
        ("a.flow", "nonsense", "not a flow file"),
        (
            "a.flow",
            struct.pack("<8sIIIIQQqqQ", b"TKXFLOW1", 1, 64, 32, 1, 3, 0, 1, 1, 1),
            "ends before its last record",
        ),
        ("a.ITCH", b"\0\0?" + b"x" * 40, "unknown message type"),
        ("a.dbn", b"not databento", "not a Databento file"),
        ("a.txt", "", "unknown kind of file"),
    ],
)
def test_a_bad_file_is_one_plain_line(tmp_path: Path, name: str, content: str | bytes, says: str) -> None:
    with pytest.raises(BadFile, match=says) as refused:
        list(load(written(tmp_path / name, content)))
    assert "\n" not in str(refused.value)


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match="no such file"):
        load(tmp_path / "none.csv")


def test_flow_records_become_messages(tmp_path: Path) -> None:
    record = struct.Struct("<BBBBIQqQ")
    records = [
        (0, 0, 0, 0, 0, 1, 100, 5),
        (0, 1, 3, 0, 0, 2, 101, 5),
        (1, 0, 0, 0, 0, 3, 0, 2),
        (3, 0, 0, 0, 0, 1, 99, 4),
        (2, 0, 0, 0, 0, 1, 0, 0),
    ]
    header = struct.pack("<8sIIIIQQqqQ", b"TKXFLOW1", 1, 64, 32, 1, len(records), 0, 99, 101, 3)
    messages = list(load(written(tmp_path / "a.flow", header + b"".join(record.pack(*row) for row in records))))
    assert [message.action for message in messages] == ["new", "new", "new", "replace", "cancel"]
    assert messages[1].post_only
    assert messages[2].order_type == "market"


def itch(kind: bytes, *fields: bytes) -> bytes:
    return b"\0\0" + kind + b"\0" * 10 + b"".join(fields)


def test_itch_executions_become_aggressors(tmp_path: Path) -> None:
    def order(number: int) -> bytes:
        return number.to_bytes(8)

    add = itch(b"A", order(7), b"S", (300).to_bytes(4), b"ACME    ", (125_000).to_bytes(4))
    executed = itch(b"E", order(7), (100).to_bytes(4), b"\0" * 8)
    partly_canceled = itch(b"X", order(7), (50).to_bytes(4))
    replaced = itch(b"U", order(7), order(8), (10).to_bytes(4), (126_000).to_bytes(4))
    deleted = itch(b"D", order(8))
    messages = list(load(written(tmp_path / "day.ITCH50", add + executed + partly_canceled + replaced + deleted)))
    assert [(m.action, m.ref, m.side, m.quantity) for m in messages] == [
        ("new", "7", "sell", 300), ("new", "aggressor-1", "buy", 100), ("replace", "7", "sell", 150),
        ("cancel", "7", "sell", 0), ("new", "8", "sell", 10), ("cancel", "8", "sell", 0),
    ]  # fmt: skip


def test_databento_trades_become_aggressors(tmp_path: Path) -> None:
    def record(action: str, side: str, order: int, price: int, size: int) -> bytes:
        return bytes(
            databento_dbn.MBOMsg(
                1,
                2,
                3,
                order,
                price,
                size,
                action=databento_dbn.Action(action),
                side=databento_dbn.Side(side),
                ts_recv=4,
                flags=0,
                ts_in_delta=0,
                sequence=0,
                channel_id=0,
            )
        )

    metadata = databento_dbn.Metadata(
        "TEST",
        1,
        databento_dbn.SType.RAW_SYMBOL,
        databento_dbn.SType.INSTRUMENT_ID,
        databento_dbn.Schema.MBO,
        [],
        [],
        [],
        [],
        version=3,
    )
    raw = (
        bytes(metadata)
        + record("A", "B", 1, 100_250_000_000, 5)
        + record("T", "A", 0, 100_250_000_000, 2)
        + record("F", "B", 1, 100_250_000_000, 2)
    )
    raw += record("C", "B", 1, 100_250_000_000, 3)
    messages = list(load(written(tmp_path / "a.mbo.dbn.zst", zstandard.compress(raw))))
    assert [(m.action, m.side, m.time_in_force, m.price_ticks, m.quantity) for m in messages] == [
        ("new", "buy", "gtc", 401, 5), ("new", "sell", "ioc", 401, 2), ("cancel", "buy", "gtc", None, 0),
    ]  # fmt: skip


def test_a_recording_starts_with_the_book_before_its_first_trade() -> None:
    quiet = [OrderMessage("new", f"q{n}", "buy", price_ticks=n, quantity=1) for n in range(1, 301)] + [
        OrderMessage("cancel", "q300", "buy")
    ]
    trade = OrderMessage("new", "t", "sell", time_in_force="ioc", price_ticks=250, quantity=1)
    played = from_first_trade([*quiet, trade], lead=1, depth=3)
    assert [message.ref for message in played] == ["q300", "q299", "q298", "q300", "t"]
    assert [message.ref for message in only_known_orders([OrderMessage("cancel", "x", "buy"), trade])] == ["t"]
    assert anchor_ticks(quiet) == 151


def test_the_shipped_flow_is_what_the_generator_writes(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["generate", "23", "600"])
    generate()
    assert capsys.readouterr().out == SHIPPED.read_text()
    assert rows(23, 50) == rows(23, 50) != rows(24, 50)
