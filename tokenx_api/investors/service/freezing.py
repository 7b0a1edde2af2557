"""Freezing: the gate sees it at once, the contracts soon after."""

from tokenx_api.auth.models import Actor
from tokenx_api.db import WriteConn
from tokenx_api.investors import queries
from tokenx_api.investors.errors import AlreadySo
from tokenx_api.investors.models import Investor
from tokenx_api.investors.service.profiles import get, record
from tokenx_api.tokenization import service as tokenization
from tokenx_api.wallets import service as wallets
from tokenx_api.wallets.models import Wallet


async def set_frozen(
    conn: WriteConn, *, actor: Actor, investor_id: str, frozen: bool, reason: str, chain_id: int
) -> Investor:
    """Freeze or unfreeze: the gate sees it at once, and every deployed token's contract is told. A token on which an agent has frozen the
    wallet stays frozen. Raises NotFound, AlreadySo."""
    investor = await get(conn, investor_id)
    if not await queries.set_frozen(conn, investor_id=investor_id, frozen=frozen):
        raise AlreadySo("the investor is frozen" if investor.frozen else "the investor is not frozen")
    await record(conn, actor.user_id, "investor.frozen" if frozen else "investor.unfrozen", investor_id, reason=reason)
    wallet = await wallets.investor_wallet(conn, investor_id, chain_id)
    if wallet is not None and (frozen or investor.revoked_at is None):
        await freeze_on_chain(conn, wallet, investor_id, frozen=frozen)
    return await get(conn, investor_id)


async def freeze_on_chain(conn: WriteConn, wallet: Wallet, investor_id: str, *, frozen: bool) -> None:
    for token in await queries.select_tokens(conn, wallet.chain_id, investor_id):
        params = {"token": token, "address": wallet.address, "frozen": frozen}
        await tokenization.request_operation(
            conn, chain_id=wallet.chain_id, kind="token.freeze", params=params, business_ref=f"investor:{investor_id}"
        )
