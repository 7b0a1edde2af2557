"""The Databento Binary Encoding, as much of it as market-by-order files need: metadata and MBO records.

Little-endian. A file is "DBN", a version byte, a u32 length and that many bytes of metadata; then records, each beginning
with its own length in words of four bytes. The layout of MBO records is the same in versions 1 to 3.
"""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from matcher_core.feeds.chunks import BadFile
from matcher_core.feeds.pieces import pieces

MAGIC: Final = b"DBN"
PRELUDE: Final = struct.Struct("<3sBI")
MBO: Final = struct.Struct("<BBHIQQqIBBccQiI")
MBO_RTYPE: Final = 0xA0
MBO_SCHEMA: Final = 0
MIXED_SCHEMA: Final = 0xFFFF
LAST: Final = 0x80  # flag: the last record of its event
SNAPSHOT: Final = 0x20  # flag: from a snapshot, an event of its own
UNDEFINED_PRICE: Final = 2**63 - 1
_FIXED: Final = 100  # bytes of metadata before its lists, in every version
_SCHEMA_AT: Final = 16
_SYMBOL_SIZE_AT: Final = 45  # version 2 and later
_SYMBOL_SIZE_V1: Final = 22


class Record(NamedTuple):
    """A market-by-order record. price is in units of 1e-9, action and side are single letters."""

    instrument: int
    order_id: int
    price: int
    size: int
    flags: int
    action: bytes
    side: bytes


def read(path: Path) -> Iterator[tuple[Record | dict[int, str], int]]:
    """First the names of the instruments by their ids, then every MBO record; each with the position in the file.

    Records of other kinds are passed over. Raises BadFile.
    """
    rest, names_read, offset = b"", False, 0
    for piece, position in pieces(path):
        data = rest + piece
        used = 0
        if not names_read:
            used = _metadata_size(data)
            if used > len(data):
                rest = data
                continue
            yield _names(path, data[:used]), position
            names_read = True
        end = _whole(path, data, used, offset)
        for record in _records(data, used, end):
            yield record, position
        rest, offset = data[end:], offset + end
    if not names_read:
        raise BadFile(path, "is truncated: it ends in its metadata")
    if rest:
        raise BadFile(path, f"is truncated: it ends in the middle of the record at byte {offset}")


def _whole(path: Path, data: bytes, start: int, offset: int) -> int:
    """Where the last whole record ends."""
    at, size = start, len(data)
    while at < size:
        length = data[at] * 4
        if length < 16:
            raise BadFile(path, f"has a record of {length} bytes at byte {offset + at}")
        if at + length > size:
            break
        at += length
    return at


def _records(data: bytes, start: int, end: int) -> Iterator[Record]:
    at = start
    while at < end:
        if data[at + 1] == MBO_RTYPE and data[at] * 4 >= MBO.size:
            _, _, _, instrument, _, order_id, price, size, flags, _, action, side, *_ = MBO.unpack_from(data, at)
            yield Record(instrument, order_id, price, size, flags, action, side)
        at += data[at] * 4


def _metadata_size(data: bytes) -> int:
    """Bytes of prelude and metadata; more than there are when even that cannot be told."""
    return PRELUDE.size + PRELUDE.unpack_from(data)[2] if len(data) >= PRELUDE.size else PRELUDE.size


def _names(path: Path, data: bytes) -> dict[int, str]:
    """Instrument id -> symbol, as far as the metadata maps symbols to numbers."""
    version = data[3]
    if not 1 <= version <= 3:
        raise BadFile(path, f"is DBN version {version}; known are 1, 2 and 3")
    try:
        schema = int.from_bytes(data[PRELUDE.size + _SCHEMA_AT :][:2], "little")
        if schema not in (MBO_SCHEMA, MIXED_SCHEMA):
            raise BadFile(path, f"holds the Databento schema number {schema}, not market by order")
        return _mappings(data, version)
    except (struct.error, IndexError):
        raise BadFile(path, "has metadata that cannot be read") from None


def _mappings(data: bytes, version: int) -> dict[int, str]:
    at = PRELUDE.size
    size = _SYMBOL_SIZE_V1 if version == 1 else int.from_bytes(data[at + _SYMBOL_SIZE_AT :][:2], "little")
    at += _FIXED
    at += 4 + _u32(data, at)  # the schema definition
    for _ in range(3):  # symbols, partial, not found
        at += 4 + _u32(data, at) * size
    names: dict[int, str] = {}
    count, at = _u32(data, at), at + 4
    for _ in range(count):
        name, intervals, at = _text(data, at, size), _u32(data, at + size), at + size + 4
        for _ in range(intervals):
            number = _text(data, at + 8, size)
            at += 8 + size
            if number.isdecimal():
                names[int(number)] = name
    return names


def _u32(data: bytes, at: int) -> int:
    return struct.unpack_from("<I", data, at)[0]


def _text(data: bytes, at: int, size: int) -> str:
    return data[at : at + size].partition(b"\0")[0].decode("ascii", "replace")
