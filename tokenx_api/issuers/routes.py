"""HTTP routes of issuers."""

from typing import Annotated

from fastapi import APIRouter, Depends

from tokenx_api.auth.models import Actor
from tokenx_api.deps import ComplianceActor, Context, IssuerActor, Read, Write, require
from tokenx_api.issuers import service
from tokenx_api.issuers.models import IssuerView, KybReason, NewIssuer, issuer_view
from tokenx_api.paging import DEFAULT_LIMIT, Cursor, Limit, cut, decode_cursor
from tokenx_common.errors import NotFound
from tokenx_common.wire import Page

router = APIRouter(prefix="/v1/issuers", tags=["issuers"])

Staff = Annotated[
    Actor, Depends(require("compliance_officer", "transfer_agent", "tokenization_agent", "ats_operator", "admin"))
]


@router.post("", status_code=201)
async def create_issuer(actor: IssuerActor, body: NewIssuer, conn: Write) -> IssuerView:
    """Create your issuer profile; a compliance officer then decides on KYB."""
    return issuer_view(await service.create(conn, actor=actor, legal_name=body.legal_name, country=body.country))


@router.get("/me")
async def my_issuer(actor: IssuerActor, conn: Read) -> IssuerView:
    """Your issuer profile."""
    if actor.issuer_id is None:
        raise NotFound("issuer")
    return issuer_view(await service.get(conn, actor.issuer_id))


@router.get("")
async def list_issuers(
    _actor: Staff, conn: Read, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
) -> Page[IssuerView]:
    """All issuers, newest first."""
    rows = await service.page(conn, before=decode_cursor(cursor), limit=limit + 1)
    page, next_cursor = cut(rows, limit, lambda row: row.issuer_id)
    return Page(data=[issuer_view(row) for row in page], next_cursor=next_cursor)


@router.post("/{issuer_id}:approve-kyb")
async def approve_kyb(actor: ComplianceActor, issuer_id: str, body: KybReason, context: Context) -> IssuerView:
    """Approve KYB and open the issuer's wallet."""
    return issuer_view(await service.approve_kyb(context, actor=actor, issuer_id=issuer_id, reason=body.reason))


@router.post("/{issuer_id}:reject-kyb")
async def reject_kyb(actor: ComplianceActor, issuer_id: str, body: KybReason, conn: Write) -> IssuerView:
    """Reject KYB."""
    return issuer_view(await service.reject_kyb(conn, actor=actor, issuer_id=issuer_id, reason=body.reason))
