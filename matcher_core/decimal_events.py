"""What an InstrumentBook tells: the events and answers of the book with prices and quantities as decimals.

Each stands for the one of the same name without "Decimal" in types.py; None is said where the book says 0 for "no price"
and "no side". Events without a price or a quantity (Rejected, MassCanceled, StateChanged, ClockSet) stay as they are.
"""

from decimal import Decimal
from typing import NamedTuple, TypeAlias

from matcher_core.grid import Grid
from matcher_core.types import (
    Accepted,
    BandHit,
    BandKind,
    BandsSet,
    BookStatistics,
    Canceled,
    CancelReason,
    ClockSet,
    Decremented,
    DepthLevel,
    Event,
    Indicative,
    MassCanceled,
    PegKind,
    Place,
    Refreshed,
    Rejected,
    Replaced,
    Repriced,
    RestingOrder,
    Side,
    StateChanged,
    TimeInForce,
    Trade,
    Triggered,
    TriggerReason,
    Uncrossed,
)


class DecimalAccepted(NamedTuple):
    """A new order was taken. price is None for a market order without protection and a peg without a cap."""

    seq: int
    order_id: int
    side: Side
    price: Decimal | None
    quantity: Decimal
    resting: Decimal


class DecimalTrade(NamedTuple):
    """One fill. Leaves are the open quantities after it."""

    seq: int
    taker_id: int
    maker_id: int
    taker_side: Side
    price: Decimal
    quantity: Decimal
    taker_leaves: Decimal
    maker_leaves: Decimal
    auction: bool


class DecimalCanceled(NamedTuple):
    """`quantity` of an order left the market untraded."""

    seq: int
    order_id: int
    side: Side
    price: Decimal | None
    quantity: Decimal
    reason: CancelReason


class DecimalReplaced(NamedTuple):
    """An order has a new price or open quantity."""

    seq: int
    order_id: int
    side: Side
    price: Decimal
    quantity: Decimal
    resting: Decimal
    kept_priority: bool


class DecimalDecremented(NamedTuple):
    """Two orders of one group met, and each lost `quantity` without a trade."""

    seq: int
    taker_id: int
    maker_id: int
    taker_side: Side
    price: Decimal
    quantity: Decimal
    taker_leaves: Decimal
    maker_leaves: Decimal


class DecimalTriggered(NamedTuple):
    """A waiting order entered the book. price is its limit, None for a market order without protection."""

    seq: int
    order_id: int
    side: Side
    price: Decimal | None
    quantity: Decimal
    resting: Decimal
    reason: TriggerReason


class DecimalRefreshed(NamedTuple):
    """The next part of an iceberg is shown."""

    seq: int
    order_id: int
    side: Side
    price: Decimal
    shown: Decimal
    open: Decimal


class DecimalRepriced(NamedTuple):
    """A pegged order has a new price; None: it has none now."""

    seq: int
    order_id: int
    side: Side
    price: Decimal | None
    quantity: Decimal
    resting: Decimal


class DecimalUncrossed(NamedTuple):
    """A call ended. price is None when nothing could trade, surplus_side when nothing was left over."""

    seq: int
    price: Decimal | None
    volume: Decimal
    surplus_side: Side | None
    surplus: Decimal


class DecimalBandHit(NamedTuple):
    """An order would have traded outside a price band, at `price`."""

    seq: int
    order_id: int
    side: Side
    price: Decimal
    quantity: Decimal
    band: BandKind


class DecimalBandsSet(NamedTuple):
    """The price bands now; None: no such band."""

    seq: int
    reference: Decimal | None
    static_width: Decimal | None
    dynamic_width: Decimal | None


DecimalEvent: TypeAlias = (
    DecimalAccepted
    | DecimalTrade
    | DecimalCanceled
    | DecimalReplaced
    | DecimalDecremented
    | DecimalTriggered
    | DecimalRefreshed
    | DecimalRepriced
    | DecimalUncrossed
    | DecimalBandHit
    | DecimalBandsSet
    | Rejected
    | MassCanceled
    | StateChanged
    | ClockSet
)


_Rare: TypeAlias = Decremented | Triggered | Refreshed | Repriced | Uncrossed | BandHit | BandsSet


class DecimalOrder(NamedTuple):
    """One live order. See RestingOrder for what each field says at which place; None where that says 0."""

    order_id: int
    side: Side
    price: Decimal | None
    open: Decimal
    owner: int
    group: int
    place: Place
    tif: TimeInForce
    shown: Decimal
    stop_price: Decimal | None
    expire_at: int
    peg: PegKind


