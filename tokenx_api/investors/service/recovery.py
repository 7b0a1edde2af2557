"""Recovery: everything an investor holds on chain goes from a lost key to a new one. The ledger does not move: it knows the investor, not the key."""

from tokenx_api.auth.models import Actor
from tokenx_api.context import AppContext
from tokenx_api.db import ReadConn
from tokenx_api.investors.errors import InvestorRevoked, WalletNotRegistered
from tokenx_api.investors.service.profiles import get, locked, record
from tokenx_api.tokenization import service as tokenization
from tokenx_api.wallets import service as wallets
from tokenx_api.wallets.models import Wallet, next_key


async def recover(context: AppContext, *, actor: Actor, investor_id: str, reason: str) -> str:
    """The operation's id. The old wallet may do nothing from now on; whoever asks counts as the first of the two people who must agree.
    Opens its own transaction. A frozen investor stays frozen. Raises NotFound, InvestorRevoked, WalletNotRegistered,
    DependencyUnavailable."""
    chain_id = context.settings.chain_id
    async with context.db.read() as conn:
        key_ref = next_key((await _lost(conn, investor_id, chain_id)).key_ref)
    await wallets.custodial_address(context, key_ref)  # made before anything depends on it
    async with context.db.write() as conn:
        await locked(conn, investor_id)
        lost = await _lost(conn, investor_id, chain_id)
        if next_key(lost.key_ref) != key_ref or not await wallets.recovering(conn, lost.wallet_id):
            raise WalletNotRegistered("the wallet is being recovered by somebody else")
        params = {"lost": lost.address, "key_ref": key_ref, "lost_key_ref": lost.key_ref}
        operation_id = await tokenization.request_operation(
            conn, chain_id=chain_id, kind="investor.recover", params=params, business_ref=f"investor:{investor_id}"
        )
        await tokenization.agree(conn, f"operation:{operation_id}", actor=actor.user_id, reason=reason)
        await record(conn, actor.user_id, "wallet.recovery_requested", investor_id, reason=reason, operation_id=operation_id,
                     lost=lost.address, key_ref=key_ref)  # fmt: skip
    return operation_id


async def _lost(conn: ReadConn, investor_id: str, chain_id: int) -> Wallet:
    if (await get(conn, investor_id)).revoked_at is not None:
        raise InvestorRevoked("the identity check was revoked")
    wallet = await wallets.investor_wallet(conn, investor_id, chain_id)
    if wallet is None or wallet.status != "registered":
        raise WalletNotRegistered("the investor has no registered wallet")
    return wallet
