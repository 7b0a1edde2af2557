"""The wiring of the matcher on one screen."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from tokenx_common.essential import essential
from tokenx_common.health import HealthRegistry
from tokenx_common.http import service_app
from tokenx_matcher.routes import router
from tokenx_matcher.service import MatcherService
from tokenx_matcher.settings import MatcherSettings


def create_app(settings: MatcherSettings) -> FastAPI:
    """The matcher, ready to serve; it takes its lease and opens its books in the background."""
    health = HealthRegistry()
    service = MatcherService(settings)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncGenerator[None]:
        async with essential({"matcher": service.run}):
            yield
        await service.close()

    app = service_app("matcher", settings, title="Token-x matcher", lifespan=lifespan, health=health)
    app.state.service = service
    health.add("books", service.ready)
    health.add("redis", service.bus.ping, critical=False)
    app.include_router(router)
    return app
