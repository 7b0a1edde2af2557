"""HTTP routes of audit."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from tokenx_api.audit import service
from tokenx_api.audit.models import AuditEventView, Verification, audit_event_view
from tokenx_api.auth.models import Actor
from tokenx_api.context import AppContext
from tokenx_api.db import ReadConn
from tokenx_api.deps import Context, Read, require
from tokenx_api.paging import DEFAULT_LIMIT, Cursor, Limit, cut, decode_number_cursor
from tokenx_common.service_auth import ServiceName, require_service
from tokenx_common.wire import Page

router = APIRouter(tags=["audit"])

Auditor = Annotated[Actor, Depends(require("compliance_officer", "admin"))]
Cli = Annotated[ServiceName, Depends(require_service("cli"))]
SubjectId = Annotated[str | None, Query(max_length=200, description="id of what the events are about")]


@router.get("/v1/audit/events")
async def list_audit_events(
    _actor: Auditor,
    conn: Read,
    subject_id: SubjectId = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Page[AuditEventView]:
    """The audit trail, newest first."""
    before = decode_number_cursor(cursor)
    rows = await service.page(conn, subject_id=subject_id, before=before, limit=limit + 1)
    page, next_cursor = cut(rows, limit, lambda row: str(row.event_id))
    return Page(data=[audit_event_view(row) for row in page], next_cursor=next_cursor)


@router.get("/v1/audit/verification")
async def verify_audit(_actor: Auditor, context: Context) -> Verification:
    """Compute every leaf and seal again and name the first row that was tampered with."""
    return await _verify(context)


@router.get("/internal/audit/verification")
async def verify_audit_internally(_caller: Cli, context: Context) -> Verification:
    """The same, for the operator's tool."""
    return await _verify(context)


async def _verify(context: AppContext) -> Verification:
    async with (
        context.db.pool.acquire(timeout=5) as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        return await service.verify(ReadConn(connection))
