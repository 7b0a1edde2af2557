"""The chain service over HTTP. Everything but health needs a service token."""

from dataclasses import asdict
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response
from pydantic import Field

from tokenx_chain.contracts.calls import Read
from tokenx_chain.networks.rpc import RpcError, RpcUnavailable
from tokenx_chain.operations import intent
from tokenx_chain.operations.catalog import parse_params
from tokenx_chain.operations.errors import BadParams
from tokenx_chain.operations.preview import preview
from tokenx_chain.runtime import ChainRuntime, runtime_of
from tokenx_chain.standards.erc3643 import Erc3643
from tokenx_chain.standards.errors import Obstacle, Side
from tokenx_common.correlation import correlation_id
from tokenx_common.errors import DependencyUnavailable, Invalid, NotFound, TokenxError
from tokenx_common.events import ReplayPage
from tokenx_common.service_auth import ServiceName, require_service
from tokenx_common.wire import WireModel

_API_ONLY = [Depends(require_service("api", "cli"))]
_CONSUMERS = [Depends(require_service("api", "kyt", "matcher", "cli"))]

router = APIRouter()

ADDRESS = r"^0x[0-9a-fA-F]{40}$"
TX_ID = Annotated[str, Path(pattern=r"^[A-Za-z0-9_]{1,64}:[A-Za-z0-9:_.-]{1,128}$")]


class OperationRequest(WireModel):
    """An operation the api has recorded. operation_id makes repeats harmless. rerun: two people want one that crashed to go on."""

    operation_id: str
    kind: str
    chain_id: int
    params: dict[str, Any]
    correlation_id: str = ""
    rerun: bool = False


class OperationAccepted(WireModel):
    operation_id: str
    state: str


class WalletRequest(WireModel):
    key_ref: str = Field(min_length=1, max_length=100)


class WalletView(WireModel):
    key_ref: str
    address: str


class SimulationRequest(WireModel):
    chain_id: int
    kind: str
    params: dict[str, Any]


class FurtherObstacle(WireModel):
    """Something else that stands against a movement."""

    reason_code: str
    side: Side
    rule: str


class SimulationView(WireModel):
    """ok False: the contracts would refuse; reason_code is stable, reason is for people. side and rule say whose fault it is and by which
    rule, null where a refusal is nobody's. further: what else stands against it, where that is known."""

    ok: bool
    reason: str | None
    reason_code: str | None
    side: Side | None = None
    rule: str | None = None
    further: tuple[FurtherObstacle, ...] = ()


class ChainStatus(WireModel):
    chain_id: int
    name: str
    status: str
    head_number: int
    head_hash: str
    finalized_number: int
    observed_at: str | None
    detail: dict[str, Any] = Field(
        default_factory=dict[str, Any], description="endpoints by health, what is paused and why"
    )


class TransactionRequest(WireModel):
    """One call to sign and send. Amounts are decimal strings. key_ref names the custodial key; data is 0x-hexadecimal."""

    chain_id: int = Field(gt=0)
    key_ref: str = Field(min_length=1, max_length=100)
    to: str = Field(pattern=ADDRESS)
    data: str = Field(default="0x", pattern=r"^0x([0-9a-fA-F]{2})*$", max_length=2 + 2 * intent.MAX_CALLDATA_BYTES)
    value: str = Field(default="0", pattern=r"^(0|[1-9][0-9]{0,76})$")
    gas: int | None = Field(default=None, ge=21_000, le=30_000_000)
    safe_to_rebind: bool = Field(
        default=False, description="may get another nonce, once, if somebody else has used its own"
    )
    not_after: int | None = Field(default=None, ge=0, description="unix seconds after which it must not be signed")


class TransactionAccepted(WireModel):
    """tx_id is what the other routes take."""

    tx_id: str
    operation_id: str
    state: str


class TransactionTrial(WireModel):
    """ok False: it would revert now; reason_code is stable. gas: what it needs, 0 when it reverts. policy: 'approve' when a second person must agree;
    policy_code says why it is denied."""

    ok: bool
    reason: str | None
    reason_code: str | None
    gas: int
    policy: Literal["allow", "approve", "deny"]
    policy_id: str | None
    policy_code: str | None


class NonceReport(WireModel):
    """latest: transactions mined. journaled: highest bound nonce, -1 for none. gaps: bound nonces that are missing, which should never be."""

    key_ref: str
    address: str
    latest: int
    journaled: int
    next: int
    in_flight: int
    queued: int
    gaps: list[int]
    paused: str | None
    epoch: int | None = Field(default=None, description="of a key that was rotated")


