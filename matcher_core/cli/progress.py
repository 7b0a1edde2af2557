"""A progress bar on standard error while it is a terminal; otherwise nothing."""

import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Final, TextIO

WIDTH: Final = 32


@contextmanager
def bar(title: str, total: int) -> Generator[Callable[[int], None], None, None]:
    """Yields a function that takes how much of `total` is done. Rich draws it where it is installed."""
    if not sys.stderr.isatty():
        yield lambda done: None
        return
    try:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
    except ImportError:
        yield from _plain(title, total, sys.stderr)
        return
    looks = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*looks, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(title, total=total)

        def show(done: int) -> None:
            progress.update(task, completed=done)

        yield show


def _plain(title: str, total: int, out: TextIO) -> Generator[Callable[[int], None], None, None]:
    shown = -1

    def show(done: int) -> None:
        nonlocal shown
        percent = 100 * done // max(total, 1)
        if percent != shown:
            shown = percent
            out.write(f"\r{title} [{'#' * (WIDTH * percent // 100):{WIDTH}}] {percent:3}%")
            out.flush()

    try:
        yield show
    finally:
        if shown >= 0:
            out.write("\r" + " " * (len(title) + WIDTH + 8) + "\r")
            out.flush()
