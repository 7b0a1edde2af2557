"""Invented recordings in the formats of venues, message by message, and a way to run the command line."""

import os
import struct
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import databento_dbn as dbn
from databento_dbn.metadata import MappingInterval

from matcher_core.feeds.detect import open_source
from matcher_core.records import Command, iter_commands
from matcher_core.replay import ReplayResult, replay

Environment = dict[str, str]


def run(*arguments: str | Path, env: Environment | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "matcher_core", *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=120, check=False, env={**os.environ, **(env or {})}
    )


def run_without(package: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """The command line as it is on a machine that lacks an optional package."""
    code = f"import sys; sys.modules[{package!r}] = None; from matcher_core.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def replayed(path: Path, *, symbol: str | None = None, limit: int | None = None) -> ReplayResult:
    return replay(open_source(path, symbol=symbol, limit=limit), batch=16)


def commands(path: Path) -> list[Command]:
    """What a recording becomes."""
    return [command for chunk in open_source(path).chunks() for command in iter_commands(chunk.commands)]


def fills(result: ReplayResult) -> tuple[int | None, int | None]:
    """(recorded, reproduced)"""
    return result.fills_recorded, result.fills_reproduced


# --- NASDAQ ITCH 5.0 ---


def itch(kind: str, body: bytes, *, prefix: bool = True) -> bytes:
    """One message behind its length, or behind two zeros."""
    message = kind.encode() + bytes(10) + body
    return (len(message) if prefix else 0).to_bytes(2, "big") + message


def itch_system(*, prefix: bool = True) -> bytes:
    return itch("S", b"O", prefix=prefix)


def itch_add(ref: int, side: str, shares: int, price: int, stock: str = "ACME", *, prefix: bool = True) -> bytes:
    return itch("A", struct.pack(">QcI8sI", ref, side.encode(), shares, stock.ljust(8).encode(), price), prefix=prefix)


def itch_executed(ref: int, shares: int, *, prefix: bool = True) -> bytes:
    return itch("E", struct.pack(">QIQ", ref, shares, 1), prefix=prefix)


def itch_executed_at(ref: int, shares: int, price: int) -> bytes:
    return itch("C", struct.pack(">QIQcI", ref, shares, 1, b"Y", price))


def itch_reduced(ref: int, shares: int) -> bytes:
    return itch("X", struct.pack(">QI", ref, shares))


def itch_deleted(ref: int) -> bytes:
    return itch("D", struct.pack(">Q", ref))


def itch_replaced(ref: int, new: int, shares: int, price: int) -> bytes:
    return itch("U", struct.pack(">QQII", ref, new, shares, price))


def itch_hidden(shares: int, price: int, stock: str = "ACME") -> bytes:
    return itch("P", struct.pack(">QcI8sIQ", 0, b"B", shares, stock.ljust(8).encode(), price, 1))


# --- Databento market by order ---

TICK = 250_000_000
LAST = 0x80
DAY = date(2024, 1, 2)


@dataclass
class Interval:
    start_date: date
    end_date: date
    symbol: str


@dataclass
class Mapping:
    raw_symbol: str
    intervals: Sequence[MappingInterval]


def mbo(
    action: str, side: str, order_id: int, ticks: int, size: int, *, last: bool = True, instrument: int = 7
) -> bytes:
    """One record; `last` ends the event."""
    return bytes(
        dbn.MBOMsg(
            1, instrument, 3, order_id, ticks * TICK, size, action=dbn.Action(action), side=dbn.Side(side), ts_recv=4,
            flags=LAST if last else 0, ts_in_delta=0, sequence=0, channel_id=0,
        )
    )  # fmt: skip


def dbn_file(*records: bytes, version: int = 3, schema: str = "mbo") -> bytes:
    """Instrument 7 is called ESH4, instrument 8 ESM4."""
    mappings = [Mapping("ESH4", [Interval(DAY, DAY, "7")]), Mapping("ESM4", [Interval(DAY, DAY, "8")])]
    metadata = dbn.Metadata(
        "TEST", 1, dbn.SType("raw_symbol"), dbn.SType("instrument_id"), dbn.Schema(schema), ["ESH4", "ESM4"], [], [], mappings, version=version
    )  # fmt: skip
    return bytes(metadata) + b"".join(records)
