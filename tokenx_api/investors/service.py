"""Investors: profile, KYC decisions, freezing. A KYC approval also brings the wallet into the on-chain identity registry."""

from datetime import datetime
from typing import Any, Literal

from tokenx_api.audit import service as audit
from tokenx_api.auth.models import Actor
from tokenx_api.context import AppContext
from tokenx_api.db import ReadConn, WriteConn
from tokenx_api.investors import queries
from tokenx_api.investors.errors import AlreadySo, ProfileExists, ProfileRequired, WrongKycStatus
from tokenx_api.investors.models import Investor, KycStatus
from tokenx_api.investors.rules import KYC_VALID_FOR, may_reject, on_approval
from tokenx_api.tokenization import service as tokenization
from tokenx_api.wallets import service as wallets
from tokenx_api.wallets.models import Wallet, investor_key
from tokenx_common.correlation import correlation_id
from tokenx_common.errors import NotFound
from tokenx_common.ids import new_id


async def create(conn: WriteConn, *, actor: Actor, legal_name: str, country: str) -> Investor:
    """The user's investor profile, KYC pending. Raises ProfileExists."""
    investor_id = new_id("inv")
    if not await queries.insert(
        conn, investor_id=investor_id, user_id=actor.user_id, legal_name=legal_name, country=country
    ):
        raise ProfileExists("this account has an investor profile")
    await _audit(conn, actor.user_id, "investor.created", investor_id)
    return await get(conn, investor_id)


async def get(conn: ReadConn, investor_id: str) -> Investor:
    """Raises NotFound."""
    investor = await queries.select(conn, investor_id)
    if investor is None:
        raise NotFound("investor")
    return investor


def own_id(actor: Actor) -> str:
    """The investor the user is. Raises ProfileRequired."""
    if actor.investor_id is None:
        raise ProfileRequired("create your investor profile first")
    return actor.investor_id


async def page(conn: ReadConn, *, kyc_status: KycStatus | None, before: str | None, limit: int) -> list[Investor]:
    """Newest first."""
    return await queries.select_page(conn, kyc_status=kyc_status, before=before, limit=limit)


async def approve_kyc(context: AppContext, *, actor: Actor, investor_id: str, reason: str) -> None:
    """KYC holds for a year from now; the wallet goes into the identity registry. An approved investor whose wallet did not get there is
    sent again. Opens its own transaction: the chain service is asked for the address before it starts.
    Raises NotFound, WrongKycStatus, DependencyUnavailable."""
    chain_id = context.settings.chain_id
    async with context.db.read() as conn:
        await _approval(conn, investor_id, chain_id)
    address = await wallets.custodial_address(context, investor_key(investor_id))
    async with context.db.write() as conn:
        await queries.lock(conn, investor_id)
        if await _approval(conn, investor_id, chain_id) == "approve":
            await _decide(conn, actor, investor_id, "approved", reason, context.clock.now() + KYC_VALID_FOR)
        await _register(conn, actor=actor, investor_id=investor_id, chain_id=chain_id, address=address)


async def reject_kyc(conn: WriteConn, *, actor: Actor, investor_id: str, reason: str) -> Investor:
    """Raises NotFound, WrongKycStatus."""
    await queries.lock(conn, investor_id)
    investor = await get(conn, investor_id)
    if not may_reject(investor.kyc_status):
        raise WrongKycStatus(f"KYC is {investor.kyc_status}; freeze the investor instead")
    await _decide(conn, actor, investor_id, "rejected", reason, None)
    return await get(conn, investor_id)


async def set_frozen(
    conn: WriteConn, *, actor: Actor, investor_id: str, frozen: bool, reason: str, chain_id: int
) -> Investor:
    """Freeze or unfreeze: the gate sees it at once, and every deployed token's contract is told. Raises NotFound, AlreadySo."""
    investor = await get(conn, investor_id)
    if not await queries.set_frozen(conn, investor_id=investor_id, frozen=frozen):
        raise AlreadySo("the investor is frozen" if investor.frozen else "the investor is not frozen")
    await _audit(conn, actor.user_id, "investor.frozen" if frozen else "investor.unfrozen", investor_id, reason=reason)
    wallet = await wallets.investor_wallet(conn, investor_id, chain_id)
    if wallet is not None:
        await _freeze_on_chain(conn, wallet, investor_id, frozen=frozen)
    return await get(conn, investor_id)


