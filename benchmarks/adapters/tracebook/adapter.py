"""matcher_core.Book behind the line protocol of tracebook-conformance: one JSON object a line on stdin and stdout.

    python -m benchmarks.adapters.tracebook.adapter

Translation only: the book decides what trades, rests and is refused. Three conventions of the two sides differ and are bridged here.
  Replace   Tracebook's always loses priority. Where our replace would keep it (same price, no more quantity), this cancels and enters anew.
  FOK       Tracebook takes a fill-or-kill order that cannot be filled and forgets it; our book refuses it. Both leave the book alone.
  Owner     Tracebook's owner only prevents self-trades, so it becomes our group; our own authority check does not take part.
Prices become whole ticks, quantities whole multiples of 10^-decimals. Pro-rata allocation is not offered: such a trace runs as FIFO and
shows as a difference.
"""

import sys
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Decimal

from tracebook.conformance.model import (
    BookSnapshot,
    BookState,
    ConformanceConfig,
    EngineMetadata,
    Observation,
    Outcome,
    RestingOrder,
    TradeFill,
    canonical_decimal,
)
from tracebook.conformance.protocol import serve_stdio
from tracebook.core.order import NO_OWNER, OrderSide, OrderType, SelfTradePolicy
from tracebook.events import MarketEvent

from matcher_core import BUILD_ID, Book, Event, RejectCode, Rejected, SelfTradePrevention, Side, TimeInForce, Trade

POLICIES = {
    SelfTradePolicy.NONE: SelfTradePrevention.OFF,
    SelfTradePolicy.CANCEL_RESTING: SelfTradePrevention.CANCEL_OLDEST,
    SelfTradePolicy.CANCEL_INCOMING: SelfTradePrevention.CANCEL_NEWEST,
}
TIFS = {OrderType.LIMIT: TimeInForce.GTC, OrderType.IOC: TimeInForce.IOC, OrderType.FOK: TimeInForce.FOK}
REASONS = {RejectCode.DUPLICATE_ORDER_ID: "DUPLICATE_ORDER_ID", RejectCode.UNKNOWN_ORDER: "ORDER_NOT_ACTIVE"}
INVALID = {
    "new": "INVALID_ORDER",
    "reduce": "INVALID_ORDER",
    "replace": "INVALID_REPLACEMENT",
    "cancel": "INVALID_CANCEL",
}
NEEDS_A_BOOK = ("cancel", "reduce", "replace")
APPLIED = Outcome("applied")


@dataclass
class _Listing:
    """One symbol's book, and the owner Tracebook wants to see beside each of its orders."""

    book: Book
    owners: dict[int, int] = field(default_factory=dict[int, int])


