"""Compares the books every minute, for ever. Replicas may all do it: a drift is one dead letter whoever finds it."""

from typing import Final

import asyncpg

from tokenx_api.context import AppContext
from tokenx_api.reconciliation import service
from tokenx_api.reconciliation.models import Drift
from tokenx_common.errors import TokenxError
from tokenx_common.log import get_logger

log = get_logger(__name__)

WAKEUP: Final = "reconciliation"
EVERY_S: Final = 60.0


async def run(context: AppContext) -> None:
    """Round after round. One in which a book could not be read is left out, and what the last one saw is kept."""
    before: list[Drift] = []
    while True:
        await context.wakeups.wait(WAKEUP, timeout_s=EVERY_S)
        try:
            now = await service.look(context)
            await service.raise_confirmed(context, before, now)
        except (TokenxError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
            log.warning("reconciliation.round_left_out", error=f"{type(error).__name__}: {error}")
            continue
        before = now
