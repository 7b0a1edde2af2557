"""Custodial wallets pay for their own transactions; the platform keeps them in coins."""

import asyncio
from typing import Final

from tokenx_chain.contracts.calls import Call
from tokenx_chain.operations.context import Context, Step
from tokenx_chain.operations.keys import PLATFORM

COIN_TRANSFER_GAS: Final = 21_000
USUAL_GAS: Final = 1_000_000
"""Enough for a handful of approvals or transfers."""
_TOP_UP_FACTOR: Final = 5


async def wei_for(ctx: Context, gas: int) -> int:
    """What `gas` may cost at most right now, with room for a rising base fee."""
    head = await ctx.chain.node.head()
    return gas * (4 * head.base_fee + ctx.chain.network.min_tip_wei)


def coins(to: str, wei: int) -> Call:
    """A plain transfer of the chain's coin."""
    return Call(to=to, data=b"", gas=COIN_TRANSFER_GAS, value=wei)


async def ensure_gas(ctx: Context, key_refs: set[str], *, gas: int = USUAL_GAS) -> None:
    """Each key can pay for `gas` on top of what other operations count on; those that cannot are topped up by the platform, and the top-up is mined."""
    names = sorted(key_refs - {PLATFORM})
    needed = await wei_for(ctx, gas)
    addresses = await asyncio.gather(*(ctx.address(name) for name in names))
    taken = [
        ctx.count_on(address, needed) for address in addresses
    ]  # before looking: two that look at once must not both take the same coins
    balances = await asyncio.gather(*(ctx.balance(address) for address in addresses))
    steps = [
        Step(f"gas:{name}", coins(address, max(needed * _TOP_UP_FACTOR, needed + others - balance)), PLATFORM)
        for name, address, balance, others in zip(names, addresses, balances, taken, strict=True)
        if balance < needed + others
    ]
    await ctx.mined(await ctx.send_all(steps))
