"""Looking at orders and fills. investor_id None: everybody's, for staff."""

from tokenx_api.db import ReadConn
from tokenx_api.orders import queries
from tokenx_api.orders.errors import OrderNotFound
from tokenx_api.orders.models import ExecutionView, Order
from tokenx_common.clock import rfc3339
from tokenx_common.money import format_amount


async def get(conn: ReadConn, order_id: str, *, investor_id: str | None) -> Order:
    """Raises OrderNotFound, also for somebody else's."""
    order = await queries.select_order(conn, order_id, investor_id=investor_id)
    if order is None:
        raise OrderNotFound
    return order


async def get_by_client_id(conn: ReadConn, *, investor_id: str, client_order_id: str) -> Order:
    """Sees an order as soon as its POST was answered. Raises OrderNotFound."""
    order = await queries.select_by_client_id(conn, investor_id=investor_id, client_order_id=client_order_id)
    if order is None:
        raise OrderNotFound
    return order


async def page(
    conn: ReadConn, *, investor_id: str | None, offering_id: str | None, status: str | None, before: str | None, limit: int
) -> list[Order]:  # fmt: skip
    """Newest first, older than the order `before`. status: one of the states, or 'open', or 'closed'."""
    return await queries.select_orders(conn, investor_id=investor_id, offering_id=offering_id, status=status, before=before, limit=limit)  # fmt: skip


async def executions(
    conn: ReadConn, *, investor_id: str | None, offering_id: str | None, after_seq: int, limit: int
) -> list[ExecutionView]:
    """Fills in the order of their execution numbers; one line per order, so two when both sides are asked for."""
    rows = await queries.select_executions(conn, investor_id=investor_id, offering_id=offering_id, after_seq=after_seq, limit=limit)  # fmt: skip
    return [
        ExecutionView(
            seq=row["exec_seq"],
            fill_id=row["fill_id"],
            order_id=row["order_id"],
            offering_id=row["offering_id"],
            symbol=row["symbol"],
            side=row["side"],
            price=format_amount(row["price_minor"]),
            quantity=str(row["units"]),
            amount=format_amount(row["notional_minor"]),
            liquidity=row["liquidity"],
            executed_at=rfc3339(row["executed_at"]),
        )
        for row in rows
    ]
