"""The profile, and what the use cases around it share."""

from typing import Any

from tokenx_api.audit import service as audit
from tokenx_api.auth.models import Actor
from tokenx_api.db import ReadConn, WriteConn
from tokenx_api.investors import queries
from tokenx_api.investors.errors import InvestorFrozen, InvestorRevoked, ProfileExists, ProfileRequired
from tokenx_api.investors.models import Investor, KycStatus
from tokenx_common.errors import NotFound
from tokenx_common.ids import new_id


async def create(conn: WriteConn, *, actor: Actor, legal_name: str, country: str) -> Investor:
    """The user's investor profile, KYC pending. Raises ProfileExists."""
    investor_id = new_id("inv")
    if not await queries.insert(
        conn, investor_id=investor_id, user_id=actor.user_id, legal_name=legal_name, country=country
    ):
        raise ProfileExists("this account has an investor profile")
    await record(conn, actor.user_id, "investor.created", investor_id)
    return await get(conn, investor_id)


async def get(conn: ReadConn, investor_id: str) -> Investor:
    """Raises NotFound."""
    investor = await queries.select(conn, investor_id)
    if investor is None:
        raise NotFound("investor")
    return investor


async def locked(conn: WriteConn, investor_id: str) -> Investor:
    """The investor, its row held until the transaction ends. Raises NotFound."""
    await queries.lock(conn, investor_id)
    return await get(conn, investor_id)


async def require_active(conn: ReadConn, investor_id: str) -> None:
    """Raises NotFound, InvestorRevoked, InvestorFrozen."""
    investor = await get(conn, investor_id)
    if investor.revoked_at is not None:
        raise InvestorRevoked("the identity check was revoked")
    if investor.frozen:
        raise InvestorFrozen("the account is frozen")


def own_id(actor: Actor) -> str:
    """The investor the user is. Raises ProfileRequired."""
    if actor.investor_id is None:
        raise ProfileRequired("create your investor profile first")
    return actor.investor_id


async def page(conn: ReadConn, *, kyc_status: KycStatus | None, before: str | None, limit: int) -> list[Investor]:
    """Newest first."""
    return await queries.select_page(conn, kyc_status=kyc_status, before=before, limit=limit)


async def record(conn: WriteConn, actor: str, action: str, investor_id: str, **detail: Any) -> None:
    await audit.record(conn, actor=actor, action=action, subject_type="investor", subject_id=investor_id, **detail)
