"""investor.recover: everything an investor holds in a lost wallet goes to a new one, over all tokens of the chain.

The tokens share one identity table, so a token's own recovery, which takes the lost wallet off that table, could serve only the first. Here
both wallets stay registered until the last token has moved: whatever stops in between, an investor's units stay his."""

from typing import Any, Final

from tokenx_chain.contracts.calls import ZERO_ADDRESS
from tokenx_chain.contracts.claims import RegistryUpdates
from tokenx_chain.contracts.token_agent import TokenAgent
from tokenx_chain.operations.context import Context, Step
from tokenx_chain.operations.errors import OperationFailed
from tokenx_chain.operations.gas import USUAL_GAS, coins, ensure_gas, wei_for
from tokenx_chain.operations.params import RecoverInvestor
from tokenx_chain.standards.erc3643 import Erc3643
from tokenx_chain.standards.protocol import Keys
from tokenx_common.log import get_logger

log = get_logger(__name__)

_KEYS: Final = Keys()


async def recover(ctx: Context, params: RecoverInvestor) -> dict[str, Any]:
    """Returns {address, identity, recovered: {token: units}, cash_moved}. Freezes of a wallet and of part of its units go along.

    Steps: the lost wallet is frozen everywhere, the new one registered, each token moved, then the cash if the lost wallet's key still signs, and
    the lost wallet taken off the registry."""
    standard = Erc3643(ctx.chain)
    lost, fresh = params.lost, await ctx.address(params.key_ref)
    if lost == fresh:
        raise OperationFailed("transfer.to_self", "lost and new wallet are the same")
    identity = await _identity(ctx, standard, lost=lost, fresh=fresh)
    tokens = ctx.chain.registry.tokens()
    frozen_before = await _freeze_everywhere(ctx, standard, lost, tokens)
    await _register(ctx, standard, lost=lost, fresh=fresh, identity=identity)
    recovered: dict[str, str] = {}
    for token in tokens:
        units = await _move(ctx, standard, token, lost=lost, fresh=fresh, was_frozen=token in frozen_before)
        if units:
            recovered[token] = str(units)
    cash_moved = await _move_cash(ctx, standard, params, lost=lost, fresh=fresh)
    if ctx.was_sent("remove") or await ctx.read(standard.registry().contains(lost)):
        await ctx.mined([await ctx.send("remove", standard.registry().delete(lost), _KEYS.registry_agent)])
    return {"address": fresh, "identity": identity, "recovered": recovered, "cash_moved": cash_moved}


async def _identity(ctx: Context, standard: Erc3643, *, lost: str, fresh: str) -> str:
    """The lost wallet's identity; in a re-run after its removal, the new wallet's, which is the same. The factory knows first wallets only."""
    registry = standard.registry()
    known, taken = await ctx.read_all([registry.identity_of(lost), registry.identity_of(fresh)])
    if known == ZERO_ADDRESS and not ctx.was_sent("remove"):
        raise OperationFailed("identity.not_registered", "the lost wallet is not registered")
    if known != ZERO_ADDRESS and taken not in (ZERO_ADDRESS, known):
        raise OperationFailed("recovery.wallet_of_another", "the new wallet belongs to another identity")
    return taken if known == ZERO_ADDRESS else known


async def _freeze_everywhere(ctx: Context, standard: Erc3643, lost: str, tokens: list[str]) -> set[str]:
    """Nothing leaves the lost wallet by its own key from here on. Returns the tokens on which it was frozen before this operation."""
    flags = await ctx.read_all([standard.token(token).is_frozen(lost) for token in tokens])
    before = {token for token, is_frozen in zip(tokens, flags, strict=True) if is_frozen and not ctx.was_sent(f"freeze:{token}")}  # fmt: skip
    steps = [
        Step(f"freeze:{token}", standard.token(token).set_frozen(holder=lost, frozen=True), _KEYS.token_agent)
        for token in tokens
        if token not in before
    ]
    await ctx.mined(await ctx.send_all(steps))
    return before


async def _register(ctx: Context, standard: Erc3643, *, lost: str, fresh: str, identity: str) -> None:
    registry = standard.registry()
    steps = [Step("gas", coins(fresh, await wei_for(ctx, USUAL_GAS)), _KEYS.registry_agent)]
    if ctx.was_sent("register") or not await ctx.read(registry.contains(fresh)):
        country = await ctx.read(RegistryUpdates(ctx.chain.artifacts.abi("IdentityRegistry"), registry.address).country_of(lost))  # fmt: skip
        steps.append(Step("register", registry.register(wallet=fresh, identity=identity, country=country), _KEYS.registry_agent))  # fmt: skip
    await ctx.mined(await ctx.send_all(steps))
    if not await ctx.read(registry.is_verified(fresh)):
        raise OperationFailed("identity.not_verified", "the identity's KYC claim does not hold: renew it, then recover")


async def _move(ctx: Context, standard: Erc3643, token: str, *, lost: str, fresh: str, was_frozen: bool) -> int:
    """All units of one token and both kinds of freeze; returns the units moved.

    How many of them were frozen is read from the receipt: after the movement no state tells it any more."""
    agent = TokenAgent(ctx.chain.artifacts.abi("Token"), token)
    if was_frozen:
        call = standard.token(token).set_frozen(holder=fresh, frozen=True)
        await ctx.mined([await ctx.send(f"freeze-new:{token}", call, _KEYS.token_agent)])
    units = await ctx.read(standard.token(token).balance(lost))
    if not units and not ctx.was_sent(f"move:{token}"):
        return 0
    move = agent.forced_transfer(sender=lost, receiver=fresh, units=units)
    (receipt,) = await ctx.mined([await ctx.send(f"move:{token}", move, _KEYS.token_agent)])
    locked = agent.unfrozen_units(receipt.logs, lost)
    if locked:
        freeze = agent.freeze_units(holder=fresh, units=locked)
        await ctx.mined([await ctx.send(f"lock:{token}", freeze, _KEYS.token_agent)])
    return agent.moved_units(receipt.logs, sender=lost, receiver=fresh)


async def _move_cash(ctx: Context, standard: Erc3643, params: RecoverInvestor, *, lost: str, fresh: str) -> bool:
    """A stablecoin has no agent, so only the lost wallet's own key can move it. Whether the lost wallet has none left: where the key does not
    sign any more, the units are recovered all the same, and a human sees to the cash."""
    held = await ctx.read(standard.coin.balance(lost))
    key_ref = params.lost_key_ref
    if key_ref is None or (not held and not ctx.was_sent("cash")):
        return not held
    try:
        if await ctx.address(key_ref) != lost:
            raise OperationFailed("recovery.not_its_key", "the named key is not the lost wallet's")
        await ensure_gas(ctx, {key_ref})
        await ctx.mined([await ctx.send("cash", standard.coin.transfer(to=fresh, amount=held), key_ref)])
    except OperationFailed as failure:
        log.warning("recovery.cash_left", wallet=lost, code=failure.code, detail=failure.detail)
        return False
    return True
