"""Handler of ConsumerGroup for `chain:*` and `ev:*`: opens a follower per stream, lets it read, commits what it finds."""

import asyncio
from collections.abc import Callable
from typing import Final

from tokenx_common.errors import DependencyUnavailable, TokenxError
from tokenx_common.events import ReplayPage
from tokenx_common.log import get_logger
from tokenx_common.stream import Batch
from tokenx_kyt.committer import Committer, CursorLost
from tokenx_kyt.follower import Follower
from tokenx_kyt.journal import Journal
from tokenx_kyt.results import Analysis

log = get_logger(__name__)

PAGE: Final = 1000
FLUSH_S: Final = 1.0


class StreamHandler:
    """analysis_of makes a fresh analysis for a stream name. Raises from it (NotFound) keep the stream waiting."""

    def __init__(self, journal: Journal, committer: Committer, analysis_of: Callable[[str], Analysis]) -> None:
        self._journal = journal
        self._committer = committer
        self._analysis_of = analysis_of
        self._followers: dict[str, Follower] = {}

    @property
    def streams(self) -> int:
        """How many streams are followed."""
        return len(self._followers)

    async def cursor(self, stream: str) -> int:
        """How far the stream has been read. The first time, its state is rebuilt from the items before the committed cursor."""
        follower = self._followers.get(stream)
        if follower is None:
            follower = self._followers[stream] = await self._open(stream)
        return follower.seq

    async def pull(self, stream: str, after: int, limit: int) -> ReplayPage:
        return await self._journal.page(stream, after=after, limit=limit)

    async def commit(self, batch: Batch) -> bool:
        """False when the follower is not where the batch begins, or has lost its cursor and must be opened again."""
        follower = self._followers.get(batch.stream)
        if follower is None or batch.prev_seq > follower.seq:
            return False
        await follower.advance(batch.items)
        return await self._flush(follower)

    async def flush_for_ever(self) -> None:
        """Moves the cursors of streams that fell silent. Runs as a task that its owner cancels."""
        while True:
            await asyncio.sleep(FLUSH_S)
            await self.flush_all()

    async def flush_all(self) -> None:
        """Best effort: what fails here is tried again with the next batch."""
        for follower in list(self._followers.values()):
            try:
                await self._flush(follower)
            except TokenxError as error:
                log.warning("kyt.flush_failed", stream=follower.stream, reason=error.detail)

    async def _flush(self, follower: Follower) -> bool:
        try:
            await self._committer.flush(follower)
        except CursorLost:
            log.warning("kyt.cursor_lost", stream=follower.stream, seq=follower.seq)
            self._followers.pop(follower.stream, None)
            return False
        return True

    async def _open(self, stream: str) -> Follower:
        analysis = self._analysis_of(stream)
        committed = (await self._journal.cursors()).get(stream, 0)
        at = 0 if analysis.lookback is None else max(0, committed - analysis.lookback)
        while at < committed:
            page = await self._journal.page(stream, after=at, limit=min(PAGE, committed - at))
            if not page.items:
                raise DependencyUnavailable(f"{stream}: nothing after {at}, though {committed} was committed")
            for item in page.items:
                analysis.remember(item)
            at = int(page.items[-1]["seq"])
        log.info("stream.opened", stream=stream, committed=committed)
        return Follower(stream, analysis, committed)
