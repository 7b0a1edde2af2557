"""Pure decisions about orders: which requests fit an offering's grid, and how executions move an order from state to state."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from tokenx_api.orders.errors import InvalidOrder
from tokenx_api.orders.models import OrderType, PlaceOrder, Side, Size, Status, Terms
from tokenx_common.events import OrderAccepted, OrderCanceled, OrderRejected, OrderReplaced, Trade
from tokenx_common.money import MAX_INT64, NotADecimal, parse_amount, parse_units, to_ticks

Problem = dict[str, str]


# --- requests ----------------------------------------------------------------------------------------------------------


def size(request: PlaceOrder, terms: Terms, *, collar: tuple[int, int]) -> Size:
    """Lots and ticks of a request; a market order gets the far end of the collar as its protection price.
    collar: lowest and highest price, minor units. Raises InvalidOrder with everything that is wrong."""
    problems = shape_problems(request)
    quantity = _lots(request.quantity, terms, problems)
    if request.type == "market":
        price = protection_ticks(request.side, terms, collar=collar)
    else:
        price = _ticks(request.limit_price, terms, problems) if request.limit_price is not None else 0
    return _checked(quantity, price, terms, problems)


def resize(*, quantity: str | None, limit_price: str | None, lots: int, ticks: int, order_type: OrderType, terms: Terms) -> Size:  # fmt: skip
    """The new total lots and ticks of a replace; lots and ticks are the old ones. Raises InvalidOrder."""
    problems: list[Problem] = []
    if quantity is None and limit_price is None:
        problems.append(_problem("/", "order.nothing_to_change", "give a quantity, a limit_price or both"))
    if order_type == "market":
        problems.append(_problem("/", "order.market_not_replaceable", "a market order cannot be changed"))
    new_lots = lots if quantity is None else _lots(quantity, terms, problems)
    new_ticks = ticks if limit_price is None else _ticks(limit_price, terms, problems)
    return _checked(new_lots, new_ticks, terms, problems)


def shape_problems(request: PlaceOrder) -> list[Problem]:
    """Combinations that make no sense whatever the offering."""
    problems: list[Problem] = []
    if request.type == "limit" and request.limit_price is None:
        problems.append(_problem("/limit_price", "order.limit_price_required", "a limit order needs a limit_price"))
    if request.type == "market" and request.limit_price is not None:
        problems.append(_problem("/limit_price", "order.limit_price_not_allowed", "a market order has no limit_price"))
    if request.type == "market" and request.time_in_force not in ("ioc", "fok"):
        problems.append(_problem("/time_in_force", "order.time_in_force_not_allowed", "a market order is ioc or fok: it never rests"))  # fmt: skip
    if request.post_only and (request.type == "market" or request.time_in_force in ("ioc", "fok")):
        problems.append(_problem("/post_only", "order.post_only_not_allowed", "only an order that may rest can be post-only"))  # fmt: skip
    return problems


def protection_ticks(side: Side, terms: Terms, *, collar: tuple[int, int]) -> int:
    """The worst price a market order accepts, on the grid and inside the collar."""
    low, high = collar
    return max(1, high // terms.tick_size_minor if side == "buy" else -(-low // terms.tick_size_minor))


def _lots(quantity: str, terms: Terms, problems: list[Problem]) -> int:
    units = parse_units(quantity)
    lots, rest = divmod(units, terms.lot_size_units)
    if rest:
        problems.append(_problem("/quantity", "order.quantity_not_lot_multiple", f"must be a multiple of {terms.lot_size_units}, was {quantity}"))  # fmt: skip
    elif units > terms.max_units:
        problems.append(_problem("/quantity", "order.quantity_too_large", f"the offering has {terms.max_units} units"))
    return lots


def _ticks(price: str, terms: Terms, problems: list[Problem]) -> int:
    try:
        return to_ticks(parse_amount(price), tick_size_minor=terms.tick_size_minor)
    except NotADecimal as error:
        problems.append(_problem("/limit_price", "order.price_off_tick", str(error)))
        return 0


def _checked(lots: int, ticks: int, terms: Terms, problems: list[Problem]) -> Size:
    if terms.value_minor(price_ticks=ticks, lots=lots) > MAX_INT64:
        problems.append(_problem("/quantity", "order.notional_too_large", "price times quantity is out of range"))
    if problems:
        raise InvalidOrder(problems)
    return Size(quantity_lots=lots, price_ticks=ticks)


def _problem(pointer: str, code: str, message: str) -> Problem:
    return {"pointer": pointer, "code": code, "message": message}


# --- states ------------------------------------------------------------------------------------------------------------

CLOSED: Final[frozenset[Status]] = frozenset({"filled", "canceled", "rejected", "expired"})
_OPEN_ENDS: Final[frozenset[Status]] = frozenset({"filled", "canceled", "expired", "pending_cancel"})
LEGAL: Final[Mapping[Status, frozenset[Status]]] = {
    "pending_new": frozenset({"new", "rejected", "pending_cancel", "pending_replace"}),
    "new": frozenset({"partially_filled", "pending_replace", *_OPEN_ENDS}),
    "partially_filled": frozenset({"pending_replace", *_OPEN_ENDS}),
    "pending_cancel": frozenset({"filled", "canceled", "expired", "rejected", "new", "partially_filled"}),
    "pending_replace": frozenset({"new", "partially_filled", "rejected", *_OPEN_ENDS}),
    "filled": frozenset(),
    "canceled": frozenset(),
    "rejected": frozenset(),
    "expired": frozenset(),
}
"""Status -> what it may become. Staying as it is is always legal; a closed order never opens again."""
EXPIRY_REASONS: Final = frozenset({"day_end", "ioc_remainder", "fok_unfilled"})


class IllegalTransition(ValueError):
    """An execution does not fit the order's state: the logs disagree, which is our bug."""


