"""An api with its background work, a worker process of its own behind a proxy that can hold calls, and a real Temporal server."""

from collections.abc import AsyncIterator

import pytest

from tests.support.servers import PostgresServer, ServiceKeys, ValkeyServer
from tests.workflows.stage import Stage, raise_stage


@pytest.fixture
async def stage(
    postgres: PostgresServer, valkey: ValkeyServer, service_keys: ServiceKeys, temporal: str
) -> AsyncIterator[Stage]:
    """A holder, an offering and a transfer agent; the worker is not started yet."""
    with postgres.new_database() as database:
        async with raise_stage(database, valkey.url("api"), service_keys, temporal) as raised:
            yield raised
