"""settlement.batch: fills against cash, many in one transaction, none of them able to hold up another."""

import asyncio
from collections import defaultdict
from typing import Any, Final

from tokenx_chain.contracts.calls import Call, Read
from tokenx_chain.contracts.errors import decode_revert
from tokenx_chain.contracts.settlement import BASE_GAS, GAS_PER_FILL, Fill, FillOutcome, settlement_key
from tokenx_chain.listener.events import SETTLED_ALREADY
from tokenx_chain.operations.context import Context, Step
from tokenx_chain.operations.gas import ensure_gas
from tokenx_chain.operations.keys import ATS_OPERATOR
from tokenx_chain.operations.params import SettleBatch
from tokenx_chain.standards.erc3643 import Erc3643

CHUNK: Final = 30
"""Fills in one transaction: stays under the 16.7 million gas a transaction may use on Ethereum (EIP-7825)."""
_LIFE_S: Final = 86_400
_UNLIMITED: Final = 2**256 - 1


async def settle(ctx: Context, params: SettleBatch) -> dict[str, Any]:
    """Returns {settled: [settlement_id], failed: [{settlement_id, reason}], tx_hash, tx_hashes}."""
    fills = await _fills(ctx, params)
    await _ensure_allowances(ctx, params, fills)
    settlement = Erc3643(ctx.chain).settlement
    chunks = [fills[start : start + CHUNK] for start in range(0, len(fills), CHUNK)]
    await ensure_gas(ctx, {ATS_OPERATOR}, gas=BASE_GAS * len(chunks) + GAS_PER_FILL * len(fills))
    steps = [Step(f"settle:{n}", settlement.settle(chunk), ATS_OPERATOR) for n, chunk in enumerate(chunks)]
    entries = await ctx.send_all(steps)
    receipts = await ctx.mined(entries)
    outcomes = {outcome.key: outcome for receipt in receipts for outcome in settlement.outcomes(receipt.logs)}
    result = _report(ctx, fills, outcomes)
    return {**result, "tx_hash": entries[0].tx_hash, "tx_hashes": [entry.tx_hash for entry in entries]}


async def _fills(ctx: Context, params: SettleBatch) -> list[Fill]:
    expires_at = params.expires_at or (await ctx.chain.node.head()).timestamp + _LIFE_S
    names = {name for fill in params.fills for name in (fill.seller_key_ref, fill.buyer_key_ref)}
    addresses = dict(zip(names, await asyncio.gather(*(ctx.address(name) for name in names)), strict=True))
    return [
        Fill(fill.settlement_id, fill.token, addresses[fill.seller_key_ref], addresses[fill.buyer_key_ref], fill.units, fill.cash_amount, expires_at)
        for fill in params.fills
    ]  # fmt: skip


async def _ensure_allowances(ctx: Context, params: SettleBatch, fills: list[Fill]) -> None:
    """Every seller and buyer lets the settlement contract move what this batch needs.

    The approval is unlimited, once for each wallet and coin: only our operator can use it, only for listed tokens, and
    exact approvals of batches under way at the same time would overwrite each other."""
    standard = Erc3643(ctx.chain)
    spender = standard.settlement.address
    needed: dict[tuple[str, str], int] = defaultdict(int)
    reads: dict[tuple[str, str], Read[int]] = {}
    calls: dict[tuple[str, str], Call] = {}
    for named, fill in zip(params.fills, fills, strict=True):
        token, units, cash = (
            standard.token(fill.token),
            (named.seller_key_ref, fill.token),
            (named.buyer_key_ref, "cash"),
        )
        needed[units] += fill.units
        needed[cash] += fill.cash_amount
        reads[units] = token.allowance(holder=fill.seller, spender=spender)
        reads[cash] = standard.coin.allowance(holder=fill.buyer, spender=spender)
        calls[units] = token.approve(spender=spender, units=_UNLIMITED)
        calls[cash] = standard.coin.approve(spender=spender, amount=_UNLIMITED)
    allowed = dict(zip(reads, await ctx.read_all(list(reads.values())), strict=True))
    short = [key for key in calls if allowed[key] < needed[key]]
    await ensure_gas(ctx, {key_ref for key_ref, _ in short})
    steps = [Step(f"approve:{key_ref}:{coin}", calls[key_ref, coin], key_ref) for key_ref, coin in short]
    await ctx.mined(await ctx.send_all(steps))


def _report(ctx: Context, fills: list[Fill], outcomes: dict[bytes, FillOutcome]) -> dict[str, Any]:
    settled: list[str] = []
    failed: list[dict[str, str]] = []
    for fill in fills:
        reason = outcomes[settlement_key(fill.settlement_id)].reason
        code = None if reason is None else decode_revert(reason, ctx.chain.artifacts.custom_errors).code
        if code is None or code == SETTLED_ALREADY:
            settled.append(fill.settlement_id)
        else:
            failed.append({"settlement_id": fill.settlement_id, "reason": code})
    return {"settled": settled, "failed": failed}
