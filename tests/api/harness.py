"""The api, served on a free port of loopback with a real database, and a stand-in for the chain service that only knows wallets."""

import asyncio
import hashlib
import itertools
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import asyncpg
import httpx
import uvicorn
from fastapi import FastAPI
from pydantic import SecretStr

from tests.support.servers import ServiceKeys
from tokenx_api.app import create_app
from tokenx_api.auth import service as auth
from tokenx_api.auth.models import Persona
from tokenx_api.context import AppContext
from tokenx_api.settings import ApiSettings
from tokenx_api.users import service as users
from tokenx_cli.runtime import ports
from tokenx_cli.runtime.migrate import DatabaseUrls
from tokenx_common.service_auth import ServiceSigner

PASSWORD: Final = "correct horse battery"
PERSONAS: Final[tuple[Persona, ...]] = (
    "investor", "issuer", "compliance_officer", "transfer_agent", "tokenization_agent", "ats_operator", "admin",
)  # fmt: skip
ORIGIN: Final = "http://127.0.0.1:3100"
OTHER_ORIGIN: Final = "http://localhost:3100"
_numbers = itertools.count(1)


@dataclass
class Client:
    """A signed-in program: a bearer token on every call. Answers are checked against `expect` and come decoded."""

    http: httpx.AsyncClient
    headers: dict[str, str]
    user_id: str = ""

    async def send(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        """The raw answer. Header names are written with underscores."""
        extra = {name.replace("_", "-"): value for name, value in headers.items()}
        self.http.cookies.clear()  # programs carry a token; a cookie left by a sign-in would make them browsers
        return await self.http.request(method, path, json=body, headers={**self.headers, **extra})

    async def get(self, path: str, expect: int = 200) -> Any:
        return _decoded(await self.send("GET", path), expect)

    async def post(self, path: str, body: Any = None, expect: int = 201, **headers: str) -> Any:
        return _decoded(await self.send("POST", path, {} if body is None else body, **headers), expect)


def _decoded(response: httpx.Response, expect: int) -> Any:
    assert response.status_code == expect, response.text
    return response.json() if response.content else None


@dataclass
class Api:
    """A running api and ways to act on it."""

    url: str
    context: AppContext
    database: DatabaseUrls
    keys: ServiceKeys
    http: httpx.AsyncClient

    def service(self, name: str) -> Client:
        """Another service, with a token of its own."""
        return Client(
            self.http, {"Authorization": f"Bearer {ServiceSigner(name, self.keys.private(name)).token('api')}"}
        )

    @property
    def anonymous(self) -> Client:
        return Client(self.http, {})

    async def bootstrap(self, *personas: str, email: str | None = None) -> str:
        """A new account with these personas; its address."""
        address = email or f"user{next(_numbers)}@example.test"
        user = {"email": address, "password": PASSWORD, "display_name": "Test User", "personas": list(personas)}
        await self.service("cli").post("/internal/bootstrap/users", {"users": [user]}, expect=200)
        return address

    async def login(self, email: str) -> Client:
        session = await self.anonymous.post("/v1/auth/sessions", {"email": email, "password": PASSWORD})
        return Client(self.http, {"Authorization": f"Bearer {session['token']}"}, session["user"]["user_id"])

    async def user(self, *personas: Persona) -> Client:
        """A new account, signed in. It has no password: hashing one takes a while, and only sign-in tests need it."""
        async with self.context.db.write() as conn:
            user_id = await users.create_user(
                conn,
                email=f"user{next(_numbers)}@example.test",
                display_name="Test User",
                password_hash="none",
                personas=personas,
            )
            session, _ = await auth.open_session(conn, user_id=user_id, now=self.context.clock.now())
        return Client(self.http, {"Authorization": f"Bearer {session.token}"}, user_id)

    async def fetch(self, sql: str, *arguments: Any) -> list[dict[str, Any]]:
        """Rows as a superuser sees them."""
        connection = await asyncpg.connect(self.database.superuser_url)
        try:
            return [dict(row) for row in await connection.fetch(sql, *arguments)]
        finally:
            await connection.close()


REFUSALS: dict[str, dict[str, Any]] = {}
"""What the stand-in's /v1/simulate refuses, by a part of the request's text, such as an address."""


def chain_stub() -> FastAPI:
    """POST /v1/wallets as the chain service answers it: the same address for the same key_ref. /v1/simulate allows what is not in REFUSALS."""
    app = FastAPI()

    @app.post("/v1/wallets")
    async def wallets(body: dict[str, str]) -> dict[str, str]:  # pyright: ignore[reportUnusedFunction]  # a route
        return {"key_ref": body["key_ref"], "address": address_of(body["key_ref"])}

    @app.post("/v1/simulate")
    async def simulate(body: dict[str, Any]) -> dict[str, Any]:  # pyright: ignore[reportUnusedFunction]  # a route
        text = json.dumps(body["params"]) + body["kind"]
        found = next((refusal for part, refusal in REFUSALS.items() if part in text), None)
        return found or {"ok": True, "reason": None, "reason_code": None, "side": None, "rule": None}

    @app.post("/v1/transactions/{tx_id}/cancel")
    async def cancel(tx_id: str, chain_id: int) -> dict[str, Any]:  # pyright: ignore[reportUnusedFunction]  # a route
        return {"tx_id": tx_id, "chain_id": chain_id}

    @app.get("/health/live")
    async def live() -> dict[str, str]:  # pyright: ignore[reportUnusedFunction]  # a route
        return {"status": "ok"}

    @app.get("/health/ready")
    async def ready() -> dict[str, Any]:  # pyright: ignore[reportUnusedFunction]  # a route
        return {"status": "ok", "dependencies": {}}

    return app


def address_of(key_ref: str) -> str:
    return "0x" + hashlib.sha256(key_ref.encode()).hexdigest()[:40]


@asynccontextmanager
async def serve(app: FastAPI, port: int) -> AsyncGenerator[None]:
    """The app on a port of loopback for the length of the block."""
    config = uvicorn.Config(app, host="127.0.0.1", port=port, log_config=None, access_log=False,
                            timeout_graceful_shutdown=1)  # fmt: skip
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    async with asyncio.timeout(15):
        while not server.started:
            if task.done():
                task.result()
                raise RuntimeError("the app did not start")
            await asyncio.sleep(0.01)
    try:
        yield
    finally:
        server.should_exit = True
        await task


@asynccontextmanager
async def running_api(database: DatabaseUrls, redis_url: str, keys: ServiceKeys) -> AsyncGenerator[Api]:
    """An api with its background work, and the chain stand-in. matcher and kyt do not answer."""
    port, chain_port, nobody = ports.free_port(), ports.free_port(), ports.free_port()
    settings = ApiSettings(
        port=port,
        redis_url=SecretStr(redis_url),
        database_url=SecretStr(database.api_url),
        database_pool_size=8,
        api_url=f"http://127.0.0.1:{port}",
        chain_url=f"http://127.0.0.1:{chain_port}",
        matcher_url=f"http://127.0.0.1:{nobody}",
        kyt_url=f"http://127.0.0.1:{nobody}",
        web_origin=f"{ORIGIN},{OTHER_ORIGIN}",
        service_private_key=SecretStr(keys.private("api")),
        service_public_keys=keys.public_json,  # pyright: ignore[reportArgumentType]  # parsed from JSON, as from the environment
    )
    app = create_app(settings)
    async with (
        serve(chain_stub(), chain_port),
        serve(app, port),
        httpx.AsyncClient(base_url=settings.api_url, timeout=10) as http,
    ):
        yield Api(settings.api_url, app.state.context, database, keys, http)
