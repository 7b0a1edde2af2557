"""What a token agent may do beside minting and burning. The adapter refuses what must not be sent; the policy asks for a second person."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from tokenx_chain.operations.context import Context
from tokenx_chain.operations.params import ForceTransfer, FreezeUnits, PauseToken
from tokenx_chain.standards.erc3643 import Erc3643Adapter
from tokenx_chain.standards.protocol import Act, Keys, TokenStandard

_KEYS: Final = Keys()


async def force_transfer(ctx: Context, params: ForceTransfer) -> dict[str, Any]:
    """Units from one wallet to another without the holder. Returns {tx_hash}."""
    return await _act(ctx, "force-transfer", lambda to: to.force_transfer(params.token, sender=params.sender, receiver=params.to, units=params.units))  # fmt: skip


async def freeze_units(ctx: Context, params: FreezeUnits) -> dict[str, Any]:
    """Part of a holding, frozen or set free. Returns {tx_hash}."""
    if params.frozen:
        return await _act(ctx, "freeze-units", lambda to: to.freeze_units(params.token, holder=params.address, units=params.units))  # fmt: skip
    return await _act(ctx, "unfreeze-units", lambda to: to.unfreeze_units(params.token, holder=params.address, units=params.units))  # fmt: skip


async def pause(ctx: Context, params: PauseToken) -> dict[str, Any]:
    """Stop all holders' transfers of a token, or let them again. Returns {tx_hash}."""
    if params.paused:
        return await _act(ctx, "pause", lambda to: to.pause(params.token))
    return await _act(ctx, "unpause", lambda to: to.unpause(params.token))


async def _act(ctx: Context, step: str, asked: Callable[[TokenStandard], Awaitable[Act]]) -> dict[str, Any]:
    """Once in the life of the operation: what was sent is not looked at again, for it has changed what it was decided on."""
    entry = next((sent for sent in ctx.transactions if sent.step == step), None)
    if entry is None:
        act = await asked(Erc3643Adapter(ctx.chain))
        entry = await ctx.send(step, act.call, _KEYS.of(act.by))
    await ctx.mined([entry])
    return {"tx_hash": entry.tx_hash}
