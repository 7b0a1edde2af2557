"""HTTP of redemptions: requests and decisions (public), the workflow's steps (internal)."""

from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import JSONResponse

from tokenx_api.compliance.errors import ComplianceDenied
from tokenx_api.compliance.models import Decision
from tokenx_api.context import AppContext
from tokenx_api.deps import AnyActor, Context, InvestorActor, Read, TransferAgentActor
from tokenx_api.idempotency import service as idempotency
from tokenx_api.idempotency.service import IdempotencyKey
from tokenx_api.paging import DEFAULT_LIMIT, Cursor, Limit
from tokenx_api.redemptions import service
from tokenx_api.redemptions.models import (
    Decide,
    NewRedemption,
    Progress,
    RedemptionPage,
    RedemptionView,
    Statement,
    Status,
    Step,
    StepRequest,
    redemption_view,
)
from tokenx_common.service_auth import ServiceName, require_service

router = APIRouter(prefix="/v1/redemptions", tags=["redemptions"])
internal = APIRouter(prefix="/internal/redemptions", tags=["internal"])
Worker = Annotated[ServiceName, Depends(require_service("api"))]


@router.post("", status_code=201, response_model=RedemptionView)
async def request_redemption(
    context: Context, actor: InvestorActor, key: IdempotencyKey, body: NewRedemption
) -> JSONResponse:
    """Ask for units to be redeemed at the offering's price. They are held until the redemption ends."""
    ticket = idempotency.ticket(principal_id=actor.user_id, route="POST /v1/redemptions", key=key, body=body)
    async with context.db.write() as conn:
        replay = await idempotency.find(conn, ticket)
        if replay is not None:
            return replay
        outcome = await service.request(conn, actor=actor, body=body, now=context.clock.now())
        answer = (
            None if isinstance(outcome, Decision) else await idempotency.answer(conn, ticket, redemption_view(outcome))
        )
    if isinstance(outcome, Decision):
        raise ComplianceDenied(outcome)  # after the commit: the stored refusal is evidence
    assert answer is not None, "a request that was not refused has an answer"
    _ring(context)
    return answer


@router.get("")
async def list_redemptions(
    conn: Read, actor: AnyActor, status: Status | None = None, cursor: Cursor = None, limit: Limit = DEFAULT_LIMIT
) -> RedemptionPage:
    """One's own; all of them for staff. Newest first."""
    return await service.page(conn, actor=actor, status=status, cursor=cursor, limit=limit)


@router.get("/{redemption_id}")
async def get_redemption(conn: Read, actor: AnyActor, redemption_id: str) -> RedemptionView:
    """One redemption."""
    return redemption_view(await service.visible(conn, actor=actor, redemption_id=redemption_id))


@router.post("/{redemption_id}:approve")
async def approve_redemption(
    context: Context, actor: TransferAgentActor, redemption_id: str, body: Decide
) -> RedemptionView:
    """Let the units be burned and paid. Never one's own."""
    async with context.db.write() as conn:
        redemption = await service.approve(conn, actor=actor, redemption_id=redemption_id, reason=body.reason)
    _ring(context)
    return redemption_view(redemption)


@router.post("/{redemption_id}:reject")
async def reject_redemption(
    context: Context, actor: TransferAgentActor, redemption_id: str, body: Decide
) -> RedemptionView:
    """Refuse; the units are free again. Never one's own."""
    async with context.db.write() as conn:
        redemption = await service.reject(conn, actor=actor, redemption_id=redemption_id, reason=body.reason)
    _ring(context)
    return redemption_view(redemption)


@router.get("/{redemption_id}/statement")
async def get_statement(conn: Read, actor: AnyActor, redemption_id: str) -> Statement:
    """What was burned and paid, once the redemption is closed."""
    return await service.statement(conn, actor=actor, redemption_id=redemption_id)


@internal.get("/{redemption_id}")
async def get_progress(conn: Read, _caller: Worker, redemption_id: str) -> Progress:
    """Where a redemption stands."""
    return Progress(redemption_id=redemption_id, phase=(await service.get(conn, redemption_id)).phase)


@internal.post("/{redemption_id}:{step}", response_model=Progress)
async def take_step(
    context: Context, _caller: Worker, key: IdempotencyKey, redemption_id: str, step: Step
) -> JSONResponse:
    """One step of the workflow; under one Idempotency-Key its effect happens once."""
    ticket = idempotency.ticket(
        principal_id="service:worker", route="POST /internal/redemptions", key=key, body=StepRequest()
    )
    async with context.db.write() as conn:
        replay = await idempotency.find(conn, ticket)
        if replay is not None:
            return replay
        redemption = await service.take_step(
            conn, redemption_id=redemption_id, step=step, settings=context.settings, now=context.clock.now()
        )
        progress = Progress(redemption_id=redemption_id, phase=redemption.phase)
        answer = await idempotency.answer(conn, ticket, progress, status=200)
    _ring(context)
    context.wakeups.ring("payments")
    return answer


def _ring(context: AppContext) -> None:
    context.wakeups.ring("outbox")
    context.announcer.ring("portfolio")
    context.announcer.ring("chain")
