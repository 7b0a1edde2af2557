"""HTTP of surveillance: what kyt reports (internal), the alert desks and owner links (public)."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from tokenx_api.auth.models import Actor
from tokenx_api.deps import ComplianceActor, Context, Read, require
from tokenx_api.paging import DEFAULT_LIMIT, Cursor, Limit
from tokenx_api.surveillance import service
from tokenx_api.surveillance.models import (
    AssignRequest,
    BatchAnswer,
    CloseRequest,
    KytAlertPage,
    KytAlertView,
    KytBatch,
    OwnerLink,
    OwnerLinkPage,
    OwnerLinkRequest,
    ReferenceData,
    ScorePage,
    Status,
    SurveillanceAlertPage,
    SurveillanceAlertView,
    SurveillanceBatch,
)
from tokenx_common.service_auth import require_service

router = APIRouter(prefix="/v1", tags=["surveillance"])
internal = APIRouter(prefix="/internal", tags=["internal"], dependencies=[Depends(require_service("kyt", "cli"))])
MarketActor = Annotated[Actor, Depends(require("compliance_officer", "ats_operator"))]
AddressFilter = Annotated[str | None, Query(pattern=r"^0x[0-9a-fA-F]{40}$", description="either side of the transfer")]


@router.get("/kyt/alerts")
async def list_kyt_alerts(
    conn: Read,
    _actor: ComplianceActor,
    status: Status | None = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
) -> KytAlertPage:
    """Transaction alerts, newest first."""
    return await service.alert_page(conn, "kyt", status=status, cursor=cursor, limit=limit)


@router.get("/kyt/scores")
async def list_kyt_scores(
    conn: Read,
    _actor: ComplianceActor,
    address: AddressFilter = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
) -> ScorePage:
    """Risk scores of transfers, newest first."""
    return await service.score_page(conn, address=address, cursor=cursor, limit=limit)


@router.get("/surveillance/alerts")
async def list_surveillance_alerts(
    conn: Read, _actor: MarketActor, status: Status | None = None, cursor: Cursor = None, limit: Limit = DEFAULT_LIMIT
) -> SurveillanceAlertPage:
    """Trade surveillance alerts, newest first."""
    return await service.alert_page(conn, "surveillance", status=status, cursor=cursor, limit=limit)


@router.post("/kyt/alerts/{alert_id}:assign")
async def assign_kyt_alert(
    context: Context, actor: ComplianceActor, alert_id: str, body: AssignRequest
) -> KytAlertView:
    """Make an alert somebody's."""
    async with context.db.write() as conn:
        alert = await service.assign(conn, "kyt", actor=actor.user_id, alert_id=alert_id, assignee=body.assignee)
    context.announcer.ring("alerts")
    return alert


@router.post("/kyt/alerts/{alert_id}:close")
async def close_kyt_alert(context: Context, actor: ComplianceActor, alert_id: str, body: CloseRequest) -> KytAlertView:
    """Close an alert with an outcome; a high or severe one takes a second person."""
    async with context.db.write() as conn:
        alert = await service.close(
            conn, "kyt", actor=actor.user_id, alert_id=alert_id, outcome=body.outcome, reason=body.reason
        )
    context.announcer.ring("alerts")
    return alert


@router.post("/surveillance/alerts/{alert_id}:assign")
async def assign_surveillance_alert(
    context: Context, actor: ComplianceActor, alert_id: str, body: AssignRequest
) -> SurveillanceAlertView:
    """Make an alert somebody's."""
    async with context.db.write() as conn:
        alert = await service.assign(
            conn, "surveillance", actor=actor.user_id, alert_id=alert_id, assignee=body.assignee
        )
    context.announcer.ring("alerts")
    return alert


@router.post("/surveillance/alerts/{alert_id}:close")
async def close_surveillance_alert(
    context: Context, actor: ComplianceActor, alert_id: str, body: CloseRequest
) -> SurveillanceAlertView:
    """Close an alert with an outcome; a high or severe one takes a second person."""
    async with context.db.write() as conn:
        alert = await service.close(
            conn, "surveillance", actor=actor.user_id, alert_id=alert_id, outcome=body.outcome, reason=body.reason
        )
    context.announcer.ring("alerts")
    return alert


@router.post("/compliance/owner-links", status_code=201)
async def declare_owner_link(context: Context, actor: ComplianceActor, body: OwnerLinkRequest) -> OwnerLink:
    """Declare that two investors are linked; surveillance then treats them as one owner."""
    async with context.db.write() as conn:
        return await service.declare_link(conn, actor=actor.user_id, body=body)


@router.get("/compliance/owner-links")
async def list_owner_links(
    conn: Read, _actor: ComplianceActor, cursor: Cursor = None, limit: Limit = DEFAULT_LIMIT
) -> OwnerLinkPage:
    """Declared links between investors."""
    return await service.link_page(conn, cursor=cursor, limit=limit)


@internal.post("/kyt/batches")
async def take_kyt_batch(context: Context, body: KytBatch) -> BatchAnswer:
    """Scores, alerts and kyt's cursor, together or not at all."""
    async with context.db.write() as conn:
        answer = await service.take_kyt_batch(conn, body)
    if body.alerts:
        context.announcer.ring("alerts")
    return answer


@internal.post("/surveillance/batches")
async def take_surveillance_batch(context: Context, body: SurveillanceBatch) -> BatchAnswer:
    """Alerts and kyt's cursor, together or not at all."""
    async with context.db.write() as conn:
        answer = await service.take_surveillance_batch(conn, body)
    if body.alerts:
        context.announcer.ring("alerts")
    return answer


@internal.get("/alerts/heads")
async def get_alert_heads(conn: Read) -> dict[str, int]:
    """Last alert number of each alert stream."""
    return await service.heads(conn)


@internal.get("/reference/links")
async def get_reference_data(conn: Read) -> ReferenceData:
    """Owner links, owners and offerings."""
    return await service.reference_data(conn)
