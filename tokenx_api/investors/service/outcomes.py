"""What the chain says about an investor's operations."""

from typing import Any

from tokenx_api.db import WriteConn
from tokenx_api.investors import queries
from tokenx_api.investors.service.freezing import freeze_on_chain
from tokenx_api.investors.service.profiles import get, record
from tokenx_api.investors.service.revocation import start
from tokenx_api.tokenization import service as tokenization
from tokenx_api.wallets import service as wallets
from tokenx_common.clock import utc_now

CHAIN = "service:chain"


async def on_operation_final(conn: WriteConn, investor_id: str, operation_id: str, result: dict[str, Any]) -> None:
    """The chain has done what was asked for. Doing it twice changes nothing."""
    match await queries.select_operation_kind(conn, operation_id):
        case "token.freeze":
            await record(conn, CHAIN, "investor.freeze_enforced", investor_id, operation_id=operation_id)
        case "investor.register":
            await _registered(conn, investor_id, result)
        case "investor.revoke":
            await _revoked(conn, investor_id, operation_id, result)
        case "investor.recover":
            await _recovered(conn, investor_id, operation_id, result)
        case _:
            return


async def on_operation_failed(
    conn: WriteConn, investor_id: str, operation_id: str, error_code: str, error_detail: str
) -> None:
    """A wallet goes back to where it was, and it can be asked for again. A freeze or a revocation that failed stays in force here."""
    facts = {"operation_id": operation_id, "error_code": error_code, "error_detail": error_detail}
    held = (await wallets.of_investors(conn, [investor_id]))[investor_id]
    match await queries.select_operation_kind(conn, operation_id):
        case "token.freeze":
            await record(conn, CHAIN, "investor.freeze_failed", investor_id, **facts)
        case "investor.register":
            for wallet in held:
                if await wallets.registration_failed(conn, wallet.wallet_id):
                    await record(conn, CHAIN, "wallet.registration_failed", investor_id, **facts)
        case "investor.revoke":
            if await queries.end_revocation(conn, investor_id=investor_id, operation_id=operation_id):
                await record(conn, CHAIN, "investor.revocation_failed", investor_id, **facts)
        case "investor.recover":
            for wallet in held:
                if await wallets.recovery_failed(conn, wallet.wallet_id):
                    await record(conn, CHAIN, "wallet.recovery_failed", investor_id, **facts)
                    await _revoke_after_all(conn, investor_id, wallet.chain_id)
        case _:
            return


async def _registered(conn: WriteConn, investor_id: str, result: dict[str, Any]) -> None:
    investor = await get(conn, investor_id)
    for wallet in (await wallets.of_investors(conn, [investor_id]))[investor_id]:
        if wallet.address != str(result["address"]).lower():
            continue
        if await wallets.registered(conn, wallet.wallet_id, str(result["identity"]).lower()):
            await record(conn, CHAIN, "wallet.registered", investor_id, wallet_id=wallet.wallet_id)
            if investor.claim_serial > 1 and not investor.frozen:  # the revocation before froze it everywhere
                await freeze_on_chain(conn, wallet, investor_id, frozen=False)
        else:
            await _revoke_after_all(conn, investor_id, wallet.chain_id)


async def _revoked(conn: WriteConn, investor_id: str, operation_id: str, result: dict[str, Any]) -> None:
    if await queries.end_revocation(conn, investor_id=investor_id, operation_id=operation_id):
        await record(conn, CHAIN, "investor.revocation_enforced", investor_id, operation_id=operation_id,
                     removed=bool(result.get("removed")), held=result.get("held", {}))  # fmt: skip


async def _recovered(conn: WriteConn, investor_id: str, operation_id: str, result: dict[str, Any]) -> None:
    operation = await tokenization.operation(conn, operation_id)
    for wallet in (await wallets.of_investors(conn, [investor_id]))[investor_id]:
        if wallet.address == operation.params["lost"] and await wallets.recovered(
            conn,
            wallet.wallet_id,
            address=str(result["address"]).lower(),
            key_ref=operation.params["key_ref"],
        ):
            await record(conn, CHAIN, "wallet.recovered", investor_id, operation_id=operation_id, lost=wallet.address,
                         address=result["address"], recovered=result.get("recovered", {}), cash_moved=result.get("cash_moved"))  # fmt: skip
            await _revoke_after_all(conn, investor_id, wallet.chain_id)


async def _revoke_after_all(conn: WriteConn, investor_id: str, chain_id: int) -> None:
    """Of an investor who was revoked while the wallet was on its way: what the chain holds now is to be revoked as well."""
    investor = await get(conn, investor_id)
    if investor.revoked_at is not None and investor.revocation_operation_id is None:
        await start(conn, investor_id, actor=None, reason="revoked while the wallet was on its way", chain_id=chain_id, now=utc_now())  # fmt: skip
