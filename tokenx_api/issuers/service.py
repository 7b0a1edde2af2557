"""Issuers: profile and KYB decisions. An approved issuer has a wallet that receives the cash of its offerings."""

from typing import Any, Literal

from tokenx_api.audit import service as audit
from tokenx_api.auth.models import Actor
from tokenx_api.context import AppContext
from tokenx_api.db import ReadConn, WriteConn
from tokenx_api.issuers import queries
from tokenx_api.issuers.errors import KybRequired, ProfileExists, WrongKybStatus
from tokenx_api.issuers.models import Issuer
from tokenx_api.wallets import service as wallets
from tokenx_api.wallets.models import issuer_key
from tokenx_common.errors import NotFound
from tokenx_common.ids import new_id


async def create(conn: WriteConn, *, actor: Actor, legal_name: str, country: str) -> Issuer:
    """The user's issuer profile with an open KYB case. Raises ProfileExists."""
    issuer_id = new_id("iss")
    if not await queries.insert(
        conn, issuer_id=issuer_id, user_id=actor.user_id, legal_name=legal_name, country=country
    ):
        raise ProfileExists("this account has an issuer profile")
    await queries.insert_kyb(conn, kyb_id=new_id("kyb"), issuer_id=issuer_id)
    await _audit(conn, actor.user_id, "issuer.created", issuer_id)
    return await get(conn, issuer_id)


async def get(conn: ReadConn, issuer_id: str) -> Issuer:
    """Raises NotFound."""
    issuer = await queries.select(conn, issuer_id)
    if issuer is None:
        raise NotFound("issuer")
    return issuer


async def approved_id(conn: ReadConn, actor: Actor) -> str:
    """The issuer the user is. Raises KybRequired when there is no profile or KYB is not approved."""
    if actor.issuer_id is None or (await get(conn, actor.issuer_id)).kyb_status != "approved":
        raise KybRequired("an issuer profile with approved KYB is needed first")
    return actor.issuer_id


async def page(conn: ReadConn, *, before: str | None, limit: int) -> list[Issuer]:
    """Newest first."""
    return await queries.select_page(conn, before=before, limit=limit)


async def approve_kyb(context: AppContext, *, actor: Actor, issuer_id: str, reason: str) -> Issuer:
    """KYB approved, wallet opened. Opens its own transaction: the chain service is asked for the address before it starts.
    Raises NotFound, WrongKybStatus, DependencyUnavailable."""
    async with context.db.read() as conn:
        if (await get(conn, issuer_id)).kyb_status != "pending":
            raise WrongKybStatus("KYB is decided")
    address = await wallets.custodial_address(context, issuer_key(issuer_id))
    async with context.db.write() as conn:
        await _decide(conn, actor, issuer_id, "approved", reason)
        await wallets.open_issuer_wallet(conn, chain_id=context.settings.chain_id, issuer_id=issuer_id, address=address)
        return await get(conn, issuer_id)


async def reject_kyb(conn: WriteConn, *, actor: Actor, issuer_id: str, reason: str) -> Issuer:
    """Raises NotFound, WrongKybStatus."""
    await get(conn, issuer_id)
    await _decide(conn, actor, issuer_id, "rejected", reason)
    return await get(conn, issuer_id)


async def _decide(
    conn: WriteConn, actor: Actor, issuer_id: str, status: Literal["approved", "rejected"], reason: str
) -> None:
    if not await queries.decide(conn, issuer_id=issuer_id, status=status):
        raise WrongKybStatus("KYB is decided")
    await queries.decide_kyb(conn, issuer_id=issuer_id, status=status, reviewer_id=actor.user_id, reason=reason)
    await _audit(conn, actor.user_id, f"issuer.kyb_{status}", issuer_id)


async def _audit(conn: WriteConn, actor: str, action: str, issuer_id: str, **detail: Any) -> None:
    await audit.record(conn, actor=actor, action=action, subject_type="issuer", subject_id=issuer_id, **detail)
