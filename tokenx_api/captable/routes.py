"""HTTP of the cap table."""

from typing import Annotated

from fastapi import APIRouter, Depends

from tokenx_api.auth.models import Actor
from tokenx_api.captable import service
from tokenx_api.captable.models import CapTable
from tokenx_api.deps import Context, Read, require

router = APIRouter(prefix="/v1", tags=["captable"])
Reader = Annotated[
    Actor, Depends(require("issuer", "transfer_agent", "compliance_officer", "tokenization_agent", "admin"))
]


@router.get("/offerings/{offering_id}/cap-table")
async def get_cap_table(context: Context, conn: Read, actor: Reader, offering_id: str) -> CapTable:
    """Who holds the offering, by the ledger and by the chain, and whether the two agree. An issuer sees its own."""
    return await service.cap_table(conn, actor=actor, offering_id=offering_id, chain_id=context.settings.chain_id)
