"""KYC decisions. An approval holds for a year and brings the wallet into the on-chain identity registry."""

from datetime import datetime
from typing import Literal

from tokenx_api.auth.models import Actor
from tokenx_api.context import AppContext
from tokenx_api.db import ReadConn, WriteConn
from tokenx_api.investors import queries
from tokenx_api.investors.errors import RevocationUnderWay, WrongKycStatus
from tokenx_api.investors.models import Investor
from tokenx_api.investors.rules import KYC_VALID_FOR, may_reject, on_approval
from tokenx_api.investors.service.profiles import get, locked, record
from tokenx_api.tokenization import service as tokenization
from tokenx_api.wallets import service as wallets
from tokenx_common.correlation import correlation_id
from tokenx_common.ids import new_id


async def approve_kyc(context: AppContext, *, actor: Actor, investor_id: str, reason: str) -> None:
    """KYC holds for a year from now; the wallet goes into the identity registry. An approved investor whose wallet did not get there is
    sent again; a revoked one is registered by another claim. Opens its own transaction: the chain service is asked for the address before
    it starts. Raises NotFound, WrongKycStatus, RevocationUnderWay, DependencyUnavailable."""
    chain_id = context.settings.chain_id
    async with context.db.read() as conn:
        await _approval(conn, investor_id, chain_id)
        key_ref = await wallets.investor_key_ref(conn, investor_id, chain_id)
    address = await wallets.custodial_address(context, key_ref)
    async with context.db.write() as conn:
        await queries.lock(conn, investor_id)
        if await _approval(conn, investor_id, chain_id) == "approve":
            await queries.reinstate(conn, investor_id)
            await _decide(conn, actor, investor_id, "approved", reason, context.clock.now() + KYC_VALID_FOR)
        await _register(conn, actor=actor, investor_id=investor_id, chain_id=chain_id, key_ref=key_ref, address=address)


async def reject_kyc(conn: WriteConn, *, actor: Actor, investor_id: str, reason: str) -> Investor:
    """Raises NotFound, WrongKycStatus."""
    investor = await locked(conn, investor_id)
    if not may_reject(investor.kyc_status):
        raise WrongKycStatus(f"KYC is {investor.kyc_status}; freeze the investor instead")
    await _decide(conn, actor, investor_id, "rejected", reason, None)
    return await get(conn, investor_id)


async def _approval(conn: ReadConn, investor_id: str, chain_id: int) -> Literal["approve", "register_again"]:
    investor = await get(conn, investor_id)
    if investor.revocation_operation_id is not None:
        raise RevocationUnderWay("the revocation is not final on chain yet")
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
    await record(conn, actor.user_id, f"investor.kyc_{status}", investor_id, decision_id=decision_id)


async def _register(
    conn: WriteConn, *, actor: Actor, investor_id: str, chain_id: int, key_ref: str, address: str
) -> None:
    investor = await get(conn, investor_id)
    before = await wallets.investor_wallet(conn, investor_id, chain_id)
    if before is not None and before.status == "recovering":
        return  # its registration is part of the recovery
    wallet = await wallets.open_investor_wallet(
        conn, chain_id=chain_id, investor_id=investor_id, key_ref=key_ref, address=address
    )
    if before is not None and before.status == "registered" and wallet.identity is not None:  # KYC renewed: the registry knows the wallet  # fmt: skip
        await wallets.registered(conn, wallet.wallet_id, wallet.identity)
        return
    params = {
        "investor_id": investor_id,
        "key_ref": wallet.key_ref,
        "country": investor.country,
        "claim_serial": investor.claim_serial,
        "identity": wallet.identity,
    }
    operation_id = await tokenization.request_operation(
        conn, chain_id=chain_id, kind="investor.register", params=params, business_ref=f"investor:{investor_id}"
    )
    await record(conn, actor.user_id, "wallet.registration_requested", investor_id, operation_id=operation_id)
