"""What a token agent may do, one wallet at a time or many. The adapter refuses what must not be sent; the policy asks for a second person."""

from collections.abc import Awaitable
from typing import Any

from tokenx_chain.operations import params as p
from tokenx_chain.operations.acts import carry_out, carry_out_on
from tokenx_chain.operations.context import Context
from tokenx_chain.standards.protocol import Act, Movement, TokenStandard

AgentAct = (
    p.MintToken | p.BurnToken | p.FreezeToken | p.ForceTransfer | p.FreezeUnits | p.PauseToken | p.MintBatch | p.BurnBatch | p.FreezeBatch
    | p.ForceTransferBatch | p.FreezeUnitsBatch
)  # fmt: skip


def asked(to: TokenStandard, params: AgentAct) -> Awaitable[Act]:
    """The adapter's function for these parameters."""
    match params:
        case p.MintToken():
            return to.mint(params.token, receiver=params.to, units=params.units)
        case p.BurnToken():
            return to.burn(params.token, holder=params.holder, units=params.units)
        case p.FreezeToken():
            return to.freeze(params.token, params.address) if params.frozen else to.unfreeze(params.token, params.address)  # fmt: skip
        case p.ForceTransfer():
            return to.force_transfer(params.token, sender=params.sender, receiver=params.to, units=params.units)
        case p.FreezeUnits():
            how = to.freeze_units if params.frozen else to.unfreeze_units
            return how(params.token, holder=params.address, units=params.units)
        case p.PauseToken():
            return to.pause(params.token) if params.paused else to.unpause(params.token)
        case _:
            return _batch(to, params)


def _batch(to: TokenStandard, params: p.MintBatch | p.BurnBatch | p.FreezeBatch | p.ForceTransferBatch | p.FreezeUnitsBatch) -> Awaitable[Act]:  # fmt: skip
    match params:
        case p.MintBatch():
            return to.mint_batch(params.token, units_by_wallet(params.items))
        case p.BurnBatch():
            return to.burn_batch(params.token, units_by_wallet(params.items))
        case p.FreezeBatch():
            return to.set_frozen_batch(params.token, dict.fromkeys(params.wallets, params.frozen))
        case p.ForceTransferBatch():
            return to.force_transfer_batch(params.token, [Movement(move.sender, move.to, move.units) for move in params.moves])  # fmt: skip
        case p.FreezeUnitsBatch():
            how = to.freeze_units_batch if params.frozen else to.unfreeze_units_batch
            return how(params.token, units_by_wallet(params.items))


def units_by_wallet(items: tuple[p.Item, ...]) -> dict[str, int]:
    return {item.address: item.units for item in items}


async def mint(ctx: Context, params: p.MintToken | p.MintBatch) -> dict[str, Any]:
    """New units for verified wallets. Returns {tx_hash}."""
    return await carry_out(ctx, "mint", lambda to: asked(to, params))


async def burn(ctx: Context, params: p.BurnToken | p.BurnBatch) -> dict[str, Any]:
    """Take units out of existence. Returns {tx_hash, unfrozen}."""
    holders = [params.holder] if isinstance(params, p.BurnToken) else [item.address for item in params.items]
    return await carry_out_on(ctx, "burn", lambda to: asked(to, params), token=params.token, holders=holders)


async def freeze(ctx: Context, params: p.FreezeToken | p.FreezeBatch) -> dict[str, Any]:
    """Stop wallets from sending and receiving this token, or let them again. Returns {tx_hash}."""
    return await carry_out(ctx, "freeze" if params.frozen else "unfreeze", lambda to: asked(to, params))


async def force_transfer(ctx: Context, params: p.ForceTransfer | p.ForceTransferBatch) -> dict[str, Any]:
    """Units from one wallet to another without the holder. Returns {tx_hash, unfrozen}."""
    senders = [params.sender] if isinstance(params, p.ForceTransfer) else [move.sender for move in params.moves]
    return await carry_out_on(ctx, "force-transfer", lambda to: asked(to, params), token=params.token, holders=senders)


async def freeze_units(ctx: Context, params: p.FreezeUnits | p.FreezeUnitsBatch) -> dict[str, Any]:
    """Part of a holding, frozen or set free. Returns {tx_hash}."""
    return await carry_out(ctx, "freeze-units" if params.frozen else "unfreeze-units", lambda to: asked(to, params))


async def pause(ctx: Context, params: p.PauseToken) -> dict[str, Any]:
    """Stop all holders' transfers of a token, or let them again. Returns {tx_hash}."""
    return await carry_out(ctx, "pause" if params.paused else "unpause", lambda to: asked(to, params))
