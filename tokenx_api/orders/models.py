"""Orders as requests, as rows and as answers. Prices are ticks and quantities lots inside, decimal strings outside."""

from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Annotated, Any, Literal

from pydantic import Field

from tokenx_common.clock import rfc3339
from tokenx_common.money import format_amount
from tokenx_common.stream import Item
from tokenx_common.wire import AmountString, UnitsString, WireModel

Side = Literal["buy", "sell"]
OrderType = Literal["limit", "market"]
TimeInForce = Literal["gtc", "day", "ioc", "fok"]
Status = Literal["pending_new", "new", "partially_filled", "filled", "pending_cancel", "canceled", "pending_replace", "rejected", "expired"]  # fmt: skip
CancelReason = Literal["user_request", "compliance_revoked", "admin", "day_end"]
MarketStateName = Literal["continuous", "halted", "cancel_only"]

OrderId = Annotated[str, Field(pattern=r"^ord_[0-9a-f]{32}$")]
OfferingId = Annotated[str, Field(min_length=1, max_length=64)]
ClientOrderId = Annotated[str, Field(pattern=r"^[A-Za-z0-9._:-]{1,64}$", examples=["ui-7f3a91"])]


class PlaceOrder(WireModel):
    """A new order. client_order_id names it for ever: sending the same body again returns the same order."""

    client_order_id: ClientOrderId
    offering_id: OfferingId
    side: Side
    type: OrderType
    time_in_force: TimeInForce
    quantity: UnitsString
    limit_price: AmountString | None = None
    post_only: bool = Field(default=False, strict=True)


class ReplaceOrder(WireModel):
    """What to change. quantity is the new total, filled units included."""

    quantity: UnitsString | None = None
    limit_price: AmountString | None = None


@dataclass(frozen=True)
class Terms:
    """What of an offering an order needs. reference_minor: last trade, else primary price; minor units per unit."""

    offering_id: str
    symbol: str
    currency: str
    tick_size_minor: int
    lot_size_units: int
    max_units: int
    collar_bps: int
    reference_minor: int

    def value_minor(self, *, price_ticks: int, lots: int) -> int:
        """Minor units of a quantity at a price."""
        return price_ticks * self.tick_size_minor * lots * self.lot_size_units

    def held(self, side: Side, *, price_ticks: int, lots: int) -> int:
        """What an open quantity holds: its value for a buy, its units for a sell."""
        return self.value_minor(price_ticks=price_ticks, lots=lots) if side == "buy" else lots * self.lot_size_units


@dataclass(frozen=True)
class Size:
    """A checked quantity and price."""

    quantity_lots: int
    price_ticks: int


@dataclass(frozen=True)
class Order:
    """A row of matcher.orders with its offering's terms. remaining_lots is the open quantity, zero once closed."""

    order_id: str
    offering_id: str
    investor_id: str
    client_order_id: str
    body_sha256: bytes
    book_order_id: int
    owner_group: int
    side: Side
    type: OrderType
    time_in_force: TimeInForce
    post_only: bool
    quantity_lots: int
    price_ticks: int
    filled_lots: int
    remaining_lots: int
    filled_notional_minor: int
    status: Status
    status_reason: str
    decision_id: str
    revision: int
    created_at: datetime
    updated_at: datetime
    closed_at: datetime | None
    symbol: str
    tick_size_minor: int
    lot_size_units: int

    @property
    def is_open(self) -> bool:
        return self.closed_at is None


@dataclass(frozen=True)
class Fill:
    """One trade, with who pays whom."""

    fill_id: str
    exec_seq: int
    cmd_seq: int
    maker_order_id: str
    taker_order_id: str
    buy_order_id: str
    sell_order_id: str
    buyer_id: str
    seller_id: str
    price_ticks: int
    quantity_lots: int
    notional_minor: int
    units: int


@dataclass(frozen=True)
class AuditRow:
    """One line of the audit trail about an execution."""

    action: str
    subject_type: str
    subject_id: str
    correlation_id: str
    detail: dict[str, Any]


@dataclass(frozen=True)
class Sequenced:
    """A command with its place in the log, ready to be announced after the commit."""

    stream: str
    item: Item


class OrderView(WireModel):
    """An order as clients see it. limit_price is null for a market order, protection_price for a limit order."""

    order_id: str
    client_order_id: str
    offering_id: str
    symbol: str
    investor_id: str
    side: Side
    type: OrderType
    time_in_force: TimeInForce
    post_only: bool
    quantity: str
    limit_price: str | None
    protection_price: str | None
    filled_quantity: str
    remaining_quantity: str
    average_price: str | None
    status: Status
    status_reason: str
    revision: int
    decision_id: str
    created_at: str
    updated_at: str
    closed_at: str | None

    @classmethod
    def of(cls, order: Order) -> "OrderView":
        price = format_amount(order.price_ticks * order.tick_size_minor)
        is_market = order.type == "market"
        return cls(
            order_id=order.order_id,
            client_order_id=order.client_order_id,
            offering_id=order.offering_id,
            symbol=order.symbol,
            investor_id=order.investor_id,
            side=order.side,
            type=order.type,
            time_in_force=order.time_in_force,
            post_only=order.post_only,
            quantity=str(order.quantity_lots * order.lot_size_units),
            limit_price=None if is_market else price,
            protection_price=price if is_market else None,
            filled_quantity=str(order.filled_lots * order.lot_size_units),
            remaining_quantity=str(order.remaining_lots * order.lot_size_units),
            average_price=_average(order),
            status=order.status,
            status_reason=order.status_reason,
            revision=order.revision,
            decision_id=order.decision_id,
            created_at=rfc3339(order.created_at),
            updated_at=rfc3339(order.updated_at),
            closed_at=rfc3339(order.closed_at) if order.closed_at else None,
        )


_SIX_PLACES = Decimal("0.000001")
_TWO_PLACES = Decimal("0.01")


def _average(order: Order) -> str | None:
    """Average price per unit: two decimals when exact, else up to six."""
    units = order.filled_lots * order.lot_size_units
    if not units:
        return None
    price = (Decimal(order.filled_notional_minor) / 100 / units).quantize(_SIX_PLACES, ROUND_HALF_EVEN)
    return str(price.quantize(_TWO_PLACES) if price == price.quantize(_TWO_PLACES) else price.normalize())


class ExecutionView(WireModel):
    """One fill of one of the caller's orders. seq is dense per offering, not per order."""

    seq: int
    fill_id: str
    order_id: str
    offering_id: str
    symbol: str
    side: Side
    price: str
    quantity: str
    amount: str
    liquidity: Literal["maker", "taker"]
    executed_at: str


class RemedyView(WireModel):
    type: str
    value: str | None


class ReasonView(WireModel):
    code: str
    rule_id: str
    rule_version: int
    message: str
    remedy: RemedyView


class PreviewView(WireModel):
    """What the gate would say now, and what would be held. decision_id is null: a preview is not stored."""

    decision_id: str | None
    outcome: Literal["allow", "review", "deny"]
    reasons: list[ReasonView]
    price: str
    notional_amount: str
