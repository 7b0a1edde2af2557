"""HTTP routes of orders."""

import re
from typing import Annotated, Final

import asyncpg
from fastapi import APIRouter, Depends, Header, Query, Response

from tokenx_api.auth.models import Actor
from tokenx_api.compliance.errors import ComplianceDenied
from tokenx_api.context import AppContext
from tokenx_api.deps import Context, InvestorActor, Read, require
from tokenx_api.ledger.errors import InsufficientBalance
from tokenx_api.orders.errors import OrderBusy
from tokenx_api.orders.models import (
    ExecutionView,
    OfferingId,
    Order,
    OrderId,
    OrderView,
    PlaceOrder,
    PreviewView,
    ReasonView,
    ReplaceOrder,
)
from tokenx_api.orders.service import read
from tokenx_api.orders.service.cancel import cancel
from tokenx_api.orders.service.place import Placed, Refused, Repeated, investor_of, place, preview
from tokenx_api.orders.service.replace import ReplaceSent, replace
from tokenx_api.paging import DEFAULT_LIMIT, Cursor, Limit, cut, decode_cursor
from tokenx_common.clock import monotonic_s
from tokenx_common.money import format_amount
from tokenx_common.wire import Page

router = APIRouter(prefix="/v1", tags=["orders"])

ATTEMPTS: Final = 5
"""How often an order is decided again because another request of the same investor was quicker."""
MAX_WAIT_S: Final = 5
_LOOK_EVERY_S: Final = 0.5
BUSY_S: Final = 1.0
"""How long a change waits for a fill that may be under way, or for the change before it."""
_BUSY_LOOK_EVERY_S: Final = 0.02
_WAIT: Final = re.compile(r"\bwait=([0-9]{1,4})\b")

Prefer = Annotated[str | None, Header(max_length=64, description="wait=<seconds>: answer once the matcher has, at the latest after this long")]  # fmt: skip
Status = Annotated[str | None, Query(pattern="^[a-z_]{1,20}$", description="a status, or 'open', or 'closed'")]
Reader = Annotated[Actor, Depends(require("investor", "ats_operator", "compliance_officer"))]


@router.post("/orders", status_code=201)
async def place_order(body: PlaceOrder, response: Response, actor: InvestorActor, context: Context, prefer: Prefer = None) -> OrderView:  # fmt: skip
    """Place an order. The same client_order_id and body again answers 200 with the same order, whatever became of it."""
    result = await _place(context, actor, body)
    if isinstance(result, Refused):
        raise ComplianceDenied(result.decision)
    if isinstance(result, Repeated):
        response.status_code = 200
        return OrderView.of(result.order)
    context.announcer.put(result.command.stream, result.command.item)
    context.announcer.ring("orders", [result.order.order_id])
    response.headers["Location"] = f"/v1/orders/{result.order.order_id}"
    return OrderView.of(await _answered(context, result.order, wait_s=_wait_s(prefer)))


@router.post("/orders:preview")
async def preview_order(body: PlaceOrder, actor: InvestorActor, context: Context, conn: Read) -> PreviewView:
    """What the gate would say to this order now. Nothing is stored or held."""
    seen = await preview(conn, actor=actor, request=body, now=context.clock.now())
    return PreviewView(
        decision_id=None,
        outcome=seen.decision.verdict.outcome,
        reasons=[ReasonView.model_validate(reason) for reason in seen.decision.reasons],
        price=format_amount(seen.price_minor),
        notional_amount=format_amount(seen.notional_minor),
    )


@router.get("/orders:by-client-order-id")
async def get_order_by_client_id(client_order_id: Annotated[str, Query(max_length=64)], actor: InvestorActor, conn: Read) -> OrderView:  # fmt: skip
    """The caller's order with this client_order_id: what to ask after a lost answer."""
    return OrderView.of(await read.get_by_client_id(conn, investor_id=investor_of(actor), client_order_id=client_order_id))  # fmt: skip


@router.get("/orders")
async def list_orders(
    actor: Reader, conn: Read, status: Status = None, offering_id: OfferingId | None = None, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
) -> Page[OrderView]:  # fmt: skip
    """Newest first. Investors see their own; the ATS operator and compliance see all."""
    orders = await read.page(conn, investor_id=_scope(actor), offering_id=offering_id, status=status, before=decode_cursor(cursor), limit=limit + 1)  # fmt: skip
    rows, next_cursor = cut(orders, limit, lambda order: order.order_id)
    return Page(data=[OrderView.of(order) for order in rows], next_cursor=next_cursor)


