"""HTTP routes of offerings. Trading states are the ats domain's."""

from fastapi import APIRouter, BackgroundTasks

from tokenx_api.deps import AnyActor, ComplianceActor, Context, IssuerActor, Read, TokenizationActor, Write
from tokenx_api.offerings import service
from tokenx_api.offerings.models import NewOffering, OfferingView, offering_view
from tokenx_api.paging import DEFAULT_LIMIT, Cursor, Limit, cut, decode_cursor
from tokenx_common.wire import Page

router = APIRouter(prefix="/v1/offerings", tags=["offerings"])


@router.post("", status_code=201)
async def create_offering(actor: IssuerActor, body: NewOffering, conn: Write) -> OfferingView:
    """Draft an offering. Needs approved KYB."""
    return offering_view(await service.create(conn, actor=actor, request=body))


@router.get("")
async def list_offerings(
    actor: AnyActor, conn: Read, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
) -> Page[OfferingView]:
    """Offerings, newest first. Drafts are shown to their issuer and to staff."""
    rows = await service.page(conn, actor=actor, before=decode_cursor(cursor), limit=limit + 1)
    page, next_cursor = cut(rows, limit, lambda row: row.offering_id)
    return Page(data=[offering_view(row) for row in page], next_cursor=next_cursor)


@router.get("/{offering_id}")
async def get_offering(actor: AnyActor, offering_id: str, conn: Read) -> OfferingView:
    """One offering."""
    return offering_view(await service.visible(conn, actor, offering_id))


@router.post("/{offering_id}:approve")
async def approve_offering(actor: ComplianceActor, offering_id: str, conn: Write) -> OfferingView:
    """Approve the terms of a draft."""
    return offering_view(await service.approve(conn, actor=actor, offering_id=offering_id))


@router.post("/{offering_id}:deploy")
async def deploy_offering(
    actor: TokenizationActor, offering_id: str, context: Context, conn: Write, after: BackgroundTasks
) -> OfferingView:
    """Deploy the contract suite of an approved offering."""
    after.add_task(context.wakeups.ring, "outbox")
    return offering_view(
        await service.deploy(conn, actor=actor, offering_id=offering_id, chain_id=context.settings.chain_id)
    )


@router.post("/{offering_id}:open")
async def open_offering(actor: IssuerActor, offering_id: str, conn: Write) -> OfferingView:
    """Open the primary sale of a deployed offering."""
    return offering_view(await service.open_primary(conn, actor=actor, offering_id=offering_id))
