"""The whole wiring of the api on one screen: context, routers, background work."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import asyncpg
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from tokenx_api.admin.routes import router as admin
from tokenx_api.agency.routes import router as agency
from tokenx_api.ats.routes import router as ats
from tokenx_api.audit.routes import router as audit
from tokenx_api.auth.routes import router as auth
from tokenx_api.background import run_background
from tokenx_api.captable.routes import router as captable
from tokenx_api.compliance.routes import router as compliance
from tokenx_api.context import AppContext
from tokenx_api.db import UNAVAILABLE, Database
from tokenx_api.dead_letters import router as dead_letters
from tokenx_api.investors.routes import router as investors
from tokenx_api.issuers.routes import router as issuers
from tokenx_api.lms.routes import router as lms
from tokenx_api.notifications.routes import router as notifications
from tokenx_api.offerings.routes import router as offerings
from tokenx_api.orders.routes import router as orders
from tokenx_api.payments.routes import router as payments
from tokenx_api.portfolio.routes import router as portfolio
from tokenx_api.redemptions.routes import internal as redemptions_internal
from tokenx_api.redemptions.routes import router as redemptions
from tokenx_api.relay import temporal
from tokenx_api.settings import ApiSettings
from tokenx_api.settlement.routes import router as settlement
from tokenx_api.streams.routes import router as streams
from tokenx_api.subscriptions.routes import router as subscriptions
from tokenx_api.surveillance.routes import internal as surveillance_internal
from tokenx_api.surveillance.routes import router as surveillance
from tokenx_api.tokenization.routes import internal as tokenization_internal
from tokenx_api.tokenization.routes import router as tokenization
from tokenx_api.trades.routes import router as trades
from tokenx_api.users.routes import router as users
from tokenx_api.wallets.routes import router as wallets
from tokenx_common.bus import Bus
from tokenx_common.clock import SystemClock
from tokenx_common.health import HealthRegistry, Probe
from tokenx_common.http import ServiceClient, service_app
from tokenx_common.log import get_logger
from tokenx_common.problems import problem
from tokenx_common.service_auth import ServiceSigner

log = get_logger(__name__)

ROUTERS = (
    orders,  # first: a request is matched against the routers in turn, and orders come most often
    auth, users, investors, issuers, wallets, offerings, subscriptions, payments, compliance, tokenization, agency, captable, portfolio,
    trades, settlement, redemptions, surveillance, ats, notifications, audit, lms, admin, streams,
    tokenization_internal, surveillance_internal, redemptions_internal, dead_letters,
)  # fmt: skip


def create_app(settings: ApiSettings) -> FastAPI:
    """The api, ready to serve; connections open in its lifespan."""
    health = HealthRegistry()
    context = _context(settings)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncGenerator[None]:
        await context.db.open()
        async with run_background(context):
            yield
        await context.bus.close()
        await context.db.close()

    app = service_app("api", settings, title="Token-x API", lifespan=lifespan, health=health)
    app.state.context = context
    health.add("postgresql", context.db.ping)
    health.add("redis", context.bus.ping, critical=False)
    for name, client in (("chain", context.chain), ("matcher", context.matcher), ("kyt", context.kyt)):
        health.add(name, _liveness(client), critical=False)
    health.add("temporal", temporal(context).check, critical=False)
    for router in ROUTERS:
        app.include_router(router)
    for error in UNAVAILABLE:
        app.add_exception_handler(error, _database_unavailable)
    app.add_exception_handler(asyncpg.CharacterNotInRepertoireError, _text_not_storable)
    return app


def _context(settings: ApiSettings) -> AppContext:
    signer = ServiceSigner("api", settings.service_private_key.get_secret_value())
    return AppContext(
        settings=settings,
        db=Database(settings.database_url.get_secret_value(), size=settings.database_pool_size),
        bus=Bus(settings.redis_url.get_secret_value()),
        clock=SystemClock(),
        chain=ServiceClient("chain", settings.chain_url, signer),
        matcher=ServiceClient("matcher", settings.matcher_url, signer),
        kyt=ServiceClient("kyt", settings.kyt_url, signer),
    )


async def _database_unavailable(_request: Request, error: Exception) -> JSONResponse:
    log.warning("request.database_unavailable", error=f"{type(error).__name__}: {error}")
    return problem(
        503, "dependency.unavailable", "the database does not answer; try again", headers={"Retry-After": "1"}
    )


async def _text_not_storable(_request: Request, _error: Exception) -> JSONResponse:
    return problem(422, "request.text_not_storable", "a text holds a character that cannot be stored, such as NUL")


def _liveness(client: ServiceClient) -> Probe:
    async def probe() -> str:
        return str((await client.get("/health/live"))["status"])

    return probe
