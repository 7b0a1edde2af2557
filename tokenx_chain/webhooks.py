"""What key services tell us. No service token: each body is verified by its sender's own signature, and believed only as a hint to look."""

from fastapi import APIRouter, Request
from starlette.requests import ClientDisconnect

from tokenx_chain.signers.desk import SigningDesk
from tokenx_chain.signers.errors import NotSupported
from tokenx_common.errors import Conflict, Invalid, TokenxError
from tokenx_common.http import MAX_BODY_BYTES
from tokenx_common.wire import WireModel

webhooks = APIRouter()


class OtherBackend(Conflict):
    """The service signs with another backend: whoever sends this is configured for another service."""

    code = "signer.other_backend"


class WebhookSeen(WireModel):
    """jobs: how many signing jobs the event named and were looked at."""

    jobs: int


@webhooks.post("/v1/webhooks/fireblocks", summary="Transaction events of Fireblocks, verified by their signature")
async def fireblocks_webhook(request: Request) -> WebhookSeen:
    """401 signer.forged_webhook: not theirs, nothing was looked at. 409: another backend runs. 503: sent again by them."""
    desk: SigningDesk = request.app.state.signer
    if desk.backend != "fireblocks":
        raise OtherBackend(f"SIGNER_BACKEND is {desk.backend}")
    try:
        return WebhookSeen(jobs=await desk.on_webhook(dict(request.headers), await _body(request)))
    except NotSupported as error:
        raise OtherBackend(error.detail) from error


async def _body(request: Request) -> bytes:
    """All of it. Bounded here too, because a body may come without its length."""
    body = bytearray()
    try:
        async for part in request.stream():
            body += part
            if len(body) > MAX_BODY_BYTES:
                raise TokenxError(f"at most {MAX_BODY_BYTES} bytes", code="request.too_large", status=413)
    except ClientDisconnect as error:
        raise Invalid("the body ended early") from error
    return bytes(body)
