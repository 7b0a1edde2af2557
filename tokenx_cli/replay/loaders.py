"""Files of recorded order flow: our CSV, Databento MBO, NASDAQ ITCH 5.0, and the binary flow files of the benchmark.

Each loader yields OrderMessage in file order and raises BadFile with one plain line when the file is not of its kind."""

import csv
import gzip
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, Literal

from tokenx_cli.replay.messages import Action, BadFile, OrderMessage

CSV_COLUMNS: Final = ("action", "ref", "side", "type", "time_in_force", "price_ticks", "quantity")
_SIDES: Final[tuple[Literal["buy"], Literal["sell"]]] = ("buy", "sell")


def load(path: Path) -> Iterator[OrderMessage]:
    """Messages of a file, by its name."""
    if not path.is_file():
        raise BadFile(f"{path}: no such file")
    name = path.name.lower()
    if name.endswith(".csv"):
        return load_csv(path)
    if name.endswith((".dbn", ".dbn.zst")):
        return load_databento(path)
    if name.endswith(".flow"):
        return load_flow(path)
    if "itch" in name:
        return load_itch(path)
    raise BadFile(
        f"{path}: unknown kind of file; known are *.csv, *.dbn, *.dbn.zst, *.flow and NASDAQ ITCH 5.0 (*ITCH*)"
    )


def load_csv(path: Path) -> Iterator[OrderMessage]:
    """Our own text form, one message a line; the header names CSV_COLUMNS."""
    with path.open(newline="") as file:
        reader = csv.DictReader(row for row in file if not row.startswith("#"))
        if tuple(reader.fieldnames or ()) != CSV_COLUMNS:
            raise BadFile(f"{path}: the header must be {','.join(CSV_COLUMNS)}")
        for number, row in enumerate(reader, 2):
            yield _csv_message(path, number, row)


def _csv_message(path: Path, number: int, row: dict[str, str]) -> OrderMessage:
    action, side, kind, tif = row["action"], row["side"], row["type"], row["time_in_force"]
    if (
        action not in ("new", "cancel", "replace")
        or side not in _SIDES
        or kind not in ("limit", "market")
        or tif not in ("gtc", "ioc", "fok")
    ):
        raise BadFile(f"{path}:{number}: unknown action, side, type or time in force")
    try:
        price = int(row["price_ticks"]) if row["price_ticks"] else None
        quantity = int(row["quantity"] or 0)
    except ValueError:
        raise BadFile(f"{path}:{number}: price_ticks and quantity must be whole numbers") from None
    return OrderMessage(action, row["ref"], side, kind, tif, price, quantity)


# --- Databento market by order ---

_DBN_TICK_NANOS: Final = 250_000_000  # 0.25, the E-mini's tick; only distances matter to the player


def load_databento(path: Path) -> Iterator[OrderMessage]:
    """Level 3 records. Adds become limit orders, cancels and modifies follow them, and each trade is replayed as its aggressor: an IOC order
    at the trade price. Fill records repeat what the trade did to the resting side, so they are not sent."""
    try:
        import databento_dbn  # optional: only this loader needs it
        import zstandard
    except ImportError:
        raise BadFile(f"{path}: needs the extra tokenx[data] (databento-dbn, zstandard)") from None
    raw = path.read_bytes()
    if path.suffix == ".zst":
        raw = zstandard.ZstdDecompressor().stream_reader(raw).read()
    decoder: Any = databento_dbn.DBNDecoder()
    try:
        decoder.write(raw)
        records = decoder.decode()[1:]
    except (ValueError, databento_dbn.DBNError) as error:
        raise BadFile(f"{path}: not a Databento file: {error}") from None
    return _databento_messages(records)


def _databento_messages(records: list[Any]) -> Iterator[OrderMessage]:
    for number, record in enumerate(records):
        action, side = str(record.action), str(record.side)
        message = _databento_message(record, action, side, number)
        if message is not None:
            yield message


def _databento_message(record: Any, action: str, side: str, number: int) -> OrderMessage | None:
    if side not in ("A", "B"):
        return None
    ours: Literal["buy", "sell"] = "buy" if side == "B" else "sell"
    ticks, quantity = int(record.price) // _DBN_TICK_NANOS, int(record.size)
    if action == "A":
        return OrderMessage("new", str(record.order_id), ours, price_ticks=ticks, quantity=quantity)
    if action == "C":
        return OrderMessage("cancel", str(record.order_id), ours)
    if action == "M":
        return OrderMessage("replace", str(record.order_id), ours, price_ticks=ticks, quantity=quantity)
    if action == "T" and quantity:
        return OrderMessage(
            "new", f"aggressor-{number}", ours, time_in_force="ioc", price_ticks=ticks, quantity=quantity
        )
    return None


# --- the benchmark's flow files (64-byte header, 32-byte records) ---

_FLOW_HEADER: Final = struct.Struct("<8sIIIIQQqqQ")
_FLOW_RECORD: Final = struct.Struct("<BBBBIQqQ")
_FLOW_TIF: Final[tuple[Literal["gtc", "ioc", "fok"], ...]] = ("gtc", "ioc", "fok", "gtc")


