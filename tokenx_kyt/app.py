"""The wiring of kyt on one screen."""

import asyncio
import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

from fastapi import FastAPI

from tokenx_common.health import HealthRegistry
from tokenx_common.http import service_app
from tokenx_common.log import get_logger
from tokenx_kyt.routes import router
from tokenx_kyt.service import KytService
from tokenx_kyt.settings import KytSettings

log = get_logger(__name__)


def create_app(settings: KytSettings) -> FastAPI:
    """Kyt, ready to serve; it takes its lease and opens its streams in the background."""
    health = HealthRegistry()
    service = KytService(settings)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncGenerator[None]:
        work = asyncio.create_task(service.run(), name="kyt")
        work.add_done_callback(_stop_if_crashed)
        yield
        work.cancel()
        with suppress(asyncio.CancelledError):
            await work
        await service.close()

    app = service_app("kyt", settings, title="Token-x KYT", lifespan=lifespan, health=health)
    app.state.service = service
    health.add("streams", service.ready)
    health.add("risk", service.provider.health, critical=False)
    health.add("redis", service.bus.ping, critical=False)
    app.include_router(router)
    return app


def _stop_if_crashed(work: "asyncio.Task[None]") -> None:
    """A service that no longer watches must not look alive: leave at once and let the supervisor start it again."""
    if not work.cancelled() and (error := work.exception()) is not None:
        log.error("kyt.crashed", exc_info=error)
        os._exit(1)
