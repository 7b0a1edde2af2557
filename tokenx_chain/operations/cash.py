"""Cash: mint against a deposit, move between wallets, pay out of the treasury."""

from typing import Any

from tokenx_chain.operations.context import Context
from tokenx_chain.operations.gas import ensure_gas
from tokenx_chain.operations.keys import PLATFORM, TREASURY
from tokenx_chain.operations.params import MintCash, PayRedemption, TransferCash
from tokenx_chain.standards.erc3643 import Erc3643


async def mint(ctx: Context, params: MintCash) -> dict[str, Any]:
    """New coins for a wallet. Returns {tx_hash}."""
    call = Erc3643(ctx.chain).coin.mint(to=params.to, amount=params.amount)
    entry = await ctx.send("mint", call, PLATFORM)
    await ctx.mined([entry])
    return {"tx_hash": entry.tx_hash}


async def transfer(ctx: Context, params: TransferCash) -> dict[str, Any]:
    """Coins from a custodial wallet. Returns {tx_hash}."""
    return await _pay(ctx, params.from_key_ref, params.to, params.amount)


async def pay_redemption(ctx: Context, params: PayRedemption) -> dict[str, Any]:
    """Coins from the treasury to a custodial wallet. Returns {tx_hash}."""
    return await _pay(ctx, TREASURY, await ctx.address(params.to_key_ref), params.amount)


async def _pay(ctx: Context, from_key_ref: str, to: str, amount: int) -> dict[str, Any]:
    await ensure_gas(ctx, {from_key_ref})
    entry = await ctx.send("transfer", Erc3643(ctx.chain).coin.transfer(to=to, amount=amount), from_key_ref)
    await ctx.mined([entry])
    return {"tx_hash": entry.tx_hash}
