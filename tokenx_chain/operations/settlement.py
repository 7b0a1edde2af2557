"""settlement.batch: fills against cash, many in one transaction, none of them able to hold up another.

The operator's key signs each fill, the submitter's key sends them. A fill that cannot be signed, or whose allowances cannot be had, is left
out of its transaction and reported; the others settle."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tokenx_chain.contracts.errors import decode_revert
from tokenx_chain.contracts.settlement import (
    BASE_GAS,
    EXPECTED_FILL_GAS,
    FILL_GAS,
    LEG_GAS,
    Domain,
    Fill,
    FillReport,
    Leg,
    LegKind,
    SignedFill,
)
from tokenx_chain.listener.events import SETTLED_ALREADY
from tokenx_chain.networks.evm import Receipt
from tokenx_chain.operations.allowances import Purse, allow, take_back
from tokenx_chain.operations.context import Context, Step
from tokenx_chain.operations.errors import OperationFailed
from tokenx_chain.operations.gas import ensure_gas
from tokenx_chain.operations.keys import ATS_OPERATOR, ATS_SUBMITTER, TREASURY
from tokenx_chain.operations.params import FillParams, SettleBatch
from tokenx_chain.standards.erc3643 import Erc3643

CHUNK: Final = 20
"""Fills in one transaction: stays under the 16.7 million gas a transaction may use on Ethereum (EIP-7825)."""
_MOST_LEGS: Final = 3
_CHUNK_GAS: Final = BASE_GAS + CHUNK * EXPECTED_FILL_GAS + (FILL_GAS + _MOST_LEGS * LEG_GAS) * 33 // 32
_LIFE_S: Final = 86_400


@dataclass
class _Item:
    """One fill on its way. takes: what it takes out of which purse; refused: why it is left out."""

    fill: Fill
    takes: dict[Purse, int]
    signature: bytes = b""
    refused: OperationFailed | None = None


async def settle(ctx: Context, params: SettleBatch) -> dict[str, Any]:
    """Returns {settled: [settlement_id], failed: [{settlement_id, reason}], tx_hash, tx_hashes}; tx_hash is null when nothing was sent.

    One operator's key from signature to consent: a rotation waits for what it has signed."""
    operator = ctx.chain.key(ATS_OPERATOR)
    # In a re-run, what is out may be signed by the one before.
    in_hand = {operator, *ctx.chain.book.earlier(ATS_OPERATOR)} if ctx.transactions else {operator}
    ctx.chain.in_use.update(in_hand)
    try:
        return await _settle(ctx, params, operator)
    finally:
        ctx.chain.in_use.subtract(in_hand)


