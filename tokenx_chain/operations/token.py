"""What a holder does with a security token, by the custodial key of its wallet."""

from typing import Any

from tokenx_chain.operations import params as p
from tokenx_chain.operations.acts import Asked, step
from tokenx_chain.operations.agent import units_by_wallet
from tokenx_chain.operations.context import Context
from tokenx_chain.operations.gas import ensure_gas


async def transfer(ctx: Context, params: p.TransferToken) -> dict[str, Any]:
    """Units from a custodial wallet to a verified one. Refused with the precise reason. Returns {tx_hash}."""
    sender = await ctx.address(params.from_key_ref)
    return await _by_holder(ctx, params.from_key_ref, lambda to: to.transfer(params.token, sender=sender, receiver=params.to, units=params.units))  # fmt: skip


async def transfer_batch(ctx: Context, params: p.TransferBatch) -> dict[str, Any]:
    """Units from one custodial wallet to several verified ones, all or none. Returns {tx_hash}."""
    sender, units = await ctx.address(params.from_key_ref), units_by_wallet(params.items)
    return await _by_holder(ctx, params.from_key_ref, lambda to: to.transfer_batch(params.token, sender=sender, units_by_receiver=units))  # fmt: skip


async def _by_holder(ctx: Context, key_ref: str, asked: Asked) -> dict[str, Any]:
    """Asked first: what is refused costs no gas."""
    made = await step(ctx, "transfer", asked, holder=key_ref)
    await ensure_gas(ctx, {key_ref})
    entries = await ctx.send_all([made])
    await ctx.mined(entries)
    return {"tx_hash": entries[0].tx_hash}
