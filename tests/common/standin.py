"""A small stand-in of the api (or a neighbour) inside the test's event loop: real HTTP, real service tokens, leases as the api keeps them."""

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, nullcontext
from typing import Annotated, Any

import uvicorn
from fastapi import APIRouter, Body, Depends, FastAPI

from tests.support.servers import ServiceKeys
from tokenx_cli.runtime import ports
from tokenx_common.clock import monotonic_s
from tokenx_common.errors import Conflict, StaleEpoch
from tokenx_common.problems import install_problem_handlers
from tokenx_common.service_auth import ServiceVerifier, require_service

PATIENCE_S = 15.0


async def until(condition: Callable[[], bool | Awaitable[bool]], what: str, *, within_s: float = PATIENCE_S) -> None:
    """Wait for a condition. Fails with `what` when it does not come true."""
    deadline = monotonic_s() + within_s
    while True:
        found = condition()
        if found if isinstance(found, bool) else await found:
            return
        assert monotonic_s() < deadline, f"after {within_s} s still not: {what}"
        await asyncio.sleep(0.01)


class Leases:
    """Resource -> (holder, epoch, expires)."""

    def __init__(self) -> None:
        self._held: dict[str, tuple[str, int, float]] = {}

    def take(self, resource: str, holder: str, ttl_s: float) -> int:
        owner, epoch, expires = self._held.get(resource, ("", 0, 0.0))
        if owner and owner != holder and monotonic_s() < expires:
            raise Conflict("another instance holds the lease", code="lease.held", retry_after_s="1")
        epoch += owner != holder
        self._held[resource] = (holder, epoch, monotonic_s() + ttl_s)
        return epoch

    def release(self, resource: str, holder: str) -> None:
        owner, epoch, _ = self._held.get(resource, ("", 0, 0.0))
        if owner == holder:
            self._held[resource] = ("", epoch, 0.0)

    def steal(self, resource: str) -> None:
        """As if the holder had expired and another instance had been quicker."""
        _, epoch, _ = self._held.get(resource, ("", 0, 0.0))
        self._held[resource] = ("somebody else", epoch + 1, monotonic_s() + 3600)

    def check(self, resource: str, epoch: int) -> None:
        """Raises StaleEpoch for anything but the current epoch."""
        if epoch != self._held.get(resource, ("", 0, 0.0))[1]:
            raise StaleEpoch("a newer instance holds the lease")


class StandInApi:
    """Subclasses add their routes to `router`. url is valid while `serving` runs."""

    def __init__(self, keys: ServiceKeys, callers: tuple[str, ...], *, name: str = "api") -> None:
        self.port = ports.free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.leases = Leases()
        self.router = APIRouter(dependencies=[Depends(require_service(*callers))])
        self.router.add_api_route("/internal/leases/{resource}", self._take, methods=["POST"])
        self.router.add_api_route("/internal/leases/{resource}", self._release, methods=["DELETE"])
        self._name = name
        self._keys = keys

    async def _take(self, resource: str, body: Annotated[Mapping[str, Any], Body()]) -> dict[str, Any]:
        ttl_s = min(1.5, float(body["ttl_s"]))  # the tests kill often; nobody wants to wait
        epoch = self.leases.take(resource, body["holder"], ttl_s)
        return {"resource": resource, "epoch": epoch, "expires_at": "2026-11-22T00:00:00Z"}

    async def _release(self, resource: str, holder: str, epoch: int) -> None:
        self.leases.release(resource, holder)

    @asynccontextmanager
    async def serving(self) -> AsyncGenerator[None]:
        """Serve until the block ends."""
        app = FastAPI()
        app.state.service_verifier = ServiceVerifier(self._name, json.loads(self._keys.public_json))
        install_problem_handlers(app)
        app.include_router(self.router)
        server = uvicorn.Server(
            uvicorn.Config(app, host="127.0.0.1", port=self.port, log_config=None, access_log=False)
        )
        server.capture_signals = nullcontext  # pyright: ignore[reportAttributeAccessIssue]  # signals belong to pytest
        task = asyncio.create_task(server.serve())
        await until(lambda: server.started, "the stand-in listens")
        try:
            yield
        finally:
            server.should_exit = True
            await task
