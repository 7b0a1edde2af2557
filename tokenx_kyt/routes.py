"""HTTP in: the synchronous gate, and replay of alerts. Only other services may ask."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request

from tokenx_common.errors import NotFound
from tokenx_common.events import ReplayPage
from tokenx_common.service_auth import require_service
from tokenx_kyt.addresses import parse_address
from tokenx_kyt.models import ScreenAnswer, ScreenRequest
from tokenx_kyt.service import KytService

router = APIRouter(tags=["kyt"], dependencies=[Depends(require_service("api", "chain", "cli"))])


def _service(request: Request) -> KytService:
    service: KytService = request.app.state.service
    return service


Service = Annotated[KytService, Depends(_service)]


@router.post("/v1/screen", summary="Risk of an address, before anything moves")
async def screen(body: ScreenRequest, service: Service) -> ScreenAnswer:
    """Answers from the lists in force; works without the lease, the api and Redis."""
    found = await service.provider.screen_address(chain_id=body.chain_id, address=parse_address(body.address))
    return ScreenAnswer(
        level=found.level,
        score=found.score,
        factors=[factor.row() for factor in found.factors],
        list_version=found.list_version,
        list_as_of=found.list_as_of.isoformat() if found.list_as_of else None,
    )


@router.get("/internal/streams/{stream}", summary="Alerts after a sequence number, while they are held")
async def get_stream(
    stream: str,
    service: Service,
    after: Annotated[int, Query(ge=0)],
    limit: Annotated[int, Query(ge=1, le=1000)] = 1000,
) -> ReplayPage:
    """410 stream.too_old when the range is no longer held here: the api has it."""
    alerts = service.committer.alerts.get(stream)
    if alerts is None:
        raise NotFound("stream")
    items = alerts.page(after=after, limit=limit)
    return ReplayPage(stream=stream, epoch=service.lease.epoch, head=alerts.head, items=items)
