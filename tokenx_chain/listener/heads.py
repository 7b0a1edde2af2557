"""New heads told on a WebSocket, as a bell only: what is told is never believed, the follower looks for itself. Duplicates, gaps and
heads out of order therefore change nothing but when it looks."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any, Final

import aiohttp

from tokenx_common.clock import monotonic_s
from tokenx_common.log import get_logger

log = get_logger(__name__)

_SUBSCRIBE: Final = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "eth_subscribe", "params": ["newHeads"]})
_PING_S: Final = 10.0
_FIRST_RETRY_S: Final = 0.5
_LAST_RETRY_S: Final = 30.0
_SILENT_BLOCKS: Final = 10
"""Block times without a head after which a connection is taken for dead."""
_LEAST_SILENCE_S: Final = 15.0


class HeadFeed:
    """Rings when an endpoint tells a new head. Tries the addresses in turn, for ever, and needs none of them."""

    def __init__(self, addresses: Sequence[str], *, block_time_s: float) -> None:
        self._addresses = addresses
        self._silence_s = max(_LEAST_SILENCE_S, _SILENT_BLOCKS * block_time_s)
        self._rung = asyncio.Event()
        self.is_live = False
        self.heard = 0
        self.connections = 0

    async def run(self) -> None:
        """Keep a subscription. Runs as a task that its owner cancels; returns at once where there is no address."""
        wait_s, turn = _FIRST_RETRY_S, 0
        while self._addresses:
            started_s, heard = monotonic_s(), self.heard
            try:
                await self._listen(self._addresses[turn % len(self._addresses)])
            except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
                log.debug("heads.away", reason=repr(error)[:200])
            self.is_live = False
            self._rung.set()  # something may have been missed
            wait_s = _FIRST_RETRY_S if self.heard > heard else min(_LAST_RETRY_S, 2 * wait_s)
            turn += 1
            await asyncio.sleep(max(0.0, wait_s - (monotonic_s() - started_s)))

    async def _listen(self, address: str) -> None:
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=_PING_S)
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.ws_connect(address, heartbeat=_PING_S) as socket,
        ):
            await socket.send_str(_SUBSCRIBE)
            while True:
                message = await socket.receive(timeout=self._silence_s)
                if message.type is not aiohttp.WSMsgType.TEXT:
                    return  # closed, or nothing we asked for
                self._hear(json.loads(message.data))

    def _hear(self, content: Any) -> None:
        if content.get("id") == 1 and "result" in content:
            self.is_live = True
            self.connections += 1
        elif content.get("method") == "eth_subscription":
            self.heard += 1
        self._rung.set()

    async def wait(self, *, live_s: float, deaf_s: float) -> None:
        """Returns when a head was told since the last time, or after live_s with a subscription and deaf_s without one."""
        try:
            async with asyncio.timeout(live_s if self.is_live else deaf_s):
                await self._rung.wait()
        except TimeoutError:
            pass
        self._rung.clear()
