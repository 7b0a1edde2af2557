"""The wiring of the matcher on one screen."""

import asyncio
import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

from fastapi import FastAPI

from tokenx_common.health import HealthRegistry
from tokenx_common.http import service_app
from tokenx_common.log import get_logger
from tokenx_matcher.routes import router
from tokenx_matcher.service import MatcherService
from tokenx_matcher.settings import MatcherSettings

log = get_logger(__name__)


def create_app(settings: MatcherSettings) -> FastAPI:
    """The matcher, ready to serve; it takes its lease and opens its books in the background."""
    health = HealthRegistry()
    service = MatcherService(settings)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncGenerator[None]:
        work = asyncio.create_task(service.run(), name="matcher")
        work.add_done_callback(_stop_if_crashed)
        yield
        work.cancel()
        with suppress(asyncio.CancelledError):
            await work
        await service.close()

    app = service_app("matcher", settings, title="Token-x matcher", lifespan=lifespan, health=health)
    app.state.service = service
    health.add("books", service.ready)
    health.add("redis", service.bus.ping, critical=False)
    app.include_router(router)
    return app


def _stop_if_crashed(work: "asyncio.Task[None]") -> None:
    """A matcher that no longer matches must not look alive: leave at once and let the supervisor start it again."""
    if not work.cancelled() and (error := work.exception()) is not None:
        log.error("matcher.crashed", exc_info=error)
        os._exit(1)
