"""`replay FILE`: a recording through the book, with digests, times, and fills compared with the recorded ones."""

import argparse
import json
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from matcher_core.cli import table
from matcher_core.cli.arguments import Plain, positive
from matcher_core.cli.progress import bar
from matcher_core.feeds.detect import open_source
from matcher_core.replay import ReplayResult, replay

if TYPE_CHECKING:
    from matcher_core.cli.arguments import Verbs

ABOUT = """\
Replay a recording of order flow through the compiled book. The kind of file is told by its content:

  flow         our own operations file, "TKXFLOW1"
  itch         NASDAQ TotalView-ITCH 5.0, plain or gzip
  databento    Databento market by order, .dbn or .dbn.zst (zstd: pip install 'tokenx[databento]')
  lobster      LOBSTER message CSV
"""
MORE = """\
what the figures mean
  trades_digest  blake2b-256 over every fill: u64 maker, u64 taker, i64 price, u64 quantity (what --trades-out writes)
  book_digest    blake2b-256 over what rests at the end: u32 symbol, u32 side, i64 price, u64 id, u64 open, in priority order
  cpu_ns_per_op  thread CPU time of the batch calls over the commands in them; ops_per_s is their wall time.
                 Reading, packing and digesting are outside. In flow files only records after the warm ones count.
  p50 p99 p99.9  wall time of `process` with one command, called from Python: the call, the matching, the events made and
                 dropped, and two readings of the clock, whose cost alone is timer_ns. Garbage collection is off meanwhile.
  fills          recordings of a venue are replayed as orders, an execution as an immediate-or-cancel order from the other
                 side. A fill is reproduced when that command gave the same order the same quantity at the same price.
                 What cannot be: reserves of icebergs (not shown before they trade), executions at a price that is not the
                 order's own, fills of orders older than the recording.
  already_gone   recorded cancels of an order whose fill our book reproduced: refused, and rightly. Not part of rejected.

example
  python -m matcher_core replay session.mbo.dbn.zst --json
"""


def add(verbs: "Verbs") -> None:
    parser = verbs.add_parser(
        "replay", help="replay a recording and measure it", description=ABOUT, epilog=MORE, formatter_class=Plain
    )
    parser.add_argument("file", type=Path)
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    parser.add_argument("--batch", type=positive, default=1024, metavar="N", help="commands per call (default 1024)")
    parser.add_argument("--trades-out", type=Path, metavar="FILE", help="write every fill as a 32-byte record")
    parser.add_argument("--symbol", help="only this one: a stock, an instrument's name or id, a number in flow files")
    parser.add_argument("--limit", type=positive, metavar="N", help="only the first N records of the file")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    source = open_source(arguments.file, symbol=arguments.symbol, limit=arguments.limit)
    with ExitStack() as stack:
        out = arguments.trades_out and stack.enter_context(arguments.trades_out.open("wb"))
        progress = stack.enter_context(bar(arguments.file.name, source.total))
        result = replay(source, batch=arguments.batch, trades_out=out, progress=progress)
    sys.stdout.write(json.dumps(result.as_json()) + "\n" if arguments.json else as_table(result))
    return 0


def as_table(result: ReplayResult) -> str:
    gone = f" ({table.count(result.already_gone)} more were already gone)" if result.already_gone else ""
    rows = [
        ("kind", result.kind),
        ("commands", f"{table.count(result.ops)} timed, in batches of {table.count(result.batch)}"),
        ("symbols", table.count(result.symbols)),
        *((name.replace("_", " "), table.count(value)) for name, value in result.facts.items()),
        ("", ""),
        ("trades", table.count(result.trades)),
        ("trades digest", result.trades_digest),
        ("resting", table.count(result.resting)),
        ("book digest", result.book_digest),
        ("rejected", table.count(result.rejected) + gone),
        *_fills(result),
        ("", ""),
        ("speed", f"{table.count(result.ops_per_s)} commands/s, {result.cpu_ns_per_op} ns of CPU each"),
        ("single calls", f"p50 {result.p50_ns}  p99 {result.p99_ns}  p99.9 {result.p999_ns} ns"),
        ("clock", f"{result.timer_ns} ns of each single call"),
        ("memory", f"{table.count(result.memory_bytes)} bytes"),
        ("machine", "{cpu}, {cores} cores, {system}, {python}".format(**result.machine)),
        ("build", result.build_id),
    ]
    return table.pairs(rows)


def _fills(result: ReplayResult) -> list[tuple[str, str]]:
    if result.fills_recorded is None or result.fills_reproduced is None:
        return []
    share = 100 * result.fills_reproduced / max(result.fills_recorded, 1)
    reproduced, recorded = table.count(result.fills_reproduced), table.count(result.fills_recorded)
    return [("fills", f"{reproduced} of {recorded} recorded ones reproduced ({share:.1f} %)")]
