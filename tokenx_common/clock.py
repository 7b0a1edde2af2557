"""The only place that reads a clock. Everything else takes a Clock, so that tests move time instead of sleeping."""

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Where a component gets its time from."""

    def now(self) -> datetime:
        """The current time, aware, UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class FrozenClock:
    """A clock for tests: stands still until it is moved."""

    def __init__(self, at: datetime) -> None:
        self._at = at

    def now(self) -> datetime:
        return self._at

    def advance(self, by: timedelta) -> None:
        self._at += by


def utc_now() -> datetime:
    """The current time, aware, UTC, where no Clock is at hand (logs, headers)."""
    return datetime.now(UTC)


def unix_ms() -> int:
    """Milliseconds since 1970-01-01T00:00:00Z."""
    return time.time_ns() // 1_000_000


def monotonic_s() -> float:
    """Seconds of a clock that never goes back; only differences mean something."""
    return time.monotonic()


def rfc3339(at: datetime) -> str:
    """'2026-11-22T08:00:00.000000Z'. Raises ValueError for a naive datetime."""
    if at.tzinfo is None:
        raise ValueError("naive datetime where an aware one is due")
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
