"""Open orders that must go: of investors who were frozen or revoked, and day orders of earlier days. Replicas may all sweep: a cancel is sent once."""

import asyncio
from typing import Final

import asyncpg

from tokenx_api.context import AppContext
from tokenx_api.orders import queries
from tokenx_api.orders.errors import OrderNotOpen
from tokenx_api.orders.models import CancelReason
from tokenx_api.orders.service.cancel import cancel
from tokenx_common.log import get_logger

log = get_logger(__name__)

EVERY_S: Final = 0.5
BATCH: Final = 200
ACTOR: Final = "service:api"


async def run(context: AppContext) -> None:
    """For ever."""
    while True:
        try:
            await sweep(context)
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
            log.warning("orders.sweep_failed", error=f"{type(error).__name__}: {error}")
        await asyncio.sleep(EVERY_S)


async def sweep(context: AppContext) -> int:
    """One round; returns the number of cancels sent. A trading day ends at midnight UTC."""
    today = context.clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
    async with context.db.read() as conn:
        revoked = await queries.select_to_revoke(conn, BATCH)
        expired = await queries.select_to_expire(conn, opened_before=today, limit=BATCH)
    sent = [await _cancel(context, order_id, "compliance_revoked") for order_id in revoked]
    sent += [await _cancel(context, order_id, "day_end") for order_id in expired]
    return sum(sent)


async def _cancel(context: AppContext, order_id: str, reason: CancelReason) -> bool:
    try:
        async with context.db.write() as conn:
            result = await cancel(conn, order_id=order_id, investor_id=None, reason=reason, actor=ACTOR)
    except OrderNotOpen:  # closed since it was selected: that is what was wanted
        return False
    if result.command is None:
        return False
    context.announcer.put(result.command.stream, result.command.item)
    return True