class BalanceView(WireModel):
    amount: str


@router.post("/v1/operations", status_code=202, dependencies=_API_ONLY, summary="Carry out a recorded operation")
async def submit_operation(request: Request, body: OperationRequest) -> OperationAccepted:
    state = await runtime_of(request, body.chain_id).runner.accept(body.operation_id, rerun=body.rerun)
    return OperationAccepted(operation_id=body.operation_id, state=state)


@router.post("/v1/wallets", dependencies=_API_ONLY, summary="The address of a custodial key")
async def derive_wallet(request: Request, body: WalletRequest) -> WalletView:
    return WalletView(key_ref=body.key_ref, address=await request.app.state.signer.address(body.key_ref))


@router.post("/v1/simulate", dependencies=_API_ONLY, summary="Would the contracts allow it now, and if not, why")
async def simulate(request: Request, body: SimulationRequest) -> SimulationView:
    chain = runtime_of(request, body.chain_id).chain
    try:
        refusal = await preview(chain, body.kind, parse_params(body.kind, body.params))
    except BadParams as error:
        raise Invalid(error.detail, code=error.code) from error
    except (RpcUnavailable, RpcError) as error:
        raise DependencyUnavailable(f"the node did not answer: {error}") from error
    if refusal is None:
        return SimulationView(ok=True, reason=None, reason_code=None)
    if not isinstance(refusal, Obstacle):
        return SimulationView(ok=False, reason=refusal.detail, reason_code=refusal.code)
    further = tuple(
        FurtherObstacle(reason_code=other.code, side=other.side, rule=other.rule) for other in refusal.further
    )
    return SimulationView(
        ok=False, reason=refusal.detail, reason_code=refusal.code, side=refusal.side, rule=refusal.rule, further=further
    )


async def idempotency_key(idempotency_key: Annotated[str | None, Header(max_length=255)] = None) -> str:
    if not idempotency_key or not idempotency_key.isprintable():
        raise TokenxError("send an Idempotency-Key header: any text of yours that is new for each new request", code="transaction.key_required", status=400)  # fmt: skip
    return idempotency_key


def _params(body: TransactionRequest) -> tuple[intent.SendTransaction, dict[str, Any]]:
    """The checked parameters and their plain form. Raises Invalid."""
    plain = body.model_dump(exclude={"chain_id"}) | {"to": body.to.lower()}
    try:
        params = parse_params(intent.KIND, plain)
    except BadParams as error:
        raise Invalid(error.detail, code=error.code) from error
    assert isinstance(params, intent.SendTransaction)
    return params, plain


@router.post("/v1/transactions", status_code=202, summary="Sign and send one call, once for each Idempotency-Key")
async def send_transaction(
    request: Request,
    body: TransactionRequest,
    response: Response,
    key: Annotated[str, Depends(idempotency_key)],
    asked_by: Annotated[ServiceName, Depends(require_service("api", "cli"))],
) -> TransactionAccepted:
    """202: durable and under way. 200: the key came before with the same body. 409 transaction.key_reused: with another one.
    403 policy.*: may not be signed; 429 transaction.too_many with Retry-After: too much of this key is under way. Then nothing was queued."""
    runtime = runtime_of(request, body.chain_id)
    params, plain = _params(body)
    operation_id, is_new = await runtime.desk.request(
        kind=intent.KIND, params=plain, call=intent.as_call(params), key_ref=body.key_ref, idempotency_key=key, asked_by=asked_by,
        correlation_id=correlation_id(), start=runtime.runner.accept,
    )  # fmt: skip
    response.status_code = 202 if is_new else 200
    tx_id = f"{operation_id}:{intent.STEP}"
    return TransactionAccepted(tx_id=tx_id, operation_id=operation_id, state=(await runtime.desk.get(tx_id))["state"])


