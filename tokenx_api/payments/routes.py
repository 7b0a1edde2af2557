"""HTTP routes of payments, and the callback of the sandbox provider."""

from typing import Annotated

from fastapi import APIRouter, BackgroundTasks, Depends, Response

from tokenx_api.deps import Context, InvestorActor, Read, TokenizationActor, Write
from tokenx_api.idempotency import service as idempotency
from tokenx_api.idempotency.service import IdempotencyKey
from tokenx_api.investors.service import own_id
from tokenx_api.paging import DEFAULT_LIMIT, Cursor, Limit, cut, decode_cursor
from tokenx_api.payments import service
from tokenx_api.payments.consumer import WAKEUP
from tokenx_api.payments.models import NewPayment, PaymentView, payment_view
from tokenx_common.money import parse_amount
from tokenx_common.service_auth import ServiceName, require_service
from tokenx_common.wire import Page, WireModel

router = APIRouter(tags=["payments"])

SandboxCaller = Annotated[ServiceName, Depends(require_service("api", "cli"))]


class SettleAnswer(WireModel):
    """settled: false when an earlier callback had said it."""

    settled: bool


@router.post("/v1/payments", status_code=201, response_model=PaymentView)
async def create_payment(
    actor: InvestorActor,
    body: NewPayment,
    key: IdempotencyKey,
    context: Context,
    conn: Write,
    after: BackgroundTasks,
) -> Response:
    """Pay in. The payment is pending until the provider confirms it."""
    ticket = idempotency.ticket(principal_id=actor.user_id, route="POST /v1/payments", key=key, body=body)
    replay = await idempotency.find(conn, ticket)
    if replay is not None:
        return replay
    payment = await service.deposit(
        conn,
        backend=context.settings.payment_backend,
        actor=actor.user_id,
        investor_id=own_id(actor),
        amount_minor=parse_amount(body.amount),
        currency=body.currency,
        chain_id=context.settings.chain_id,
    )
    after.add_task(context.wakeups.ring, WAKEUP)
    return await idempotency.answer(conn, ticket, payment_view(payment))


@router.get("/v1/payments")
async def list_payments(
    actor: InvestorActor, conn: Read, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
) -> Page[PaymentView]:
    """Your payments, newest first."""
    if actor.investor_id is None:
        return Page(data=[])
    rows = await service.page(conn, investor_id=actor.investor_id, before=decode_cursor(cursor), limit=limit + 1)
    page, next_cursor = cut(rows, limit, lambda row: row.payment_id)
    return Page(data=[payment_view(row) for row in page], next_cursor=next_cursor)


@router.post("/v1/payments/{payment_id}:mint-again")
async def mint_payment_again(
    actor: TokenizationActor, payment_id: str, context: Context, conn: Write, after: BackgroundTasks
) -> PaymentView:
    """Ask once more for the on-chain cash of a deposit whose operation failed."""
    after.add_task(context.wakeups.ring, "outbox")
    payment = await service.mint_again(
        conn, actor=actor.user_id, payment_id=payment_id, chain_id=context.settings.chain_id
    )
    return payment_view(payment)


@router.post("/internal/sandbox/payments/{provider_ref}:settle")
async def settle_sandbox_payment(
    _caller: SandboxCaller, provider_ref: str, context: Context, conn: Write, after: BackgroundTasks
) -> SettleAnswer:
    """The sandbox provider's callback: the money has moved."""
    settled = await service.settle(conn, provider_ref, chain_id=context.settings.chain_id)
    after.add_task(context.wakeups.ring, "outbox")
    after.add_task(context.wakeups.ring, "cash")
    return SettleAnswer(settled=settled)
