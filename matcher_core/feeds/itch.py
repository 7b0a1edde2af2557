"""NASDAQ TotalView-ITCH 5.0: one book per stock.

Each message comes behind a two-byte big-endian length. Some writers leave that zero, so the length is that of the type.
Prices are in 1/10,000 dollar and become ticks as they are.

    A, F   add                    limit order
    E      executed               IOC from the other side at the order's price
    C      executed at a price    the same where the price is the order's own; at another one (an auction's, say) a book
                                  cannot do it by matching, so the order is reduced and the fill counts as not reproduced
    X, D   cancel, delete         replace to what is left, cancel
    U      replace                cancel, and a limit order under the new reference
    P      hidden execution       counted only: the order was never in the displayed book
"""

import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from matcher_core.feeds.chunks import BadFile, Chunk
from matcher_core.feeds.pieces import pieces
from matcher_core.feeds.recorder import UNSEEN, Recorder
from matcher_core.types import Side

LENGTHS: Final = {
    ord(kind): length
    for kind, length in {
        "S": 12, "R": 39, "H": 25, "Y": 20, "L": 26, "V": 35, "W": 12, "K": 28, "J": 35, "h": 21, "A": 36, "F": 40, "E": 31, "C": 36,
        "X": 23, "D": 19, "U": 35, "P": 44, "Q": 40, "B": 19, "I": 50, "N": 20, "O": 48,
    }.items()
}  # fmt: skip
PREFIX: Final = 2
# Everything from the order reference on; before it come type, locate, tracking number and timestamp: 11 bytes.
BODY: Final = PREFIX + 11
ADD: Final = struct.Struct(">QcI8sI")
EXECUTED: Final = struct.Struct(">QI")
EXECUTED_AT: Final = struct.Struct(">QIQcI")
REDUCED: Final = struct.Struct(">QI")
DELETED: Final = struct.Struct(">Q")
REPLACED: Final = struct.Struct(">QQII")


def is_itch(head: bytes) -> bool:
    """Whether a file that begins so is ITCH: its first messages have known types and their lengths, or zero."""
    at = count = 0
    while count < 8 and at + PREFIX < len(head):
        length = LENGTHS.get(head[at + PREFIX])
        if length is None or int.from_bytes(head[at : at + PREFIX]) not in (0, length):
            return False
        at += PREFIX + length
        count += 1
    return count > 0


class _Order:
    """An order as the recording has it."""

    __slots__ = ("price", "shares", "side", "symbol")

    def __init__(self, symbol: int, side: int, price: int, shares: int) -> None:
        self.symbol, self.side, self.price, self.shares = symbol, side, price, shares