class DecimalLevel(NamedTuple):
    """All displayed orders of one side at one price; None: market orders waiting in a call."""

    price: Decimal | None
    quantity: Decimal
    orders: int


class DecimalIndicative(NamedTuple):
    """What an uncross would do now."""

    price: Decimal
    volume: Decimal
    surplus_side: Side | None
    surplus: Decimal


class DecimalStatistics(NamedTuple):
    """Counts since the book was opened; a price is None before the first trade."""

    accepted: int
    rejected: int
    canceled: int
    trades: int
    traded: Decimal
    open_price: Decimal | None
    high_price: Decimal | None
    low_price: Decimal | None
    last_price: Decimal | None


class Translator(NamedTuple):
    """From ticks and lots to decimals, by the grids of an instrument."""

    prices: Grid
    quantities: Grid

    def price(self, ticks: int) -> Decimal | None:
        return self.prices.value(ticks) if ticks else None

    def event(self, event: Event) -> DecimalEvent:
        p, o, q = self.prices.value, self.price, self.quantities.value
        match event:
            case Accepted(seq, order_id, side, price, quantity, resting):
                return DecimalAccepted(seq, order_id, side, o(price), q(quantity), q(resting))
            case Trade(seq, taker, maker, side, price, quantity, leaves, maker_leaves, auction):
                return DecimalTrade(seq, taker, maker, side, p(price), q(quantity), q(leaves), q(maker_leaves), auction)
            case Canceled(seq, order_id, side, price, quantity, reason):
                return DecimalCanceled(seq, order_id, side, o(price), q(quantity), reason)
            case Replaced(seq, order_id, side, price, quantity, resting, kept):
                return DecimalReplaced(seq, order_id, side, p(price), q(quantity), q(resting), kept)
            case Rejected() | MassCanceled() | StateChanged() | ClockSet():
                return event
            case _:
                return self._rare_event(event)

    def _rare_event(self, event: _Rare) -> DecimalEvent:
        p, o, q = self.prices.value, self.price, self.quantities.value
        match event:
            case Decremented(seq, taker, maker, side, price, quantity, leaves, maker_leaves):
                return DecimalDecremented(seq, taker, maker, side, p(price), q(quantity), q(leaves), q(maker_leaves))
            case Triggered(seq, order_id, side, price, quantity, resting, reason):
                return DecimalTriggered(seq, order_id, side, o(price), q(quantity), q(resting), reason)
            case Refreshed(seq, order_id, side, price, shown, whole):
                return DecimalRefreshed(seq, order_id, side, p(price), q(shown), q(whole))
            case Repriced(seq, order_id, side, price, quantity, resting):
                return DecimalRepriced(seq, order_id, side, o(price), q(quantity), q(resting))
            case Uncrossed(seq, price, volume, side, surplus):
                return DecimalUncrossed(seq, o(price), q(volume), side if surplus else None, q(surplus))
            case BandHit(seq, order_id, side, price, quantity, band):
                return DecimalBandHit(seq, order_id, side, p(price), q(quantity), band)
            case BandsSet(seq, reference, static, dynamic):
                return DecimalBandsSet(seq, o(reference), o(static), o(dynamic))

    def order(self, order: RestingOrder) -> DecimalOrder:
        o, q = self.price, self.quantities.value
        return DecimalOrder(
            order.order_id, order.side, o(order.price_ticks), q(order.open_lots), order.owner, order.group,
            order.place, order.tif, q(order.shown_lots), o(order.stop_ticks), order.expire_at, order.peg,
        )  # fmt: skip

    def level(self, level: DepthLevel) -> DecimalLevel:
        return DecimalLevel(self.price(level.price_ticks), self.quantities.value(level.quantity_lots), level.orders)

    def indicative(self, found: Indicative) -> DecimalIndicative:
        q = self.quantities.value
        side = found.surplus_side if found.surplus_lots else None
        return DecimalIndicative(
            self.prices.value(found.price_ticks), q(found.volume_lots), side, q(found.surplus_lots)
        )

    def statistics(self, counts: BookStatistics) -> DecimalStatistics:
        o = self.price
        return DecimalStatistics(
            counts.accepted, counts.rejected, counts.canceled, counts.trades, self.quantities.value(counts.traded_lots),
            o(counts.open_ticks), o(counts.high_ticks), o(counts.low_ticks), o(counts.last_ticks),
        )  # fmt: skip
