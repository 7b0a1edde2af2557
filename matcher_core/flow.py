"""Order-flow files: recorded operations on one or more symbols, and how they become commands.

A file is a 64-byte header and 32-byte records, little-endian.
    header  8s magic "TKXFLOW1", u32 version 1, u32 header size 64, u32 record size 32, u32 symbols, u64 records,
            u64 warm (the first `warm` records only build the books), i64 lowest price, i64 highest price, u64 highest id
    record  u8 op (0 limit, 1 market, 2 cancel, 3 modify), u8 side, u8 tif (0 rest, 1 IOC, 2 FOK, 3 post-only), u8 zero,
            u32 symbol, u64 id, i64 price, u64 quantity
Orders have no owners, so self-trade prevention never applies. A modify to quantity 0 is a cancel.
"""

import struct
from pathlib import Path
from typing import NamedTuple

from matcher_core.records import COMMAND
from matcher_core.types import CommandFlag, Op, TimeInForce

MAGIC = b"TKXFLOW1"
HEADER = struct.Struct("<8sIIIIQQqqQ")
RECORD = struct.Struct("<BBBBIQqQ")
LIMIT, MARKET, CANCEL, MODIFY = range(4)
REST, IOC, FOK, POST = range(4)


class Flow(NamedTuple):
    """A checked file. `rows` are the raw records."""

    symbols: int
    warm: int
    records: int
    rows: bytes


def read_flow(path: Path) -> Flow:
    """Read and check a file. Raises ValueError, saying what was found, and OSError."""
    raw = path.read_bytes()
    if len(raw) < HEADER.size:
        raise ValueError(f"{path}: a flow file has at least {HEADER.size} bytes, this one {len(raw)}")
    magic, version, header_size, record_size, symbols, count, warm, *_ = HEADER.unpack_from(raw)
    if (magic, version, header_size, record_size) != (MAGIC, 1, HEADER.size, RECORD.size):
        raise ValueError(f"{path}: not a version 1 flow file")
    rows = raw[HEADER.size :]
    if len(rows) != count * RECORD.size:
        raise ValueError(f"{path}: announces {count} records, has {len(rows)} bytes of them")
    if symbols == 0:
        raise ValueError(f"{path}: names no symbol")
    if warm > count:
        raise ValueError(f"{path}: {warm} warm records of {count}")
    _check_rows(path, rows, symbols)
    return Flow(symbols, warm, count, rows)


def _check_rows(path: Path, rows: bytes, symbols: int) -> None:
    for number, (op, side, tif, pad, symbol, *_) in enumerate(RECORD.iter_unpack(rows)):
        if op > MODIFY or side > 1 or tif > POST or pad != 0 or symbol >= symbols:
            raise ValueError(f"{path}: record {number} has op {op}, side {side}, tif {tif}, pad {pad}, symbol {symbol}")


def commands(flow: Flow, start: int, stop: int) -> list[tuple[int, bytes]]:
    """(symbol, packed command) of records start to stop. A command's seq is its record's number."""
    part = flow.rows[start * RECORD.size : stop * RECORD.size]
    return [
        (row[4], COMMAND.pack(*_command(number, row)))
        for number, row in enumerate(RECORD.iter_unpack(part), start=start)
    ]


def _command(seq: int, row: tuple[int, ...]) -> tuple[int, ...]:
    op, side, tif, _pad, symbol, order_id, price, quantity = row
    if op == LIMIT:
        flags = CommandFlag.POST_ONLY if tif == POST else 0
        time_in_force = TimeInForce.GTC if tif == POST else tif
        return (Op.LIMIT, side, time_in_force, flags, symbol, seq, order_id, 0, 0, price, quantity, 0)
    if op == MARKET:
        time_in_force = TimeInForce.FOK if tif == FOK else TimeInForce.IOC
        return (Op.MARKET, side, time_in_force, 0, symbol, seq, order_id, 0, 0, 0, quantity, 0)
    if op == CANCEL or quantity == 0:
        return (Op.CANCEL, 0, 0, 0, symbol, seq, order_id, 0, 0, 0, 0, 0)
    return (Op.REPLACE, 0, 0, 0, symbol, seq, order_id, 0, 0, price, quantity, 0)
