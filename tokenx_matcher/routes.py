"""HTTP in: replay of executions, books, state. Only other services may ask."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request

from matcher_core import DepthLevel
from tokenx_common.errors import NotFound
from tokenx_common.events import ReplayPage
from tokenx_common.service_auth import require_service
from tokenx_matcher.models import BookLevel, BookView, OfferingState
from tokenx_matcher.service import MatcherService

STREAM_PREFIX = "ev:"
router = APIRouter(tags=["matcher"], dependencies=[Depends(require_service("api", "kyt", "cli"))])


def _service(request: Request) -> MatcherService:
    service: MatcherService = request.app.state.service
    return service


Service = Annotated[MatcherService, Depends(_service)]


@router.get("/internal/streams/{stream}", summary="Executions after a sequence number, while they are held")
async def get_stream(
    stream: str,
    service: Service,
    after: Annotated[int, Query(ge=0)],
    limit: Annotated[int, Query(ge=1, le=1000)] = 1000,
) -> ReplayPage:
    """410 stream.too_old when the range is no longer held here: the api has it."""
    desk = service.desks.get(stream.removeprefix(STREAM_PREFIX)) if stream.startswith(STREAM_PREFIX) else None
    if desk is None:
        raise NotFound("stream")
    items = desk.page(after=after, limit=limit)
    return ReplayPage(stream=stream, epoch=service.lease.epoch, head=desk.head, items=items)


@router.get("/v1/books/{offering_id}", summary="The best levels of a book")
async def get_book(offering_id: str, service: Service, depth: Annotated[int, Query(ge=1, le=1000)] = 20) -> BookView:
    """In ticks and lots: the matcher knows no tick sizes."""
    found = service.desks.named(offering_id).depth(depth)
    return BookView(
        offering_id=offering_id, exec_seq=found.exec_seq, bids=_levels(found.bids), asks=_levels(found.asks)
    )


@router.get("/internal/offerings/{offering_id}/state", summary="Cursors and hashes of an offering")
async def get_offering_state(offering_id: str, service: Service) -> OfferingState:
    """For comparison with a replay of the stored log."""
    return OfferingState(**service.desks.named(offering_id).state()._asdict())


def _levels(levels: list[DepthLevel]) -> list[BookLevel]:
    return [BookLevel(**level._asdict()) for level in levels]
