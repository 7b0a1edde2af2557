"""Fixtures for the tests of the api's domains."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.api.harness import Api, running_api
from tests.api.world import World
from tests.support.servers import PostgresServer, ServiceKeys, ValkeyServer


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def api(postgres: PostgresServer, valkey: ValkeyServer, service_keys: ServiceKeys) -> AsyncIterator[Api]:
    """One api and one database for the whole run: use users and symbols of your own, and count nothing but your own rows."""
    with postgres.new_database() as database:
        async with running_api(database, valkey.url("api"), service_keys) as running:
            yield running


@pytest.fixture(scope="session")
def world(api: Api) -> World:
    """People and offerings on that api."""
    return World(api)
