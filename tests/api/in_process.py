"""The api called in process on a fresh database for each test. Background work does not run unless a test starts it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import asyncpg
import httpx
import pytest
from fastapi import FastAPI, Request

from tests.api.builders import Seed
from tests.support.servers import ServiceKeys
from tokenx_api.app import create_app
from tokenx_api.auth.models import Actor
from tokenx_api.context import AppContext
from tokenx_api.deps import current_actor
from tokenx_api.settings import ApiSettings
from tokenx_cli.runtime.migrate import DatabaseUrls
from tokenx_common.service_auth import ServiceSigner

NO_REDIS = "redis://127.0.0.1:1/0"
"""Nobody listens there: what works in these tests works without Redis."""


def api_settings(database_url: str, keys: ServiceKeys, **changed: str) -> ApiSettings:
    """Settings of an api on this database; the other services are not there."""
    values = {
        "database_url": database_url,
        "redis_url": NO_REDIS,
        "service_private_key": keys.private("api"),
        "service_public_keys": keys.public_json,
        "chain_url": "http://127.0.0.1:1",
        "matcher_url": "http://127.0.0.1:1",
        "kyt_url": "http://127.0.0.1:1",
    }
    return ApiSettings.model_validate(values | changed)


@dataclass
class Api:
    """The app, its context, and clients of every kind of caller."""

    app: FastAPI
    context: AppContext
    seed: Seed
    keys: ServiceKeys

    def service(self, name: str) -> httpx.AsyncClient:
        """A client with a service's own token."""
        token = ServiceSigner(name, self.keys.private(name)).token("api")
        return self._client({"Authorization": f"Bearer {token}"})

    def anonymous(self) -> httpx.AsyncClient:
        return self._client({})

    def as_actor(self, actor: Actor) -> httpx.AsyncClient:
        """A client whose session belongs to the actor; how sessions work is tested with auth."""
        client = self._client({"X-Test-Actor": actor.user_id})
        self._actors[actor.user_id] = actor
        return client

    def _client(self, headers: dict[str, str]) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(app=self.app, raise_app_exceptions=False)
        return httpx.AsyncClient(transport=transport, base_url="http://api", headers=headers)

    def __post_init__(self) -> None:
        self._actors: dict[str, Actor] = {}

        async def from_header(request: Request) -> Actor:
            found = self._actors.get(request.headers.get("x-test-actor", ""))
            return found or await current_actor(request, self.context)

        self.app.dependency_overrides[current_actor] = from_header


@pytest.fixture
async def api(database: DatabaseUrls, service_keys: ServiceKeys) -> AsyncIterator[Api]:
    """An api on a fresh database."""
    app = create_app(api_settings(database.api_url, service_keys))
    context: AppContext = app.state.context
    await context.db.open()
    rows = await asyncpg.connect(database.superuser_url)
    yield Api(app, context, Seed(rows), service_keys)
    await rows.close()
    await context.bus.close()
    await context.db.close()
