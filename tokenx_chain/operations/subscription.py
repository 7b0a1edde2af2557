"""subscription.issue: the investor's cash to the issuer, then new units to the investor."""

from typing import Any

from tokenx_chain.operations.acts import decided
from tokenx_chain.operations.context import Context
from tokenx_chain.operations.errors import OperationFailed
from tokenx_chain.operations.gas import ensure_gas
from tokenx_chain.operations.keys import PLATFORM
from tokenx_chain.operations.params import IssueSubscription
from tokenx_chain.standards.erc3643 import Erc3643


async def issue(ctx: Context, params: IssueSubscription) -> dict[str, Any]:
    """Returns {tx_hash} of the mint. If the mint fails after the cash has moved, the cash goes back and the operation fails."""
    receiver = await ctx.address(params.to_key_ref)
    mint = Erc3643(ctx.chain).token(params.token).mint(to=receiver, units=params.units)
    if not ctx.was_sent("cash"):  # refuse before any cash moves
        await decided(ctx.chain, lambda to: to.mint(params.token, receiver=receiver, units=params.units))
        await ctx.simulate(mint, PLATFORM)
    await _pay(ctx, "cash", params.cash_from_key_ref, params.cash_to_key_ref, params.cash_amount)
    if ctx.was_sent("refund"):
        # An earlier run has given up. The mint might succeed by now, but the cash is on its way back.
        await _give_back(ctx, params)
        raise OperationFailed("subscription.refunded", "the mint was refused and the cash returned")
    try:
        entry = await ctx.send("mint", mint, PLATFORM)
        await ctx.mined([entry])
    except OperationFailed:
        await _give_back(ctx, params)
        raise
    return {"tx_hash": entry.tx_hash}


async def _give_back(ctx: Context, params: IssueSubscription) -> None:
    await _pay(ctx, "refund", params.cash_to_key_ref, params.cash_from_key_ref, params.cash_amount)


async def _pay(ctx: Context, step: str, from_key_ref: str, to_key_ref: str, amount: int) -> None:
    if amount == 0:
        return
    await ensure_gas(ctx, {from_key_ref})
    call = Erc3643(ctx.chain).coin.transfer(to=await ctx.address(to_key_ref), amount=amount)
    await ctx.mined([await ctx.send(step, call, from_key_ref)])
