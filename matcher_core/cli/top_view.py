"""How `top` looks, drawn by Rich. Imported only when Rich is installed."""

from collections.abc import Sequence
from typing import Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from matcher_core.top import Standing
from matcher_core.types import DepthLevel, Side

BAR: Final = 20
BID, ASK = "green", "red"
PARTS: Final = "▏▎▍▌▋▊▉█"
MIRRORED: Final = str.maketrans("▏▎▍▌▋▊▉", "▕▕▕▐▐▐▐")
"""Bars that grow to the left end in the few part blocks there are for it."""


def screen(now: Standing, *, title: str, speed: int, paused: bool, levels: int) -> RenderableType:
    """The whole picture, `levels` + 4 lines high."""
    body = Table.grid(padding=(0, 2))
    body.add_row(_ladder(now, levels), _ticker(now, levels))
    return Group(_headline(now, title), _speeds(now, speed=speed, paused=paused), body)


def _headline(now: Standing, title: str) -> Text:
    line = Text.assemble((title, "bold"), "  ", (now.symbol, "bold cyan"), f"  {now.position / 10:.1f} %")
    return line.append(
        f"  {now.commands:,} commands  {now.trades:,} trades  {now.resting:,} resting", style="bright_black"
    )


def _speeds(now: Standing, *, speed: int, paused: bool) -> Text:
    state = "end of file" if now.ended else "paused" if paused else f"replaying {speed:,} commands/s"
    return Text(f"{state}  engine {now.process_per_s:,} commands/s  q leaves, space pauses", style="bright_black")


def _ladder(now: Standing, levels: int) -> Table:
    table = Table(box=None, padding=(0, 1), header_style="bright_black")
    for name in ("orders", "lots", "", "bid"):
        table.add_column(name, justify="right", min_width=BAR if not name else None)
    table.add_column("ask", justify="right")
    table.add_column("", min_width=BAR)
    for name in ("lots", "orders"):
        table.add_column(name, justify="right")
    most = max((level.quantity_lots for level in (*now.bids, *now.asks)), default=1)
    for at in range(levels):
        bid, ask = _cells(now.bids, at, most), _cells(now.asks, at, most)
        table.add_row(
            bid[0], bid[1], Text(bid[2].translate(MIRRORED)[::-1], BID), Text(bid[3], f"bold {BID}"),
            Text(ask[3], f"bold {ASK}"), Text(ask[2], ASK), ask[1], ask[0],
        )  # fmt: skip
    return table


def _cells(side: Sequence[DepthLevel], at: int, most: int) -> tuple[str, str, str, str]:
    """(orders, lots, bar, price) of the level, empty below the last one."""
    if at >= len(side):
        return "", "", "", ""
    level = side[at]
    return f"{level.orders:,}", f"{level.quantity_lots:,}", bar(level.quantity_lots, most), str(level.price_ticks)


def bar(quantity: int, most: int) -> str:
    """Up to BAR cells long, in eighths; never nothing."""
    eighths = max(1, 8 * BAR * quantity // max(most, 1))
    whole, rest = divmod(eighths, 8)
    return "█" * whole + (PARTS[rest - 1] if rest else "")


def _ticker(now: Standing, levels: int) -> Table:
    table = Table(box=None, padding=(0, 1), header_style="bright_black")
    table.add_column("trade", justify="right")
    table.add_column("lots", justify="right")
    for trade in now.prints[:levels]:
        color = BID if trade.taker_side == Side.BUY else ASK
        table.add_row(Text(str(trade.price_ticks), color), f"{trade.quantity_lots:,}")
    return table
