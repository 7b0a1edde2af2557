"""Long-running work inside the api process: consumers, heartbeats, the outbox relay, the sealer. Every task here is safe to run in several replicas at once."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

from tokenx_api import chain_events, relay
from tokenx_api.audit import consumer as sealer
from tokenx_api.context import AppContext
from tokenx_api.notifications import consumer as notifications
from tokenx_api.orders import consumer as executions
from tokenx_api.orders.service import sweep as open_orders
from tokenx_api.payments import consumer as payment_sandbox
from tokenx_api.reconciliation import consumer as reconciliation
from tokenx_api.settlement.service import batch as settlements
from tokenx_api.streams.service.background import announce_commits, beat_commands
from tokenx_api.subscriptions import consumer as subscriptions
from tokenx_common.essential import stop
from tokenx_common.log import get_logger

log = get_logger(__name__)

Background = Callable[[AppContext], Awaitable[None]]

BACKGROUND: tuple[Background, ...] = (
    announce_commits,
    beat_commands,
    executions.run,
    open_orders.run,
    settlements.run,
    relay.run,
    chain_events.run,
    payment_sandbox.run,
    subscriptions.run,
    sealer.run,
    notifications.run,
    reconciliation.run,
)
"""Each runs for ever; one that fails is logged and started again after a second."""


@asynccontextmanager
async def run_background(context: AppContext) -> AsyncGenerator[None]:
    """All background tasks while the block lasts; cancelled and awaited at its end."""
    tasks = [asyncio.create_task(_for_ever(work, context), name=work.__module__) for work in BACKGROUND]
    try:
        yield
    finally:
        await stop(tasks)


async def _for_ever(work: Background, context: AppContext) -> None:
    while True:
        try:
            await work(context)
        except (
            Exception
        ):  # whatever broke, the other tasks and the requests go on; the log line is an error a human must see
            log.exception("background.crashed", work=f"{work.__module__}.{work.__qualname__}")
        await asyncio.sleep(1)
