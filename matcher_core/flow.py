"""Order-flow files: recorded operations on one or more symbols, and how they become commands.

A file is a 64-byte header and 32-byte records, little-endian.
    header  8s magic "TKXFLOW1", u32 version 1, u32 header size 64, u32 record size 32, u32 symbols, u64 records,
            u64 warm (the first `warm` records only build the books), i64 lowest price, i64 highest price, u64 highest id
    record  u8 op (0 limit, 1 market, 2 cancel, 3 modify), u8 side, u8 tif (0 rest, 1 IOC, 2 FOK, 3 post-only), u8 zero,
            u32 symbol, u64 id, i64 price, u64 quantity
Orders have no owners, so self-trade prevention never applies. A modify to quantity 0 is a cancel.
"""

import mmap
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, NamedTuple, TypeAlias

from matcher_core.feeds.chunks import BadFile, Bytes, Chunk
from matcher_core.records import COMMAND
from matcher_core.types import CommandFlag, Op, TimeInForce

MAGIC = b"TKXFLOW1"
HEADER = struct.Struct("<8sIIIIQQqqQ")
RECORD = struct.Struct("<BBBBIQqQ")
LIMIT, MARKET, CANCEL, MODIFY = range(4)
REST, IOC, FOK, POST = range(4)
CHUNK_RECORDS: Final = 1 << 18
"""Records converted at once: 16 MiB of commands."""

Packer: TypeAlias = Callable[[memoryview, int, int | None], Bytes]
"""(raw records, number of the first, symbol wanted or None) -> packed commands."""


class Outcome(NamedTuple):
    """What a record of one (op, tif) becomes. `entering` says whether its side is used."""

    op: int
    entering: bool
    tif: int
    flags: int


def _outcome(op: int, tif: int) -> Outcome:
    if op == LIMIT:
        rests = TimeInForce.GTC if tif in (REST, POST) else TimeInForce(tif)
        return Outcome(Op.LIMIT, True, rests, CommandFlag.POST_ONLY if tif == POST else 0)
    if op == MARKET:
        return Outcome(Op.MARKET, True, TimeInForce.FOK if tif == FOK else TimeInForce.IOC, 0)
    return Outcome(Op.CANCEL if op == CANCEL else Op.REPLACE, False, 0, 0)


OUTCOMES: Final = tuple(_outcome(op, tif) for op in range(4) for tif in range(4))
"""By op * 4 + tif. A modify to quantity 0 is a cancel all the same."""


class Flow(NamedTuple):
    """A checked file. `rows` are the raw records, mapped, not read: nothing of the file needs to fit into memory."""

    symbols: int
    warm: int
    records: int
    rows: memoryview


def read_flow(path: Path) -> Flow:
    """Open and check a file. Raises BadFile and OSError."""
    raw = _mapped(path)
    if len(raw) < HEADER.size:
        raise BadFile(path, f"a flow file has at least {HEADER.size} bytes, this one {len(raw)}")
    magic, version, header_size, record_size, symbols, count, warm, *_ = HEADER.unpack_from(raw)
    if (magic, version, header_size, record_size) != (MAGIC, 1, HEADER.size, RECORD.size):
        raise BadFile(path, "not a version 1 flow file")
    rows = raw[HEADER.size :]
    if len(rows) != count * RECORD.size:
        raise BadFile(path, f"announces {count} records, has {len(rows)} bytes of them")
    if symbols == 0:
        raise BadFile(path, "names no symbol")
    if warm > count:
        raise BadFile(path, f"{warm} warm records of {count}")
    _check_rows(path, rows, symbols)
    return Flow(symbols, warm, count, rows)


def _mapped(path: Path) -> memoryview:
    with path.open("rb") as file:
        if path.stat().st_size == 0:  # which cannot be mapped
            return memoryview(b"")
        return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))


def _check_rows(path: Path, rows: memoryview, symbols: int) -> None:
    """Column by column, which plain Python does fast; only a bad file is then searched for its first bad record."""
    for first in range(0, len(rows), CHUNK_RECORDS * RECORD.size):
        part = rows[first : first + CHUNK_RECORDS * RECORD.size]
        raw = part.tobytes()
        columns = max(raw[0::32]) > MODIFY or max(raw[1::32]) > 1 or max(raw[2::32]) > POST or any(raw[3::32])
        if columns or max(part.cast("I")[1::8]) >= symbols:
            _complain(path, part, first // RECORD.size, symbols)


def _complain(path: Path, part: memoryview, first: int, symbols: int) -> None:
    for number, (op, side, tif, pad, symbol, *_) in enumerate(RECORD.iter_unpack(part), first):
        if op > MODIFY or side > 1 or tif > POST or pad != 0 or symbol >= symbols:
            raise BadFile(path, f"record {number} has op {op}, side {side}, tif {tif}, pad {pad}, symbol {symbol}")


def pack_plainly(rows: memoryview, first: int, only: int | None = None) -> bytes:
    """Packed commands of raw records, in order. A command's seq is its record's number, counted from `first`."""
    numbered = enumerate(RECORD.iter_unpack(rows), first)
    return b"".join([COMMAND.pack(*_command(n, row)) for n, row in numbered if only is None or row[4] == only])


def _command(seq: int, row: tuple[int, ...]) -> tuple[int, ...]:
    op, side, tif, _pad, symbol, order_id, price, quantity = row
    becomes = OUTCOMES[op * 4 + tif]
    if becomes.op == Op.CANCEL or (becomes.op == Op.REPLACE and quantity == 0):
        return (Op.CANCEL, 0, 0, 0, symbol, seq, order_id, 0, 0, 0, 0, 0)
    price = 0 if becomes.op == Op.MARKET else price
    side = side if becomes.entering else 0
    return (becomes.op, side, becomes.tif, becomes.flags, symbol, seq, order_id, 0, 0, price, quantity, 0)


def best_packer() -> Packer:
    """With numpy where it is installed: some twenty times as fast."""
    try:
        from matcher_core.arrays import pack_flow
    except ImportError:
        return pack_plainly
    return pack_flow


class FlowSource:
    """A flow file as chunks of commands, cut where the warm records end."""

    kind: str = "flow"

    def __init__(self, path: Path, *, only: int | None = None, limit: int | None = None) -> None:
        self._flow = read_flow(path)
        if only is not None and not 0 <= only < self._flow.symbols:
            raise BadFile(path, f"has the symbols 0 to {self._flow.symbols - 1}, not {only}")
        self._only = only
        self.total = self._flow.records if limit is None else min(limit, self._flow.records)
        self.warm = min(self._flow.warm, self.total)
        self.symbols = list(range(self._flow.symbols)) if only is None else [only]
        self.names: dict[int, str] = {}
        self.facts: dict[str, int] = {}

    def chunks(self) -> Iterator[Chunk]:
        pack = best_packer()
        for start, stop, timed in self._pieces():
            rows = self._flow.rows[start * RECORD.size : stop * RECORD.size]
            yield Chunk(commands=pack(rows, start, self._only), timed=timed, done=stop)

    def _pieces(self) -> Iterator[tuple[int, int, bool]]:
        for low, high, timed in ((0, self.warm, False), (self.warm, self.total, True)):
            for start in range(low, high, CHUNK_RECORDS):
                yield start, min(start + CHUNK_RECORDS, high), timed
