"""A book that speaks decimals: `Instrument` knows tick and lot, `InstrumentBook` is a Book with prices like "101.05".

    from matcher_core import Side
    from matcher_core.instrument import Instrument, InstrumentBook
    book = InstrumentBook(Instrument("BERG", tick_size="0.05", lot_size="10", currency="EUR"))
    book.limit(1, Side.SELL, "101.05", "50", owner=7)
    book.limit(2, Side.BUY, "101.05", "20", owner=8)      # (DecimalAccepted(...), DecimalTrade(...))

Prices and quantities are Decimal or str and are never rounded: one that is not on the grid raises OffGrid, a ValueError
that names its neighbours. The rules are the book's own; what it refuses comes back as Rejected, as it does there. A call in
decimals costs some microseconds more than one in ticks; batches go to `book.book.process` in ticks and lots.
"""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TypeAlias

from matcher_core.book import Book
from matcher_core.decimal_events import (
    DecimalEvent,
    DecimalIndicative,
    DecimalLevel,
    DecimalOrder,
    DecimalStatistics,
    Translator,
)
from matcher_core.grid import CONTEXT, Amount, Grid, OffGrid, a_step
from matcher_core.reference import ReferenceBook
from matcher_core.types import (
    DEFAULT_MAX_ORDERS,
    MAX_PRICE_TICKS,
    MAX_QUANTITY_LOTS,
    BookState,
    Event,
    PegKind,
    SelfTradePrevention,
    Side,
    TimeInForce,
)

__all__ = ["Amount", "Instrument", "InstrumentBook", "OffGrid"]

AnyBook: TypeAlias = Book | ReferenceBook


@dataclass(frozen=True, slots=True, init=False)
class Instrument:
    """What is traded, and in which steps.

    tick_size is the price step in `currency`, lot_size the quantity step in pieces, multiplier what one piece is worth per
    unit of price (50 for a future at 50 dollars a point). number is the symbol of its book, 0 to 2^32 - 1.
    """

    symbol: str
    tick_size: Decimal
    lot_size: Decimal
    currency: str
    multiplier: Decimal
    number: int
    prices: Grid = field(repr=False, compare=False)
    quantities: Grid = field(repr=False, compare=False)

    def __init__(
        self,
        symbol: str,
        tick_size: Amount,
        lot_size: Amount,
        *,
        currency: str = "",
        multiplier: Amount = "1",
        number: int = 0,
    ) -> None:
        """Raises TypeError for a float, ValueError for a step that is not positive or has more than 28 digits."""
        tick, lot = a_step("tick_size", tick_size), a_step("lot_size", lot_size)
        values = {
            "symbol": symbol, "tick_size": tick, "lot_size": lot, "currency": currency,
            "multiplier": a_step("multiplier", multiplier), "number": number,
            "prices": Grid("price", tick, MAX_PRICE_TICKS), "quantities": Grid("quantity", lot, MAX_QUANTITY_LOTS),
        }  # fmt: skip
        for name, value in values.items():
            object.__setattr__(self, name, value)  # the way of a frozen dataclass that converts its arguments

    def ticks(self, price: Amount) -> int:
        """A price as whole ticks. Raises OffGrid between ticks, ValueError at or below 0."""
        return self.prices.count(price)

    def lots(self, quantity: Amount) -> int:
        """A quantity as whole lots. Raises OffGrid between lots, ValueError at or below 0."""
        return self.quantities.count(quantity)

    def price(self, ticks: int) -> Decimal:
        return self.prices.value(ticks)

    def quantity(self, lots: int) -> Decimal:
        return self.quantities.value(lots)

    def notional(self, price: Amount, quantity: Amount) -> Decimal:
        """Price times quantity times multiplier, exactly, in the currency. Both must be on their grids."""
        ticks, lots = self.ticks(price), self.lots(quantity)
        return self.worth(ticks * lots)

    def worth(self, tick_lots: int) -> Decimal:
        """What a sum of ticks times lots is worth in the currency, exactly."""
        one = CONTEXT.multiply(CONTEXT.multiply(self.tick_size, self.lot_size), self.multiplier)
        return CONTEXT.multiply(Decimal(tick_lots), one)

    def affordable(self, notional: Amount, price: Amount) -> Decimal:
        """The largest quantity whose notional at a price is not above the one given; 0 when not even one lot is."""
        one_lot = Grid("notional", self.worth(self.ticks(price)), MAX_QUANTITY_LOTS)
        return self.quantity(one_lot.floor_count(notional))


