"""`top FILE`: a recording's book, live in the terminal."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from matcher_core.cli.arguments import Plain, positive
from matcher_core.cli.errors import Refused
from matcher_core.cli.keys import Wait, keys
from matcher_core.feeds.detect import open_source
from matcher_core.feeds.pieces import MissingPackage
from matcher_core.top import Player

if TYPE_CHECKING:
    from rich.console import Console

    from matcher_core.cli.arguments import Verbs

FRAMES_PER_S: Final = 10
HEAD_LINES: Final = 4
DEFAULT_SPEED: Final = 2000
NARROW: Final = 100  # columns of a frame that no terminal shows

ABOUT = """\
Replay a recording and watch its book: the prices of both sides with what stands at them, the last trades, and how fast the
engine is. Of several symbols the busiest one at the beginning is shown, or the one asked for. Needs Rich: pip install rich
"""
MORE = """\
keys      q leaves, space pauses. Ctrl-C leaves too (exit status 130).
without a terminal, --frames N prints N frames one after the other and does not wait between them.

example
  python -m matcher_core top session.mbo.dbn.zst --symbol ESH4 --speed 5000
"""


def add(verbs: "Verbs") -> None:
    parser = verbs.add_parser(
        "top", help="watch a recording's book in the terminal", description=ABOUT, epilog=MORE, formatter_class=Plain
    )
    parser.add_argument("file", type=Path)
    parser.add_argument("--symbol", help="the one to replay and show")
    parser.add_argument(
        "--speed",
        type=positive,
        default=DEFAULT_SPEED,
        metavar="N",
        help=f"commands per second (default {DEFAULT_SPEED})",
    )
    parser.add_argument("--frames", type=positive, metavar="N", help="leave after N frames")
    parser.add_argument("--levels", type=positive, metavar="N", help="prices shown (default: as many as fit, or 10)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    try:
        from rich.console import Console
    except ImportError:
        raise MissingPackage("top needs a package: pip install rich") from None
    if arguments.frames is None and not sys.stdout.isatty():
        raise Refused("top needs a terminal, or --frames N")
    player = Player(open_source(arguments.file, symbol=arguments.symbol))
    console = Console() if sys.stdout.isatty() else Console(width=NARROW)
    if console.is_terminal:
        with keys() as wait:
            _live(console, player, arguments, wait)
    else:
        _plain(console, player, arguments)
    return 0


def _plain(console: "Console", player: Player, arguments: argparse.Namespace) -> None:
    from matcher_core.cli.top_view import screen

    levels = arguments.levels or 10
    for _ in range(arguments.frames):
        player.advance(max(1, arguments.speed // FRAMES_PER_S))
        now = player.standing(levels)
        console.print(screen(now, title=arguments.file.name, speed=arguments.speed, paused=False, levels=levels))
        if player.ended:
            return


def _live(console: "Console", player: Player, arguments: argparse.Namespace, wait: Wait) -> None:
    from rich.live import Live

    from matcher_core.cli.top_view import screen

    paused, left = False, arguments.frames
    with Live(console=console, screen=True, auto_refresh=False) as live:
        while left is None or left > 0:
            if not paused:
                player.advance(max(1, arguments.speed // FRAMES_PER_S))
            levels = arguments.levels or max(1, console.size.height - HEAD_LINES)
            now = player.standing(levels)
            live.update(
                screen(now, title=arguments.file.name, speed=arguments.speed, paused=paused, levels=levels),
                refresh=True,
            )
            left = left and left - 1
            key = wait(1 / FRAMES_PER_S)
            if key in ("q", "Q"):
                return
            paused ^= key == " "
