"""HTTP routes of the venue's operator: opening, halting and resuming markets, and the monitor."""

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import Field

from tokenx_api.ats import service
from tokenx_api.ats.models import MarketView
from tokenx_api.context import AppContext
from tokenx_api.deps import AtsActor, Context, Read
from tokenx_api.orders.models import Sequenced
from tokenx_api.orders.service import market
from tokenx_common.wire import Page, WireModel

router = APIRouter(prefix="/v1", tags=["ats"])

OfferingId = Annotated[str, Path(pattern=r"^off_[0-9a-f]{32}$")]


class HaltRequest(WireModel):
    reason: str = Field(min_length=3, max_length=500)


class MarketStateView(WireModel):
    """The state the market has from this command on."""

    offering_id: str
    market_state: str
    cmd_seq: int


@router.get("/ats/markets")
async def list_markets(_actor: AtsActor, context: Context, conn: Read) -> Page[MarketView]:
    """Every market that was ever opened, with its book's top, its day and how far the matcher is behind."""
    return Page(data=await service.markets(conn, now=context.clock.now()))


@router.post("/offerings/{offering_id}:start-trading")
async def start_trading(offering_id: OfferingId, actor: AtsActor, context: Context) -> MarketStateView:
    """Open the secondary market of a deployed offering."""
    async with context.db.write() as conn:
        sent = await market.start_trading(conn, offering_id, actor=actor.user_id)
    return _announce(context, offering_id, "continuous", sent)


@router.post("/offerings/{offering_id}:halt")
async def halt(offering_id: OfferingId, body: HaltRequest, actor: AtsActor, context: Context) -> MarketStateView:
    """Stop matching. Resting orders stay, and may be canceled."""
    async with context.db.write() as conn:
        sent = await market.halt(conn, offering_id, actor=actor.user_id, reason=body.reason)
    return _announce(context, offering_id, "halted", sent)


@router.post("/offerings/{offering_id}:resume")
async def resume(offering_id: OfferingId, actor: AtsActor, context: Context) -> MarketStateView:
    """Go on matching after a halt."""
    async with context.db.write() as conn:
        sent = await market.resume(conn, offering_id, actor=actor.user_id)
    return _announce(context, offering_id, "continuous", sent)


def _announce(context: AppContext, offering_id: str, state: str, sent: Sequenced) -> MarketStateView:
    context.announcer.put(sent.stream, sent.item)
    context.announcer.ring(f"book:{offering_id}")
    return MarketStateView(offering_id=offering_id, market_state=state, cmd_seq=sent.item["seq"])
