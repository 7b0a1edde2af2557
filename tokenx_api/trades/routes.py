"""HTTP routes of market data; every signed-in user may look."""

from typing import Annotated

from fastapi import APIRouter, Path, Query

from tokenx_api.deps import AnyActor, Read
from tokenx_api.paging import DEFAULT_LIMIT, Cursor, Limit, cut, decode_number_cursor
from tokenx_api.trades import service
from tokenx_api.trades.models import BookView, CandleView, Interval, TradeView
from tokenx_common.wire import Page

router = APIRouter(prefix="/v1", tags=["trades"])

OfferingId = Annotated[str, Path(min_length=1, max_length=64)]


@router.get("/offerings/{offering_id}/book")
async def get_book(offering_id: OfferingId, _actor: AnyActor, conn: Read, depth: Annotated[int, Query(ge=1, le=200)] = 20) -> BookView:  # fmt: skip
    """Open orders by price, best first."""
    return await service.book(conn, offering_id, depth=depth)


@router.get("/offerings/{offering_id}/trades")
async def list_trades(offering_id: OfferingId, _actor: AnyActor, conn: Read, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None) -> Page[TradeView]:  # fmt: skip
    """Newest first."""
    found = await service.trades(conn, offering_id, before_seq=decode_number_cursor(cursor), limit=limit + 1)
    rows, next_cursor = cut(found, limit, lambda row: str(row[0]))
    return Page(data=[trade for _, trade in rows], next_cursor=next_cursor)


@router.get("/offerings/{offering_id}/candles")
async def list_candles(
    offering_id: OfferingId, _actor: AnyActor, conn: Read, interval: Interval = "1m", limit: Annotated[int, Query(ge=1, le=1000)] = 200
) -> Page[CandleView]:  # fmt: skip
    """The newest intervals that had a trade, oldest first."""
    return Page(data=await service.candles(conn, offering_id, interval=interval, limit=limit))
