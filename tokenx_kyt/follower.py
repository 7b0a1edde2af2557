"""One stream as kyt follows it: the analysis, how far it has read, and what is found but not yet committed."""

from collections import deque
from dataclasses import dataclass
from typing import Final

from tokenx_common.clock import monotonic_s
from tokenx_common.stream import Item
from tokenx_kyt.results import Analysis, Result

CURSOR_EVERY_S: Final = 1.0
"""Results are committed at once; a cursor with nothing to report moves at most this often. A restart reads those items again and
finds the same nothing."""
BATCH_RESULTS: Final = 200
"""Keeps a batch well under the api's limit for a request body."""


@dataclass(frozen=True)
class Slice:
    """What one commit carries: the results of all items after prev_seq up to seq."""

    prev_seq: int
    seq: int
    results: list[Result]


class Follower:
    """committed <= seq. Everything between the two is either in `pending` or had no result."""

    def __init__(self, stream: str, analysis: Analysis, committed: int) -> None:
        self.stream = stream
        self.analysis = analysis
        self.committed = committed
        self.seq = committed
        self._pending: deque[tuple[int, Result]] = deque()
        self._committed_at_s = monotonic_s()

    async def advance(self, items: list[Item]) -> None:
        """Read on. Items that were read before are skipped, so a batch that is tried again is never analysed twice."""
        for item in items:
            if item["seq"] > self.seq:
                result = await self.analysis.observe(item)
                if result:
                    self._pending.append((item["seq"], result))
                self.seq = item["seq"]

    @property
    def due(self) -> bool:
        """Whether a commit is worth its request now."""
        return bool(self._pending) or (
            self.seq > self.committed and monotonic_s() - self._committed_at_s >= CURSOR_EVERY_S
        )

    def next_slice(self) -> Slice:
        """The oldest part of what is not committed."""
        part = list(self._pending)[:BATCH_RESULTS]
        last = part[-1][0] if len(part) < len(self._pending) else self.seq
        return Slice(self.committed, last, [result for _, result in part])

    def done(self, done: Slice) -> None:
        """A slice is committed."""
        while self._pending and self._pending[0][0] <= done.seq:
            self._pending.popleft()
        self.committed = done.seq
        self._committed_at_s = monotonic_s()

    def forget_alerts(self, dedupe_keys: set[str]) -> None:
        """Leave out alerts that the api holds already."""
        self._pending = deque(
            (seq, Result(result.scores, [a for a in result.alerts if a.dedupe_key not in dedupe_keys]))
            for seq, result in self._pending
        )
