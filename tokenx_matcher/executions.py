"""The executions a running matcher still holds, for consumers that missed an announcement."""

from typing import Final

from tokenx_common.errors import TokenxError
from tokenx_common.stream import Item

_TRIM_STEP: Final = 1000


class StreamTooOld(TokenxError):
    """The asked range is no longer held here; the api has it."""

    code = "stream.too_old"
    status = 410


class ExecutionLog:
    """A dense tail of one offering's execution log: items from first_seq to head."""

    def __init__(self, *, after: int) -> None:
        self._before = after
        self._items: list[Item] = []

    @property
    def head(self) -> int:
        """Seq of the newest item; what came before the tail when the tail is empty."""
        return self._before + len(self._items)

    def extend(self, items: list[Item]) -> None:
        """Append items that follow the head."""
        assert not items or items[0]["seq"] == self.head + 1, (items[0]["seq"], self.head)
        self._items.extend(items)

    def page(self, *, after: int, limit: int) -> list[Item]:
        """Items after a seq, oldest first. Raises StreamTooOld when the first of them is gone."""
        if after < self._before:
            raise StreamTooOld(f"executions up to {self._before} are no longer held here", first=self._before + 1)
        start = after - self._before
        return self._items[start : start + limit]

    def trim(self, *, ingested: int, keep: int) -> None:
        """Forget what the api holds (up to `ingested`) except for the newest `keep` items. What it lacks is never forgotten."""
        surplus = min(ingested, self.head - keep) - self._before
        if surplus >= _TRIM_STEP:
            del self._items[:surplus]
            self._before += surplus
