"""HTTP routes of subscriptions. A refusal of the gate is raised after the commit, so that its decision is kept."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from tokenx_api.auth.models import Actor
from tokenx_api.compliance.errors import ComplianceDenied
from tokenx_api.compliance.models import Decision
from tokenx_api.deps import Context, InvestorActor, IssuerActor, Read, Write, require
from tokenx_api.idempotency import service as idempotency
from tokenx_api.idempotency.service import IdempotencyKey
from tokenx_api.investors.service import own_id
from tokenx_api.paging import DEFAULT_LIMIT, Cursor, Limit, cut, decode_cursor
from tokenx_api.subscriptions import service
from tokenx_api.subscriptions.models import NewSubscription, SubscriptionView, subscription_view
from tokenx_common.money import parse_units
from tokenx_common.wire import Page

router = APIRouter(prefix="/v1/subscriptions", tags=["subscriptions"])

Reader = Annotated[Actor, Depends(require("investor", "issuer", "compliance_officer", "transfer_agent"))]
OfferingFilter = Annotated[str | None, Query(max_length=64)]


@router.post("", status_code=201, response_model=SubscriptionView)
async def create_subscription(
    actor: InvestorActor, body: NewSubscription, key: IdempotencyKey, context: Context
) -> Response:
    """Ask for new units of an open offering. Cash is held at once, or as soon as a deposit covers it."""
    investor_id = own_id(actor)
    ticket = idempotency.ticket(principal_id=actor.user_id, route="POST /v1/subscriptions", key=key, body=body)
    async with context.db.write() as conn:
        replay = await idempotency.find(conn, ticket)
        if replay is not None:
            return replay
        outcome = await service.subscribe(
            conn,
            actor=actor,
            investor_id=investor_id,
            offering_id=body.offering_id,
            units=parse_units(body.units),
            now=context.clock.now(),
        )
        if not isinstance(outcome, Decision):
            return await idempotency.answer(conn, ticket, subscription_view(outcome))
    raise ComplianceDenied(outcome)


@router.get("")
async def list_subscriptions(
    actor: Reader,
    conn: Read,
    offering_id: OfferingFilter = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Page[SubscriptionView]:
    """Your subscriptions, or those of your offerings; everybody's for compliance and the transfer agent. Newest first."""
    rows = await service.page(conn, actor=actor, offering_id=offering_id, before=decode_cursor(cursor), limit=limit + 1)
    page, next_cursor = cut(rows, limit, lambda row: row.subscription_id)
    return Page(data=[subscription_view(row) for row in page], next_cursor=next_cursor)


@router.post("/{subscription_id}:accept")
async def accept_subscription(actor: IssuerActor, subscription_id: str, context: Context) -> SubscriptionView:
    """Accept a funded subscription: units are issued against the cash, on chain."""
    async with context.db.write() as conn:
        outcome = await service.accept(conn, actor=actor, subscription_id=subscription_id, now=context.clock.now())
    if isinstance(outcome, Decision):
        raise ComplianceDenied(outcome)
    context.wakeups.ring("outbox")
    return subscription_view(outcome)


@router.post("/{subscription_id}:reject")
async def reject_subscription(actor: IssuerActor, subscription_id: str, conn: Write) -> SubscriptionView:
    """Reject a subscription; held cash is free again."""
    return subscription_view(await service.reject(conn, actor=actor, subscription_id=subscription_id))
