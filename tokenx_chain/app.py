"""The chain service's app: settings in, one runtime per chain, health of each."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from tokenx_chain.contracts.artifacts import Artifacts
from tokenx_chain.networks.catalog import NETWORKS
from tokenx_chain.routes import router
from tokenx_chain.runtime import ChainRuntime
from tokenx_chain.settings import ChainSettings
from tokenx_chain.signers.base import Signer
from tokenx_chain.signers.factory import make_signer
from tokenx_common.bus import Bus
from tokenx_common.essential import essential
from tokenx_common.health import HealthRegistry
from tokenx_common.http import ServiceClient, service_app
from tokenx_common.service_auth import ServiceSigner


def create_app(settings: ChainSettings) -> FastAPI:
    """Raises UnknownSigner, BadSeed or ArtifactsMissing, each with one plain line."""
    signer = make_signer(settings)
    artifacts = Artifacts(settings.contracts_dir)
    artifacts.check()
    health = HealthRegistry()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
        api = ServiceClient("api", settings.api_url, app.state.service_signer)
        bus = Bus(settings.redis_url.get_secret_value())
        runtimes = _runtimes(settings, api=api, bus=bus, signer=signer, artifacts=artifacts)
        app.state.runtimes = runtimes
        _watch(health, runtimes, bus)
        try:
            async with essential({f"chain:{number}": runtime.run for number, runtime in runtimes.items()}):
                yield
        finally:
            await bus.close()
            await api.close()

    app = service_app("chain", settings, title="Token-x chain service", lifespan=lifespan, health=health)
    assert isinstance(app.state.service_signer, ServiceSigner)
    app.state.signer = signer
    app.include_router(router)
    return app


def _runtimes(settings: ChainSettings, *, api: ServiceClient, bus: Bus, signer: Signer, artifacts: Artifacts) -> dict[int, ChainRuntime]:  # fmt: skip
    return {
        number: ChainRuntime(NETWORKS[number], settings.rpc_urls[number], api=api, bus=bus, signer=signer, artifacts=artifacts)
        for number in settings.chain_ids
    }  # fmt: skip


def _watch(health: HealthRegistry, runtimes: dict[int, ChainRuntime], bus: Bus) -> None:
    health.add("redis", bus.ping, critical=False)
    for number, runtime in runtimes.items():
        health.add(f"node:{number}", runtime.probe_node)
        health.add(f"lease:{number}", runtime.probe_lease)
        health.add(f"gas:{number}", runtime.probe_gas, critical=False)
