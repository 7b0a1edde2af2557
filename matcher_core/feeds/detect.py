"""What kind of recording a file is, by its content."""

from pathlib import Path

from matcher_core.feeds.chunks import BadFile, Source
from matcher_core.feeds.databento import DatabentoSource, is_databento
from matcher_core.feeds.itch import ItchSource, is_itch
from matcher_core.feeds.lobster import LobsterSource, is_lobster
from matcher_core.feeds.pieces import GZIP, ZSTD, head
from matcher_core.flow import MAGIC, FlowSource


def open_source(path: Path, *, symbol: str | None = None, limit: int | None = None) -> Source:
    """The reader for a file. `symbol` keeps one symbol of several, `limit` the first records.

    Raises OSError, ValueError (BadFile) with one plain line, and MissingPackage.
    """
    begins = head(path)
    if begins.startswith(MAGIC):
        return _flow(path, symbol, limit)
    if is_databento(begins):
        return DatabentoSource(path, only=symbol, limit=limit)
    if is_lobster(begins):
        return LobsterSource(path, only=symbol, limit=limit)
    if is_itch(begins):
        return ItchSource(path, only=symbol, limit=limit)
    if not begins:
        raise BadFile(path, "is empty")
    raise BadFile(path, "is none of: a flow file (TKXFLOW1), NASDAQ ITCH 5.0, Databento MBO, LOBSTER messages")


def _flow(path: Path, symbol: str | None, limit: int | None) -> Source:
    with path.open("rb") as file:
        first = file.read(4)
    if first.startswith((GZIP, ZSTD)):
        raise BadFile(path, "is a compressed flow file: unpack it first")
    if symbol is not None and not symbol.isdecimal():
        raise BadFile(path, f"names its symbols by number, not {symbol!r}")
    return FlowSource(path, only=None if symbol is None else int(symbol), limit=limit)