def load_flow(path: Path) -> Iterator[OrderMessage]:
    """Binary flow files; all symbols are played into one book under separate names."""
    raw = path.read_bytes()
    if len(raw) < _FLOW_HEADER.size or not raw.startswith(b"TKXFLOW1"):
        raise BadFile(f"{path}: not a flow file")
    count = _FLOW_HEADER.unpack_from(raw)[5]
    if len(raw) < _FLOW_HEADER.size + count * _FLOW_RECORD.size:
        raise BadFile(f"{path}: the file ends before its last record")
    for index in range(count):
        op, side, tif, _, symbol, order, price, quantity = _FLOW_RECORD.unpack_from(
            raw, _FLOW_HEADER.size + index * _FLOW_RECORD.size
        )
        ref, ours = f"{symbol}-{order}", _SIDES[int(side)]
        if op == 0:
            yield OrderMessage("new", ref, ours, "limit", _FLOW_TIF[int(tif)], price, quantity, post_only=tif == 3)
        elif op == 1:
            yield OrderMessage("new", ref, ours, "market", "ioc", None, quantity)
        elif op == 2 or quantity == 0:
            yield OrderMessage("cancel", ref, ours)
        else:
            yield OrderMessage("replace", ref, ours, price_ticks=price, quantity=quantity)


# --- NASDAQ TotalView-ITCH 5.0 ---

_ITCH_LENGTH: Final = {"S": 12, "R": 39, "H": 25, "Y": 20, "L": 26, "V": 35, "W": 12, "K": 28, "J": 35, "h": 21, "A": 36, "F": 40, "E": 31, "C": 36,
                       "X": 23, "D": 19, "U": 35, "P": 44, "Q": 40, "B": 19, "I": 50, "N": 20, "O": 48}  # fmt: skip


def load_itch(path: Path) -> Iterator[OrderMessage]:
    """Order messages of the busiest stock in the file; each execution is replayed as its aggressor. A two-byte length may precede each message
    (and may be zero: lengths come from the message type)."""
    raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    messages = list(_itch_frames(path, raw))
    stocks: dict[bytes, int] = {}
    for frame in messages:
        if frame[:1] in (b"A", b"F"):
            stocks[frame[24:32]] = stocks.get(frame[24:32], 0) + 1
    if not stocks:
        raise BadFile(f"{path}: no add-order message: not an ITCH 5.0 file")
    return _itch_messages(messages, max(stocks, key=lambda stock: stocks[stock]))


def _itch_frames(path: Path, raw: bytes) -> Iterator[bytes]:
    at = 0
    while at + 2 < len(raw):
        kind = chr(raw[at + 2])
        length = _ITCH_LENGTH.get(kind)
        if length is None:
            raise BadFile(f"{path}: unknown message type {kind!r} at byte {at}")
        yield raw[at + 2 : at + 2 + length]
        at += 2 + length


def _itch_messages(frames: list[bytes], stock: bytes) -> Iterator[OrderMessage]:
    live: dict[int, tuple[Literal["buy", "sell"], int, int]] = {}
    for number, frame in enumerate(frames):
        kind = frame[:1]
        if kind in (b"A", b"F") and frame[24:32] == stock:
            order, side = int.from_bytes(frame[11:19]), _SIDES[int(frame[19:20] == b"S")]
            shares, price = int.from_bytes(frame[20:24]), int.from_bytes(frame[32:36])
            live[order] = (side, price, shares)
            yield OrderMessage("new", str(order), side, price_ticks=price, quantity=shares)
        elif kind in (b"E", b"C", b"X", b"D", b"U") and int.from_bytes(frame[11:19]) in live:
            yield from _itch_change(kind, frame, number, live)


def _itch_change(
    kind: bytes, frame: bytes, number: int, live: dict[int, tuple[Literal["buy", "sell"], int, int]]
) -> Iterator[OrderMessage]:
    order = int.from_bytes(frame[11:19])
    side, price, shares = live.pop(order)
    if kind == b"D":
        yield OrderMessage("cancel", str(order), side)
        return
    if kind == b"U":
        new, left, new_price = int.from_bytes(frame[19:27]), int.from_bytes(frame[27:31]), int.from_bytes(frame[31:35])
        live[new] = (side, new_price, left)
        yield OrderMessage("cancel", str(order), side)
        yield OrderMessage("new", str(new), side, price_ticks=new_price, quantity=left)
        return
    done = int.from_bytes(frame[19:23])
    if shares > done:
        live[order] = (side, price, shares - done)
    if kind == b"X":
        action: Action = "replace" if shares > done else "cancel"
        yield OrderMessage(
            action, str(order), side, price_ticks=price if shares > done else None, quantity=max(0, shares - done)
        )
    else:
        yield OrderMessage(
            "new",
            f"aggressor-{number}",
            _SIDES[int(side == "buy")],
            time_in_force="ioc",
            price_ticks=price,
            quantity=done,
        )
