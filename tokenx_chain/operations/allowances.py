"""What a settlement needs of the custodial wallets it takes from: their consent to our custody, and an allowance of exactly what is taken.

Allowances are added to and taken from, never set. So batches under way at the same time do not overwrite each other, each batch uses up what
it added, and what it could not use it takes back: afterwards nothing is left behind."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from tokenx_chain.contracts.calls import Call
from tokenx_chain.contracts.settlement import CUSTODY_GAS
from tokenx_chain.contracts.token import ALLOWANCE_GAS
from tokenx_chain.operations.context import Context, Step
from tokenx_chain.operations.errors import OperationFailed
from tokenx_chain.operations.gas import USUAL_GAS, ensure_gas
from tokenx_chain.standards.erc3643 import Erc3643


@dataclass(frozen=True, order=True)
class Purse:
    """One asset in one custodial wallet. asset: the contract's address."""

    key_ref: str
    asset: str


Amounts = Mapping[Purse, int]


async def allow(ctx: Context, needed: Amounts, *, custodian: str) -> dict[Purse, OperationFailed]:
    """Makes the operator of now custodian where he is not, and adds to the allowances; returns once mined, with what went wrong by purse."""
    await ensure_gas(ctx, {purse.key_ref for purse in needed}, gas=max(USUAL_GAS, _most_gas(needed)))
    custody = await _custody_steps(ctx, needed, custodian)
    added = {purse: _added(ctx, purse, amount) for purse, amount in needed.items()}
    steps = [*custody.values(), *added.values()]
    ends = await asyncio.gather(*(ctx.attempt(step) for step in steps))
    failed = {step.name: end for step, end in zip(steps, ends, strict=True) if isinstance(end, OperationFailed)}
    found: dict[Purse, OperationFailed] = {}
    for purse, step in added.items():
        consent = custody.get(purse.key_ref)
        error = failed.get(step.name) or (failed.get(consent.name) if consent else None)
        if error is not None:
            found[purse] = error
    return found


async def take_back(ctx: Context, needed: Amounts, used: Amounts) -> None:
    """Takes from the allowances what was added and not used. Decided by receipts alone, so that a re-run does the same."""
    left = {purse: amount - used.get(purse, 0) for purse, amount in needed.items()}
    done = await asyncio.gather(*(_was_added(ctx, purse, needed[purse]) for purse in left))
    steps = [_taken(ctx, purse, left[purse]) for purse, was_added in zip(left, done, strict=True) if was_added and left[purse]]  # fmt: skip
    await asyncio.gather(*(ctx.attempt(step) for step in steps))


async def _custody_steps(ctx: Context, needed: Amounts, operator: str) -> dict[str, Step]:
    """By key, for wallets whose custodian is another, or was when this operation first looked.

    Sent by the wallet itself: that may happen twice without harm, which a signature that carries a number may not."""
    settlement = Erc3643(ctx.chain).settlement
    names = sorted({purse.key_ref for purse in needed})
    wallets = await asyncio.gather(*(ctx.address(name) for name in names))
    custodians = await ctx.read_all([settlement.custodian_of(wallet) for wallet in wallets])
    steps = {name: Step(f"custody:{name}", settlement.set_custodian(operator), name) for name in names}
    return {
        name: step
        for (name, step), custodian in zip(steps.items(), custodians, strict=True)
        if custodian != operator or ctx.was_sent(step.name)
    }


async def _was_added(ctx: Context, purse: Purse, amount: int) -> bool:
    step = _added(ctx, purse, amount)
    return ctx.was_sent(step.name) and not isinstance(await ctx.attempt(step), OperationFailed)


def _added(ctx: Context, purse: Purse, amount: int) -> Step:
    return Step(f"allow:{purse.key_ref}:{purse.asset}", _change(ctx, purse, amount, more=True), purse.key_ref)


def _taken(ctx: Context, purse: Purse, amount: int) -> Step:
    return Step(f"take-back:{purse.key_ref}:{purse.asset}", _change(ctx, purse, amount, more=False), purse.key_ref)


def _change(ctx: Context, purse: Purse, amount: int, *, more: bool) -> Call:
    standard = Erc3643(ctx.chain)
    spender = standard.settlement.address
    if purse.asset == standard.coin.address:
        change = standard.coin.increase_allowance if more else standard.coin.decrease_allowance
        return change(spender=spender, amount=amount)
    token = standard.token(purse.asset)
    return (token.increase_allowance if more else token.decrease_allowance)(spender=spender, units=amount)


def _most_gas(needed: Amounts) -> int:
    """Of the wallet with most to do: consent, and each allowance given and taken back."""
    busiest = max(Counter(purse.key_ref for purse in needed).values(), default=0)
    return CUSTODY_GAS + 2 * ALLOWANCE_GAS * busiest
