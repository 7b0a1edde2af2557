"""Waiting for a condition from synchronous code."""

import threading
from collections.abc import Callable

from tokenx_common.clock import monotonic_s


def wait_until(condition: Callable[[], bool], timeout_s: float, *, poll_s: float = 0.05) -> bool:
    """Whether the condition came true in time. It is asked every poll_s."""
    deadline, pause = monotonic_s() + timeout_s, threading.Event()
    while not condition():
        if monotonic_s() > deadline:
            return False
        pause.wait(poll_s)
    return True
