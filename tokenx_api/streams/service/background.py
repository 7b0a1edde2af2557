"""The api's side of its own streams as background tasks: announcing what was committed, and heartbeats so that a lost last announcement is found too."""

from collections.abc import Iterable
from typing import Final

import asyncpg

from tokenx_api.context import AppContext
from tokenx_api.streams import service
from tokenx_common.errors import DependencyUnavailable
from tokenx_common.stream import beat

BEAT_EVERY_S: Final = 0.25


async def announce_commits(context: AppContext) -> None:
    """Publish for ever what requests and consumers put into the announcer after their commits."""
    await context.announcer.run(context.bus, epoch=service.COMMAND_EPOCH)


async def beat_commands(context: AppContext) -> None:
    """Publish the head of every command stream for ever. Replicas may all do it: a head is a fact."""

    async def heads() -> Iterable[tuple[str, int, int]]:
        try:
            async with context.db.read() as conn:
                return await service.command_heads(conn)
        except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise DependencyUnavailable(f"postgresql: {error}") from error

    await beat(context.bus, heads, every_s=BEAT_EVERY_S)
