"""LOBSTER message files: CSV lines of one stock, `time,type,order id,size,price,direction`, without a header.

Prices are dollars times 10,000 and become ticks as they are; direction is that of the resting order (1 buy, -1 sell).

    1  new order              limit order
    2  partial cancellation   replace to what is left
    3  deletion               cancel
    4  execution              IOC from the other side at the order's price
    5  hidden execution       counted only: the order was never in the displayed book
    6  cross trade, 7 halt    nothing: neither touches a displayed order

A file begins in the middle of the day. What happens to orders older than it is counted (`unknown_orders`), not replayed.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from matcher_core.feeds.chunks import BadFile, Chunk
from matcher_core.feeds.pieces import pieces
from matcher_core.feeds.recorder import UNSEEN, Recorder
from matcher_core.types import Side

NEW, REDUCED, DELETED, EXECUTED, HIDDEN, CROSS, HALT = range(1, 8)
LINE: Final = re.compile(rb"\d+(?:\.\d+)?,([1-7]),(\d+),(\d+),(-?\d+),(-1|1)(?:,[^\n]*)?\r?")
BIGGEST: Final = 2**63 - 1
_SYMBOL: Final = 0


def is_lobster(head: bytes) -> bool:
    return LINE.fullmatch(head.partition(b"\n")[0]) is not None


class LobsterSource:
    kind: str = "lobster"

    def __init__(self, path: Path, *, only: str | None = None, limit: int | None = None) -> None:
        if only is not None:
            raise BadFile(path, "a LOBSTER file holds one stock and does not name it: leave out --symbol")
        self._path = path
        self._limit = limit
        self.total = path.stat().st_size
        self.symbols = [_SYMBOL]
        self.names: dict[int, str] = {}
        self.facts = {"messages": 0, "hidden_executions": 0, "unknown_orders": 0}
        self._orders: dict[int, tuple[int, int, int]] = {}  # id -> side, price, open
        self._out = Recorder()

    def chunks(self) -> Iterator[Chunk]:
        """Raises BadFile at the first line that cannot be read. A source is read once."""
        rest, position = b"", 0
        for piece, position in pieces(self._path):
            lines = (rest + piece).split(b"\n")
            rest = lines.pop()
            self._read(lines)
            if self._out.full:
                yield self._out.take(position)
            if self._limit == self.facts["messages"]:
                break
        if rest:
            self._read([rest])
        yield self._out.take(position)

    def _read(self, lines: list[bytes]) -> None:
        for line in lines:
            if self._limit == self.facts["messages"]:
                return
            self.facts["messages"] += 1
            found = LINE.fullmatch(line)
            if found is None:
                shown = line[:60].decode("ascii", "replace")
                raise BadFile(self._path, f"line {self.facts['messages']} is not a LOBSTER message: {shown!r}")
            kind, order_id, size, price = (int(part) for part in found.groups()[:4])
            if max(order_id, size, price) > BIGGEST:
                raise BadFile(self._path, f"line {self.facts['messages']} has a number beyond 63 bits")
            self._message(kind, order_id, size, price, Side.BUY if found[5] == b"1" else Side.SELL)

    def _message(self, kind: int, order_id: int, size: int, price: int, side: int) -> None:
        if kind == NEW:
            self._orders[order_id] = (side, price, size)
            self._out.limit(_SYMBOL, order_id, side, price, size)
        elif kind == HIDDEN:
            self.facts["hidden_executions"] += 1
        elif kind in (REDUCED, DELETED, EXECUTED):
            self._change(kind, order_id, size, price)

    def _change(self, kind: int, order_id: int, size: int, price: int) -> None:
        known = self._orders.pop(order_id, None)
        if known is None:
            self.facts["unknown_orders"] += 1
            if kind == EXECUTED:
                self._out.fill(UNSEEN, order_id, price, size)
            return
        side, price, left = known
        if kind == EXECUTED:
            seq = self._out.take_from(_SYMBOL, 1 - side, price, size)
            self._out.fill(seq, order_id, price, size)
        elif kind == REDUCED and left > size:
            self._out.replace(_SYMBOL, order_id, price, left - size)
        else:
            self._out.cancel(_SYMBOL, order_id)
        if kind != DELETED and left > size:
            self._orders[order_id] = (side, price, left - size)
