"""An offering's execution stream: surveillance of its trades."""

from typing import Final

from tokenx_common.clock import Clock, rfc3339
from tokenx_common.stream import Item
from tokenx_kyt.results import AlertDraft, AlertStream, Result
from tokenx_kyt.surveillance.links import Links
from tokenx_kyt.surveillance.watch import OfferingWatch

LOOKBACK_ITEMS: Final = 50_000
"""Detectors look back 200 fills and stay quiet for 10,000 executions: older ones cannot matter."""


class LinkBook:
    """The links in force; replaced as a whole when the api has newer ones."""

    def __init__(self) -> None:
        self.current = Links()


class ExecutionAnalysis:
    """One offering."""

    alert_stream: AlertStream = "alerts:surveillance"
    commit_path = "/internal/surveillance/batches"
    lookback: int | None = LOOKBACK_ITEMS

    def __init__(self, offering_id: str, links: LinkBook, clock: Clock) -> None:
        self._watch = OfferingWatch(offering_id)
        self._links = links
        self._clock = clock

    def remember(self, item: Item) -> None:
        """State only."""
        self._watch.observe(item, self._links.current)

    async def observe(self, item: Item) -> Result:
        """Findings as alert rows; their seq is given when they are committed."""
        findings = self._watch.observe(item, self._links.current)
        raised_at = rfc3339(self._clock.now())
        return Result(alerts=[AlertDraft(found.detector, found.row(raised_at=raised_at)) for found in findings])
