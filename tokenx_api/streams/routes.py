"""HTTP for the other services: leases, cursors, and replay of what is durable. All of it needs a service token."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Response
from pydantic import Field

from tokenx_api.deps import Read, Write
from tokenx_api.streams import service
from tokenx_common.clock import rfc3339
from tokenx_common.events import ReplayPage
from tokenx_common.service_auth import require_service
from tokenx_common.wire import WireModel

_SERVICES = Depends(require_service("api", "chain", "matcher", "kyt", "cli"))
router = APIRouter(prefix="/internal", tags=["streams"], dependencies=[_SERVICES])

Resource = Annotated[str, Path(pattern=r"^[a-z]+(:[0-9a-z_]+)?$", max_length=64)]


class LeaseRequest(WireModel):
    holder: str = Field(min_length=1, max_length=128)
    ttl_s: float = Field(gt=0, le=60)


class LeaseView(WireModel):
    resource: str
    epoch: int
    expires_at: str


class MatcherOfferingView(WireModel):
    offering_id: str
    cmd_seq: int
    exec_seq: int
    exec_cmd_seq: int
    exec_hash: str
    market_state: str


class MatcherOfferings(WireModel):
    offerings: list[MatcherOfferingView]


@router.post("/leases/{resource}")
async def take_lease(resource: Resource, body: LeaseRequest, conn: Write) -> LeaseView:
    """Take or renew a lease. 409 lease.held with retry_after_s while another instance renews it."""
    lease = await service.take_lease(conn, resource=resource, holder=body.holder, ttl_s=body.ttl_s)
    return LeaseView(resource=resource, epoch=lease.epoch, expires_at=rfc3339(lease.expires_at))


@router.delete("/leases/{resource}", status_code=204)
async def release_lease(
    resource: Resource, epoch: Annotated[int, Query(gt=0)], conn: Write, holder: str | None = None
) -> Response:
    """Give a lease back. Harmless when it already belongs to someone else."""
    await service.release_lease(conn, resource=resource, epoch=epoch, holder=holder)
    return Response(status_code=204)


@router.get("/cursors")
async def list_cursors(consumer: str, conn: Read) -> dict[str, int]:
    """Where a consumer stands, by stream."""
    return await service.cursors(conn, consumer)


@router.get("/matcher/offerings")
async def matcher_offerings(conn: Read) -> MatcherOfferings:
    """What the matcher needs to restart."""
    return MatcherOfferings(
        offerings=[
            MatcherOfferingView(
                offering_id=offering.offering_id,
                cmd_seq=offering.cmd_seq,
                exec_seq=offering.exec_seq,
                exec_cmd_seq=offering.exec_cmd_seq,
                exec_hash=offering.exec_hash.hex(),
                market_state=offering.market_state,
            )
            for offering in await service.matcher_offerings(conn)
        ]
    )


@router.get("/streams/{stream}")
async def replay_stream(
    stream: Annotated[str, Path(max_length=100)],
    conn: Read,
    after: Annotated[int, Query(ge=0, le=2**63 - 1)] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 1000,
) -> ReplayPage:
    """The durable part of any stream, dense after `after`."""
    return await service.page(conn, stream=stream, after=after, limit=limit)
