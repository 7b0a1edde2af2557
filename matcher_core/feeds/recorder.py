"""Packs the commands a reader asks for, and remembers beside them what the venue recorded."""

from matcher_core.feeds.chunks import Chunk, Fill
from matcher_core.records import COMMAND
from matcher_core.types import Op, TimeInForce

CHUNK_COMMANDS = 1 << 16
UNSEEN = -1
"""The seq of fills that no command can reproduce, as those of orders older than the recording."""
ANONYMOUS = 1 << 63
"""Aggressors whose order the recording does not name get ids from here up."""


class Recorder:
    """Collects until `take`. The seq of a command is its number, from 0."""

    def __init__(self) -> None:
        self._packed = bytearray()
        self._fills: list[Fill] = []
        self._gone: list[int] = []
        self._opened: list[int] = []
        self.seq = 0

    @property
    def full(self) -> bool:
        return len(self._packed) >= CHUNK_COMMANDS * COMMAND.size

    def take(self, done: int) -> Chunk:
        """Everything since the last time, as a chunk."""
        chunk = Chunk(self._packed, True, done, tuple(self._fills), frozenset(self._gone), tuple(self._opened))
        self._packed, self._fills, self._gone, self._opened = bytearray(), [], [], []
        return chunk

    def opened(self, symbol: int) -> None:
        self._opened.append(symbol)

    def limit(self, symbol: int, order_id: int, side: int, price: int, quantity: int) -> None:
        self._put(Op.LIMIT, side, TimeInForce.GTC, symbol, order_id, price, quantity)

    def replace(self, symbol: int, order_id: int, price: int, quantity: int) -> None:
        self._put(Op.REPLACE, 0, 0, symbol, order_id, price, quantity)

    def cancel(self, symbol: int, order_id: int, *, gone: bool = False) -> None:
        if gone:
            self._gone.append(self.seq)
        self._put(Op.CANCEL, 0, 0, symbol, order_id, 0, 0)

    def clear(self, symbol: int) -> None:
        """Cancel every order of the book; all of them have owner 0."""
        self._put(Op.MASS_CANCEL, 0, 0, symbol, 0, 0, 0)

    def take_from(self, symbol: int, side: int, price: int, quantity: int, order_id: int | None = None) -> int:
        """An aggressor of that side; its seq. `order_id` None: nobody knows whose."""
        order_id = ANONYMOUS + self.seq if order_id is None else order_id
        return self._put(Op.LIMIT, side, TimeInForce.IOC, symbol, order_id, price, quantity)

    def other(self, op: int, symbol: int, *, tif: int = 0, side: int = 0, order_id: int = 0, quantity: int = 0) -> int:
        return self._put(op, side, tif, symbol, order_id, 0, quantity)

    def fill(self, seq: int, order_id: int, price: int, quantity: int) -> None:
        self._fills.append(Fill(seq, order_id, price, quantity))

    def _put(self, op: int, side: int, tif: int, symbol: int, order_id: int, price: int, quantity: int) -> int:
        self._packed += COMMAND.pack(op, side, tif, 0, symbol, self.seq, order_id, 0, 0, price, quantity, 0)
        self.seq += 1
        return self.seq - 1
