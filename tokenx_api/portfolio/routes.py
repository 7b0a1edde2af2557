"""HTTP routes of portfolio."""

from fastapi import APIRouter

from tokenx_api.deps import InvestorActor, Read
from tokenx_api.orders.service.place import investor_of
from tokenx_api.portfolio import service
from tokenx_api.portfolio.models import PortfolioView

router = APIRouter(prefix="/v1", tags=["portfolio"])


@router.get("/portfolio")
async def portfolio(actor: InvestorActor, conn: Read) -> PortfolioView:
    """The caller's cash and holdings."""
    return await service.portfolio(conn, investor_of(actor))
