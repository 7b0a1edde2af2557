"""Replacing a key, over HTTP: asked for here, carried out as an operation once two people agree to it."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Path, Request, Response
from pydantic import Field

from tokenx_chain.chain import Chain
from tokenx_chain.journal import Record
from tokenx_chain.networks.rpc import RpcError, RpcUnavailable
from tokenx_chain.operations.roles import RoleNotMovable, held
from tokenx_chain.routes import idempotency_key
from tokenx_chain.runtime import ChainRuntime, runtime_of
from tokenx_chain.signers.keybook import Held, name_of, next_key
from tokenx_common.clock import utc_now
from tokenx_common.correlation import correlation_id
from tokenx_common.errors import Conflict, DependencyUnavailable, Invalid, NotFound
from tokenx_common.ids import new_id
from tokenx_common.service_auth import ServiceName, require_service
from tokenx_common.wire import WireModel

router = APIRouter()

PATIENCE_S: Final = 3 * 86_400
"""How long people have to agree. After that the request is over and may be made again."""

Name = Annotated[str, Path(min_length=1, max_length=90)]


class RotationRequest(WireModel):
    """force: what waits for a nonce of the old key is cancelled instead of sent."""

    chain_id: int = Field(gt=0)
    force: bool = False


class RotationView(WireModel):
    """phase: requested, then as docs/signers.md names them. switched_at: since when the name stands for new_key, null before."""

    operation_id: str
    name: str
    old_key: str
    new_key: str
    old_address: str
    new_address: str
    from_epoch: int
    force: bool
    phase: str
    detail: str
    requested_at: str
    switched_at: str | None
    ended_at: str | None


@router.post("/v1/signers/{key_ref}/rotate", status_code=202, summary="Replace a key, once two people agree to it")
async def rotate_signer(
    request: Request,
    key_ref: Name,
    body: RotationRequest,
    response: Response,
    key: Annotated[str, Depends(idempotency_key)],
    asked_by: Annotated[ServiceName, Depends(require_service("api", "cli"))],
) -> RotationView:
    """202: durable; the operation waits for two people. 200: the key came before. 409 signer.role_not_movable: the key holds what a rotation cannot move;
    409 signer.rotation_under_way: another one of this name has not ended. Then nothing was changed."""
    runtime = runtime_of(request, body.chain_id)
    before = next((row for row in await runtime.journal.rotations() if row["idempotency_key"] == key), None)
    if before is not None:
        if (before["name"], before["force"]) != (key_ref, body.force):
            raise Conflict("this Idempotency-Key came before with another request", code="transaction.key_reused")
        response.status_code = 200
        return _view(before)
    plan = await _planned(runtime.chain, key_ref)
    asked = {
        "operation_id": new_id("op"),
        "idempotency_key": key,
        "requested_by": asked_by,
        "correlation_id": correlation_id(),
    }
    operation_id, _ = await runtime.journal.request_rotation({**plan, **asked, "force": body.force})
    await runtime.runner.accept(operation_id)
    return _view(await _row(runtime, operation_id))


@router.get(
    "/v1/signers/{key_ref}/rotate",
    dependencies=[Depends(require_service("api", "cli"))],
    summary="How far the last rotation of a key is",
)
async def get_rotation(request: Request, key_ref: Name, chain_id: int) -> RotationView:
    rows = await runtime_of(request, chain_id).journal.rotations()
    found = next((row for row in rows if row["name"] == key_ref), None)
    if found is None:
        raise NotFound("rotation")
    return _view(found)


async def _planned(chain: Chain, name: str) -> dict[str, Any]:
    """Everything a rotation needs to know. Raises RoleNotMovable, PlatformNotDeployed, DependencyUnavailable, Invalid."""
    if name != name_of(name):
        raise Invalid(f"{name} is a version: rotate {name_of(name)}", code="signer.not_a_name")
    if ":" in name:
        raise RoleNotMovable("wallets of investors and issuers are recovered, not rotated")
    now: Held = chain.book.of(name)
    new_key = next_key(name, now.epoch)
    old_address, new_address = await chain.signer.address(now.key_ref), await chain.signer.address(new_key)
    try:
        (await held(chain, old_address)).require_movable(name)
    except (RpcUnavailable, RpcError) as error:
        raise DependencyUnavailable(f"the node did not answer: {error}") from error
    return {"name": name, "old_key": now.key_ref, "new_key": new_key, "old_address": old_address, "new_address": new_address,
            "from_epoch": now.epoch, "not_after": int(utc_now().timestamp()) + PATIENCE_S}  # fmt: skip


async def _row(runtime: ChainRuntime, operation_id: str) -> Record:
    return next(row for row in await runtime.journal.rotations() if row["operation_id"] == operation_id)


def _view(row: Record) -> RotationView:
    return RotationView(**{name: row[name] for name in RotationView.model_fields})
