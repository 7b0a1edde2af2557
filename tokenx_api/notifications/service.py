"""The hub of the event streams: one Redis subscription per process, fanned out to every listening client.

A client that reads slowly costs a bounded amount of memory and delays nobody: bells of one topic that wait together become one."""

import asyncio
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from typing import Final

from prometheus_client import Gauge
from pydantic import ValidationError

from tokenx_api.notifications.models import Bell
from tokenx_common.bus import Bus
from tokenx_common.errors import DependencyUnavailable
from tokenx_common.log import get_logger

log = get_logger(__name__)

CHANNEL: Final = "ui"
MAX_IDS: Final = 100
"""Ids kept for one topic; beyond that the bell only says 'look again'."""
MAX_LISTENERS: Final = 5_000

LISTENERS = Gauge("tokenx_event_stream_listeners", "Open event streams of this process")


class Listener:
    """One client's bells: at most one waiting per topic it asked for."""

    def __init__(self, topics: frozenset[str], *, with_ids: bool) -> None:
        self.topics = topics
        self._with_ids = with_ids
        self._waiting: dict[str, set[str] | None] = {}
        self._wake = asyncio.Event()

    def ring(self, topic: str, ids: Iterable[str]) -> None:
        """Keep the bell until the client takes it. None stands for 'all of it': too many ids, or none were named."""
        named = set(ids) if self._with_ids else set[str]()
        known = self._waiting.get(topic, set())
        merged = None if known is None or not named else known | named
        self._waiting[topic] = merged if merged is not None and len(merged) <= MAX_IDS else None
        self._wake.set()

    async def take(self, *, timeout_s: float) -> list[Bell]:
        """The waiting bells; empty when none rang within the time."""
        try:
            await asyncio.wait_for(self._wake.wait(), timeout_s)
        except TimeoutError:
            return []
        self._wake.clear()
        waiting, self._waiting = self._waiting, {}
        return [Bell(topic=topic, ids=tuple(sorted(ids or ()))) for topic, ids in waiting.items()]


class Hub:
    """All listeners of this process."""

    def __init__(self) -> None:
        self._listeners: set[Listener] = set()

    @contextmanager
    def listening(self, topics: frozenset[str], *, with_ids: bool) -> Generator[Listener]:
        """A listener for the length of the block. Raises DependencyUnavailable when there are too many already."""
        if len(self._listeners) >= MAX_LISTENERS:
            raise DependencyUnavailable("too many open event streams: fall back to polling")
        listener = Listener(topics, with_ids=with_ids)
        self._listeners.add(listener)
        LISTENERS.set(len(self._listeners))
        try:
            yield listener
        finally:
            self._listeners.discard(listener)
            LISTENERS.set(len(self._listeners))

    def ring(self, bell: Bell) -> None:
        """Ring for everyone who listens to the topic."""
        for listener in self._listeners:
            if bell.topic in listener.topics:
                listener.ring(bell.topic, bell.ids)

    def ring_everything(self) -> None:
        """Bells may have been missed: everyone looks again at all they listen to."""
        for listener in self._listeners:
            for topic in listener.topics:
                listener.ring(topic, ())

    async def run(self, bus: Bus) -> None:
        """Follow Redis for ever; while it is away nothing rings. Runs as a task that its owner cancels."""
        async for message in bus.subscribe([CHANNEL]):
            if message is None:
                self.ring_everything()
                continue
            try:
                self.ring(Bell.model_validate_json(message[1]))
            except ValidationError as error:
                log.error("notifications.bad_bell", error=str(error))
