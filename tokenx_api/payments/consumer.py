"""The sandbox provider's side: a moment after a payment was asked for, it calls back over HTTP, as a real provider would.

What is pending is read from the database, so nothing is forgotten over a restart, and several replicas do no harm: a callback may come twice."""

import asyncio
from datetime import timedelta
from typing import Final

import asyncpg

from tokenx_api.context import AppContext
from tokenx_api.payments import queries
from tokenx_api.payments.provider import SandboxProvider
from tokenx_common.errors import TokenxError
from tokenx_common.http import ServiceClient
from tokenx_common.log import get_logger
from tokenx_common.service_auth import ServiceSigner

log = get_logger(__name__)

SETTLES_AFTER: Final = timedelta(milliseconds=200)
WAKEUP: Final = "payments"
_POLL_S: Final = 1.0
_BATCH: Final = 100


async def run(context: AppContext) -> None:
    """Call back for every pending payment, for ever."""
    signer = ServiceSigner("api", context.settings.service_private_key.get_secret_value())
    client = ServiceClient("api", context.settings.api_url, signer)
    try:
        while True:
            if await _settle_due(context, client):
                await asyncio.sleep(SETTLES_AFTER.total_seconds())
            else:
                await context.wakeups.wait(WAKEUP, timeout_s=_POLL_S)
    finally:
        await client.close()


async def _settle_due(context: AppContext, client: ServiceClient) -> bool:
    """Whether there were pending payments."""
    try:
        async with context.db.read() as conn:
            pending = await queries.select_pending(conn, provider=SandboxProvider().name, limit=_BATCH)
        due = context.clock.now() - SETTLES_AFTER
        for provider_ref, created_at in pending:
            if created_at <= due:
                await client.post(f"/internal/sandbox/payments/{provider_ref}:settle")
    except (TokenxError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
        log.warning("sandbox.callback_failed", error=str(error))
        return False
    return bool(pending)
