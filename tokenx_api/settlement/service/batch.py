"""Grouping fills into batches for the chain, each party checked once more by the gate."""

import asyncio
from datetime import datetime
from typing import Any, Final

import asyncpg

from tokenx_api.audit import service as audit
from tokenx_api.compliance import service as compliance
from tokenx_api.compliance.models import Decision, Question, Side
from tokenx_api.context import AppContext
from tokenx_api.db import WriteConn
from tokenx_api.settlement import queries
from tokenx_api.settlement.models import Due
from tokenx_api.settlement.service.outcome import attempt_failed
from tokenx_api.tokenization.service import request_operation
from tokenx_common.ids import new_id
from tokenx_common.log import get_logger
from tokenx_common.money import STABLECOIN_UNITS_PER_CENT

log = get_logger(__name__)

MAX_FILLS: Final = 50
EVERY_S: Final = 0.5
ACTOR: Final = "service:api"


async def run(context: AppContext) -> None:
    """Instruct whatever is due, for ever. Replicas share the work: each skips what another has locked."""
    while True:
        await context.wakeups.wait("settlements", timeout_s=EVERY_S)
        try:
            looked_at = await instruct_all(context)
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
            log.warning("settlement.round_failed", error=f"{type(error).__name__}: {error}")
            await asyncio.sleep(EVERY_S)
            continue
        if looked_at:
            context.announcer.ring("settlements")
            context.wakeups.ring("outbox")


async def instruct_all(context: AppContext) -> int:
    """One round over all chains, batch after batch until nothing is due; returns how many settlements were looked at."""
    async with context.db.read() as conn:
        chains = await queries.select_chains(conn, context.clock.now())
    looked_at = 0
    for chain_id in chains:
        while True:
            async with context.db.write() as conn:
                count = await instruct(conn, chain_id=chain_id, now=context.clock.now())
            looked_at += count
            if count < MAX_FILLS:
                break
            await asyncio.sleep(0)  # let requests in between two batches
    return looked_at


async def instruct(conn: WriteConn, *, chain_id: int, now: datetime) -> int:
    """One batch: those both of whose parties still may trade become one operation; the others have used up an attempt."""
    due = await queries.lock_due(conn, chain_id=chain_id, now=now, limit=MAX_FILLS)
    cleared: list[Due] = []
    decisions: dict[str, str] = {}
    for item in due:
        decision = await _decide(conn, item, now=now)
        if decision.allowed:
            cleared.append(item)
            decisions[item.settlement_id] = decision.decision_id
        else:
            await _refused(conn, item, decision, now=now)
    if cleared:
        await _request(conn, cleared, decisions, chain_id=chain_id)
    return len(due)


async def _decide(conn: WriteConn, item: Due, *, now: datetime) -> Decision:
    """Both parties are always asked; the first refusal is the one that counts."""
    buyer = await compliance.decide(conn, _question(item, item.buyer_id, "buy"), now=now)
    seller = await compliance.decide(conn, _question(item, item.seller_id, "sell"), now=now)
    return buyer if not buyer.allowed else seller


def _question(item: Due, investor_id: str, side: Side) -> Question:
    return Question(
        stage="settlement",
        subject_type="settlement",
        subject_id=item.settlement_id,
        investor_id=investor_id,
        offering_id=item.offering_id,
        side=side,
        units=item.units,
        price_minor=item.price_minor,
        notional_minor=item.amount_minor,
    )


async def _refused(conn: WriteConn, item: Due, decision: Decision, *, now: datetime) -> None:
    legs = await queries.lock_legs(conn, item.settlement_id)
    assert legs is not None, "its row is locked"
    codes = ", ".join(str(reason["code"]) for reason in decision.reasons)
    await attempt_failed(conn, legs, reason=f"compliance: {codes}", now=now, operation_id=None)


async def _request(conn: WriteConn, cleared: list[Due], decisions: dict[str, str], *, chain_id: int) -> None:
    batch_id = new_id("set")
    operation_id = await request_operation(conn, chain_id=chain_id, kind="settlement.batch", params={"fills": [_fill(item) for item in cleared]},
                                           business_ref=f"settlement:{batch_id}")  # fmt: skip
    await queries.set_instructed(conn, operation_id, decisions)
    await audit.record(conn, actor=ACTOR, action="settlement.instructed", subject_type="settlement_batch", subject_id=batch_id,
                       operation_id=operation_id, settlement_ids=list(decisions))  # fmt: skip


def _fill(item: Due) -> dict[str, Any]:
    return {
        "settlement_id": item.settlement_id,
        "token": item.token,
        "seller_key_ref": item.seller_key_ref,
        "buyer_key_ref": item.buyer_key_ref,
        "units": str(item.units),
        "cash_amount": str(item.amount_minor * STABLECOIN_UNITS_PER_CENT),
    }
