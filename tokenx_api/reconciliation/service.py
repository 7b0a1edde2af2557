"""One round: read the books, ask the chain service, compare, raise what has been seen twice. Nothing is corrected."""

import asyncio
from collections.abc import Collection, Sequence
from datetime import date
from typing import Final

from tokenx_api.captable import service as captable
from tokenx_api.captable.models import Holder
from tokenx_api.context import AppContext
from tokenx_api.reconciliation import queries, rules
from tokenx_api.reconciliation.models import Drift, Position, Token
from tokenx_api.tokenization import service as tokenization
from tokenx_api.tokenization.models import DeadLetterRecord
from tokenx_common.log import get_logger

log = get_logger(__name__)

KIND: Final = "drift"
"""Of the dead letters this raises."""
AT_ONCE: Final = 8
"""Questions to the chain service at the same time."""


async def look(context: AppContext) -> list[Drift]:
    """Every difference there is now, over all tokens. Raises DependencyUnavailable when the chain service does not answer: not knowing is
    neither agreement nor drift."""
    async with context.db.read() as conn:
        tokens = await queries.select_tokens(conn)
    found: list[Drift] = []
    for token in tokens:
        positions = await _positions(context, token)
        for position in positions:
            found += rules.drifts(position)
        found += rules.supply_drift(token, positions, supply=await _supply(context, token))
    return found


async def raise_confirmed(context: AppContext, before: Collection[Drift], now: Sequence[Drift]) -> list[Drift]:
    """A dead letter for each drift of both rounds, at most one a day for the same figures; returns the drifts."""
    drifts = rules.confirmed(before, now)
    today = context.clock.now().date()
    if drifts:
        async with context.db.write() as conn:
            for drift in drifts:
                await tokenization.dead_letter(conn, _letter(drift, today))
    for drift in drifts:
        log.error("reconciliation.drift", kind=drift.kind, offering_id=drift.token.offering_id, holder=drift.holder,
                  expected=drift.expected, found=drift.found)  # fmt: skip
    return drifts


async def _positions(context: AppContext, token: Token) -> list[Position]:
    async with (
        context.db.read() as conn,
        conn.transaction(isolation="repeatable_read", readonly=True),
    ):
        holders = await captable.holders(conn, token.offering_id)
    turn = asyncio.Semaphore(AT_ONCE)

    async def position(holder: Holder) -> Position:
        async with turn:
            on_chain = None if holder.address is None else await _on_chain(context, token, holder.address)
        return Position(
            token=token, holder=holder.investor_id or holder.address or holder.legal_name, address=holder.address,
            is_known=holder.investor_id is not None or holder.country is not None, ledger=holder.ledger, in_flight=holder.in_flight,
            register=holder.on_chain, on_chain=on_chain,
        )  # fmt: skip

    return list(await asyncio.gather(*(position(holder) for holder in holders)))


async def _on_chain(context: AppContext, token: Token, address: str) -> int:
    """Units at the finalized block."""
    params = {"chain_id": token.chain_id, "token": token.address, "address": address}
    return int((await context.chain.get("/v1/balances", params=params))["amount"])


async def _supply(context: AppContext, token: Token) -> int:
    """All units at the finalized block, wherever they are."""
    params = {"chain_id": token.chain_id, "token": token.address}
    return int((await context.chain.get("/v1/supply", params=params))["amount"])


def _letter(drift: Drift, today: date) -> DeadLetterRecord:
    facts = {
        "drift": drift.kind, "offering_id": drift.token.offering_id, "chain_id": drift.token.chain_id, "token": drift.token.address,
        "holder": drift.holder, "address": drift.address, "expected": str(drift.expected), "found": str(drift.found),
    }  # fmt: skip
    return DeadLetterRecord(
        op="dead_letter", kind=KIND, ref_id=f"drift:{today.isoformat()}:{drift.key}", payload=facts, error=drift.text
    )