@dataclass(frozen=True)
class OrderState:
    """The part of an order that executions move. held: reserved cash (buy) or units (sell)."""

    order_id: str
    investor_id: str
    side: Side
    status: Status
    status_reason: str
    quantity_lots: int
    price_ticks: int
    filled_lots: int
    remaining_lots: int
    filled_notional_minor: int
    revision: int
    held: int
    last_exec_seq: int = 0
    correlation_id: str = ""

    @property
    def is_closed(self) -> bool:
        return self.status in CLOSED


def accepted(state: OrderState, _event: OrderAccepted) -> OrderState:
    """The book took it; its trades follow as events of their own."""
    return _move(state, "new") if state.status == "pending_new" else state


def rejected(state: OrderState, event: OrderRejected) -> OrderState:
    """The book refused the new order: nothing stays held."""
    return _close(state, "rejected", event.code.lower())


def traded(state: OrderState, event: Trade, terms: Terms) -> OrderState:
    """One fill, as maker or taker. A buyer's price improvement is freed with it."""
    is_maker = event.maker_order_id == state.order_id
    remaining = event.maker_remaining_lots if is_maker else event.taker_remaining_lots
    lots = event.quantity_lots
    if remaining != state.remaining_lots - lots:
        raise IllegalTransition(f"{state.order_id}: {state.remaining_lots} open, traded {lots}, {remaining} left")
    filled = replace(
        state,
        filled_lots=state.filled_lots + lots,
        remaining_lots=remaining,
        filled_notional_minor=state.filled_notional_minor + terms.value_minor(price_ticks=event.price_ticks, lots=lots),
        held=state.held - terms.held(state.side, price_ticks=state.price_ticks, lots=lots),
    )
    if remaining == 0:
        return _close(filled, "filled", "")
    return _move(filled, "partially_filled") if state.status == "new" else filled


def canceled(state: OrderState, event: OrderCanceled) -> OrderState:
    """What was still open is gone; held cash or units are freed."""
    return _close(state, "expired" if event.reason in EXPIRY_REASONS else "canceled", event.reason)


def replaced(state: OrderState, event: OrderReplaced, terms: Terms) -> OrderState:
    """New price and open quantity are in the book. Trades of the same command follow."""
    changed = replace(
        state,
        price_ticks=event.price_ticks,
        remaining_lots=event.remaining_lots,
        quantity_lots=state.filled_lots + event.remaining_lots,
        held=terms.held(state.side, price_ticks=event.price_ticks, lots=event.remaining_lots),
        revision=state.revision + 1,
    )
    return _resting(changed) if state.status == "pending_replace" else changed


def change_refused(state: OrderState, event: OrderRejected, terms: Terms) -> OrderState:
    """A cancel or replace came too late or was not allowed: the order goes on as it was, or has closed already."""
    if state.is_closed:
        return state
    pending: Status = "pending_replace" if event.type == "replace.rejected" else "pending_cancel"
    held = terms.held(state.side, price_ticks=state.price_ticks, lots=state.remaining_lots)
    unchanged = replace(state, held=held) if pending == "pending_replace" else state
    return _resting(unchanged, event.code.lower()) if state.status == pending else unchanged


def _resting(state: OrderState, reason: str = "") -> OrderState:
    return _move(state, "partially_filled" if state.filled_lots else "new", reason)


def _close(state: OrderState, status: Status, reason: str) -> OrderState:
    if state.is_closed:
        raise IllegalTransition(f"{state.order_id}: closed as {state.status}, and again as {status}")
    return replace(_move(state, status, reason), remaining_lots=0, held=0)


def _move(state: OrderState, status: Status, reason: str = "") -> OrderState:
    if status != state.status and status not in LEGAL[state.status]:
        raise IllegalTransition(f"{state.order_id}: {state.status} -> {status}")
    return replace(state, status=status, status_reason=reason)