class InstrumentBook:
    """A Book of one instrument, in decimals. Same methods, same order of arguments; `ticks` and `lots` leave the names.

    Ids, owners, groups, expiry times and seq are integers as they are there. An amount that is None is not given.
    """

    def __init__(
        self,
        instrument: Instrument,
        book: AnyBook | None = None,
        *,
        stp: SelfTradePrevention = SelfTradePrevention.CANCEL_NEWEST,
        max_orders: int = DEFAULT_MAX_ORDERS,
    ) -> None:
        """Over `book`, one of an engine for example, or over a new one with stp and max_orders.

        Raises ValueError when the book given has another symbol than the instrument's number.
        """
        self.instrument = instrument
        self.book: AnyBook = Book(instrument.number, stp=stp, max_orders=max_orders) if book is None else book
        if self.book.symbol != instrument.number:
            raise ValueError(
                f"book of {instrument.symbol} must have symbol {instrument.number}, was {self.book.symbol}"
            )
        self._ticks, self._lots = instrument.ticks, instrument.lots
        self._tell = Translator(instrument.prices, instrument.quantities)

    # ---- commands -------------------------------------------------------------------------------------------------

    def limit(
        self,
        order_id: int,
        side: Side,
        price: Amount,
        quantity: Amount,
        *,
        owner: int = 0,
        group: int = 0,
        tif: TimeInForce = TimeInForce.GTC,
        post_only: bool = False,
        slide: bool = False,
        hidden: bool = False,
        display: Amount | None = None,
        minimum: Amount | None = None,
        expire_at: int = 0,
        seq: int = 0,
    ) -> tuple[DecimalEvent, ...]:
        """Buy or sell at a price or better. `display` makes it an iceberg, `minimum` is a condition of entry."""
        return self._decimals(
            self.book.limit(
                order_id, side, self._ticks(price), self._lots(quantity), owner=owner, group=group, tif=tif,
                post_only=post_only, slide=slide, hidden=hidden, display_lots=self._lots_or_none(display),
                min_lots=self._lots_or_none(minimum), expire_at=expire_at, seq=seq,
            )
        )  # fmt: skip

    def market(
        self,
        order_id: int,
        side: Side,
        quantity: Amount,
        *,
        owner: int = 0,
        group: int = 0,
        tif: TimeInForce = TimeInForce.IOC,
        protection: Amount | None = None,
        minimum: Amount | None = None,
        seq: int = 0,
    ) -> tuple[DecimalEvent, ...]:
        """Buy or sell at once, at no worse a price than `protection`."""
        return self._decimals(
            self.book.market(
                order_id, side, self._lots(quantity), owner=owner, group=group, tif=tif,
                protection_ticks=self._ticks_or_none(protection), min_lots=self._lots_or_none(minimum), seq=seq,
            )
        )  # fmt: skip

    def stop(
        self,
        order_id: int,
        side: Side,
        stop: Amount,
        quantity: Amount,
        *,
        limit: Amount | None = None,
        owner: int = 0,
        group: int = 0,
        tif: TimeInForce = TimeInForce.GTC,
        expire_at: int = 0,
        seq: int = 0,
    ) -> tuple[DecimalEvent, ...]:
        """Wait until the last price reaches `stop`, then enter as a market order, or a limit order with a `limit`."""
        return self._decimals(
            self.book.stop(
                order_id, side, self._ticks(stop), self._lots(quantity), limit_ticks=self._ticks_or_none(limit),
                owner=owner, group=group, tif=tif, expire_at=expire_at, seq=seq,
            )
        )  # fmt: skip

    def trailing_stop(
        self,
        order_id: int,
        side: Side,
        offset: Amount,
        quantity: Amount,
        *,
        limit: Amount | None = None,
        owner: int = 0,
        group: int = 0,
        tif: TimeInForce = TimeInForce.GTC,
        expire_at: int = 0,
        seq: int = 0,
    ) -> tuple[DecimalEvent, ...]:
        """A stop that follows the best last price since its entry at a distance of `offset`."""
        return self._decimals(
            self.book.trailing_stop(
                order_id, side, self._ticks(offset), self._lots(quantity), limit_ticks=self._ticks_or_none(limit),
                owner=owner, group=group, tif=tif, expire_at=expire_at, seq=seq,
            )
        )  # fmt: skip

    def peg(
        self,
        order_id: int,
        side: Side,
        kind: PegKind,
        quantity: Amount,
        *,
        limit: Amount | None = None,
        offset: Amount | None = None,
        owner: int = 0,
        group: int = 0,
        tif: TimeInForce = TimeInForce.GTC,
        expire_at: int = 0,
        seq: int = 0,
    ) -> tuple[DecimalEvent, ...]:
        """Follow the midpoint or a best price, hidden, at a distance of `offset`, never beyond `limit`."""
        return self._decimals(
            self.book.peg(
                order_id, side, kind, self._lots(quantity), limit_ticks=self._ticks_or_none(limit),
                offset_ticks=self._ticks_or_none(offset), owner=owner, group=group, tif=tif, expire_at=expire_at, seq=seq,
            )
        )  # fmt: skip

    def cancel(self, order_id: int, *, owner: int = 0, seq: int = 0) -> tuple[DecimalEvent, ...]:
        return self._decimals(self.book.cancel(order_id, owner=owner, seq=seq))

    def replace(
        self,
        order_id: int,
        price: Amount,
        quantity: Amount,
        *,
        owner: int = 0,
        post_only: bool = False,
        slide: bool = False,
        stop: Amount | None = None,
        seq: int = 0,
    ) -> tuple[DecimalEvent, ...]:
        """A new price and open quantity. The place is kept only at the same price with no more quantity."""
        return self._decimals(
            self.book.replace(
                order_id, self._ticks(price), self._lots(quantity), owner=owner, post_only=post_only, slide=slide,
                stop_ticks=self._ticks_or_none(stop), seq=seq,
            )
        )  # fmt: skip

    def mass_cancel(
        self, *, owner: int | None = None, side: Side | None = None, seq: int = 0
    ) -> tuple[DecimalEvent, ...]:
        """Cancel all orders of an owner (None: of everybody), on one side or on both (None)."""
        return self._decimals(self.book.mass_cancel(owner=owner, side=side, seq=seq))

    def set_state(self, state: BookState, *, seq: int = 0) -> tuple[DecimalEvent, ...]:
        return self._decimals(self.book.set_state(state, seq=seq))

    def clock(self, now: int, *, end_of_day: bool = False, seq: int = 0) -> tuple[DecimalEvent, ...]:
        """Set the book's clock, in the unit of expire_at, and let what is over expire."""
        return self._decimals(self.book.clock(now, end_of_day=end_of_day, seq=seq))

    def uncross(self, state: BookState = BookState.TRADING, *, seq: int = 0) -> tuple[DecimalEvent, ...]:
        """End a call: everybody trades at one price, then the book has `state`."""
        return self._decimals(self.book.uncross(state, seq=seq))

    def set_bands(
        self,
        reference: Amount | None,
        static_width: Amount | None,
        dynamic_width: Amount | None = None,
        *,
        seq: int = 0,
    ) -> tuple[DecimalEvent, ...]:
        """Set the price bands: static around `reference`, dynamic around the last price; None: no such band."""
        ticks = self._ticks_or_none
        return self._decimals(self.book.set_bands(ticks(reference), ticks(static_width), ticks(dynamic_width), seq=seq))

    # ---- queries --------------------------------------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self.book)

    @property
    def symbol(self) -> str:
        return self.instrument.symbol

    @property
    def stp(self) -> SelfTradePrevention:
        return self.book.stp

    @property
    def max_orders(self) -> int:
        return self.book.max_orders

    @property
    def state(self) -> BookState:
        return self.book.state

    @property
    def best_bid(self) -> Decimal | None:
        return self._tell.price(self.book.best_bid or 0)

    @property
    def best_ask(self) -> Decimal | None:
        return self._tell.price(self.book.best_ask or 0)

    @property
    def last_price(self) -> Decimal | None:
        return self._tell.price(self.book.last_price or 0)

    @property
    def clock_now(self) -> int:
        return self.book.clock_now

    def order(self, order_id: int) -> DecimalOrder | None:
        found = self.book.order(order_id)
        return None if found is None else self._tell.order(found)

    def orders(self) -> list[DecimalOrder]:
        return [self._tell.order(order) for order in self.book.orders()]

    def depth(self, levels: int) -> tuple[list[DecimalLevel], list[DecimalLevel]]:
        """The best `levels` prices of each side as displayed, bids then asks."""
        bids, asks = self.book.depth(levels)
        return [self._tell.level(level) for level in bids], [self._tell.level(level) for level in asks]

    def cost(self, side: Side, quantity: Amount) -> Decimal | None:
        """What an order on `side` would pay or get for a quantity from the displayed book; None: there is not enough."""
        wanted, tick_lots = self._lots(quantity), 0
        bids, asks = self.book.depth(len(self.book))
        priced = (level for level in (asks if side is Side.BUY else bids) if level.price_ticks)
        for level in priced:
            taken = min(wanted, level.quantity_lots)
            tick_lots += taken * level.price_ticks
            wanted -= taken
        return None if wanted else self.instrument.worth(tick_lots)

    def indicative(self) -> DecimalIndicative | None:
        found = self.book.indicative()
        return None if found is None else self._tell.indicative(found)

    def statistics(self) -> DecimalStatistics:
        return self._tell.statistics(self.book.statistics())

    # ---- whole state ----------------------------------------------------------------------------------------------

    def snapshot(self) -> bytes:
        return self.book.snapshot()

    def state_hash(self) -> bytes:
        return self.book.state_hash()

    @property
    def rolling_hash(self) -> int:
        return self.book.rolling_hash

    @classmethod
    def restore(cls, instrument: Instrument, data: bytes | bytearray | memoryview) -> "InstrumentBook":
        """The book of a snapshot. Raises ValueError for a damaged one, or one of a book with another symbol."""
        return cls(instrument, Book.restore(data))

    def check_invariants(self) -> None:
        self.book.check_invariants()

    def memory_bytes(self) -> int:
        return self.book.memory_bytes()

    # ---- conversion -----------------------------------------------------------------------------------------------

    def _decimals(self, events: tuple[Event, ...]) -> tuple[DecimalEvent, ...]:
        return tuple(self._tell.event(event) for event in events)

    def _ticks_or_none(self, price: Amount | None) -> int:
        return 0 if price is None else self._ticks(price)

    def _lots_or_none(self, quantity: Amount | None) -> int:
        return 0 if quantity is None else self._lots(quantity)
