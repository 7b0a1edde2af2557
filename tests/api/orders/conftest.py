"""Fixtures of a market."""

from collections.abc import AsyncIterator

import pytest

from tests.api.orders.venue import Venue, a_live_venue, a_venue
from tests.support.servers import ServiceKeys, ValkeyServer
from tokenx_cli.runtime.migrate import DatabaseUrls


@pytest.fixture
async def venue(database: DatabaseUrls, service_keys: ServiceKeys) -> AsyncIterator[Venue]:
    """A fresh market whose matcher the test moves."""
    async with a_venue(database, service_keys) as market:
        yield market


@pytest.fixture
async def live(database: DatabaseUrls, service_keys: ServiceKeys, valkey: ValkeyServer) -> AsyncIterator[Venue]:
    """A fresh market that moves by itself."""
    async with a_live_venue(database, service_keys, valkey.url("api")) as market:
        yield market


@pytest.fixture(scope="module")
async def wide(module_database: DatabaseUrls, service_keys: ServiceKeys) -> AsyncIterator[Venue]:
    """One market for many small tests: lots of 10 units, ticks of 5 cents."""
    async with a_venue(module_database, service_keys) as market:
        await market.seed.rows.execute("UPDATE api.offerings SET lot_size_units = 10, tick_size_minor = 5")
        yield market
