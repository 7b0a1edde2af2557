"""HTTP routes of settlement."""

from typing import Annotated

from fastapi import APIRouter, Depends

from tokenx_api.auth.models import Actor
from tokenx_api.deps import Read, require
from tokenx_api.orders.service.place import investor_of
from tokenx_api.paging import DEFAULT_LIMIT, Cursor, Limit, cut, decode_cursor
from tokenx_api.settlement import service
from tokenx_api.settlement.models import SettlementView, Status
from tokenx_common.wire import Page

router = APIRouter(prefix="/v1", tags=["settlement"])

STAFF = {"ats_operator", "compliance_officer", "transfer_agent"}
Reader = Annotated[Actor, Depends(require("investor", "ats_operator", "compliance_officer", "transfer_agent"))]


@router.get("/settlements")
async def list_settlements(actor: Reader, conn: Read, status: Status | None = None, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None) -> Page[SettlementView]:  # fmt: skip
    """Newest first. Investors see those they are a party of, staff sees all."""
    investor_id = None if STAFF & set(actor.personas) else investor_of(actor)
    found = await service.page(conn, investor_id=investor_id, status=status, before=decode_cursor(cursor), limit=limit + 1)  # fmt: skip
    rows, next_cursor = cut(found, limit, lambda row: row.settlement_id)
    return Page(data=rows, next_cursor=next_cursor)