class BookAdapter:
    """What serve_stdio drives: events in, observations out."""

    def __init__(self, config: ConformanceConfig) -> None:
        self.metadata = EngineMetadata("matcher_core", BUILD_ID[:16], "Cython")
        self._stp = POLICIES[config.self_trade_policy]
        self._tick = Decimal(str(config.tick_size))
        self._decimals = config.quantity_decimal_places
        self._listings: dict[str, _Listing] = {}
        self._groups: dict[int, int] = {NO_OWNER: 0}

    def apply(self, event: MarketEvent, index: int) -> Observation:
        """Apply one event; the observation carries the digest of every resting order of every book."""
        events = self._apply(event)
        state = self.snapshot()
        refusal = next((e for e in events if isinstance(e, Rejected)), None)
        trades = tuple(self._fill(event.symbol, e) for e in events if isinstance(e, Trade))
        return Observation(index, _outcome(event, refusal), trades, state.digest(), state.order_count)

    def snapshot(self) -> BookState:
        return BookState(tuple(self._book_snapshot(symbol) for symbol in sorted(self._listings)))

    def close(self) -> None:
        """Nothing is held."""

    # ---- events ---------------------------------------------------------------------------------------------------

    def _apply(self, event: MarketEvent) -> tuple[Event, ...]:
        listing = self._listings.get(event.symbol)
        if listing is None:
            if event.op in NEEDS_A_BOOK:
                return (Rejected(0, event.order_id or 0, RejectCode.UNKNOWN_ORDER),)
            listing = self._listings[event.symbol] = _Listing(Book(stp=self._stp))
        if event.op == "clear":
            self._listings[event.symbol] = _Listing(Book(stp=self._stp))
            return ()
        assert event.order_id is not None  # MarketEvent requires it for every other operation
        if event.op == "cancel":
            return listing.book.cancel(event.order_id)
        if event.op == "reduce":
            return self._reduce(listing.book, event.order_id, event)
        if event.op == "replace":
            return self._replace(listing, event.order_id, event)
        return self._new(listing, event.order_id, event)

    def _new(self, listing: _Listing, order_id: int, event: MarketEvent) -> tuple[Event, ...]:
        side = Side.BUY if event.side == OrderSide.BUY else Side.SELL
        group, lots = self._group(event.owner), self._lots(event.quantity)
        if event.order_type == OrderType.MARKET:
            return listing.book.market(order_id, side, lots, group=group)
        tif = TIFS[OrderType(event.order_type)]
        events = listing.book.limit(order_id, side, self._ticks(event.price), lots, group=group, tif=tif)
        if not isinstance(events[0], Rejected):
            listing.owners[order_id] = event.owner
        return events

    def _reduce(self, book: Book, order_id: int, event: MarketEvent) -> tuple[Event, ...]:
        """Tracebook names what is taken off, our replace what is left."""
        resting, less = book.order(order_id), self._lots(event.quantity)
        if resting is None:
            return (Rejected(0, order_id, RejectCode.UNKNOWN_ORDER),)
        if less > resting.open_lots:
            return (Rejected(0, order_id, RejectCode.BAD_QUANTITY),)
        if less == resting.open_lots:
            return book.cancel(order_id)
        return book.replace(order_id, resting.price_ticks, resting.open_lots - less)

    def _replace(self, listing: _Listing, order_id: int, event: MarketEvent) -> tuple[Event, ...]:
        resting = listing.book.order(order_id)
        if resting is None:
            return (Rejected(0, order_id, RejectCode.UNKNOWN_ORDER),)
        ticks = resting.price_ticks if event.price is None else self._ticks(event.price)
        lots = resting.open_lots if event.quantity is None else self._lots(event.quantity)
        if ticks != resting.price_ticks or lots == 0 or lots > resting.open_lots:
            return listing.book.replace(order_id, ticks, lots)
        listing.book.cancel(order_id)
        return listing.book.limit(order_id, resting.side, ticks, lots, group=self._group(listing.owners[order_id]))

    # ---- words and units ------------------------------------------------------------------------------------------

    def _group(self, owner: int) -> int:
        """Our groups are positive; 0 is nobody's."""
        return self._groups.setdefault(owner, len(self._groups))

    def _ticks(self, price: float | None) -> int:
        """The nearest tick, 0 for a price that is none, so that the book refuses it."""
        ticks = (Decimal(str(price or 0)) / self._tick).to_integral_value(ROUND_HALF_EVEN)
        return max(0, int(ticks))

    def _lots(self, quantity: float | None) -> int:
        lots = Decimal(str(quantity or 0)).scaleb(self._decimals).to_integral_value(ROUND_HALF_EVEN)
        return max(0, int(lots))

    def _price(self, ticks: int) -> str:
        return canonical_decimal(self._tick * ticks)

    def _quantity(self, lots: int) -> str:
        return canonical_decimal(Decimal(lots).scaleb(-self._decimals))

    def _fill(self, symbol: str, trade: Trade) -> TradeFill:
        buy, sell = trade.taker_id, trade.maker_id
        if trade.taker_side == Side.SELL:
            buy, sell = sell, buy
        return TradeFill(symbol, buy, sell, self._price(trade.price_ticks), self._quantity(trade.quantity_lots))

    def _book_snapshot(self, symbol: str) -> BookSnapshot:
        listing = self._listings[symbol]
        bids: list[RestingOrder] = []
        asks: list[RestingOrder] = []
        for o in listing.book.orders():
            owner = listing.owners[o.order_id]
            row = RestingOrder(o.order_id, self._price(o.price_ticks), self._quantity(o.open_lots), owner)
            (bids if o.side == Side.BUY else asks).append(row)
        return BookSnapshot(symbol, tuple(bids), tuple(asks))


def _outcome(event: MarketEvent, refusal: Rejected | None) -> Outcome:
    if refusal is None or refusal.code == RejectCode.FOK_NOT_FILLABLE:
        return APPLIED
    return Outcome("rejected", REASONS.get(refusal.code, INVALID[event.op]), refusal.code.name)


if __name__ == "__main__":
    sys.exit(serve_stdio(BookAdapter))
