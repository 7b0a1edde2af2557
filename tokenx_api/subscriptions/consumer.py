"""What waits for cash: subscriptions for a deposit to settle, accepted ones for the deposit to be on chain. Looks when cash moved and each
second; row locks make it safe in several replicas."""

from collections.abc import Awaitable, Callable
from typing import Final

import asyncpg

from tokenx_api.context import AppContext
from tokenx_api.db import WriteConn
from tokenx_api.subscriptions import queries, service
from tokenx_common.log import get_logger

log = get_logger(__name__)

WAKEUP: Final = "cash"
_POLL_S: Final = 1.0
_BATCH: Final = 100


async def run(context: AppContext) -> None:
    """Move on what can move, for ever."""
    while True:
        try:
            await _step(context)
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
            log.warning("subscriptions.database_unavailable", error=str(error))
        await context.wakeups.wait(WAKEUP, timeout_s=_POLL_S)


async def _step(context: AppContext) -> None:
    async with context.db.read() as conn:
        fundable = await queries.select_fundable(conn, limit=_BATCH)
        issuable = await queries.select_issuable(conn, limit=_BATCH)
    await _each(context, fundable, service.fund)
    if issuable:
        await _each(context, issuable, service.issue_when_cash_is_there)
        context.wakeups.ring("outbox")


async def _each(context: AppContext, ids: list[str], step: Callable[[WriteConn, str], Awaitable[bool]]) -> None:
    for subscription_id in ids:
        async with context.db.write() as conn:
            moved = await step(conn, subscription_id)
        if moved:
            log.info("subscription.moved_on", subscription_id=subscription_id, step=step.__name__)
