"""Connections to a fresh database as each role."""

from collections.abc import AsyncIterator

import asyncpg
import pytest_asyncio

from tokenx_cli.runtime.migrate import DatabaseUrls


@pytest_asyncio.fixture
async def as_api(database: DatabaseUrls) -> "AsyncIterator[asyncpg.Connection[asyncpg.Record]]":
    connection = await asyncpg.connect(database.api_url)
    yield connection
    await connection.close()


@pytest_asyncio.fixture
async def as_superuser(database: DatabaseUrls) -> "AsyncIterator[asyncpg.Connection[asyncpg.Record]]":
    connection = await asyncpg.connect(database.superuser_url)
    yield connection
    await connection.close()
