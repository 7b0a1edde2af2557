"""The reference book: the same surface as the compiled one, over the rules in the files beside this one."""

import sys

from matcher_core import snapshot as snapshots
from matcher_core.records import FIRST_FIELDS, NO_DETAILS, RECORD_SIZE, Command, encode_event, iter_commands
from matcher_core.reference import auctions, checks, effects, images, settling
from matcher_core.reference.calls import TypedCalls
from matcher_core.reference.data import BookData, Order
from matcher_core.reference.tally import Tally
from matcher_core.types import (
    DEFAULT_MAX_ORDERS,
    MAX_ORDERS_CEILING,
    BookState,
    BookStatistics,
    CommandFlag,
    DepthLevel,
    Event,
    Indicative,
    Place,
    Rejected,
    RestingOrder,
    SelfTradePrevention,
    Side,
)


class ReferenceBook(TypedCalls):
    """One order book. See `matcher_core.Book` for the fast one with the same rules."""

    def __init__(
        self,
        symbol: int = 0,
        *,
        stp: SelfTradePrevention = SelfTradePrevention.CANCEL_NEWEST,
        max_orders: int = DEFAULT_MAX_ORDERS,
    ) -> None:
        if not 0 < max_orders <= MAX_ORDERS_CEILING:
            raise ValueError(f"max_orders must be 1 to {MAX_ORDERS_CEILING}, was {max_orders}")
        self.symbol = symbol
        self._data = BookData(symbol, SelfTradePrevention(stp), max_orders)
        self._tally = Tally()

    # ---- commands -------------------------------------------------------------------------------------------------

    def process(self, commands: bytes | bytearray | memoryview) -> bytes:
        """Apply packed commands in order and return packed events. See records.py for both layouts."""
        check_length(commands)
        return b"".join(record for command in iter_commands(commands) for record in self.answer(command)[1])

    def apply(self, c: Command) -> tuple[Event, ...]:
        """Apply one command. A refused command returns one Rejected and changes nothing."""
        return tuple(self.answer(as_sent(c))[0])

    def answer(self, c: Command) -> tuple[list[Event], list[bytes]]:
        """The events of one command, and their records."""
        events = self._carry_out(c)
        one_side = c.side if c.flags & CommandFlag.ONE_SIDE else 0
        packed = [encode_event(event, self.symbol, one_side=one_side) for event in events]
        for event, record in zip(events, packed, strict=True):
            self._tally.add(event, record)
        return events, packed

    def _carry_out(self, c: Command) -> list[Event]:
        book = self._data
        code = checks.refusal(book, c)
        if code is not None:
            return [Rejected(c.seq, c.order_id, code)]
        book.seq, book.events, book.peg_entered = c.seq, [], False
        effects.carry_out(book, c)
        settling.settle(book)
        return book.events

    # ---- queries --------------------------------------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self._data.orders)

    def __repr__(self) -> str:
        return f"<ReferenceBook symbol={self.symbol} state={self.state.name} orders={len(self)}>"

    @property
    def stp(self) -> SelfTradePrevention:
        return self._data.stp

    @property
    def max_orders(self) -> int:
        return self._data.max_orders

    @property
    def state(self) -> BookState:
        return self._data.state

    @property
    def best_bid(self) -> int | None:
        """The best displayed limit price to buy, None without any. Market orders in a call have no price."""
        return self._data.best_displayed(Side.BUY) or None

    @property
    def best_ask(self) -> int | None:
        return self._data.best_displayed(Side.SELL) or None

    @property
    def last_price(self) -> int | None:
        """The price of the last trade, None before the first."""
        return self._data.last_price or None

    @property
    def clock_now(self) -> int:
        return self._data.clock

    def orders(self) -> list[RestingOrder]:
        """Every live order: place by place, in each buys before sells, in priority order."""
        return [_described(o) for o in self._data.in_place_order()]

    def order(self, order_id: int) -> RestingOrder | None:
        o = self._data.orders.get(order_id)
        return None if o is None else _described(o)

    def depth(self, levels: int) -> tuple[list[DepthLevel], list[DepthLevel]]:
        """The best `levels` prices displayed on each side, bids then asks; market orders in a call at price 0."""
        if levels < 0:
            raise ValueError(f"levels must not be negative, was {levels}")
        return self._depth(Side.BUY, levels), self._depth(Side.SELL, levels)

    def _depth(self, side: Side, levels: int) -> list[DepthLevel]:
        shelf = self._data.shelf(Place.BOOK, side)
        best = [shelf.levels[key] for key in shelf.keys[:levels]]
        return [DepthLevel(level[0].price, sum(o.shown for o in level), len(level)) for level in best]

    def indicative(self) -> Indicative | None:
        """What an uncross would do now, in any state; None when nothing could trade."""
        return auctions.indicative(self._data)

    def statistics(self) -> BookStatistics:
        return self._tally.statistics(self._data.last_price)

    @property
    def rolling_hash(self) -> int:
        """A u64 over every event the book has told (tally.py)."""
        return self._tally.rolling_hash

    def memory_bytes(self) -> int:
        """About what the orders take. Python objects are shared and pooled, so this is an estimate."""
        return sys.getsizeof(self._data.orders) + sum(map(sys.getsizeof, self._data.orders.values()))

    # ---- whole state ----------------------------------------------------------------------------------------------

    def snapshot(self) -> bytes:
        """The whole book as bytes (layout in snapshot.py)."""
        return snapshots.seal(self.image_body())

    def state_hash(self) -> bytes:
        """blake2b-256 of the whole book. 32 bytes."""
        return snapshots.digest(self.image_body())

    def image_body(self) -> bytes:
        """A snapshot without its digest."""
        return images.image_of(self._data, self._tally).body()

    @classmethod
    def restore(cls, data: bytes | bytearray | memoryview) -> "ReferenceBook":
        """The book a snapshot describes. Bytes that `snapshot` cannot have written raise ValueError."""
        return cls.from_image(snapshots.parse(data))

    @classmethod
    def from_image(cls, image: snapshots.BookImage) -> "ReferenceBook":
        header = image.header
        book = cls(header.symbol, stp=SelfTradePrevention(header.stp), max_orders=header.max_orders)
        book._data, book._tally = images.book_of(image)
        return book

    def check_invariants(self) -> None:
        """Raise AssertionError when the parts of the book disagree. For tests."""
        images.check(self._data)


def as_sent(c: Command) -> Command:
    """The command as its record says it: details without their flag are not in it."""
    return c if c[FIRST_FIELDS:] == NO_DETAILS or c.has_details else Command(*c[:FIRST_FIELDS])


def check_length(commands: bytes | bytearray | memoryview) -> None:
    if len(commands) % RECORD_SIZE:
        raise ValueError(f"commands must be a multiple of {RECORD_SIZE} bytes, was {len(commands)}")


def _described(o: Order) -> RestingOrder:
    return RestingOrder(
        o.order_id,
        o.side,
        o.listed_price,
        o.open,
        o.owner,
        o.group,
        place=o.place,
        tif=o.tif,
        shown_lots=o.shown if o.place is Place.BOOK else 0,
        stop_ticks=max(o.stop, 0) if o.place in (Place.STOP, Place.TRAILING) else 0,
        expire_at=o.expire_at,
        peg=o.peg,
    )
