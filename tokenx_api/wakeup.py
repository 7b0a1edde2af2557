"""In-process bells: a request waits for its order to change, the relay waits for a new outbox row. Missing one only costs the waiter's own timeout."""

import asyncio
from collections import defaultdict


class Wakeups:
    """Named events: ring(name) wakes every wait(name)."""

    def __init__(self) -> None:
        self._waiters: defaultdict[str, set[asyncio.Event]] = defaultdict(set)

    def ring(self, name: str) -> None:
        """Wake everyone who waits for `name` now."""
        for event in self._waiters.get(name, ()):
            event.set()

    async def wait(self, name: str, *, timeout_s: float) -> bool:
        """Whether it rang within the time."""
        event = asyncio.Event()
        self._waiters[name].add(event)
        try:
            await asyncio.wait_for(event.wait(), timeout_s)
        except TimeoutError:
            return False
        else:
            return True
        finally:
            self._waiters[name].discard(event)
            if not self._waiters[name]:
                del self._waiters[name]
