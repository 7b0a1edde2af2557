"""investor.revoke: an investor's KYC no longer counts, on any token of the chain, and nothing he can do brings it back.

Three locks, because each alone leaves a way: the claim's signature is revoked, the wallet frozen on every token, and the wallet taken off the
registry once it holds nothing. The fourth is the api's: it denies the investor everything."""

from typing import Any, Final

from tokenx_chain.operations.acts import step
from tokenx_chain.operations.claims import revocations
from tokenx_chain.operations.context import Context, Step
from tokenx_chain.operations.errors import OperationFailed
from tokenx_chain.operations.investor import identity_behind
from tokenx_chain.operations.params import RevokeInvestor
from tokenx_chain.standards.erc3643 import Erc3643
from tokenx_chain.standards.protocol import Keys

_KEYS: Final = Keys()


async def revoke(ctx: Context, params: RevokeInvestor) -> dict[str, Any]:
    """Returns {address, identity, removed, held: {token: units}}. removed is false while the wallet holds units: without an identity nobody
    could burn or move them. Ask again after they are gone."""
    standard = Erc3643(ctx.chain)
    wallet, tokens = params.wallet, ctx.chain.registry.tokens()
    identity = await identity_behind(ctx, standard, wallet)
    frozen = await ctx.read_all([standard.token(token).is_frozen(wallet) for token in tokens])
    steps = [
        Step(f"freeze:{token}", standard.token(token).set_frozen(holder=wallet, frozen=True), _KEYS.token_agent)
        for token, is_frozen in zip(tokens, frozen, strict=True)
        if not is_frozen or ctx.was_sent(f"freeze:{token}")
    ]
    await ctx.mined(await ctx.send_all(steps + await revocations(ctx, standard, identity, params.signatures)))
    held = await _held(ctx, standard, wallet, tokens)
    removed = await _remove(ctx, standard, wallet, may=not held)
    if await ctx.read(standard.registry().is_verified(wallet)):
        raise OperationFailed("identity.still_verified", "another claim of the identity still counts")
    return {"address": wallet, "identity": identity, "removed": removed, "held": held}


async def _held(ctx: Context, standard: Erc3643, wallet: str, tokens: list[str]) -> dict[str, str]:
    units = await ctx.read_all([standard.token(token).balance(wallet) for token in tokens])
    return {token: str(held) for token, held in zip(tokens, units, strict=True) if held}


async def _remove(ctx: Context, standard: Erc3643, wallet: str, *, may: bool) -> bool:
    """Off the registry, if it may be; whether it is off now."""
    is_there = await ctx.read(standard.registry().contains(wallet))
    if ctx.was_sent("delete") or (is_there and may):
        await ctx.mined(await ctx.send_all([await step(ctx, "delete", lambda to: to.remove_identity(wallet))]))
        return True
    return not is_there