@router.get("/v1/transactions", dependencies=_API_ONLY, summary="Transactions of a chain, newest first")
async def list_transactions(
    request: Request,
    chain_id: int,
    state: Annotated[str | None, Query(pattern="^[a-z_]{1,30}$")] = None,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> dict[str, Any]:
    query = {"state": state, "cursor": cursor, "limit": limit}
    return await runtime_of(request, chain_id).desk.page({name: value for name, value in query.items() if value is not None})  # fmt: skip


@router.get("/v1/transactions/{tx_id}", dependencies=_API_ONLY, summary="One transaction with its attempts and history")
async def get_transaction(request: Request, tx_id: TX_ID, chain_id: int) -> dict[str, Any]:
    return await runtime_of(request, chain_id).desk.get(tx_id)


@router.post("/v1/transactions/{tx_id}/cancel", dependencies=_API_ONLY, summary="Put nothing in its place")
async def cancel_transaction(request: Request, tx_id: TX_ID, chain_id: int) -> dict[str, Any]:
    """Withdrawn at once while it has no nonce; else a self-transfer competes for its nonce, and whichever is mined decides."""
    return await runtime_of(request, chain_id).desk.cancel(tx_id)


@router.post("/v1/transactions/{tx_id}/speed-up", dependencies=_API_ONLY, summary="Offer more for it")
async def speed_up_transaction(request: Request, tx_id: TX_ID, chain_id: int) -> dict[str, Any]:
    return await runtime_of(request, chain_id).desk.speed_up(tx_id)


@router.post(
    "/v1/transactions:simulate", dependencies=_API_ONLY, summary="Would it revert now, and what gas does it need"
)
async def simulate_transaction(request: Request, body: TransactionRequest) -> TransactionTrial:
    params, _ = _params(body)
    desk = runtime_of(request, body.chain_id).desk
    refusal, gas = await desk.simulate(intent.as_call(params), body.key_ref)
    decision = desk.decide(intent.KIND, intent.as_call(params), body.key_ref)
    return TransactionTrial(
        ok=refusal is None, reason=refusal and refusal.detail, reason_code=refusal and refusal.code, gas=gas,
        policy=decision.outcome.value, policy_id=decision.policy_id, policy_code=decision.code or None,
    )  # fmt: skip


@router.get("/v1/signers/{key_ref}/nonce", dependencies=_API_ONLY, summary="Where a key's nonces stand on a chain")
async def signer_nonce(request: Request, key_ref: Annotated[str, Path(max_length=100)], chain_id: int) -> NonceReport:
    return NonceReport(**asdict(await runtime_of(request, chain_id).desk.nonce(key_ref)))


@router.get("/v1/chains/{chain_id}/status", dependencies=_CONSUMERS, summary="Head, finality and health of a chain")
async def chain_status(request: Request, chain_id: Annotated[int, Path()]) -> ChainStatus:
    return ChainStatus(**runtime_of(request, chain_id).status())


@router.get("/v1/balances", dependencies=_CONSUMERS, summary="A balance at the finalized block, in base units")
async def balance(
    request: Request,
    chain_id: int,
    token: Annotated[str, Query(pattern=ADDRESS)],
    address: Annotated[str, Query(pattern=ADDRESS)],
) -> BalanceView:
    runtime = runtime_of(request, chain_id)
    return await _read_final(runtime, Erc3643(runtime.chain).token(token.lower()).balance(address.lower()))


@router.get("/v1/supply", dependencies=_CONSUMERS, summary="All units of a token at the finalized block")
async def supply(request: Request, chain_id: int, token: Annotated[str, Query(pattern=ADDRESS)]) -> BalanceView:
    runtime = runtime_of(request, chain_id)
    return await _read_final(runtime, Erc3643(runtime.chain).token(token.lower()).total_supply())


async def _read_final(runtime: ChainRuntime, read: Read[int]) -> BalanceView:
    """Raises DependencyUnavailable, Invalid 'chain.not_a_token'."""
    try:
        amount = await runtime.chain.node.read(read, at=max(0, runtime.follower.finalized_number))
    except RpcUnavailable as error:
        raise DependencyUnavailable(f"the node did not answer: {error}") from error
    except RpcError as error:
        raise Invalid(f"no amount to read: {error}", code="chain.not_a_token") from error
    return BalanceView(amount=str(amount))


@router.get("/internal/streams/{stream}", dependencies=_CONSUMERS, summary="Replay of the chain's events from memory")
async def replay(
    request: Request,
    stream: str,
    after: Annotated[int, Query(ge=0)],
    limit: Annotated[int, Query(ge=1, le=1000)] = 1000,
) -> ReplayPage:
    chain_id = stream.removeprefix("chain:")
    if not stream.startswith("chain:") or not chain_id.isdecimal():
        raise NotFound("stream")
    runtime = runtime_of(request, int(chain_id))
    _ = runtime.runner  # not before the stream's state is known
    return runtime.publisher.replay(after, limit)
