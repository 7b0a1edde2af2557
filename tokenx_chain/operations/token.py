"""What an agent and a holder do with a security token."""

from typing import Any

from tokenx_chain.contracts.calls import Call
from tokenx_chain.contracts.token import Token
from tokenx_chain.operations.context import Context
from tokenx_chain.operations.errors import OperationFailed
from tokenx_chain.operations.gas import ensure_gas
from tokenx_chain.operations.keys import PLATFORM
from tokenx_chain.operations.params import BurnToken, FreezeToken, MintToken, TransferToken
from tokenx_chain.standards.erc3643 import Erc3643


async def mint(ctx: Context, params: MintToken) -> dict[str, Any]:
    """New units for a verified wallet. Returns {tx_hash}."""
    return await _send(ctx, "mint", _token(ctx, params.token).mint(to=params.to, units=params.units), PLATFORM)


async def burn(ctx: Context, params: BurnToken) -> dict[str, Any]:
    """Take units out of existence. Returns {tx_hash}."""
    return await _send(ctx, "burn", _token(ctx, params.token).burn(holder=params.holder, units=params.units), PLATFORM)


async def freeze(ctx: Context, params: FreezeToken) -> dict[str, Any]:
    """Stop a wallet from sending and receiving this token, or let it again. Returns {tx_hash}."""
    call = _token(ctx, params.token).set_frozen(holder=params.address, frozen=params.frozen)
    return await _send(ctx, "freeze" if params.frozen else "unfreeze", call, PLATFORM)


async def transfer(ctx: Context, params: TransferToken) -> dict[str, Any]:
    """Units from a custodial wallet to a verified one. Refused with the precise reason. Returns {tx_hash}."""
    standard = Erc3643(ctx.chain)
    token = standard.token(params.token)
    if not ctx.was_sent("transfer"):
        sender = await ctx.address(params.from_key_ref)
        refusal = await standard.can_transfer(token, sender=sender, receiver=params.to, units=params.units)
        if refusal is not None:
            raise OperationFailed(refusal.code, refusal.detail)
    await ensure_gas(ctx, {params.from_key_ref})
    return await _send(ctx, "transfer", token.transfer(to=params.to, units=params.units), params.from_key_ref)


def _token(ctx: Context, address: str) -> Token:
    return Erc3643(ctx.chain).token(address)


async def _send(ctx: Context, step: str, call: Call, key_ref: str) -> dict[str, Any]:
    entry = await ctx.send(step, call, key_ref)
    await ctx.mined([entry])
    return {"tx_hash": entry.tx_hash}
