"""What is rung after a commit: commands for the matcher and bells for the screens. Putting never waits and never fails; one task publishes,
many items at a time, so that a slow or dead Redis costs no request anything."""

import asyncio
import json
from collections.abc import Iterable
from itertools import groupby
from typing import Final

from tokenx_common.bus import Bus
from tokenx_common.stream import Item, announce

UI_CHANNEL: Final = "ui"
MAX_WAITING: Final = 20_000
"""Items kept while Redis is away; beyond that they are dropped, and the heartbeat reveals them."""
MAX_IDS: Final = 100
"""Ids named in one bell; a bell without ids means 'look again'."""


class Announcer:
    """One per process, drained by one task."""

    def __init__(self) -> None:
        self._items: dict[str, list[Item]] = {}
        self._bells: dict[str, set[str]] = {}
        self._waiting = 0
        self._wake = asyncio.Event()

    def put(self, stream: str, item: Item) -> None:
        """Announce a committed item of one of the api's own streams."""
        if self._waiting < MAX_WAITING:
            self._items.setdefault(stream, []).append(item)
            self._waiting += 1
            self._wake.set()

    def ring(self, topic: str, ids: Iterable[str] = ()) -> None:
        """Tell the screens that something of a topic changed. Bells of a topic that wait together become one."""
        self._bells.setdefault(topic, set()).update(ids)
        self._wake.set()

    async def run(self, bus: Bus, *, epoch: int) -> None:
        """Publish for ever. Runs as a task that its owner cancels."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            items, bells = self._items, self._bells
            self._items, self._bells, self._waiting = {}, {}, 0
            for stream, waiting in items.items():
                for run in _contiguous(waiting):
                    await announce(bus, stream=stream, epoch=epoch, items=run)
            for topic, ids in bells.items():
                named = sorted(ids) if len(ids) <= MAX_IDS else []
                await bus.publish(UI_CHANNEL, json.dumps({"topic": topic, "ids": named}))


def _contiguous(items: list[Item]) -> list[list[Item]]:
    """Dense runs in order: two commits may have put their items the wrong way round."""
    ordered = sorted(items, key=lambda item: item["seq"])
    runs = groupby(enumerate(ordered), key=lambda pair: pair[1]["seq"] - pair[0])
    return [[item for _, item in run] for _, run in runs]