async def on_operation_final(conn: WriteConn, investor_id: str, operation_id: str, result: dict[str, Any]) -> None:
    """The registry holds the wallet, or a token's contract knows the freeze. Doing it twice changes nothing."""
    kind = await queries.select_operation_kind(conn, operation_id)
    if kind == "token.freeze":
        await _audit(conn, "service:chain", "investor.freeze_enforced", investor_id, operation_id=operation_id)
    if kind != "investor.register":
        return
    for wallet in (await wallets.of_investors(conn, [investor_id]))[investor_id]:
        if wallet.address == str(result["address"]).lower() and await wallets.registered(
            conn, wallet.wallet_id, str(result["identity"]).lower()
        ):
            await _audit(conn, "service:chain", "wallet.registered", investor_id, wallet_id=wallet.wallet_id)


async def on_operation_failed(
    conn: WriteConn, investor_id: str, operation_id: str, error_code: str, error_detail: str
) -> None:
    """The wallet goes back to created: approving again sends it again. A freeze that failed stays in force here."""
    kind = await queries.select_operation_kind(conn, operation_id)
    facts = {"operation_id": operation_id, "error_code": error_code, "error_detail": error_detail}
    if kind == "token.freeze":
        await _audit(conn, "service:chain", "investor.freeze_failed", investor_id, **facts)
    if kind != "investor.register":
        return
    for wallet in (await wallets.of_investors(conn, [investor_id]))[investor_id]:
        if await wallets.registration_failed(conn, wallet.wallet_id):
            await _audit(conn, "service:chain", "wallet.registration_failed", investor_id, **facts)


async def _approval(conn: ReadConn, investor_id: str, chain_id: int) -> Literal["approve", "register_again"]:
    investor = await get(conn, investor_id)
    wallet = await wallets.investor_wallet(conn, investor_id, chain_id)
    step = on_approval(investor.kyc_status, wallet.status if wallet else None)
    if step == "refuse":
        raise WrongKycStatus("KYC is approved and the wallet is registered or on its way")
    return step


async def _decide(
    conn: WriteConn,
    actor: Actor,
    investor_id: str,
    status: Literal["approved", "rejected"],
    reason: str,
    expires_at: datetime | None,
) -> None:
    await queries.decide_kyc(conn, investor_id=investor_id, status=status, expires_at=expires_at,
                             reviewer_id=actor.user_id, reason=reason)  # fmt: skip
    outcome, decision_id = "allow" if status == "approved" else "deny", new_id("dec")
    results = [
        {"rule_id": "kyc.review", "version": 1, "outcome": outcome, "reason_code": f"kyc_{status}", "remedy": ""}
    ]
    await queries.insert_decision(conn, decision_id=decision_id, investor_id=investor_id, outcome=outcome, results=results,
                                  facts={"reviewer_id": actor.user_id}, correlation_id=correlation_id())  # fmt: skip
    await _audit(conn, actor.user_id, f"investor.kyc_{status}", investor_id, decision_id=decision_id)


async def _register(conn: WriteConn, *, actor: Actor, investor_id: str, chain_id: int, address: str) -> None:
    investor = await get(conn, investor_id)
    wallet = await wallets.open_investor_wallet(conn, chain_id=chain_id, investor_id=investor_id, address=address)
    if wallet.identity is not None:  # KYC renewed: the registry knows the wallet
        await wallets.registered(conn, wallet.wallet_id, wallet.identity)
        return
    params = {"investor_id": investor_id, "key_ref": wallet.key_ref, "country": investor.country}
    operation_id = await tokenization.request_operation(
        conn, chain_id=chain_id, kind="investor.register", params=params, business_ref=f"investor:{investor_id}"
    )
    await _audit(conn, actor.user_id, "wallet.registration_requested", investor_id, operation_id=operation_id)


async def _freeze_on_chain(conn: WriteConn, wallet: Wallet, investor_id: str, *, frozen: bool) -> None:
    for token in await queries.select_tokens(conn, wallet.chain_id):
        params = {"token": token, "address": wallet.address, "frozen": frozen}
        await tokenization.request_operation(
            conn, chain_id=wallet.chain_id, kind="token.freeze", params=params, business_ref=f"investor:{investor_id}"
        )


async def _audit(conn: WriteConn, actor: str, action: str, investor_id: str, **detail: Any) -> None:
    await audit.record(conn, actor=actor, action=action, subject_type="investor", subject_id=investor_id, **detail)
