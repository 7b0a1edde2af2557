"""The chain service over HTTP. Everything but health needs a service token."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import Field

from tokenx_chain.networks.rpc import RpcError, RpcUnavailable
from tokenx_chain.operations.catalog import parse_params
from tokenx_chain.operations.errors import BadParams
from tokenx_chain.operations.preview import preview
from tokenx_chain.runtime import ChainRuntime
from tokenx_chain.standards.erc3643 import Erc3643
from tokenx_common.errors import DependencyUnavailable, Invalid, NotFound
from tokenx_common.events import ReplayPage
from tokenx_common.service_auth import require_service
from tokenx_common.wire import WireModel

_API_ONLY = [Depends(require_service("api", "cli"))]
_CONSUMERS = [Depends(require_service("api", "kyt", "matcher", "cli"))]

router = APIRouter()

ADDRESS = r"^0x[0-9a-fA-F]{40}$"


class OperationRequest(WireModel):
    """An operation the api has recorded. operation_id makes repeats harmless."""

    operation_id: str
    kind: str
    chain_id: int
    params: dict[str, Any]
    correlation_id: str = ""


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


class SimulationView(WireModel):
    """ok False: the contracts would refuse; reason_code is stable, reason is for people."""

    ok: bool
    reason: str | None
    reason_code: str | None


class ChainStatus(WireModel):
    chain_id: int
    name: str
    status: str
    head_number: int
    head_hash: str
    finalized_number: int
    observed_at: str | None


class BalanceView(WireModel):
    amount: str


def _runtime(request: Request, chain_id: int) -> ChainRuntime:
    runtimes: dict[int, ChainRuntime] = request.app.state.runtimes
    if chain_id not in runtimes:
        raise NotFound("chain")
    return runtimes[chain_id]


@router.post("/v1/operations", status_code=202, dependencies=_API_ONLY, summary="Carry out a recorded operation")
async def submit_operation(request: Request, body: OperationRequest) -> OperationAccepted:
    state = await _runtime(request, body.chain_id).runner.accept(body.operation_id)
    return OperationAccepted(operation_id=body.operation_id, state=state)


@router.post("/v1/wallets", dependencies=_API_ONLY, summary="The address of a custodial key")
async def derive_wallet(request: Request, body: WalletRequest) -> WalletView:
    return WalletView(key_ref=body.key_ref, address=await request.app.state.signer.address(body.key_ref))


@router.post("/v1/simulate", dependencies=_API_ONLY, summary="Would the contracts allow it now, and if not, why")
async def simulate(request: Request, body: SimulationRequest) -> SimulationView:
    chain = _runtime(request, body.chain_id).chain
    try:
        refusal = await preview(chain, body.kind, parse_params(body.kind, body.params))
    except BadParams as error:
        raise Invalid(error.detail, code=error.code) from error
    except (RpcUnavailable, RpcError) as error:
        raise DependencyUnavailable(f"the node did not answer: {error}") from error
    if refusal is None:
        return SimulationView(ok=True, reason=None, reason_code=None)
    return SimulationView(ok=False, reason=refusal.detail, reason_code=refusal.code)


@router.get("/v1/chains/{chain_id}/status", dependencies=_CONSUMERS, summary="Head, finality and health of a chain")
async def chain_status(request: Request, chain_id: Annotated[int, Path()]) -> ChainStatus:
    return ChainStatus(**_runtime(request, chain_id).status())


@router.get("/v1/balances", dependencies=_CONSUMERS, summary="A balance at the finalized block, in base units")
async def balance(
    request: Request,
    chain_id: int,
    token: Annotated[str, Query(pattern=ADDRESS)],
    address: Annotated[str, Query(pattern=ADDRESS)],
) -> BalanceView:
    runtime = _runtime(request, chain_id)
    read = Erc3643(runtime.chain).token(token.lower()).balance(address.lower())
    try:
        amount = await runtime.chain.node.read(read, at=max(0, runtime.follower.finalized_number))
    except RpcUnavailable as error:
        raise DependencyUnavailable(f"the node did not answer: {error}") from error
    except RpcError as error:
        raise Invalid(f"no balance to read: {error}", code="chain.not_a_token") from error
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
    runtime = _runtime(request, int(chain_id))
    _ = runtime.runner  # not before the stream's state is known
    return runtime.publisher.replay(after, limit)
