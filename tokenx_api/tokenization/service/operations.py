"""Requests to the chain service. The api never talks to a blockchain: it records an operation and the relay hands it over after commit."""

from typing import Any, Literal

from tokenx_api.audit import service as audit
from tokenx_api.db import WriteConn
from tokenx_api.outbox import service as outbox
from tokenx_api.tokenization import queries
from tokenx_common.correlation import correlation_id
from tokenx_common.ids import new_id

OperationKind = Literal[
    "platform.deploy", "offering.deploy", "investor.register", "investor.unregister", "cash.mint", "cash.transfer", "subscription.issue",
    "token.mint", "token.burn", "token.transfer", "token.freeze", "settlement.batch", "redemption.payout",
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
