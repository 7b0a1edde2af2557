"""Asking the book to let an order go. The order is canceled when the matcher says so, not before."""

from dataclasses import dataclass, replace

from tokenx_api.audit import service as audit
from tokenx_api.db import WriteConn
from tokenx_api.orders import queries
from tokenx_api.orders.errors import OrderNotFound, OrderNotOpen
from tokenx_api.orders.models import CancelReason, Order, Sequenced
from tokenx_api.orders.service import sequence
from tokenx_common.events import OrderCancel


@dataclass(frozen=True)
class CancelSent:
    """command is None when a cancel was under way already."""

    order: Order
    command: Sequenced | None


async def cancel(
    conn: WriteConn, *, order_id: str, investor_id: str | None, reason: CancelReason, actor: str
) -> CancelSent:
    """Send a cancel. investor_id None: anybody's order. Raises OrderNotFound, OrderNotOpen. Locks the order, then the sequencer."""
    order = await queries.lock_order(conn, order_id, investor_id=investor_id)
    if order is None:
        raise OrderNotFound
    if not order.is_open:
        raise OrderNotOpen(order)
    if order.status == "pending_cancel":
        return CancelSent(order, None)
    await queries.set_pending(conn, order_id, "pending_cancel")
    await audit.record(conn, actor=actor, action="order.cancel_requested", subject_type="order", subject_id=order_id, reason=reason)  # fmt: skip
    command = OrderCancel(order_id=order_id, book_order_id=order.book_order_id, owner=order.owner_group, reason=reason)
    sent = await sequence.append(conn, order.offering_id, command)
    return CancelSent(replace(order, status="pending_cancel"), sent)
