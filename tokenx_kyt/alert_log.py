"""The newest alerts of one stream, for consumers that missed an announcement."""

from collections import deque
from typing import Final

from tokenx_common.errors import TokenxError
from tokenx_common.stream import Item

KEEP_ITEMS: Final = 1000


class StreamTooOld(TokenxError):
    """The asked range is no longer held here; the api has it."""

    code = "stream.too_old"
    status = 410


class AlertLog:
    """head: number of the last alert, held here or not."""

    def __init__(self, head: int) -> None:
        self.head = head
        self._items: deque[Item] = deque(maxlen=KEEP_ITEMS)

    def extend(self, items: list[Item]) -> None:
        """Items that follow the head."""
        self._items.extend(items)
        self.head += len(items)

    def page(self, *, after: int, limit: int) -> list[Item]:
        """Items after a seq. Raises StreamTooOld when the first of them is not held."""
        if after < self.head - len(self._items):
            raise StreamTooOld("these alerts are no longer held here")
        return [item for item in self._items if item["seq"] > after][:limit]
