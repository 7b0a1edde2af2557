"""Executions in, new order states, fills and audit lines out. Pure: what ingestion writes is decided here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from tokenx_api.orders import rules
from tokenx_api.orders.models import AuditRow, Fill, Terms
from tokenx_api.orders.rules import IllegalTransition, OrderState
from tokenx_common.events import (
    ClockTicked,
    Execution,
    MarketStateChanged,
    OrderAccepted,
    OrderCanceled,
    OrderRejected,
    OrderReplaced,
    Trade,
)

_AUDIT_ACTION = {"order.replaced": "order.replaced", "order.canceled": "order.canceled", "order.accepted": "order.accepted",
                 "order.rejected": "order.rejected", "cancel.rejected": "order.cancel_rejected", "replace.rejected": "order.replace_rejected"}  # fmt: skip


@dataclass(frozen=True)
class Folded:
    """What a batch of executions comes to. states: every order touched, as it is after the batch."""

    states: dict[str, OrderState]
    fills: list[Fill]
    audit: list[AuditRow]


def order_ids(executions: Sequence[Execution]) -> list[str]:
    """Every order the executions speak of, sorted."""
    found: set[str] = set()
    for event in executions:
        if isinstance(event, Trade):
            found |= {event.maker_order_id, event.taker_order_id}
        elif not isinstance(event, MarketStateChanged | ClockTicked):
            found.add(event.order_id)
    return sorted(found)


def fold(executions: Sequence[tuple[int, Execution]], before: Mapping[str, OrderState], terms: Terms) -> Folded:
    """executions: (exec_seq, event) in order. Raises IllegalTransition when the logs and the orders disagree."""
    folded = Folded(dict(before), [], [])
    for exec_seq, event in executions:
        _apply(folded, exec_seq, event, terms)
    return folded


def _apply(folded: Folded, exec_seq: int, event: Execution, terms: Terms) -> None:
    match event:
        case Trade():
            _trade(folded, exec_seq, event, terms)
        case MarketStateChanged():
            folded.audit.append(AuditRow("market.state_changed", "offering", terms.offering_id, "matcher", {"state": event.state, "exec_seq": exec_seq}))  # fmt: skip
        case ClockTicked():
            pass
        case _:
            state = _moved(_known(folded, event.order_id), event, terms)
            folded.states[event.order_id] = replace(state, last_exec_seq=exec_seq)
            detail = {"exec_seq": exec_seq, "status": state.status, "reason": state.status_reason}
            folded.audit.append(AuditRow(_AUDIT_ACTION[event.type], "order", event.order_id, state.correlation_id, detail))  # fmt: skip


def _moved(
    state: OrderState, event: OrderAccepted | OrderRejected | OrderCanceled | OrderReplaced, terms: Terms
) -> OrderState:
    match event:
        case OrderAccepted():
            return rules.accepted(state, event)
        case OrderCanceled():
            return rules.canceled(state, event)
        case OrderReplaced():
            return rules.replaced(state, event, terms)
        case OrderRejected(type="order.rejected"):
            return rules.rejected(state, event)
        case OrderRejected():
            return rules.change_refused(state, event, terms)


def _trade(folded: Folded, exec_seq: int, event: Trade, terms: Terms) -> None:
    maker, taker = _known(folded, event.maker_order_id), _known(folded, event.taker_order_id)
    buy, sell = (taker, maker) if event.taker_side == "buy" else (maker, taker)
    if (buy.side, sell.side) != ("buy", "sell"):
        raise IllegalTransition(f"execution {exec_seq}: {maker.order_id} and {taker.order_id} are on the same side")
    for state in (maker, taker):
        folded.states[state.order_id] = replace(rules.traded(state, event, terms), last_exec_seq=exec_seq)
    fill_id = f"{terms.offering_id}:{exec_seq}"
    folded.fills.append(Fill(
        fill_id=fill_id, exec_seq=exec_seq, cmd_seq=event.cmd_seq, maker_order_id=maker.order_id, taker_order_id=taker.order_id,
        buy_order_id=buy.order_id, sell_order_id=sell.order_id, buyer_id=buy.investor_id, seller_id=sell.investor_id,
        price_ticks=event.price_ticks, quantity_lots=event.quantity_lots, units=event.quantity_lots * terms.lot_size_units,
        notional_minor=terms.value_minor(price_ticks=event.price_ticks, lots=event.quantity_lots),
    ))  # fmt: skip
    for state in (maker, taker):
        folded.audit.append(AuditRow("order.traded", "order", state.order_id, state.correlation_id, {"exec_seq": exec_seq, "fill_id": fill_id}))  # fmt: skip


def _known(folded: Folded, order_id: str) -> OrderState:
    state = folded.states.get(order_id)
    if state is None:
        raise IllegalTransition(f"an execution names {order_id}, which does not exist")
    return state
