"""An engine for a replay: many books behind one `process`, and what a replay asks of them afterwards."""

from collections.abc import Iterable
from typing import Protocol, cast

from matcher_core import book as compiled
from matcher_core.book import Book
from matcher_core.feeds.chunks import Bytes
from matcher_core.records import COMMAND
from matcher_core.types import SelfTradePrevention


class AnyEngine(Protocol):
    @property
    def symbols(self) -> tuple[int, ...]: ...
    def process(self, commands: Bytes) -> Bytes: ...
    def open(self, symbol: int) -> object: ...
    def book(self, symbol: int) -> Book: ...
    def state_hash(self) -> bytes: ...
    def memory_bytes(self) -> int: ...
    def __len__(self) -> int: ...


def open_engine(symbols: Iterable[int]) -> AnyEngine:
    """A fresh engine with one book per symbol and no self-trade prevention: recorded orders name no owners."""
    engine = getattr(compiled, "Engine", None)
    if engine is None:
        return _Books(symbols)
    return cast(AnyEngine, engine(tuple(symbols), stp=SelfTradePrevention.OFF))


class _Books:
    """The same from single books, for a core that has no Engine."""

    def __init__(self, symbols: Iterable[int]) -> None:
        self._books: dict[int, Book] = {}
        for symbol in symbols:
            self.open(symbol)

    @property
    def symbols(self) -> tuple[int, ...]:
        return tuple(self._books)

    def process(self, commands: Bytes) -> Bytes:
        if len(self._books) == 1:
            return next(iter(self._books.values())).process(commands)
        view = memoryview(commands)
        return b"".join(
            self._books[int.from_bytes(view[at + 4 : at + 8], "little")].process(view[at : at + COMMAND.size])
            for at in range(0, len(view), COMMAND.size)
        )

    def open(self, symbol: int) -> Book:
        self._books[symbol] = Book(symbol, stp=SelfTradePrevention.OFF)
        return self._books[symbol]

    def book(self, symbol: int) -> Book:
        return self._books[symbol]

    def state_hash(self) -> bytes:
        return b"".join(book.state_hash() for book in self._books.values())

    def memory_bytes(self) -> int:
        return sum(book.memory_bytes() for book in self._books.values())

    def __len__(self) -> int:
        return sum(map(len, self._books.values()))