class ItchSource:
    kind: str = "itch"

    def __init__(self, path: Path, *, only: str | None = None, limit: int | None = None) -> None:
        self._path = path
        self._only = only
        self._limit = limit
        self.total = path.stat().st_size
        self.symbols: list[int] = []
        self.names: dict[int, str] = {}
        self.facts = {"messages": 0, "hidden_executions": 0, "fills_at_other_price": 0, "unknown_orders": 0}
        self._numbers: dict[bytes, int | None] = {}
        self._orders: dict[int, _Order] = {}
        self._out = Recorder()
        self._handlers: dict[int, Callable[[bytes, int], None]] = {
            ord("A"): self._added, ord("F"): self._added, ord("E"): self._executed, ord("C"): self._executed_at,
            ord("X"): self._reduced, ord("D"): self._deleted, ord("U"): self._replaced, ord("P"): self._hidden,
        }  # fmt: skip

    def chunks(self) -> Iterator[Chunk]:
        """Raises BadFile at the first message that cannot be read. A source is read once."""
        rest, offset, position = b"", 0, 0
        for piece, position in pieces(self._path):
            data = rest + piece
            used = self._read(data, offset)
            rest, offset = data[used:], offset + used
            if self._out.full:
                yield self._out.take(position)
            if self._limit == self.facts["messages"]:
                break
        if rest and self._limit != self.facts["messages"]:
            raise BadFile(self._path, f"is truncated: it ends in the middle of the message at byte {offset}")
        if self._only is not None and not self.names:
            raise BadFile(self._path, f"adds no order in stock {self._only!r}")
        yield self._out.take(position)

    def _read(self, data: bytes, offset: int) -> int:
        """Handle the whole messages in `data`; how many bytes they were."""
        at, size, count, handlers, lengths = 0, len(data), self.facts["messages"], self._handlers, LENGTHS
        limit = -1 if self._limit is None else self._limit
        while at + PREFIX < size and count != limit:
            kind = data[at + PREFIX]
            length = lengths.get(kind)
            if length is None:
                raise BadFile(self._path, f"has a message of unknown type {chr(kind)!r} at byte {offset + at}")
            if at + PREFIX + length > size:
                break
            handle = handlers.get(kind)
            if handle is not None:
                handle(data, at + BODY)
            at += PREFIX + length
            count += 1
        self.facts["messages"] = count
        return at

    def _number(self, stock: bytes) -> int | None:
        """The symbol of a stock, None when it is not asked for."""
        if stock not in self._numbers:
            name = stock.decode("ascii", "replace").strip()
            wanted = self._only is None or name == self._only
            number = len(self.names) if wanted else None
            self._numbers[stock] = number
            if number is not None:
                self.names[number] = name
                self._out.opened(number)
        return self._numbers[stock]

    def _find(self, reference: int) -> _Order | None:
        order = self._orders.get(reference)
        if order is None and self._only is None:
            self.facts["unknown_orders"] += 1
        return order

    def _added(self, data: bytes, at: int) -> None:
        reference, side, shares, stock, price = ADD.unpack_from(data, at)
        symbol = self._number(stock)
        if symbol is not None:
            self._enter(reference, _Order(symbol, Side.BUY if side == b"B" else Side.SELL, price, shares))

    def _enter(self, reference: int, order: _Order) -> None:
        self._orders[reference] = order
        self._out.limit(order.symbol, reference, order.side, order.price, order.shares)

    def _executed(self, data: bytes, at: int) -> None:
        reference, shares = EXECUTED.unpack_from(data, at)
        order = self._find(reference)
        if order is not None:
            self._fill(reference, order, shares)
        elif self._only is None:
            self._out.fill(UNSEEN, reference, 0, shares)

    def _fill(self, reference: int, order: _Order, shares: int) -> None:
        seq = self._out.take_from(order.symbol, 1 - order.side, order.price, shares)
        self._out.fill(seq, reference, order.price, shares)
        self._shrink(reference, order, shares)

    def _shrink(self, reference: int, order: _Order, shares: int) -> None:
        order.shares -= shares
        if order.shares <= 0:
            del self._orders[reference]

    def _executed_at(self, data: bytes, at: int) -> None:
        reference, shares, _match, _printable, price = EXECUTED_AT.unpack_from(data, at)
        order = self._find(reference)
        if order is None:
            if self._only is None:
                self._out.fill(UNSEEN, reference, price, shares)
        elif price == order.price:
            self._fill(reference, order, shares)
        else:
            self.facts["fills_at_other_price"] += 1
            self._out.fill(UNSEEN, reference, price, shares)
            self._take_off(reference, order, shares)

    def _reduced(self, data: bytes, at: int) -> None:
        reference, shares = REDUCED.unpack_from(data, at)
        order = self._find(reference)
        if order is not None:
            self._take_off(reference, order, shares)

    def _take_off(self, reference: int, order: _Order, shares: int) -> None:
        if order.shares > shares:
            self._out.replace(order.symbol, reference, order.price, order.shares - shares)
        else:
            self._out.cancel(order.symbol, reference)
        self._shrink(reference, order, shares)

    def _deleted(self, data: bytes, at: int) -> None:
        (reference,) = DELETED.unpack_from(data, at)
        order = self._find(reference)
        if order is not None:
            del self._orders[reference]
            self._out.cancel(order.symbol, reference)

    def _replaced(self, data: bytes, at: int) -> None:
        old, new, shares, price = REPLACED.unpack_from(data, at)
        order = self._find(old)
        if order is not None:
            del self._orders[old]
            self._out.cancel(order.symbol, old)
            self._enter(new, _Order(order.symbol, order.side, price, shares))

    def _hidden(self, _data: bytes, _at: int) -> None:
        self.facts["hidden_executions"] += 1
