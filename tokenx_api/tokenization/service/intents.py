"""Transactions as they are asked for and looked at one by one, and the agreement of a second person."""

import hashlib
from typing import Any

from tokenx_api.audit import service as audit
from tokenx_api.db import ReadConn, Record, WriteConn
from tokenx_api.paging import cut, decode_cursor
from tokenx_api.tokenization import queries
from tokenx_api.tokenization.errors import IntentKeyReused, SecondPersonRequired
from tokenx_api.tokenization.models import (
    AttemptView,
    HistoryView,
    IntentAnswer,
    IntentBody,
    TransactionDetail,
    TransactionFilter,
    TransactionPage,
    TransactionView,
)
from tokenx_common.canonical import canonical_json
from tokenx_common.clock import rfc3339
from tokenx_common.errors import NotFound


async def request_intent(conn: WriteConn, body: IntentBody) -> IntentAnswer:
    """Record an intent once for each key. Raises IntentKeyReused when the key came before with another request."""
    sha256 = hashlib.sha256(canonical_json({"params": body.params, "by": body.requested_by}).encode()).digest()
    if await queries.insert_intent(conn, body, sha256):
        await audit.record(conn, actor=f"service:{body.requested_by}", action="transaction.requested", subject_type="operation",
                           subject_id=body.operation_id, chain_id=body.chain_id)  # fmt: skip
        return IntentAnswer(operation_id=body.operation_id, is_new=True)
    found = await queries.select_intent(conn, chain_id=body.chain_id, idempotency_key=body.idempotency_key)
    assert found is not None, "the key was in the way a moment ago and keys are never deleted"
    if found["request_sha256"] != sha256:
        raise IntentKeyReused("this Idempotency-Key came before with another request", operation_id=found["operation_id"])  # fmt: skip
    return IntentAnswer(operation_id=found["operation_id"], is_new=False)


async def transaction_page(
    conn: ReadConn, which: TransactionFilter, *, cursor: str | None, limit: int
) -> TransactionPage:
    """Newest first."""
    rows = await queries.select_transaction_views(conn, which, before=decode_cursor(cursor), limit=limit + 1)
    page, next_cursor = cut(rows, limit, lambda row: row["tx_id"])
    return TransactionPage(data=[TransactionView(**_with_times(row)) for row in page], next_cursor=next_cursor)


async def transaction(conn: ReadConn, *, chain_id: int | None, tx_id: str) -> TransactionDetail:
    """With its attempts and its history. chain_id None: of whichever chain. Raises NotFound."""
    rows = await queries.select_transaction_views(conn, TransactionFilter(chain_id=chain_id), tx_id=tx_id)
    if not rows:
        raise NotFound("transaction")
    attempts = [AttemptView(**_with_times(row)) for row in await queries.select_attempt_views(conn, tx_id)]
    history = [HistoryView(**_with_times(row)) for row in await queries.select_history(conn, tx_id)]
    return TransactionDetail(**_with_times(rows[0]), attempts=attempts, history=history)


def _with_times(row: Record) -> dict[str, Any]:
    return {key: rfc3339(value) if key == "at" or key.endswith("_at") else value for key, value in row.items()}


async def agree_once(conn: WriteConn, subject: str, *, actor: str, reason: str) -> None:
    """As agree, but harmless when this person has agreed before: a request that is repeated."""
    if await queries.insert_approval(conn, subject=subject, user_id=actor, reason=reason):
        noun, _, subject_id = subject.partition(":")
        await audit.record(conn, actor=actor, action=f"{noun}.approved", subject_type=noun, subject_id=subject_id, reason=reason)  # fmt: skip


async def agree(conn: WriteConn, subject: str, *, actor: str, reason: str) -> int:
    """Record that a person agrees to something; returns how many do now. Raises SecondPersonRequired when this one did before."""
    if not await queries.insert_approval(conn, subject=subject, user_id=actor, reason=reason):
        raise SecondPersonRequired("you have agreed to this already: somebody else must")
    noun, _, subject_id = subject.partition(":")
    await audit.record(conn, actor=actor, action=f"{noun}.approved", subject_type=noun, subject_id=subject_id, reason=reason)  # fmt: skip
    return len(await queries.select_approvers(conn, subject))
