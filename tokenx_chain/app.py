"""The chain service's app: settings in, one runtime per chain, health of each."""

import asyncio
import os
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
from tokenx_common.health import HealthRegistry
from tokenx_common.http import ServiceClient, service_app
from tokenx_common.log import get_logger
from tokenx_common.service_auth import ServiceSigner

log = get_logger(__name__)

EXIT_FAILED = 1


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
        tasks = [asyncio.create_task(_run(runtime), name=f"chain:{number}") for number, runtime in runtimes.items()]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
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


async def _run(runtime: ChainRuntime) -> None:
    """A chain that dies takes the process with it: a restart reads the journal and goes on, half a service would not."""
    try:
        await runtime.run()
    except asyncio.CancelledError:
        raise
    except BaseException as error:  # whatever it was, it is logged and the process ends
        log.error("chain.crashed", chain_id=runtime.chain.network.chain_id, exc_info=error)
        os._exit(EXIT_FAILED)
