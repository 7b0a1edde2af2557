"""Taking in what the matcher decided: order states, fills, ledger, settlements and the cursor in one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pydantic import ValidationError

from tokenx_api.db import WriteConn
from tokenx_api.ledger import models as accounts
from tokenx_api.ledger import service as ledger
from tokenx_api.ledger.models import Hold, Posting
from tokenx_api.orders import queries
from tokenx_api.orders.errors import ExecutionLogBroken, MarketMissing
from tokenx_api.orders.models import Fill, Terms
from tokenx_api.orders.queries import LogHead
from tokenx_api.orders.rules import IllegalTransition, OrderState
from tokenx_api.orders.service.fold import Folded, fold, order_ids
from tokenx_common.canonical import rolling_hash
from tokenx_common.errors import StaleEpoch
from tokenx_common.events import EXECUTION, Execution, ExecutionItem
from tokenx_common.ids import new_id
from tokenx_common.stream import Batch

ACTOR: Final = "service:matcher"


@dataclass(frozen=True)
class Ingested:
    """What to ring for after the commit."""

    offering_id: str
    order_ids: list[str]
    trades: int


async def ingest(conn: WriteConn, offering_id: str, batch: Batch) -> Ingested | None:
    """The whole effect of a batch and the cursor, or nothing. None: another replica was first; roll back or commit, it makes no difference.

    Raises StaleEpoch for a matcher that lost its lease, ExecutionLogBroken when the batch does not continue the log or contradicts the orders."""
    await queries.lock_ingestion(conn, offering_id)
    head = await queries.select_log_head(conn, offering_id)
    if head is None:
        raise MarketMissing("executions of an offering that has no command log")
    if batch.epoch < head.epoch:
        raise StaleEpoch(f"executions of epoch {batch.epoch}, the current one is {head.epoch}", epoch=head.epoch)
    if head.exec_seq != batch.prev_seq:
        return None
    items = [ExecutionItem.model_validate(item) for item in batch.items]
    executions = _verified(head, items)
    before = await queries.lock_states(conn, order_ids([event for _, event in executions]))
    folded = _fold(executions, before, head.terms)
    await _write(conn, head, items, before, folded)
    last = items[-1]
    moved = await queries.move_log_head(conn, offering_id=offering_id, prev_seq=batch.prev_seq, seq=last.seq, cmd_seq=last.cmd_seq,
                                        digest=bytes.fromhex(last.hash), epoch=batch.epoch)  # fmt: skip
    if not moved:  # the advisory lock makes this impossible; if it happens all the same, nothing of the batch may stay
        raise ExecutionLogBroken("the execution cursor moved while its lock was held")
    return Ingested(offering_id, list(before), len(folded.fills))


def _verified(head: LogHead, items: Sequence[ExecutionItem]) -> list[tuple[int, Execution]]:
    """The events, after checking that they continue the log's hash chain."""
    digest, cmd_seq, executions = head.exec_hash, head.exec_cmd_seq, list[tuple[int, Execution]]()
    for item in items:
        digest = rolling_hash(digest, item.body)
        if digest.hex() != item.hash or item.cmd_seq < cmd_seq:
            raise ExecutionLogBroken(f"execution {item.seq} does not continue the log", exec_seq=item.seq)
        event = _parsed(item)
        cmd_seq = item.cmd_seq
        executions.append((item.seq, event))
    return executions


def _parsed(item: ExecutionItem) -> Execution:
    try:
        event = EXECUTION.validate_json(item.body)
    except ValidationError as error:
        raise ExecutionLogBroken(f"execution {item.seq} is malformed: {error.error_count()} errors", exec_seq=item.seq) from None  # fmt: skip
    if event.cmd_seq != item.cmd_seq:
        raise ExecutionLogBroken(f"execution {item.seq} names two commands", exec_seq=item.seq)
    return event


def _fold(executions: list[tuple[int, Execution]], before: dict[str, OrderState], terms: Terms) -> Folded:
    try:
        return fold(executions, before, terms)
    except IllegalTransition as error:
        raise ExecutionLogBroken(str(error)) from error


async def _write(
    conn: WriteConn, head: LogHead, items: Sequence[ExecutionItem], before: dict[str, OrderState], folded: Folded
) -> None:
    offering_id = head.terms.offering_id
    await queries.insert_executions(conn, offering_id, [(item.seq, item.cmd_seq, item.body, bytes.fromhex(item.hash)) for item in items])  # fmt: skip
    if folded.states:
        await queries.update_states(conn, list(folded.states.values()))
    if folded.fills:
        await queries.insert_fills(conn, offering_id, folded.fills)
        await queries.insert_settlements(conn, offering_id, [(new_id("set"), fill) for fill in folded.fills])
    if folded.audit:
        await queries.audit_executions(conn, ACTOR, folded.audit)
    entries = {fill.fill_id: _postings(fill, head.terms) for fill in folded.fills}
    await ledger.post_many(conn, kind="trade", entries=entries, holds=_holds(before, folded.states, head.terms))


def _postings(fill: Fill, terms: Terms) -> list[Posting]:
    """Units and cash leave the parties and wait in clearing until the chain has settled the trade."""
    cash, units = terms.currency, terms.offering_id
    return [
        Posting(accounts.investor(fill.buyer_id, cash), -fill.notional_minor),
        Posting(accounts.clearing(terms.offering_id, cash), fill.notional_minor),
        Posting(accounts.investor(fill.seller_id, units), -fill.units),
        Posting(accounts.clearing(terms.offering_id, units), fill.units),
    ]


def _holds(before: dict[str, OrderState], after: dict[str, OrderState], terms: Terms) -> list[Hold]:
    """Whatever changed in what the orders hold."""
    return [
        Hold(
            order_id,
            accounts.investor(state.investor_id, terms.currency if state.side == "buy" else terms.offering_id),
            before=state.held,
            after=after[order_id].held,
        )
        for order_id, state in before.items()
        if after[order_id].held != state.held
    ]
