"""HTTP of tokenization: the chain service's journal and event stream (internal), chain work as staff see it (public)."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Response
from pydantic import StringConstraints

from tokenx_api.auth.models import Actor
from tokenx_api.context import AppContext
from tokenx_api.deps import AdminActor, Context, Read, TokenizationActor, Write, require
from tokenx_api.idempotency.service import IdempotencyKey
from tokenx_api.paging import DEFAULT_LIMIT, Cursor, Limit
from tokenx_api.tokenization import service
from tokenx_api.tokenization.models import (
    ChainStatus,
    CheckpointList,
    ContractList,
    DeadLetterPage,
    EndpointList,
    EventsBody,
    IntentAnswer,
    IntentBody,
    JournalAnswer,
    JournalBody,
    JournaledOperation,
    JournaledRotations,
    OperationList,
    OperationPage,
    OperationState,
    OperationView,
    Policy,
    PolicyChange,
    PolicyChangeBody,
    PolicyChangePage,
    PolicyView,
    RotationBody,
    RotationList,
    RotationRow,
    SignerPage,
    SignJobs,
    SimulationBody,
    SimulationView,
    StatusHistoryPage,
    StreamHead,
    TransactionDetail,
    TransactionFilter,
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
Operator = Annotated[Actor, Depends(require("tokenization_agent", "transfer_agent", "ats_operator"))]
ChainId = Annotated[int | None, Query(gt=0, lt=2**53, description="of the platform's own chain when left out")]
TxId = Annotated[str, Path(pattern=r"^[A-Za-z0-9_]{1,64}:[A-Za-z0-9:_.-]{1,128}$")]
ChangeId = Annotated[int, Path(gt=0, lt=2**63)]
KeyRef = Annotated[str | None, Query(min_length=1, max_length=200)]


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


@router.get("/status/history")
async def get_status_history(
    context: Context,
    conn: Read,
    _actor: Staff,
    chain_id: ChainId = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
) -> StatusHistoryPage:
    """How a chain was: a row a minute and one for each change, newest first, thirty days back."""
    chain = chain_id or context.settings.chain_id
    return await service.status_history(conn, chain_id=chain, cursor=cursor, limit=limit)


@router.get("/signers")
async def list_signers(
    context: Context,
    conn: Read,
    _actor: Staff,
    chain_id: ChainId = None,
    status: Annotated[str | None, Query(pattern="^(active|paused|draining|retired)$")] = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
) -> SignerPage:
    """Signing keys with their nonces and gaps, by name."""
    chain = chain_id or context.settings.chain_id
    return await service.signer_page(conn, chain_id=chain, status=status, cursor=cursor, limit=limit)


class RotationRequest(Agreement):
    """force: what waits for a nonce of the old key is cancelled instead of sent."""

    force: bool = False


Name = Annotated[str, Path(pattern="^[a-z][a-z0-9-]{0,89}$")]


@router.post("/signers/{name}:rotate", status_code=202)
async def rotate_signer(
    context: Context,
    actor: AdminActor,
    key: IdempotencyKey,
    name: Name,
    body: RotationRequest,
    chain_id: ChainId = None,
) -> RotationRow:
    """Replace a key of the platform's. Whoever asks counts as the first of two people; the other one agrees at
    /v1/chain/operations/{operation_id}:approve. 409 signer.role_not_movable when it holds what a rotation cannot move."""
    chain = chain_id or context.settings.chain_id
    told = await context.chain.post(
        f"/v1/signers/{name}/rotate",
        {"chain_id": chain, "force": body.force},
        headers={"Idempotency-Key": f"{actor.user_id}:{key}"},
    )
    async with context.db.write() as conn:
        await service.agree_once(conn, f"operation:{told['operation_id']}", actor=actor.user_id, reason=body.reason)
    return RotationRow(**told, chain_id=chain)


@router.get("/signers/{name}/rotations")
async def list_rotations(
    context: Context, conn: Read, _actor: Staff, name: Name, chain_id: ChainId = None
) -> RotationList:
    """How a key was replaced, and how far that is, newest first."""
    return await service.rotations(conn, chain_id=chain_id or context.settings.chain_id, name=name)


@router.get("/endpoints")
async def list_endpoints(context: Context, conn: Read, _actor: Staff, chain_id: ChainId = None) -> EndpointList:
    """The nodes a chain is reached through, best first. Hosts only: no path that could hold a provider's key."""
    return await service.endpoints(conn, chain_id or context.settings.chain_id)


@router.get("/checkpoints")
async def list_checkpoints(context: Context, conn: Read, _actor: Staff, chain_id: ChainId = None) -> CheckpointList:
    """Up to which block each chain's events are complete, and where that was before."""
    return await service.checkpoints(conn, chain_id or context.settings.chain_id)


class Decision(Agreement):
    """accept_lock_out: approve it although the platform could not do some of its own work any more."""

    accept_lock_out: bool = False


@router.get("/policies")
async def get_chain_policy(context: Context, conn: Read, _actor: Staff, chain_id: ChainId = None) -> PolicyView:
    """What may be signed on a chain, and what each rule has let pass today. What fits no rule is denied."""
    return await service.policy_view(conn, context.chain, chain_id or context.settings.chain_id)


@router.get("/policies/changes")
async def list_policy_changes(
    conn: Read,
    _actor: Staff,
    status: Annotated[str | None, Query(pattern="^(proposed|approved|rejected)$")] = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
) -> PolicyChangePage:
    """Changes of what may be signed, newest first: who asked, who decided, what it replaced."""
    return await service.policy_change_page(conn, status=status, cursor=cursor, limit=limit)


