"""Single key presses from a terminal, waited for with a time limit. Without a terminal the wait is only a wait."""

import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from threading import Event
from typing import TypeAlias

Wait: TypeAlias = Callable[[float], str]
"""Seconds -> the key pressed meanwhile, or ""."""


@contextmanager
def keys() -> Generator[Wait, None, None]:
    """The terminal is put back as it was, whatever happens."""
    if not sys.stdin.isatty():
        yield _only_wait
    elif sys.platform == "win32":
        yield _wait_on_windows
    else:
        import termios
        import tty

        before = termios.tcgetattr(sys.stdin)
        tty.setcbreak(sys.stdin)
        try:
            yield _wait_for_key
        finally:
            termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)


def _only_wait(seconds: float) -> str:
    Event().wait(seconds)
    return ""


def _wait_for_key(seconds: float) -> str:
    import os
    import select

    ready, _, _ = select.select([sys.stdin], [], [], seconds)
    return os.read(sys.stdin.fileno(), 1).decode("ascii", "replace") if ready else ""


def _wait_on_windows(seconds: float) -> str:
    import msvcrt

    _only_wait(seconds)  # a console there cannot be selected on
    return msvcrt.getwch() if msvcrt.kbhit() else ""  # pyright: ignore  # exists on Windows only
