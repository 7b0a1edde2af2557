"""HTTP of tokenization: the chain service's journal and event stream (internal), chain work as staff see it (public)."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response
from pydantic import StringConstraints

from tokenx_api.auth.models import Actor
from tokenx_api.deps import Context, Read, TokenizationActor, Write, require
from tokenx_api.paging import DEFAULT_LIMIT, Cursor, Limit
from tokenx_api.tokenization import service
from tokenx_api.tokenization.models import (
    ChainStatus,
    ContractList,
    DeadLetterPage,
    EventsBody,
    IntentAnswer,
    IntentBody,
    JournalBody,
    JournaledOperation,
    OperationList,
    OperationPage,
    OperationState,
    OperationView,
    Policy,
    StreamHead,
    TransactionDetail,
    TransactionPage,
    TransactionState,
)
from tokenx_common.service_auth import require_service
from tokenx_common.wire import WireModel

router = APIRouter(prefix="/v1/chain", tags=["tokenization"])
internal = APIRouter(
    prefix="/internal/chain", tags=["internal"], dependencies=[Depends(require_service("chain", "cli"))]
)
Staff = Annotated[
    Actor,
    Depends(require("tokenization_agent", "transfer_agent", "compliance_officer", "ats_operator", "admin")),
]


Approver = Annotated[Actor, Depends(require("tokenization_agent", "transfer_agent", "compliance_officer"))]


class OperationAnswer(WireModel):
    operation_id: str
    state: OperationState


@router.post("/platform:deploy", status_code=202)
async def deploy_platform(context: Context, actor: TokenizationActor, response: Response) -> OperationAnswer:
    """Deploy the platform's contracts. Asking again answers 200 with the same operation."""
    async with context.db.write() as conn:
        operation_id, is_new = await service.request_platform(
            conn, chain_id=context.settings.chain_id, actor=actor.user_id
        )
        found = await service.operation(conn, operation_id)
    context.wakeups.ring("outbox")
    response.status_code = 202 if is_new else 200
    return OperationAnswer(operation_id=operation_id, state=found.state)


@router.get("/operations")
async def list_operations(
    conn: Read,
    _actor: Staff,
    state: OperationState | None = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
) -> OperationPage:
    """Chain operations, newest first."""
    return await service.operation_page(conn, state=state, cursor=cursor, limit=limit)


@router.get("/operations/{operation_id}")
async def get_operation(conn: Read, _actor: Staff, operation_id: str) -> OperationView:
    """One chain operation."""
    return await service.operation_view(conn, operation_id)


class Agreement(WireModel):
    """Why; kept in the audit trail."""

    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=1000)]


class Agreed(WireModel):
    """approvals: people who agree so far."""

    operation_id: str
    approvals: int


@router.post("/operations/{operation_id}:approve")
async def approve_operation(conn: Write, actor: Approver, operation_id: str, body: Agreement) -> Agreed:
    """Agree to an operation whose amount needs it. Two people must, and nobody counts twice."""
    await service.operation(conn, operation_id)
    approvals = await service.agree(conn, f"operation:{operation_id}", actor=actor.user_id, reason=body.reason)
    return Agreed(operation_id=operation_id, approvals=approvals)


@router.get("/dead-letters")
async def list_dead_letters(
    conn: Read,
    _actor: Staff,
    status: Annotated[str | None, Query(pattern="^(open|requeued|discarded)$")] = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
) -> DeadLetterPage:
    """What nobody could process, newest first."""
    return await service.dead_letter_page(conn, status=status, cursor=cursor, limit=limit)


@router.get("/status")
async def get_chain_status(context: Context, conn: Read, _actor: Staff) -> ChainStatus:
    """The chain as the chain service last reported it."""
    return await service.chain_status(conn, context.settings.chain_id)


@internal.post("/journal")
async def write_journal(conn: Write, body: JournalBody) -> dict[str, int]:
    """Commit records before anything is done about them; sending them again is harmless."""
    await service.write_journal(conn, body)
    return {"records": len(body.records)}


@internal.post("/events")
async def append_events(context: Context, body: EventsBody) -> dict[str, int]:
    """Append to the chain's stream by compare-and-set."""
    async with context.db.write() as conn:
        head = await service.append_events(conn, body)
    if body.items:
        context.wakeups.ring("chain_events")
    return {"head": head}


@internal.get("/operations")
async def list_open_operations(
    conn: Read, chain_id: int, _state: Annotated[str, Query(alias="state", pattern="^open$")] = "open"
) -> OperationList:
    """What is queued or running, oldest first, with its transactions."""
    return OperationList(operations=await service.open_operations(conn, chain_id))


@internal.get("/operations/{operation_id}")
async def get_journaled_operation(conn: Read, operation_id: str) -> JournaledOperation:
    """One operation with its transactions."""
    return await service.operation(conn, operation_id)


@internal.get("/contracts")
async def list_contracts(conn: Read, chain_id: int) -> ContractList:
    """Deployed contracts by name."""
    return ContractList(contracts=await service.contracts(conn, chain_id))


@internal.get("/streams/{chain_id}")
async def get_stream_head(conn: Read, chain_id: int) -> StreamHead:
    """Head and checkpoint of the chain's stream."""
    return await service.stream_head(conn, chain_id)


@internal.get("/nonces")
async def get_nonces(conn: Read, chain_id: int) -> dict[str, int]:
    """Highest journaled nonce by address."""
    return await service.nonces(conn, chain_id)


@internal.get("/policy")
async def get_policy(conn: Read, chain_id: int) -> Policy:
    """What may be signed on a chain, and what was let pass today."""
    return await service.policy(conn, chain_id)


@internal.post("/intents")
async def request_intent(conn: Write, body: IntentBody) -> IntentAnswer:
    """Make a transaction somebody asked for durable, once for each key."""
    return await service.request_intent(conn, body)


@internal.get("/transactions")
async def list_transactions(
    conn: Read,
    chain_id: int,
    state: TransactionState | None = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
) -> TransactionPage:
    """Transactions of a chain, newest first."""
    return await service.transaction_page(conn, chain_id=chain_id, state=state, cursor=cursor, limit=limit)


@internal.get("/transactions/{tx_id}")
async def get_transaction(conn: Read, chain_id: int, tx_id: str) -> TransactionDetail:
    """One transaction with its attempts and its history."""
    return await service.transaction(conn, chain_id=chain_id, tx_id=tx_id)
