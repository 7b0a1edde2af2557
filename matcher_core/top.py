"""Plays a recording step by step and says how the book stands: what `top` shows, without how it shows it."""

import time
from collections import Counter, deque
from collections.abc import Iterator
from typing import Final, NamedTuple

from matcher_core.book import Engine
from matcher_core.feeds.chunks import Chunk, Source
from matcher_core.records import COMMAND, EVENT
from matcher_core.types import DepthLevel, EventType, SelfTradePrevention, Side

KEPT_TRADES: Final = 64
BATCH: Final = 1024


class Print(NamedTuple):
    """A trade as a ticker prints it."""

    price_ticks: int
    quantity_lots: int
    taker_side: Side


class Standing(NamedTuple):
    """One moment. `position` is how far the file is read, in thousandths; `process_per_s` counts only time in the engine."""

    symbol: str
    bids: list[DepthLevel]
    asks: list[DepthLevel]
    prints: list[Print]
    commands: int
    trades: int
    resting: int
    process_per_s: int
    position: int
    ended: bool


class Player:
    """Takes a source's commands in order. The warm records of a flow file are taken at once, before anything is shown."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._engine = Engine(source.symbols, stp=SelfTradePrevention.OFF)
        self._chunks = source.chunks()
        self._waiting = memoryview(b"")
        self._left = self._done = 0  # where in the file the chunk begins and ends
        self._chunk_size = 1
        self._prints: deque[Print] = deque(maxlen=KEPT_TRADES)
        self._shown: int | None = None
        self.commands = self.trades = 0
        self._spent_ns = self._timed = 0
        self.ended = False
        self._next_chunk()

    def advance(self, count: int) -> None:
        """Take the next `count` commands, or what there is."""
        while count > 0 and not self.ended:
            part = self._waiting[: min(count, BATCH) * COMMAND.size]
            self._waiting = self._waiting[len(part) :]
            self._process(part)
            count -= len(part) // COMMAND.size
            if not self._waiting:
                self._next_chunk()

    def standing(self, levels: int) -> Standing:
        """The shown book, `levels` prices deep."""
        shown = self._shown
        bids, asks = ([], []) if shown is None else self._engine.book(shown).depth(levels)
        return Standing(
            symbol=self._source.names.get(shown, str(shown)) if shown is not None else "",
            bids=bids,
            asks=asks,
            prints=list(reversed(self._prints)),
            commands=self.commands,
            trades=self.trades,
            resting=len(self._engine),
            process_per_s=self._timed * 10**9 // max(self._spent_ns, 1),
            position=1000 * self._position() // max(self._source.total, 1),
            ended=self.ended,
        )

    def _position(self) -> int:
        return self._done - (self._done - self._left) * len(self._waiting) // self._chunk_size

    def _next_chunk(self) -> None:
        for chunk in self._chunks:
            self._open(chunk)
            if chunk.timed and chunk.commands:
                self._waiting = memoryview(chunk.commands)
                return
            self._engine.process(chunk.commands)
        self.ended = True

    def _open(self, chunk: Chunk) -> None:
        for symbol in chunk.opened:
            self._engine.open(symbol)
        self._left, self._done = self._done, chunk.done
        self._chunk_size = max(len(chunk.commands), 1)
        if self._shown is None and chunk.commands:
            self._shown = Counter(_symbols(chunk)).most_common(1)[0][0]

    def _process(self, part: memoryview) -> None:
        begin = time.perf_counter_ns()
        events = self._engine.process(part)
        self._spent_ns += time.perf_counter_ns() - begin
        self._timed += len(part) // COMMAND.size
        self.commands += len(part) // COMMAND.size
        for kind, side, _code, symbol, _seq, _taker, _maker, price, quantity, *_ in EVENT.iter_unpack(events):
            if kind == EventType.TRADE:
                self.trades += 1
                if symbol == self._shown:
                    self._prints.append(Print(price, quantity, Side(side)))


def _symbols(chunk: Chunk) -> Iterator[int]:
    return (row[4] for row in COMMAND.iter_unpack(chunk.commands))
