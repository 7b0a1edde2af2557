"""The chain service's app: settings in, one runtime per chain, health of each."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from tokenx_chain.contracts.artifacts import Artifacts
from tokenx_chain.networks.catalog import NETWORKS
from tokenx_chain.policy.routes import router as policies
from tokenx_chain.rotations import router as rotations
from tokenx_chain.routes import router
from tokenx_chain.runtime import ChainRuntime
from tokenx_chain.settings import ChainSettings
from tokenx_chain.signers.desk import SigningDesk
from tokenx_chain.signers.errors import SignerUnavailable
from tokenx_chain.signers.factory import open_desk, preflight
from tokenx_chain.signers.settings import SignerSettings
from tokenx_chain.webhooks import webhooks
from tokenx_common.bus import Bus
from tokenx_common.essential import essential
from tokenx_common.health import HealthRegistry
from tokenx_common.http import ServiceClient, service_app
from tokenx_common.service_auth import ServiceSigner


def create_app(settings: ChainSettings, signers: SignerSettings) -> FastAPI:
    """Raises SignerConfigError or ArtifactsMissing, each with one plain line."""
    preflight(signers)
    artifacts = Artifacts(settings.contracts_dir)
    artifacts.check()
    health = HealthRegistry()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
        async with open_desk(signers) as signer:
            api = ServiceClient("api", settings.api_url, app.state.service_signer)
            bus = Bus(settings.redis_url.get_secret_value())
            runtimes = _runtimes(settings, api=api, bus=bus, signer=signer, artifacts=artifacts)
            app.state.signer, app.state.runtimes = signer, runtimes
            _watch(health, runtimes, bus, signer)
            try:
                async with essential({f"chain:{number}": runtime.run for number, runtime in runtimes.items()}):
                    yield
            finally:
                await bus.close()
                await api.close()

    app = service_app("chain", settings, title="Token-x chain service", lifespan=lifespan, health=health)
    assert isinstance(app.state.service_signer, ServiceSigner)
    app.include_router(router)
    app.include_router(policies)
    app.include_router(rotations)
    app.include_router(webhooks)
    return app


def _runtimes(settings: ChainSettings, *, api: ServiceClient, bus: Bus, signer: SigningDesk, artifacts: Artifacts) -> dict[int, ChainRuntime]:  # fmt: skip
    return {
        number: ChainRuntime(NETWORKS[number], settings.reach[number], api=api, bus=bus, signer=signer, artifacts=artifacts,
                             backend=signer.backend, most_open=settings.chain_intents_per_key)
        for number in settings.chain_ids
    }  # fmt: skip


def _watch(health: HealthRegistry, runtimes: dict[int, ChainRuntime], bus: Bus, signer: SigningDesk) -> None:
    async def probe_signer() -> str:
        told = await signer.health()
        if not told.ok:
            raise SignerUnavailable(told.detail)
        return f"{signer.backend}: {told.detail}"

    # Not critical: without a signer everything waits, but what is asked is answered, and a webhook must still get in.
    health.add("signer", probe_signer, critical=False)
    health.add("redis", bus.ping, critical=False)
    for number, runtime in runtimes.items():
        health.add(f"node:{number}", runtime.probe_node)
        health.add(f"lease:{number}", runtime.probe_lease)
        health.add(f"gas:{number}", runtime.probe_gas, critical=False)
