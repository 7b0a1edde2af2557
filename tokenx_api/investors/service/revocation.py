"""Revocation: denied here from the request on, locked on chain three times over by investor.revoke."""

from datetime import datetime

from tokenx_api.auth.models import Actor
from tokenx_api.db import WriteConn
from tokenx_api.investors import queries
from tokenx_api.investors.errors import RevocationUnderWay
from tokenx_api.investors.models import Investor
from tokenx_api.investors.service.profiles import get, locked, record
from tokenx_api.tokenization import service as tokenization
from tokenx_api.wallets import service as wallets


async def revoke(
    conn: WriteConn, *, actor: Actor, investor_id: str, reason: str, chain_id: int, now: datetime
) -> Investor:
    """From now on the investor may do nothing; open orders are cancelled; the chain is told to revoke the claim, freeze the wallet on every
    token and take it off the registry, which it does once nothing is held: asking again then finishes it. Raises NotFound, RevocationUnderWay."""
    investor = await locked(conn, investor_id)
    if investor.revocation_operation_id is not None:
        raise RevocationUnderWay("the revocation is not final on chain yet")
    await start(conn, investor_id, actor=actor.user_id, reason=reason, chain_id=chain_id, now=now)
    return await get(conn, investor_id)


async def start(
    conn: WriteConn, investor_id: str, *, actor: str | None, reason: str, chain_id: int, now: datetime
) -> None:
    """actor None: a revocation is carried on, nobody decides it now."""
    wallet = await wallets.investor_wallet(conn, investor_id, chain_id)
    operation_id: str | None = None
    if wallet is not None and wallet.status != "recovering":  # one that is being recovered is revoked where it ends up
        await wallets.remove(conn, wallet.wallet_id)
        params = {"investor_id": investor_id, "wallet": wallet.address, "signatures": await _signatures(conn, investor_id)}  # fmt: skip
        operation_id = await tokenization.request_operation(
            conn, chain_id=chain_id, kind="investor.revoke", params=params, business_ref=f"investor:{investor_id}"
        )
    await queries.revoke(
        conn, investor_id=investor_id, at=now, reviewer_id=actor, reason=reason, operation_id=operation_id
    )
    await record(
        conn, actor or "service:api", "investor.revoked", investor_id, reason=reason, operation_id=operation_id
    )


async def _signatures(conn: WriteConn, investor_id: str) -> list[str]:
    """Of every claim that was ever made, as the registrations reported them. Signing again might make another one."""
    reported = await tokenization.results(conn, business_ref=f"investor:{investor_id}", kind="investor.register")
    return list(dict.fromkeys(str(result["signature"]) for result in reported if result.get("signature")))
