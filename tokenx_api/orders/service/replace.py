"""Changing price or quantity of an open order. The old terms hold until the matcher has answered."""

import dataclasses
from dataclasses import dataclass
from datetime import datetime

from tokenx_api.audit import service as audit
from tokenx_api.auth.models import Actor
from tokenx_api.compliance import service as compliance
from tokenx_api.compliance.models import Decision, Question
from tokenx_api.db import WriteConn
from tokenx_api.ledger import models as accounts
from tokenx_api.ledger import service as ledger
from tokenx_api.orders import queries, rules
from tokenx_api.orders.errors import InvalidOrder, OrderBusy, OrderNotFound, OrderNotOpen
from tokenx_api.orders.models import Order, ReplaceOrder, Sequenced, Size, Terms
from tokenx_api.orders.service import sequence
from tokenx_api.orders.service.place import Refused, investor_of
from tokenx_common.errors import NotFound
from tokenx_common.events import OrderReplace


@dataclass(frozen=True)
class ReplaceSent:
    order: Order
    command: Sequenced


async def replace(
    conn: WriteConn, *, actor: Actor, order_id: str, request: ReplaceOrder, now: datetime
) -> ReplaceSent | Refused:
    """Decide anew, hold enough for the old as for the new terms, send. Commit also when refused, then raise ComplianceDenied.

    The command names the new open quantity, so a fill that the database does not know yet would be bought or sold on top of the new total: with
    such a fill possible the change is refused with OrderBusy, and goes through a moment later. Also raises OrderNotFound, OrderNotOpen,
    InvalidOrder, InsufficientBalance. Locks the order, then the account, then the sequencer."""
    order = await queries.lock_order(conn, order_id, investor_id=investor_of(actor))
    if order is None:
        raise OrderNotFound
    _refuse_unchangeable(order)
    terms = await queries.select_terms(conn, order.offering_id)
    if terms is None:
        raise NotFound("offering")
    size = _open_size(order, request, terms)
    held = await ledger.reserved(conn, order_id)
    decision = await compliance.decide(conn, _question(order, terms, size, held=held), now=now)
    if not decision.allowed:
        await _record(conn, actor, order_id, "order.replace_refused", decision)
        return Refused(decision)
    await _record(conn, actor, order_id, "order.replace_requested", decision)
    await queries.set_pending(conn, order_id, "pending_replace", decision_id=decision.decision_id)
    await _hold_more(conn, order, terms, size, held=held)
    if await queries.fill_possible(conn, order):
        raise OrderBusy("a fill of the order may be under way; try again", order_status=order.status)
    command = OrderReplace(order_id=order_id, book_order_id=order.book_order_id, owner=order.owner_group, price_ticks=size.price_ticks,
                           quantity_lots=size.quantity_lots)  # fmt: skip
    sent = await sequence.append(conn, order.offering_id, command)
    return ReplaceSent(dataclasses.replace(order, status="pending_replace", decision_id=decision.decision_id), sent)


def _refuse_unchangeable(order: Order) -> None:
    if not order.is_open:
        raise OrderNotOpen(order)
    if order.status in ("pending_cancel", "pending_replace"):
        raise OrderBusy(f"the order is {order.status}", order_status=order.status)


def _open_size(order: Order, request: ReplaceOrder, terms: Terms) -> Size:
    """The new open quantity and price. Raises InvalidOrder."""
    total = rules.resize(quantity=request.quantity, limit_price=request.limit_price, lots=order.quantity_lots, ticks=order.price_ticks,
                         order_type=order.type, terms=terms)  # fmt: skip
    if total.quantity_lots <= order.filled_lots:
        filled = order.filled_lots * terms.lot_size_units
        raise InvalidOrder([{"pointer": "/quantity", "code": "order.quantity_already_filled", "message": f"{filled} units are filled already"}])  # fmt: skip
    return Size(quantity_lots=total.quantity_lots - order.filled_lots, price_ticks=total.price_ticks)


async def _hold_more(conn: WriteConn, order: Order, terms: Terms, size: Size, *, held: int) -> None:
    """Hold the larger of the old and the new terms until the matcher has answered. Raises InsufficientBalance when somebody was quicker."""
    needed = terms.held(order.side, price_ticks=size.price_ticks, lots=size.quantity_lots)
    if needed > held:
        account = accounts.investor(order.investor_id, terms.currency if order.side == "buy" else terms.offering_id)
        await ledger.reserve(conn, ref=order.order_id, account=account, amount=needed - held)


def _question(order: Order, terms: Terms, size: Size, *, held: int) -> Question:
    return Question(
        stage="pre_trade",
        subject_type="order",
        subject_id=order.order_id,
        investor_id=order.investor_id,
        offering_id=order.offering_id,
        side=order.side,
        units=size.quantity_lots * terms.lot_size_units,
        price_minor=size.price_ticks * terms.tick_size_minor,
        notional_minor=terms.value_minor(price_ticks=size.price_ticks, lots=size.quantity_lots),
        released_units=held if order.side == "sell" else 0,
        released_minor=held if order.side == "buy" else 0,
    )


async def _record(conn: WriteConn, actor: Actor, order_id: str, action: str, decision: Decision) -> None:
    await audit.record(conn, actor=actor.user_id, action=action, subject_type="order", subject_id=order_id, decision_id=decision.decision_id)  # fmt: skip
