"""Commits what followers found, numbers the alerts, and announces them. One commit at a time: alert numbers are dense over all streams."""

import asyncio
from typing import Any, Final

from prometheus_client import Counter

from tokenx_common import stream
from tokenx_common.bus import Bus
from tokenx_common.errors import TokenxError
from tokenx_common.lease import Lease, stop_stale
from tokenx_common.log import get_logger
from tokenx_common.stream import Item
from tokenx_kyt.alert_log import AlertLog
from tokenx_kyt.follower import Follower, Slice
from tokenx_kyt.journal import Journal
from tokenx_kyt.results import AlertDraft

log = get_logger(__name__)

HEARTBEAT_S: Final = 1.0
SCORES = Counter("tokenx_kyt_scores_total", "Transfers scored and committed", ["level"])
ALERTS = Counter("tokenx_kyt_alerts_total", "Alerts committed", ["stream", "kind", "severity"])


class CursorLost(Exception):
    """The api's cursor is not where this follower left it: its state is worth nothing any more."""


class Committer:
    """Holds the heads of both alert streams."""

    def __init__(self, journal: Journal, bus: Bus, lease: Lease) -> None:
        self._journal = journal
        self._bus = bus
        self._lease = lease
        self._lock = asyncio.Lock()
        self.alerts: dict[str, AlertLog] = {}

    async def load_heads(self) -> None:
        """Go on numbering where the api is."""
        heads = await self._journal.alert_heads()
        self.alerts = {name: AlertLog(heads.get(name, 0)) for name in ("alerts:kyt", "alerts:surveillance")}

    async def flush(self, follower: Follower) -> None:
        """Commit all that is not committed. Raises CursorLost, TokenxError when the api refuses or does not answer."""
        async with self._lock:
            while follower.due:
                await self._commit(follower, follower.next_slice())

    async def beat(self) -> None:
        """Heartbeats of both alert streams, for ever."""
        await stream.beat(self._bus, self._heads, every_s=HEARTBEAT_S)

    async def _heads(self) -> list[tuple[str, int, int]]:
        return [(name, self._lease.epoch, alerts.head) for name, alerts in self.alerts.items()]

    async def _commit(self, follower: Follower, part: Slice) -> None:
        alerts = self.alerts[follower.analysis.alert_stream]
        drafts = [draft for result in part.results for draft in result.alerts]
        try:
            await self._journal.commit(follower.analysis.commit_path, self._body(follower, part, drafts, alerts.head))
        except TokenxError as refusal:
            await self._resolve(refusal, follower)
            return
        follower.done(part)
        items = [draft.announcement(seq) for seq, draft in enumerate(drafts, alerts.head + 1)]
        alerts.extend(items)
        _count(part, follower.analysis.alert_stream)
        await self._announce(follower.analysis.alert_stream, items)

    def _body(self, follower: Follower, part: Slice, drafts: list[AlertDraft], head: int) -> dict[str, Any]:
        body: dict[str, Any] = {
            "epoch": self._lease.epoch,
            "stream": follower.stream,
            "prev_seq": part.prev_seq,
            "seq": part.seq,
            "alerts": [draft.row | {"seq": seq} for seq, draft in enumerate(drafts, head + 1)],
        }
        if follower.analysis.alert_stream == "alerts:kyt":
            body["scores"] = [row for result in part.results for row in result.scores]
        return body

    async def _resolve(self, refusal: TokenxError, follower: Follower) -> None:
        """What can be put right at once is, and the loop tries again; everything else is raised."""
        match refusal.code:
            case "lease.stale_epoch":
                stop_stale("kyt")
            case "stream.conflict":
                await self.load_heads()  # the last commit may have gone through without its answer
                raise CursorLost from refusal
            case "alerts.duplicate":
                log.warning("alerts.raised_before", stream=follower.stream, keys=refusal.facts["duplicates"])
                follower.forget_alerts(set(refusal.facts["duplicates"]))
            case "alerts.not_dense":
                await self.load_heads()
            case _:
                raise refusal

    async def _announce(self, name: str, items: list[Item]) -> None:
        if items:
            await stream.announce(self._bus, stream=name, epoch=self._lease.epoch, items=items)


def _count(part: Slice, alert_stream: str) -> None:
    for result in part.results:
        for score in result.scores:
            SCORES.labels(score["level"]).inc()
        for draft in result.alerts:
            ALERTS.labels(alert_stream, draft.kind, draft.row["severity"]).inc()