async def _settle(ctx: Context, params: SettleBatch, operator: str) -> dict[str, Any]:
    items = await _items(ctx, params)
    needed = _taken_by(items)
    chunks = {f"settle:{n}": items[n * CHUNK : (n + 1) * CHUNK] for n in range(-(-len(items) // CHUNK))}
    await _sign(ctx, [item for step, chunk in chunks.items() if not ctx.was_sent(step) for item in chunk], operator)
    custodian = await ctx.chain.signer.address(operator)
    wrong = await allow(ctx, needed, custodian=custodian)
    for item in items:
        item.refused = item.refused or next((wrong[purse] for purse in item.takes if purse in wrong), None)
    reports = await _send(ctx, chunks, operator=custodian)
    await take_back(ctx, needed, _taken_by(item for item in items if _has_moved(reports.get(item.fill.key))))
    # A transaction that reverted makes the operation failed. What has settled all the same is told by events of its own.
    await ctx.mined(ctx.transactions)
    hashes = [entry.tx_hash for step in chunks if (entry := ctx.sent(step)) is not None]
    return {**_result(ctx, items, reports), "tx_hash": next(iter(hashes), None), "tx_hashes": hashes}


async def _items(ctx: Context, params: SettleBatch) -> list[_Item]:
    expires_at = params.expires_at or (await ctx.chain.node.head()).timestamp + _LIFE_S
    names = {TREASURY} | {name for fill in params.fills for name in (fill.seller_key_ref, fill.buyer_key_ref)}
    addresses = dict(zip(names, await asyncio.gather(*(ctx.address(name) for name in names)), strict=True))
    coin = Erc3643(ctx.chain).coin.address
    return [_item(fill, coin=coin, addresses=addresses, expires_at=expires_at) for fill in params.fills]


def _item(named: FillParams, *, coin: str, addresses: dict[str, str], expires_at: int) -> _Item:
    """Units against cash, and where there is a fee, the buyer's fee on top."""
    seller, buyer = addresses[named.seller_key_ref], addresses[named.buyer_key_ref]
    legs = [
        Leg(LegKind.DELIVERY, named.token, seller, buyer, named.units),
        Leg(LegKind.PAYMENT, coin, buyer, seller, named.cash_amount),
    ]
    if named.fee_amount:
        legs.append(Leg(LegKind.FEE, coin, buyer, addresses[TREASURY], named.fee_amount))
    takes = {Purse(named.seller_key_ref, named.token): named.units,
             Purse(named.buyer_key_ref, coin): named.cash_amount + named.fee_amount}  # fmt: skip
    return _Item(Fill(named.settlement_id, expires_at, tuple(legs)), takes)


def _taken_by(items: Iterable[_Item]) -> Counter[Purse]:
    """What fills take together."""
    total: Counter[Purse] = Counter()
    for item in items:
        total.update(item.takes)
    return total


async def _sign(ctx: Context, items: Sequence[_Item], operator: str) -> None:
    domain = Domain(ctx.chain.network.chain_id, Erc3643(ctx.chain).settlement.address)

    async def sign(item: _Item) -> None:
        try:
            item.signature = await ctx.sign_typed_data(operator, item.fill.typed_data(domain))
        except OperationFailed as error:
            item.refused = error

    await asyncio.gather(*(sign(item) for item in items))


async def _send(ctx: Context, chunks: dict[str, list[_Item]], *, operator: str) -> dict[bytes, FillReport]:
    """What the contract says about each fill it was given, by the fill's key. Fills of a transaction that was refused are marked so."""
    settlement = Erc3643(ctx.chain).settlement
    await ensure_gas(ctx, {ATS_SUBMITTER}, gas=_CHUNK_GAS * len(chunks))

    async def send(step: str, items: list[_Item]) -> list[FillReport]:
        able = [item for item in items if item.refused is None]
        if not able and not ctx.was_sent(step):
            return []
        call = settlement.settle_batch([SignedFill(item.fill, operator, item.signature) for item in able])
        end = await ctx.attempt(Step(step, call, ATS_SUBMITTER))
        if isinstance(end, Receipt):
            return settlement.fill_reports(end.logs)
        for item in able:
            item.refused = end
        return []

    found = await asyncio.gather(*(send(step, items) for step, items in chunks.items()))
    return {report.key: report for reports in found for report in reports}


def _has_moved(report: FillReport | None) -> bool:
    return report is not None and report.reason is None


def _result(ctx: Context, items: Sequence[_Item], reports: dict[bytes, FillReport]) -> dict[str, Any]:
    settled: list[str] = []
    failed: list[dict[str, str]] = []
    for item in items:
        code = _failure(ctx, item, reports.get(item.fill.key))
        if code in (None, SETTLED_ALREADY):
            settled.append(item.fill.settlement_id)
        else:
            failed.append({"settlement_id": item.fill.settlement_id, "reason": code})
    return {"settled": settled, "failed": failed}


def _failure(ctx: Context, item: _Item, report: FillReport | None) -> str | None:
    """The code of what went wrong with a fill; None when it has settled."""
    if report is None:
        return item.refused.code if item.refused else "settlement.not_reported"
    if report.reason is None:
        return None
    return decode_revert(report.reason, ctx.chain.artifacts.custom_errors).code
