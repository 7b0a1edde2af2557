"""Fixtures of a market."""

from collections.abc import AsyncIterator

import pytest

from tests.api.in_process import Api
from tests.api.orders.venue import Venue, a_live_venue, a_venue, quiet_api
from tests.support.servers import ServiceKeys, ValkeyServer
from tokenx_cli.runtime.migrate import DatabaseUrls


@pytest.fixture(scope="module")
async def quiet(module_database: DatabaseUrls, service_keys: ServiceKeys) -> AsyncIterator[Api]:
    """One api for a module, without background work."""
    async with quiet_api(module_database, service_keys) as api:
        yield api


@pytest.fixture
async def venue(quiet: Api) -> Venue:
    """A fresh market whose matcher the test moves."""
    return await a_venue(quiet)


@pytest.fixture(scope="module")
async def wide(quiet: Api) -> Venue:
    """One market for many small tests: lots of 10 units, ticks of 5 cents."""
    return await a_venue(quiet, tick=5, lot=10)


@pytest.fixture
async def live(database: DatabaseUrls, service_keys: ServiceKeys, valkey: ValkeyServer) -> AsyncIterator[Venue]:
    """A fresh market that moves by itself."""
    async with a_live_venue(database, service_keys, valkey.url("api")) as market:
        yield market
