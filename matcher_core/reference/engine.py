"""Many books behind one door: commands find their book by symbol."""

from collections.abc import Iterable

from matcher_core import snapshot
from matcher_core.records import Command, encode_event, iter_commands
from matcher_core.reference.book import ReferenceBook, as_sent, check_length
from matcher_core.reference.checks import OPS
from matcher_core.types import (
    ALL_SYMBOLS,
    DEFAULT_MAX_ORDERS,
    MAX_ENGINE_SYMBOLS,
    Event,
    Op,
    RejectCode,
    Rejected,
    SelfTradePrevention,
)

FOR_ALL = frozenset((Op.CLOCK, Op.MASS_CANCEL, Op.SET_STATE))


class ReferenceEngine:
    """Books that share their settings. `max_orders` is that of each book.

    CLOCK, MASS_CANCEL and SET_STATE for ALL_SYMBOLS run on every book, in the order the books were opened, and each
    answers. A command for a symbol that is not open is refused with that symbol in the event, and no book notes it.
    """

    def __init__(
        self,
        symbols: Iterable[int] = (0,),
        *,
        stp: SelfTradePrevention = SelfTradePrevention.CANCEL_NEWEST,
        max_orders: int = DEFAULT_MAX_ORDERS,
    ) -> None:
        self.stp = SelfTradePrevention(stp)
        self.max_orders = max_orders
        self._books: dict[int, ReferenceBook] = {}
        for symbol in symbols:
            self.open(symbol)

    def open(self, symbol: int) -> ReferenceBook:
        """A new book. Raises ValueError when the symbol is too large or open already."""
        if not 0 <= symbol < MAX_ENGINE_SYMBOLS:
            raise ValueError(f"symbol must be 0 to {MAX_ENGINE_SYMBOLS - 1}, was {symbol}")
        if symbol in self._books:
            raise ValueError(f"symbol {symbol} is open already")
        book = self._books[symbol] = ReferenceBook(symbol, stp=self.stp, max_orders=self.max_orders)
        return book

    def book(self, symbol: int) -> ReferenceBook:
        """The book of a symbol. Raises KeyError when it is not open."""
        return self._books[symbol]

    @property
    def symbols(self) -> tuple[int, ...]:
        """In the order opened."""
        return tuple(self._books)

    def __len__(self) -> int:
        """Live orders in all books."""
        return sum(map(len, self._books.values()))

    # ---- commands -------------------------------------------------------------------------------------------------

    def process(self, commands: bytes | bytearray | memoryview) -> bytes:
        """Apply packed commands in order and return packed events."""
        check_length(commands)
        return b"".join(record for command in iter_commands(commands) for record in self._answer(command)[1])

    def apply(self, c: Command) -> tuple[Event, ...]:
        return tuple(self._answer(as_sent(c))[0])

    def _answer(self, c: Command) -> tuple[list[Event], list[bytes]]:
        if c.symbol == ALL_SYMBOLS and c.op in FOR_ALL:
            answers = [book.answer(c._replace(symbol=book.symbol)) for book in self._books.values()]
            return [event for events, _ in answers for event in events], [raw for _, raws in answers for raw in raws]
        if (book := self._books.get(c.symbol)) is not None:
            return book.answer(c)
        refused = Rejected(c.seq, c.order_id, RejectCode.WRONG_SYMBOL if c.op in OPS else RejectCode.UNKNOWN_OP)
        return [refused], [encode_event(refused, c.symbol)]

    # ---- whole state ----------------------------------------------------------------------------------------------

    def snapshot(self) -> bytes:
        """All books as bytes (layout in snapshot.py)."""
        return snapshot.seal(self._body())

    def state_hash(self) -> bytes:
        return snapshot.digest(self._body())

    def _body(self) -> bytes:
        return snapshot.engine_body(book.image_body() for book in self._books.values())

    @classmethod
    def restore(cls, data: bytes | bytearray | memoryview) -> "ReferenceEngine":
        """The engine a snapshot describes. Bytes that `snapshot` cannot have written raise ValueError.

        The settings are those of its books; of an engine without any book, the default ones.
        """
        books = [ReferenceBook.from_image(image) for image in snapshot.parse_engine(data)]
        engine = cls(()) if not books else cls((), stp=books[0].stp, max_orders=books[0].max_orders)
        engine._books = {book.symbol: book for book in books}
        return engine

    def check_invariants(self) -> None:
        for book in self._books.values():
            book.check_invariants()

    def memory_bytes(self) -> int:
        return sum(book.memory_bytes() for book in self._books.values())
