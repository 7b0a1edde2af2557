"""A file's content piece by piece, unpacked if it is packed (gzip, zstd), so that memory stays bounded.

Which it is shows in the first bytes; names of files decide nothing.
"""

import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, NamedTuple, Protocol, cast

from matcher_core.feeds.chunks import BadFile

GZIP: Final = b"\x1f\x8b"
ZSTD: Final = b"\x28\xb5\x2f\xfd"
PIECE: Final = 1 << 18


class MissingPackage(RuntimeError):
    """An optional package is needed; the message says how to get it."""


class _Unpacker(Protocol):
    """What zlib's, zstandard's and compression.zstd's decompressors have in common."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, /) -> bytes: ...


def pieces(path: Path) -> Iterator[tuple[bytes, int]]:
    """(content, bytes of the file read so far). Raises OSError, BadFile and MissingPackage."""
    with path.open("rb") as file:
        first = file.read(PIECE)
        raw = iter(lambda: file.read(PIECE), b"")
        if first.startswith(GZIP):
            yield from _unpacked(path, first, raw, _Packing(lambda: zlib.decompressobj(wbits=31), zlib.error))
        elif first.startswith(ZSTD):
            yield from _unpacked(path, first, raw, _zstd(path))
        else:
            position = len(first)
            yield first, position
            for piece in raw:
                position += len(piece)
                yield piece, position


class _Packing(NamedTuple):
    """How to begin unpacking, and what the unpacker raises at bad data."""

    fresh: Callable[[], _Unpacker]
    error: type[Exception]


def _unpacked(path: Path, first: bytes, raw: Iterator[bytes], packing: _Packing) -> Iterator[tuple[bytes, int]]:
    unpacker = packing.fresh()
    position, piece = len(first), first
    while piece:
        try:
            content = unpacker.decompress(piece)
        except packing.error as error:
            raise BadFile(path, f"cannot be unpacked: {error}") from None
        yield content, position
        rest = unpacker.unused_data if unpacker.eof else b""
        piece = rest or next(raw, b"")
        position += 0 if rest else len(piece)
        if unpacker.eof and piece:  # another member or frame follows
            unpacker = packing.fresh()
    if not unpacker.eof:
        raise BadFile(path, "is truncated: the compressed data has no end")


def _zstd(path: Path) -> _Packing:
    try:
        from compression import zstd  # pyright: ignore  # Python 3.14 and later
    except ImportError:
        return _zstandard(path)
    return cast(_Packing, _Packing(zstd.ZstdDecompressor, zstd.ZstdError))  # pyright: ignore  # as above


def _zstandard(path: Path) -> _Packing:
    try:
        import zstandard
    except ImportError:
        raise MissingPackage(f"{path}: zstd needs a package: pip install 'tokenx[databento]'") from None
    return _Packing(lambda: zstandard.ZstdDecompressor().decompressobj(), zstandard.ZstdError)


def head(path: Path, size: int = 4096) -> bytes:
    """The first bytes of the content, fewer only if the file has fewer."""
    found = b""
    for piece, _ in pieces(path):
        found += piece
        if len(found) >= size:
            break
    return found[:size]
