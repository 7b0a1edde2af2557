"""Requests to the chain service. The api never talks to a blockchain: it records an operation and the relay hands it over after commit."""

from typing import Any, Final, Literal

from tokenx_api.audit import service as audit
from tokenx_api.db import WriteConn
from tokenx_api.outbox import service as outbox
from tokenx_api.tokenization import queries
from tokenx_api.tokenization.errors import NotRequeueable
from tokenx_api.tokenization.models import IntentBody, JournaledOperation
from tokenx_api.tokenization.service.intents import request_intent
from tokenx_api.tokenization.service.journal import OPEN_STATES, operation
from tokenx_common.correlation import correlation_id
from tokenx_common.ids import new_id

INTENT: Final = "transaction.send"
"""A single call somebody asked the chain service for; the only kind nobody else waits for."""
OperationKind = Literal[
    "platform.deploy", "offering.deploy", "investor.register", "investor.unregister", "cash.mint", "cash.transfer", "subscription.issue",
    "investor.revoke", "investor.recover", "token.mint", "token.burn", "token.transfer", "token.freeze", "token.force_transfer", "token.freeze_units",
    "token.pause", "token.mint_batch", "token.burn_batch", "token.transfer_batch", "token.freeze_batch", "token.force_transfer_batch",
    "token.freeze_units_batch", "settlement.batch", "redemption.payout",
]  # fmt: skip


async def request_operation(
    conn: WriteConn, *, chain_id: int, kind: OperationKind, params: dict[str, Any], business_ref: str
) -> str:
    """Record an operation and its hand-over in the caller's transaction; returns the operation id.
    business_ref names what waits for it, e.g. 'subscription:sub_…'; operation.final and operation.failed find their way back by it."""
    operation_id = new_id("op")
    correlation = correlation_id()
    await queries.insert_operation(
        conn,
        operation_id=operation_id,
        chain_id=chain_id,
        kind=kind,
        params=params,
        business_ref=business_ref,
        correlation_id=correlation,
    )
    payload = {
        "operation_id": operation_id,
        "kind": kind,
        "chain_id": chain_id,
        "params": params,
        "correlation_id": correlation,
    }
    await outbox.enqueue(conn, kind="chain_operation", dedupe_key=f"chain_operation:{operation_id}", payload=payload)
    return operation_id


async def rerun_operation(conn: WriteConn, operation_id: str, *, dedupe_key: str) -> None:
    """Hand an open operation over again that the chain service has crashed on. Raises NotRequeueable when it has ended, NotFound."""
    found = await operation(conn, operation_id)
    if found.state not in OPEN_STATES:
        raise NotRequeueable(f"the operation is {found.state}: there is nothing to run on")
    await _hand_over(conn, found, dedupe_key=dedupe_key, rerun=True)


async def repeat_intent(conn: WriteConn, operation_id: str, *, dedupe_key: str) -> str:
    """Ask once more for a single call that failed without being executed; returns the new operation's id. Raises NotRequeueable for operations of
    another kind, whose failure was told to whoever waited, and for those still under way."""
    before = await operation(conn, operation_id)
    if before.kind != INTENT or before.state != "failed" or not before.transactions:
        raise NotRequeueable(f"{before.kind} is {before.state}: ask for it again where it came from")
    sent = before.transactions[0]
    again = IntentBody(
        chain_id=before.chain_id, operation_id=new_id("op"), idempotency_key=dedupe_key, params=before.params, key_ref=str(before.params["key_ref"]),
        from_address=sent.from_address, to_address=sent.to_address, requested_by="api", correlation_id=correlation_id(),
    )  # fmt: skip
    answer = await request_intent(conn, again)
    await _hand_over(conn, await operation(conn, answer.operation_id), dedupe_key=dedupe_key)
    return answer.operation_id


async def _hand_over(conn: WriteConn, found: JournaledOperation, *, dedupe_key: str, rerun: bool = False) -> None:
    payload = {"operation_id": found.operation_id, "kind": found.kind, "chain_id": found.chain_id, "params": found.params,
               "correlation_id": found.correlation_id, "rerun": rerun}  # fmt: skip
    await outbox.enqueue(conn, kind="chain_operation", dedupe_key=f"chain_operation:{dedupe_key}", payload=payload)


async def request_platform(conn: WriteConn, *, chain_id: int, actor: str) -> tuple[str, bool]:
    """(operation id, whether it is new) of the platform's deployment on a chain. There is one; only a failed one may be asked for again."""
    business_ref = f"platform:{chain_id}"
    await queries.lock_business_ref(conn, business_ref)
    existing = await queries.select_live_operation(conn, business_ref)
    if existing is not None:
        return existing, False
    operation_id = await request_operation(
        conn, chain_id=chain_id, kind="platform.deploy", params={}, business_ref=business_ref
    )
    await audit.record(
        conn,
        actor=actor,
        action="platform.deployment_requested",
        subject_type="operation",
        subject_id=operation_id,
        chain_id=chain_id,
    )
    return operation_id, True