@router.post("/policies/changes", status_code=201)
async def propose_policy_change(context: Context, conn: Write, actor: Approver, body: PolicyChangeBody) -> PolicyChange:
    """Propose a change. It counts once somebody else approves it; its warnings say what of the platform's own work it would stop."""
    chain_id = body.chain_id or context.settings.chain_id
    return await service.propose_policy(conn, context.chain, body, chain_id=chain_id, actor=actor.user_id)


@router.post("/policies/changes/{change_id}:approve")
async def approve_policy_change(context: Context, actor: Approver, change_id: ChangeId, body: Decision) -> PolicyChange:
    """Let another person's change count, at once. 409 policy_change.would_lock_out when the platform could not do its own work any more."""
    chain_id = context.settings.chain_id
    async with context.db.read() as conn:
        seen = await service.check_policy_change(conn, context.chain, change_id, chain_id=chain_id)
    async with context.db.write() as conn:
        change = await service.approve_policy_change(
            conn, change_id, actor=actor.user_id, reason=body.reason, seen=seen, accept_lock_out=body.accept_lock_out, chain_id=chain_id
        )  # fmt: skip
    return await service.put_in_effect(context.chain, change, chain_id=chain_id)


@router.post("/policies/changes/{change_id}:reject")
async def reject_policy_change(conn: Write, actor: Approver, change_id: ChangeId, body: Agreement) -> PolicyChange:
    """It will never count. Whoever proposed it may withdraw it so."""
    return await service.reject_policy_change(conn, change_id, actor=actor.user_id, reason=body.reason)


@router.get("/transactions")
async def list_chain_transactions(
    conn: Read,
    _actor: Staff,
    chain_id: ChainId = None,
    state: TransactionState | None = None,
    key_ref: KeyRef = None,
    from_address: Annotated[str | None, Query(pattern="^0x[0-9a-fA-F]{40}$")] = None,
    operation_id: Annotated[str | None, Query(max_length=100)] = None,
    is_open: Annotated[bool, Query(description="only those that have not ended")] = False,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
) -> TransactionPage:
    """Transactions of every chain, newest first."""
    which = TransactionFilter(
        chain_id=chain_id, state=state, key_ref=key_ref, from_address=from_address and from_address.lower(), operation_id=operation_id,
        is_open=is_open,
    )  # fmt: skip
    return await service.transaction_page(conn, which, cursor=cursor, limit=limit)


@router.post("/transactions:simulate")
async def simulate_chain_transaction(context: Context, _actor: Staff, body: SimulationBody) -> SimulationView:
    """Try a call out: would it revert, what gas does it need, may it be signed. Nothing is sent and nothing is queued."""
    return await service.simulate(context.chain, body)


@router.get("/transactions/{tx_id}")
async def get_chain_transaction(conn: Read, _actor: Staff, tx_id: TxId) -> TransactionDetail:
    """One transaction with its attempts and its history."""
    return await service.transaction(conn, chain_id=None, tx_id=tx_id)


@router.post("/transactions/{tx_id}:cancel")
async def cancel_chain_transaction(
    context: Context, actor: Operator, tx_id: TxId, body: Agreement
) -> TransactionDetail:
    """Withdraw it while it has no nonce; else let nothing compete for its nonce: which of the two is mined decides.
    409 transaction.not_replaceable or transaction.not_under_way when it is too late."""
    async with context.db.write() as conn:
        chain_id = await service.cancel(conn, tx_id=tx_id, actor=actor.user_id, reason=body.reason)
    await context.chain.post(f"/v1/transactions/{tx_id}/cancel?chain_id={chain_id}")
    return await _looked_up(context, tx_id)


@router.post("/transactions/{tx_id}:speed-up")
async def speed_up_chain_transaction(
    context: Context, actor: Operator, tx_id: TxId, body: Agreement
) -> TransactionDetail:
    """Offer an eighth more for it, or what the next blocks cost if that is more. 409 as for a cancellation."""
    async with context.db.write() as conn:
        chain_id = await service.speed_up(conn, tx_id=tx_id, actor=actor.user_id, reason=body.reason)
    await context.chain.post(f"/v1/transactions/{tx_id}/speed-up?chain_id={chain_id}")
    return await _looked_up(context, tx_id)


async def _looked_up(context: AppContext, tx_id: str) -> TransactionDetail:
    async with context.db.read() as conn:
        return await service.transaction(conn, chain_id=None, tx_id=tx_id)


@internal.post("/journal")
async def write_journal(conn: Write, body: JournalBody) -> JournalAnswer:
    """Commit records before anything is done about them; sending them again is harmless."""
    return await service.write_journal(conn, body)


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


@internal.get("/sign-jobs")
async def list_sign_jobs(conn: Read, chain_id: int) -> SignJobs:
    """Signatures that were asked for and are not there yet, and transactions that outlive their operation."""
    return await service.sign_jobs(conn, chain_id)


@internal.get("/rotations")
async def list_journaled_rotations(conn: Read, chain_id: int) -> JournaledRotations:
    """Keys that were replaced and those being replaced, newest first."""
    return JournaledRotations(rotations=await service.journaled_rotations(conn, chain_id))


@internal.post("/rotations")
async def request_rotation(conn: Write, body: RotationBody) -> IntentAnswer:
    """Make a rotation somebody asked for durable, once for each key."""
    return await service.request_rotation(conn, body)


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
    return await service.transaction_page(
        conn, TransactionFilter(chain_id=chain_id, state=state), cursor=cursor, limit=limit
    )


@internal.get("/transactions/{tx_id}")
async def get_transaction(conn: Read, chain_id: int, tx_id: str) -> TransactionDetail:
    """One transaction with its attempts and its history."""
    return await service.transaction(conn, chain_id=chain_id, tx_id=tx_id)
