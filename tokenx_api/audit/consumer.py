"""The sealer: once a second it seals the audit rows of all transactions that have ended."""

import asyncio
from typing import Final

import asyncpg

from tokenx_api.audit import service
from tokenx_api.context import AppContext
from tokenx_common.log import get_logger

log = get_logger(__name__)

EVERY_S: Final = 1.0


async def run(context: AppContext) -> None:
    """Seal for ever. Replicas may all do it: one of them wins each time."""
    while True:
        sealed = 0
        try:
            async with context.db.write() as conn:
                sealed = await service.seal(conn)
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
            log.warning("audit.sealing_failed", error=str(error))
        if sealed < service.MAX_EVENTS_PER_SEAL:  # a full seal means there is more to do at once
            await asyncio.sleep(EVERY_S)
