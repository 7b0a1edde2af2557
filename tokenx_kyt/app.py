"""The wiring of kyt on one screen."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from tokenx_common.essential import essential
from tokenx_common.health import HealthRegistry
from tokenx_common.http import service_app
from tokenx_kyt.routes import router
from tokenx_kyt.service import KytService
from tokenx_kyt.settings import KytSettings


def create_app(settings: KytSettings) -> FastAPI:
    """Kyt, ready to serve; it takes its lease and opens its streams in the background."""
    health = HealthRegistry()
    service = KytService(settings)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncGenerator[None]:
        async with essential({"kyt": service.run}):
            yield
        await service.close()

    app = service_app("kyt", settings, title="Token-x KYT", lifespan=lifespan, health=health)
    app.state.service = service
    health.add("streams", service.ready)
    health.add("risk", service.provider.health, critical=False)
    health.add("redis", service.bus.ping, critical=False)
    app.include_router(router)
    return app
