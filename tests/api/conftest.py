"""Fixtures for the tests of the api's domains."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.api.harness import Api, running_api
from tests.api.world import World
from tests.support.servers import ServiceKeys, ValkeyServer
from tokenx_cli.runtime.migrate import DatabaseUrls


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def api(module_database: DatabaseUrls, valkey: ValkeyServer, service_keys: ServiceKeys) -> AsyncIterator[Api]:
    """One api and one database for all tests of a module: use users and symbols of your own."""
    async with running_api(module_database, valkey.url("api"), service_keys) as running:
        yield running


@pytest.fixture(scope="module")
def world(api: Api) -> World:
    """People and offerings on that api."""
    return World(api)
