"""HTTP of agents' powers: ask whether an act would go through, ask for it, see what became of it."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from fastapi.responses import JSONResponse

from tokenx_api.agency import service
from tokenx_api.agency.errors import ActRefused
from tokenx_api.agency.models import ActPage, ActStatus, ActView, Agreement, NewAct, Trial, TrialAnswer
from tokenx_api.agency.service.request import require_power
from tokenx_api.auth.models import Actor
from tokenx_api.deps import Context, Read, require
from tokenx_api.idempotency import service as idempotency
from tokenx_api.idempotency.service import IdempotencyKey
from tokenx_api.paging import DEFAULT_LIMIT, Cursor, Limit

router = APIRouter(prefix="/v1/agent-acts", tags=["agency"])
Agent = Annotated[Actor, Depends(require("compliance_officer", "transfer_agent", "tokenization_agent"))]


@router.post("", status_code=202, response_model=ActView)
async def request_act(context: Context, actor: Agent, key: IdempotencyKey, body: NewAct) -> JSONResponse:
    """Mint, burn, transfer, force a transfer, freeze or unfreeze, pause or unpause: one wallet or up to fifty, all of them or none. Refused
    before anything is sent when the contracts would refuse, with the code, side and rule of each item. A second person approves
    operation_id where the policy asks for one, which for a forced transfer it always does."""
    require_power(actor, body)
    ticket = idempotency.ticket(principal_id=actor.user_id, route="POST /v1/agent-acts", key=key, body=body)
    async with context.db.write() as conn:
        replay = await idempotency.find(conn, ticket)
        if replay is not None:
            return replay
        plan = await service.find_plan(conn, kind=body.kind, offering_id=body.offering_id, items=body.items)
    answers = await service.trial(context, plan)
    if not all(answer.ok for answer in answers):
        raise ActRefused(answers)
    async with context.db.write() as conn:
        replay = await idempotency.find(conn, ticket)
        if replay is not None:
            return replay
        act = await service.request(conn, actor=actor, body=body, now=context.clock.now())
        answer = await idempotency.answer(conn, ticket, service.view(act), status=202)
    context.wakeups.ring("outbox")
    context.announcer.ring("portfolio")
    return answer


@router.post(":check")
async def check_act(context: Context, _actor: Agent, body: Trial) -> TrialAnswer:
    """Would it go through now: for each item the first thing that stands against it, with its code, its side and its rule. Nothing is recorded."""
    async with context.db.read() as conn:
        plan = await service.find_plan(conn, kind=body.kind, offering_id=body.offering_id, items=body.items)
    answers = await service.trial(context, plan)
    return TrialAnswer(ok=all(answer.ok for answer in answers), items=answers)


@router.get("")
async def list_acts(
    conn: Read,
    _actor: Agent,
    offering_id: Annotated[str | None, Query(max_length=64)] = None,
    status: ActStatus | None = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
) -> ActPage:
    """Newest first."""
    return await service.page(conn, offering_id=offering_id, status=status, cursor=cursor, limit=limit)


@router.get("/{act_id}")
async def get_act(conn: Read, _actor: Agent, act_id: str) -> ActView:
    """One act."""
    return service.view(await service.get(conn, act_id))


@router.post("/{act_id}:withdraw", status_code=202)
async def withdraw_act(context: Context, actor: Agent, act_id: str, body: Agreement) -> ActView:
    """Say no to an act nothing is signed for yet. It fails with transaction.cancelled as soon as the chain service says so."""
    await service.withdraw(context, actor=actor, act_id=act_id, reason=body.reason)
    async with context.db.read() as conn:
        return service.view(await service.get(conn, act_id))
