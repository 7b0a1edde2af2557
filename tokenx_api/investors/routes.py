"""HTTP routes of investors."""

from typing import Annotated

from fastapi import APIRouter, BackgroundTasks, Depends

from tokenx_api.auth.models import Actor
from tokenx_api.db import ReadConn
from tokenx_api.deps import ComplianceActor, Context, InvestorActor, Read, TransferAgentActor, Write, require
from tokenx_api.investors import service
from tokenx_api.investors.models import (
    Investor,
    InvestorView,
    KycStatus,
    NewInvestor,
    ReasonRequest,
    RecoveryAnswer,
    investor_view,
)
from tokenx_api.paging import DEFAULT_LIMIT, Cursor, Limit, cut, decode_cursor
from tokenx_api.wallets import service as wallets
from tokenx_common.errors import NotFound
from tokenx_common.wire import Page

router = APIRouter(prefix="/v1/investors", tags=["investors"])

Reviewer = Annotated[Actor, Depends(require("compliance_officer", "transfer_agent"))]


@router.post("", status_code=201)
async def create_investor(actor: InvestorActor, body: NewInvestor, conn: Write) -> InvestorView:
    """Create your investor profile; a compliance officer then decides on KYC."""
    investor = await service.create(conn, actor=actor, legal_name=body.legal_name, country=body.country)
    return await _view(conn, investor, for_staff=False)


@router.get("/me")
async def my_investor(actor: InvestorActor, conn: Read) -> InvestorView:
    """Your investor profile."""
    if actor.investor_id is None:
        raise NotFound("investor")
    return await _view(conn, await service.get(conn, actor.investor_id), for_staff=False)


@router.get("")
async def list_investors(
    _actor: Reviewer,
    conn: Read,
    kyc_status: KycStatus | None = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Page[InvestorView]:
    """All investors, newest first."""
    rows = await service.page(conn, kyc_status=kyc_status, before=decode_cursor(cursor), limit=limit + 1)
    page, next_cursor = cut(rows, limit, lambda row: row.investor_id)
    held = await wallets.of_investors(conn, [row.investor_id for row in page])
    views = [investor_view(row, held[row.investor_id], for_staff=True) for row in page]
    return Page(data=views, next_cursor=next_cursor)


@router.post("/{investor_id}:approve-kyc")
async def approve_kyc(actor: ComplianceActor, investor_id: str, body: ReasonRequest, context: Context) -> InvestorView:
    """Approve KYC for a year and send the wallet to the on-chain identity registry."""
    await service.approve_kyc(context, actor=actor, investor_id=investor_id, reason=body.reason)
    context.wakeups.ring("outbox")
    async with context.db.read() as conn:
        return await _view(conn, await service.get(conn, investor_id), for_staff=True)


@router.post("/{investor_id}:reject-kyc")
async def reject_kyc(actor: ComplianceActor, investor_id: str, body: ReasonRequest, conn: Write) -> InvestorView:
    """Reject KYC."""
    investor = await service.reject_kyc(conn, actor=actor, investor_id=investor_id, reason=body.reason)
    return await _view(conn, investor, for_staff=True)


@router.post("/{investor_id}:freeze")
async def freeze_investor(
    actor: ComplianceActor,
    investor_id: str,
    body: ReasonRequest,
    context: Context,
    conn: Write,
    after: BackgroundTasks,
) -> InvestorView:
    """Stop everything this investor does, here and in every token's contract."""
    after.add_task(context.wakeups.ring, "outbox")
    return await _set_frozen(conn, context, actor, investor_id, body.reason, frozen=True)


@router.post("/{investor_id}:unfreeze")
async def unfreeze_investor(
    actor: ComplianceActor,
    investor_id: str,
    body: ReasonRequest,
    context: Context,
    conn: Write,
    after: BackgroundTasks,
) -> InvestorView:
    """Let the investor act again."""
    after.add_task(context.wakeups.ring, "outbox")
    return await _set_frozen(conn, context, actor, investor_id, body.reason, frozen=False)


@router.post("/{investor_id}:revoke")
async def revoke_investor(
    actor: ComplianceActor,
    investor_id: str,
    body: ReasonRequest,
    context: Context,
    conn: Write,
    after: BackgroundTasks,
) -> InvestorView:
    """Take KYC back: nothing is let through from now on, and every token's contract is told. Asking again once nothing is held takes the
    wallet off the registry; approving KYC again makes a new claim."""
    after.add_task(context.wakeups.ring, "outbox")
    investor = await service.revoke(conn, actor=actor, investor_id=investor_id, reason=body.reason,
                                    chain_id=context.settings.chain_id, now=context.clock.now())  # fmt: skip
    return await _view(conn, investor, for_staff=True)


@router.post("/{investor_id}:recover", status_code=202)
async def recover_investor(
    actor: TransferAgentActor, investor_id: str, body: ReasonRequest, context: Context
) -> RecoveryAnswer:
    """Move everything the investor holds on chain to a new key, once a second person agrees to the operation."""
    operation_id = await service.recover(context, actor=actor, investor_id=investor_id, reason=body.reason)
    context.wakeups.ring("outbox")
    return RecoveryAnswer(investor_id=investor_id, operation_id=operation_id)


async def _set_frozen(
    conn: Write, context: Context, actor: Actor, investor_id: str, reason: str, *, frozen: bool
) -> InvestorView:
    investor = await service.set_frozen(conn, actor=actor, investor_id=investor_id, frozen=frozen, reason=reason,
                                        chain_id=context.settings.chain_id)  # fmt: skip
    return await _view(conn, investor, for_staff=True)


async def _view(conn: ReadConn, investor: Investor, *, for_staff: bool) -> InvestorView:
    held = await wallets.of_investors(conn, [investor.investor_id])
    return investor_view(investor, held[investor.investor_id], for_staff=for_staff)
