"""Looking at acts."""

from dataclasses import asdict

from tokenx_api.agency import queries
from tokenx_api.agency.models import Act, ActPage, ActView
from tokenx_api.db import ReadConn
from tokenx_api.paging import cut, decode_cursor
from tokenx_common.errors import NotFound


async def get(conn: ReadConn, act_id: str) -> Act:
    """Raises NotFound."""
    act = await queries.select(conn, act_id)
    if act is None:
        raise NotFound("act")
    return act


async def page(
    conn: ReadConn, *, offering_id: str | None, status: str | None, cursor: str | None, limit: int
) -> ActPage:
    """Newest first."""
    found = await queries.select_page(
        conn, offering_id=offering_id, status=status, before=decode_cursor(cursor), limit=limit + 1
    )
    rows, next_cursor = cut(found, limit, lambda row: row.act_id)
    return ActPage(data=[view(row) for row in rows], next_cursor=next_cursor)


def view(act: Act) -> ActView:
    return ActView.model_validate({**asdict(act), "items": list(act.items)})
