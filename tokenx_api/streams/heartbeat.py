"""Heartbeats of the command streams, so that the matcher finds a lost last announcement too."""

from collections.abc import Iterable
from typing import Final

import asyncpg

from tokenx_api.context import AppContext
from tokenx_api.streams import service
from tokenx_common.errors import DependencyUnavailable
from tokenx_common.stream import beat

EVERY_S: Final = 0.25


async def run(context: AppContext) -> None:
    """Publish the head of every command stream for ever. Replicas may all do it: a head is a fact."""

    async def heads() -> Iterable[tuple[str, int, int]]:
        try:
            async with context.db.read() as conn:
                return await service.command_heads(conn)
        except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise DependencyUnavailable(f"postgresql: {error}") from error

    await beat(context.bus, heads, every_s=EVERY_S)
