"""The running service: lease, both consumer groups, heartbeats, reference data."""

import asyncio
from typing import Final

from tokenx_common.bus import Bus
from tokenx_common.clock import SystemClock
from tokenx_common.errors import DependencyUnavailable, NotFound, TokenxError
from tokenx_common.http import ServiceClient
from tokenx_common.lease import Lease
from tokenx_common.log import get_logger
from tokenx_common.service_auth import ServiceSigner
from tokenx_common.stream import ConsumerGroup
from tokenx_kyt.backends import make_provider
from tokenx_kyt.chain_analysis import ChainAnalysis
from tokenx_kyt.committer import Committer
from tokenx_kyt.consumer import StreamHandler
from tokenx_kyt.execution_analysis import ExecutionAnalysis, LinkBook
from tokenx_kyt.journal import Journal
from tokenx_kyt.results import Analysis
from tokenx_kyt.settings import KytSettings

log = get_logger(__name__)

LINKS_EVERY_S: Final = 30.0
RETRY_S: Final = 0.5
CHAIN_BATCH: Final = 200
EXECUTION_BATCH: Final = 1000


class KytService:
    """Owns every connection and task of the process. provider answers the synchronous gate as well."""

    def __init__(self, settings: KytSettings) -> None:
        signer = ServiceSigner("kyt", settings.service_private_key.get_secret_value())
        self._clock = SystemClock()
        self.provider = make_provider(settings, self._clock)
        self._api = ServiceClient("api", settings.api_url, signer)
        self._chain = ServiceClient("chain", settings.chain_url, signer)
        self._matcher = ServiceClient("matcher", settings.matcher_url, signer)
        self.bus = Bus(settings.redis_url.get_secret_value())
        self.lease = Lease(self._api, "kyt")
        self._journal = Journal(self._api, {"chain": self._chain, "ev": self._matcher})
        self.committer = Committer(self._journal, self.bus, self.lease)
        self._links = LinkBook()
        self._handler = StreamHandler(self._journal, self.committer, self._analysis_of)
        self._groups = (
            ConsumerGroup("kyt", "chain:*", self._handler, self.bus, batch_items=CHAIN_BATCH),
            ConsumerGroup("kyt", "ev:*", self._handler, self.bus, batch_items=EXECUTION_BATCH),
        )
        self._running = False

    async def run(self) -> None:
        """Work for ever; its owner cancels it, then calls close()."""
        await self.lease.acquire()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.lease.keep(), name="lease")
            known = await self._start()
            for group, kind in zip(self._groups, ("chain:", "ev:"), strict=True):
                tasks.create_task(group.run(name for name in known if name.startswith(kind)), name=kind)
            tasks.create_task(self._handler.flush_for_ever(), name="flush")
            tasks.create_task(self.committer.beat(), name="heartbeat")
            tasks.create_task(self._refresh_links(), name="links")

    async def close(self) -> None:
        """After run() has been cancelled: last cursors, lease back, connections shut."""
        if self._running:
            await self._handler.flush_all()
        if self.lease.epoch:
            await self.lease.release()
        await self.bus.close()
        for client in (self._api, self._chain, self._matcher):
            await client.close()

    async def ready(self) -> str:
        """Detail for the health page. Raises until the lease is held and the heads are known."""
        if not self._running:
            raise DependencyUnavailable("waiting for the lease" if not self.lease.epoch else "waiting for the api")
        return f"{self._handler.streams} streams, epoch {self.lease.epoch}"

    async def _start(self) -> list[str]:
        """Streams with a cursor; the others are found by their heartbeats."""
        while True:
            try:
                await self.committer.load_heads()
                self._links.current = await self._journal.links()
                known = list(await self._journal.cursors())
            except TokenxError as error:
                log.warning("kyt.start_waits", reason=error.detail)
                await asyncio.sleep(RETRY_S)
                continue
            self._running = True
            return known

    async def _refresh_links(self) -> None:
        while True:
            await asyncio.sleep(LINKS_EVERY_S)
            try:
                self._links.current = await self._journal.links()
            except TokenxError as error:
                log.warning("kyt.links_not_refreshed", reason=error.detail)

    def _analysis_of(self, stream: str) -> Analysis:
        kind, _, key = stream.partition(":")
        if kind == "chain" and key.isdecimal():
            return ChainAnalysis(int(key), self.provider, self._clock)
        if kind == "ev":
            return ExecutionAnalysis(key, self._links, self._clock)
        raise NotFound("stream")
