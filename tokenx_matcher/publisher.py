"""Executions out: rung on Redis at once, and the heads in the heartbeat. Nothing here waits for a consumer."""

from collections.abc import Iterable
from typing import Final

from tokenx_common import stream
from tokenx_common.bus import Bus
from tokenx_common.lease import Lease
from tokenx_common.stream import Item
from tokenx_matcher.desk import Desks

HEARTBEAT_S: Final = 0.25
ANNOUNCE_ITEMS: Final = 500


class Publisher:
    """Announces on `ev:<offering_id>` under the epoch of the lease."""

    def __init__(self, bus: Bus, desks: Desks, lease: Lease) -> None:
        self._bus = bus
        self._desks = desks
        self._lease = lease

    async def announce(self, offering_id: str, executions: list[Item]) -> None:
        """Ring the bell for new executions, in their order."""
        for start in range(0, len(executions), ANNOUNCE_ITEMS):
            items = executions[start : start + ANNOUNCE_ITEMS]
            await stream.announce(self._bus, stream=f"ev:{offering_id}", epoch=self._lease.epoch, items=items)

    async def beat(self) -> None:
        """Heartbeats for ever."""
        await stream.beat(self._bus, self._heads, every_s=HEARTBEAT_S)

    async def _heads(self) -> Iterable[tuple[str, int, int]]:
        return [(f"ev:{offering_id}", self._lease.epoch, desk.head) for offering_id, desk in self._desks.items()]
