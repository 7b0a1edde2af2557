"""Links between beneficial owners, and the reference data kyt works with."""

from tokenx_api.audit import service as audit
from tokenx_api.db import ReadConn, WriteConn
from tokenx_api.paging import cut, decode_cursor
from tokenx_api.surveillance import queries
from tokenx_api.surveillance.errors import SameInvestor
from tokenx_api.surveillance.models import (
    OwnerLink,
    OwnerLinkPage,
    OwnerLinkRequest,
    OwnerLinkView,
    ReferenceData,
    ReferenceOffering,
)
from tokenx_common.clock import rfc3339
from tokenx_common.errors import Invalid, NotFound


async def declare_link(conn: WriteConn, *, actor: str, body: OwnerLinkRequest) -> OwnerLink:
    """Link two owners, or change what is known about their link. Raises SameInvestor, NotFound."""
    if body.investor_a == body.investor_b:
        raise SameInvestor("name two different investors")
    owners = (await _owner(conn, body.investor_a), await _owner(conn, body.investor_b))
    await queries.upsert_owner_link(
        conn, owners=owners, confidence_pct=body.confidence_pct, basis=body.basis, actor=actor
    )
    await audit.record(
        conn,
        actor=actor,
        action="owner_link.declared",
        subject_type="investor",
        subject_id=body.investor_a,
        other=body.investor_b,
        confidence_pct=body.confidence_pct,
    )
    return OwnerLink(a=min(owners), b=max(owners), confidence_pct=body.confidence_pct, basis=body.basis)


async def link_page(conn: ReadConn, *, cursor: str | None, limit: int) -> OwnerLinkPage:
    """Newest owners first."""
    rows = await queries.select_owner_links(conn, before=_link_key(cursor), limit=limit + 1)
    page, next_cursor = cut(rows, limit, lambda row: row["key"])
    views = [
        OwnerLinkView(
            investor_a=row["investor_a"],
            investor_b=row["investor_b"],
            confidence_pct=row["confidence_pct"],
            basis=row["basis"],
            created_by=row["created_by"],
            created_at=rfc3339(row["created_at"]),
        )
        for row in page
    ]
    return OwnerLinkPage(data=views, next_cursor=next_cursor)


async def reference_data(conn: ReadConn) -> ReferenceData:
    """What kyt needs to know of people and offerings."""
    return ReferenceData(
        links=[OwnerLink(**dict(row)) for row in await queries.select_reference_links(conn)],
        owners=await queries.select_owners(conn),
        offerings=[ReferenceOffering(**dict(row)) for row in await queries.select_offerings(conn)],
    )


async def _owner(conn: ReadConn, investor_id: str) -> int:
    owner = await queries.select_owner_group(conn, investor_id)
    if owner is None:
        raise NotFound("investor")
    return owner


def _link_key(cursor: str | None) -> tuple[int, int] | None:
    key = decode_cursor(cursor)
    if key is None:
        return None
    a, _, b = key.partition(",")
    if not (a.isdecimal() and b.isdecimal() and len(key) < 38):
        raise Invalid("the cursor is not one of ours")
    return int(a), int(b)
