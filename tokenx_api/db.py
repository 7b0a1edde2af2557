"""The connection pool and the two kinds of connection. A use case that writes asks for a WriteConn, so a read path that writes does not type-check.

One request is one transaction, opened at the edge (deps.py, consumers); services never commit."""

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final, NewType

import asyncpg

if TYPE_CHECKING:
    Connection = asyncpg.pool.PoolConnectionProxy[asyncpg.Record]
    Pool = asyncpg.Pool[asyncpg.Record]
    Record = asyncpg.Record
else:
    Connection = asyncpg.pool.PoolConnectionProxy
    Pool = asyncpg.Pool
    Record = asyncpg.Record

ReadConn = NewType("ReadConn", Connection)
"""Inside a read-only transaction, or outside any."""
WriteConn = NewType("WriteConn", ReadConn)
"""Inside a transaction that the edge commits. May be used wherever a ReadConn is asked for."""


UNAVAILABLE: Final = (
    asyncpg.PostgresConnectionError, asyncpg.InterfaceError, asyncpg.OperatorInterventionError, asyncpg.InsufficientResourcesError,
    asyncpg.TransactionRollbackError, ConnectionError, TimeoutError,
    asyncpg.InternalClientError,  # what asyncpg says of a connection that dies between two messages of one query
)  # fmt: skip
"""The server is away, restarting or overloaded, or gave up on a deadlock. Answered with 503: to try again is safe, because what creates
something carries a key of the client's and finds what an unanswered first try may have committed."""


class Database:
    """The pool; reconnects by itself after a server restart."""

    def __init__(self, url: str, *, size: int) -> None:
        self._url = url
        self._size = size
        self._pool: Pool | None = None

    async def open(self) -> None:
        self._pool = await asyncpg.create_pool(
            self._url, min_size=2, max_size=self._size, init=_init_connection, reset=_keep_session, command_timeout=30, timeout=5,
            server_settings={"application_name": "tokenx_api", "timezone": "UTC"},
        )  # fmt: skip

    async def close(self) -> None:
        if self._pool is not None:
            self._pool.terminate()

    @property
    def pool(self) -> Pool:
        assert self._pool is not None, "open() first"
        return self._pool

    @asynccontextmanager
    async def write(self) -> AsyncGenerator[WriteConn]:
        """One transaction, committed when the block ends without an exception."""
        async with self.pool.acquire(timeout=5) as connection, connection.transaction():
            yield WriteConn(ReadConn(connection))

    @asynccontextmanager
    async def read(self) -> AsyncGenerator[ReadConn]:
        """One connection, outside a transaction: each statement sees the latest commit."""
        async with self.pool.acquire(timeout=5) as connection:
            yield ReadConn(connection)

    async def ping(self) -> str:
        """'ok' after an authenticated round trip."""
        async with self.pool.acquire(timeout=2) as connection:
            await connection.fetchval("SELECT 1")
        return "ok"


async def _init_connection(connection: Any) -> None:
    await connection.set_type_codec("jsonb", encoder=json.dumps, decoder=json.loads, schema="pg_catalog")


async def _keep_session(_connection: Any) -> None:
    """Instead of asyncpg's RESET ALL and so on, a round trip per release: no code sets anything that outlives its transaction, and an open
    transaction was rolled back before this is called."""