@router.get("/orders/{order_id}")
async def get_order(order_id: OrderId, actor: Reader, conn: Read) -> OrderView:
    """One order."""
    return OrderView.of(await read.get(conn, order_id, investor_id=_scope(actor)))


@router.delete("/orders/{order_id}", status_code=202)
async def cancel_order(order_id: OrderId, actor: Annotated[Actor, Depends(require("investor", "ats_operator"))], context: Context) -> OrderView:  # fmt: skip
    """Ask the book to cancel. 202 also when a cancel is under way; 409 order.not_open when the order is closed."""
    is_staff = "ats_operator" in actor.personas
    async with context.db.write() as conn:
        sent = await cancel(conn, order_id=order_id, investor_id=_scope(actor), reason="admin" if is_staff else "user_request", actor=actor.user_id)  # fmt: skip
    if sent.command is not None:
        context.announcer.put(sent.command.stream, sent.command.item)
        context.announcer.ring("orders", [order_id])
    return OrderView.of(sent.order)


@router.patch("/orders/{order_id}", status_code=202)
async def replace_order(order_id: OrderId, body: ReplaceOrder, actor: InvestorActor, context: Context, prefer: Prefer = None) -> OrderView:  # fmt: skip
    """Change quantity (the new total) or price. Less quantity at the same price keeps the order's place in the queue."""
    result = await _replace(context, actor, order_id, body)
    if isinstance(result, Refused):
        raise ComplianceDenied(result.decision)
    context.announcer.put(result.command.stream, result.command.item)
    context.announcer.ring("orders", [order_id])
    return OrderView.of(await _answered(context, result.order, wait_s=_wait_s(prefer)))


@router.get("/executions")
async def list_executions(
    actor: Reader, conn: Read, after_seq: Annotated[int, Query(ge=0, le=2**62)] = 0, offering_id: OfferingId | None = None,
    limit: Limit = DEFAULT_LIMIT,
) -> Page[ExecutionView]:  # fmt: skip
    """Fills in order of their numbers, which are dense per offering: ask with the last seq you have."""
    rows = await read.executions(conn, investor_id=_scope(actor), offering_id=offering_id, after_seq=after_seq, limit=limit)  # fmt: skip
    return Page(data=rows)


async def _place(context: AppContext, actor: Actor, body: PlaceOrder) -> Placed | Repeated | Refused:
    """One transaction; again with fresh facts when another request took the client_order_id or the balance in between."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            async with context.db.write() as conn:
                return await place(conn, actor=actor, request=body, now=context.clock.now())
        except (asyncpg.UniqueViolationError, InsufficientBalance):
            if attempt == ATTEMPTS:
                raise
    raise AssertionError("unreachable: the last attempt returns or raises")


async def _replace(context: AppContext, actor: Actor, order_id: str, body: ReplaceOrder) -> ReplaceSent | Refused:
    """One transaction; again for a short while when the matcher's answer to something else has to come in first."""
    deadline = monotonic_s() + BUSY_S
    while True:
        try:
            async with context.db.write() as conn:
                return await replace(conn, actor=actor, order_id=order_id, request=body, now=context.clock.now())
        except (OrderBusy, InsufficientBalance):
            if monotonic_s() > deadline:
                raise
        await context.wakeups.wait(f"order:{order_id}", timeout_s=_BUSY_LOOK_EVERY_S)


async def _answered(context: AppContext, order: Order, *, wait_s: float) -> Order:
    """The order once the matcher has answered, or as it is when the time is up. Looks by itself now and then, in case a bell went unheard."""
    deadline = monotonic_s() + wait_s
    while order.status in ("pending_new", "pending_replace") and (rest_s := deadline - monotonic_s()) > 0:
        await context.wakeups.wait(f"order:{order.order_id}", timeout_s=min(rest_s, _LOOK_EVERY_S))
        async with context.db.read() as conn:
            order = await read.get(conn, order.order_id, investor_id=None)
    return order


def _wait_s(prefer: str | None) -> int:
    found = _WAIT.search(prefer or "")
    return min(MAX_WAIT_S, int(found[1])) if found else 0


def _scope(actor: Actor) -> str | None:
    """Whose orders the actor may see: None for everybody's."""
    if {"ats_operator", "compliance_officer"} & set(actor.personas):
        return None
    return investor_of(actor)
