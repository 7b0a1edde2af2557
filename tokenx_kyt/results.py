"""What an analysis makes of one item of a stream: scores and alerts, before they have a number."""

import hashlib
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from tokenx_common.stream import Item

AlertStream = Literal["alerts:kyt", "alerts:surveillance"]


@dataclass(frozen=True)
class AlertDraft:
    """An alert row that lacks only its seq. kind is what the announcement calls it."""

    kind: str
    row: dict[str, Any]

    @property
    def dedupe_key(self) -> str:
        return str(self.row["dedupe_key"])

    def announcement(self, seq: int) -> Item:
        """As tokenx_common.events.AlertItem."""
        return {"seq": seq, "alert_id": self.row["alert_id"], "kind": self.kind, "severity": self.row["severity"],
                "title": self.row["title"]}  # fmt: skip


@dataclass(frozen=True)
class Result:
    """Nothing found is an empty result."""

    scores: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    alerts: list[AlertDraft] = field(default_factory=list[AlertDraft])

    def __bool__(self) -> bool:
        return bool(self.scores or self.alerts)


class Analysis(Protocol):
    """State over one stream. The same items give the same results, ids included."""

    alert_stream: AlertStream
    commit_path: str
    lookback: int | None
    """How many items before the cursor rebuild the state; None: all of them."""

    def remember(self, item: Item) -> None:
        """Take in an item whose results are committed already."""
        ...

    async def observe(self, item: Item) -> Result:
        """Take in the next item."""
        ...


def stable_id(prefix: Literal["alr", "scr"], key: str) -> str:
    """The same key has the same id in every replay."""
    return f"{prefix}_{hashlib.sha256(key.encode()).hexdigest()[:32]}"
