"""The running matcher: lease, recovery, then commands in and executions out until it is told to stop."""

import asyncio
import os
from typing import Final

from tokenx_common.bus import Bus
from tokenx_common.clock import monotonic_s
from tokenx_common.errors import DependencyUnavailable, TokenxError
from tokenx_common.http import ServiceClient
from tokenx_common.lease import Lease
from tokenx_common.log import get_logger
from tokenx_common.service_auth import ServiceSigner
from tokenx_common.stream import ConsumerGroup
from tokenx_matcher.commands import CommandLogBroken
from tokenx_matcher.consumer import STREAM_PREFIX, CommandHandler
from tokenx_matcher.desk import Desk, Desks
from tokenx_matcher.journal import Journal
from tokenx_matcher.publisher import Publisher
from tokenx_matcher.recovery import EXIT_DIVERGED, Diverged
from tokenx_matcher.settings import MatcherSettings
from tokenx_matcher.snapshots import SnapshotStore

log = get_logger(__name__)

OFFERINGS_POLL_S: Final = 2.0
RETRY_S: Final = 0.5
BATCH_COMMANDS: Final = 500


class MatcherService:
    """Owns every connection and task of the process."""

    def __init__(self, settings: MatcherSettings) -> None:
        self._settings = settings
        signer = ServiceSigner("matcher", settings.service_private_key.get_secret_value())
        self._api = ServiceClient("api", settings.api_url, signer)
        self.bus = Bus(settings.redis_url.get_secret_value())
        self.desks = Desks()
        self.lease = Lease(self._api, "matcher")
        self._journal = Journal(self._api)
        self._snapshots = SnapshotStore(settings.snapshot_dir)
        self._publisher = Publisher(self.bus, self.desks, self.lease)
        self._handler = CommandHandler(self._journal, self.desks, self._snapshots, self._publisher)
        self._commands = ConsumerGroup("matcher", "cmd:*", self._handler, self.bus, batch_items=BATCH_COMMANDS)
        self._saved: dict[str, tuple[int, float]] = {}
        self._recovered = False

    async def run(self) -> None:
        """Work for ever; its owner cancels it, then calls close()."""
        await self.lease.acquire()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.lease.keep(), name="lease")
            await self._recover()
            tasks.create_task(self._commands.run(f"{STREAM_PREFIX}{name}" for name in self.desks), name="commands")
            tasks.create_task(self._publisher.beat(), name="heartbeat")
            tasks.create_task(self._watch_offerings(), name="offerings")
            tasks.create_task(self._save_snapshots(), name="snapshots")

    async def close(self) -> None:
        """After run() has been cancelled: last snapshots, lease back, connections shut."""
        for offering_id, desk in self.desks.items():
            self._save(offering_id, desk)
        if self.lease.epoch:
            await self.lease.release()
        await self.bus.close()
        await self._api.close()

    async def ready(self) -> str:
        """Detail for the health page. Raises TokenxError until every book is open, or when one cannot be followed."""
        if not self._recovered:
            raise DependencyUnavailable("waiting for the lease" if not self.lease.epoch else "replaying commands")
        if self._handler.broken:
            raise CommandLogBroken("; ".join(self._handler.broken.values()))
        return f"{len(self.desks)} books, epoch {self.lease.epoch}"

    async def _recover(self) -> None:
        while not self._recovered:
            try:
                for offering_id in await self._journal.offerings():
                    await self._handler.cursor(f"{STREAM_PREFIX}{offering_id}")
                self._recovered = True
            except (Diverged, CommandLogBroken) as error:
                _refuse_to_start(error)
            except TokenxError as error:
                log.warning("matcher.recovery_waits", reason=error.detail)
                await asyncio.sleep(RETRY_S)

    async def _watch_offerings(self) -> None:
        """New offerings appear here even when nobody sends them a command; and what the api holds may be forgotten."""
        while True:
            await asyncio.sleep(OFFERINGS_POLL_S)
            try:
                heads = await self._journal.offerings()
            except TokenxError as error:
                log.warning("matcher.offerings_unknown", reason=error.detail)
                continue
            for offering_id, head in heads.items():
                self._commands.follow(f"{STREAM_PREFIX}{offering_id}")
                if (desk := self.desks.get(offering_id)) is not None:
                    desk.trim(ingested=head.exec_seq, keep=self._settings.executions_kept)

    async def _save_snapshots(self) -> None:
        while True:
            await asyncio.sleep(1)
            for offering_id, desk in list(self.desks.items()):
                if self._due(offering_id, desk):
                    await asyncio.to_thread(self._save, offering_id, desk)

    def _due(self, offering_id: str, desk: Desk) -> bool:
        cmd_seq, at_s = self._saved.setdefault(offering_id, (desk.cmd_seq, monotonic_s()))
        new = desk.cmd_seq - cmd_seq
        old_enough = monotonic_s() - at_s >= self._settings.snapshot_every_s
        return new >= self._settings.snapshot_every_commands or (new > 0 and old_enough)

    def _save(self, offering_id: str, desk: Desk) -> None:
        """Best effort: without a snapshot the next start is slower, nothing else."""
        image = desk.image()
        try:
            self._snapshots.save(image)
        except OSError as error:
            log.error("snapshot.not_saved", offering_id=offering_id, error=str(error))
        self._saved[offering_id] = (image.cmd_seq, monotonic_s())


def _refuse_to_start(error: TokenxError) -> None:
    """Matching on top of a log that contradicts itself would only make it worse."""
    log.error("matcher.refuses_to_start", reason=error.detail, **error.facts)
    os._exit(EXIT_DIVERGED)
