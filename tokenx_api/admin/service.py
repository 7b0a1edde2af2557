"""The state of the whole platform, as its services report it."""

import asyncio
from typing import Final

import httpx

from tokenx_api.admin.models import HealthReport, ServiceHealth
from tokenx_api.settings import ApiSettings

_TIMEOUT_S: Final = 3.0


async def health(settings: ApiSettings) -> HealthReport:
    """Ask every service at once whether it is ready. Never raises for one that is not."""
    urls = {
        "api": settings.api_url,
        "chain": settings.chain_url,
        "matcher": settings.matcher_url,
        "kyt": settings.kyt_url,
    }
    async with httpx.AsyncClient(timeout=_TIMEOUT_S) as http:
        services = await asyncio.gather(*(_ask(http, name, url) for name, url in urls.items()))
    found = {service.status for service in services}
    status = "down" if "down" in found else "degraded" if "degraded" in found else "ok"
    return HealthReport(status=status, services=list(services))


async def _ask(http: httpx.AsyncClient, name: str, url: str) -> ServiceHealth:
    try:
        report = (await http.get(f"{url}/health/ready")).json()
        return ServiceHealth.model_validate({"service": name, "detail": "answered", **report})
    except (httpx.HTTPError, ValueError, TypeError) as error:
        return ServiceHealth(
            service=name, status="down", detail=f"did not answer: {type(error).__name__}", dependencies={}
        )
