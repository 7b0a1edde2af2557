"""A running offering: its engine and the executions still held. Guarded, because large batches are matched in a thread."""

from threading import Lock
from typing import NamedTuple

from prometheus_client import Counter, Histogram

from matcher_core import DepthLevel
from tokenx_common.clock import monotonic_s
from tokenx_common.errors import NotFound
from tokenx_common.stream import Item
from tokenx_matcher.engine import EngineImage, OfferingEngine
from tokenx_matcher.executions import ExecutionLog

MATCH = Histogram("tokenx_matcher_match_seconds", "Time to match one batch of commands, parsing and hashing included",
                  buckets=(25e-6, 50e-6, 1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 0.01, 0.05, 0.25))  # fmt: skip
COMMANDS = Counter("tokenx_matcher_commands_total", "Commands matched since the start, replayed ones not counted")
EXECUTIONS = Counter("tokenx_matcher_executions_total", "Executions made since the start, replayed ones not counted")


class DeskState(NamedTuple):
    """Where a desk stands in both logs, and the hashes that tell whether two desks are equal."""

    offering_id: str
    cmd_seq: int
    exec_seq: int
    exec_hash: str
    book_hash: str
    market_state: str


class Depth(NamedTuple):
    """The best levels of both sides as of one execution."""

    exec_seq: int
    bids: list[DepthLevel]
    asks: list[DepthLevel]


class Desk:
    """One offering. Every method may be called from any thread and is atomic."""

    def __init__(self, engine: OfferingEngine, executions: ExecutionLog) -> None:
        self._engine = engine
        self._executions = executions
        self._lock = Lock()

    @property
    def cmd_seq(self) -> int:
        """Last command matched."""
        return self._engine.cmd_seq

    @property
    def head(self) -> int:
        """Last execution made."""
        return self._executions.head

    def apply(self, items: list[Item]) -> list[Item]:
        """Match the next commands and hold their executions. Raises CommandLogBroken as the engine does."""
        started = monotonic_s()
        with self._lock:
            executions = self._engine.apply(items)
            self._executions.extend(executions)
        MATCH.observe(monotonic_s() - started)
        COMMANDS.inc(len(items))
        EXECUTIONS.inc(len(executions))
        return executions

    def page(self, *, after: int, limit: int) -> list[Item]:
        """Executions after a seq. Raises StreamTooOld."""
        with self._lock:
            return self._executions.page(after=after, limit=limit)

    def trim(self, *, ingested: int, keep: int) -> None:
        """See ExecutionLog.trim."""
        with self._lock:
            self._executions.trim(ingested=ingested, keep=keep)

    def depth(self, levels: int) -> Depth:
        """The best `levels` prices of each side."""
        with self._lock:
            bids, asks = self._engine.book.depth(levels)
            return Depth(self._engine.exec_seq, bids, asks)

    def state(self) -> DeskState:
        """Hashing the book takes time in the number of its orders."""
        with self._lock:
            engine = self._engine
            return DeskState(engine.offering_id, engine.cmd_seq, engine.exec_seq, engine.exec_hash.hex(),
                             engine.state_hash(), engine.market_state)  # fmt: skip

    def image(self) -> EngineImage:
        """A copy of the engine for a snapshot."""
        with self._lock:
            return self._engine.image()


class Desks(dict[str, Desk]):
    """The open desks by offering id."""

    def named(self, offering_id: str) -> Desk:
        """Raises NotFound('offering')."""
        desk = self.get(offering_id)
        if desk is None:
            raise NotFound("offering")
        return desk
