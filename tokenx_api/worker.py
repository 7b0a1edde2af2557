"""`python -m tokenx_api.worker`: the Temporal worker. It acts through the api's internal routes, holds no database credential and listens nowhere.

Without a server it waits for one; SIGTERM lets running activities end, then stops."""

import asyncio
import os
import signal
import sys
from datetime import timedelta
from typing import Final, Literal

from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict
from temporalio.client import Client
from temporalio.service import RPCError
from temporalio.worker import Worker

from tokenx_api.redemptions.activities import RedemptionActivities
from tokenx_api.redemptions.workflow import RedemptionWorkflow
from tokenx_common.http import ServiceClient
from tokenx_common.log import configure_logging, get_logger
from tokenx_common.service_auth import ServiceSigner
from tokenx_common.settings import load_settings

log = get_logger(__name__)

RECONNECT_S: Final = 1.0
GRACE: Final = timedelta(seconds=4)
IDENTITY: Final = "tokenx.worker"
"""In every history event; the SDK's own default names the machine."""


class WorkerSettings(BaseSettings):
    """What the worker reads from its environment; see .env.example. service_private_key: the api's own."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", case_sensitive=False)

    temporal_address: str
    temporal_namespace: str = "default"
    temporal_task_queue: str = "tokenx"
    api_url: str = "http://127.0.0.1:8100"
    service_private_key: SecretStr
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["json", "console"] = "json"


async def run(settings: WorkerSettings, stopped: asyncio.Event) -> None:
    """Work until `stopped` is set, through every loss of the server."""
    api = ServiceClient(
        "api", settings.api_url, ServiceSigner("api", settings.service_private_key.get_secret_value()), timeout_s=10
    )
    try:
        while not stopped.is_set():
            try:
                client = await Client.connect(
                    settings.temporal_address, namespace=settings.temporal_namespace, identity=IDENTITY
                )
                await _serve(client, settings, api, stopped)
            except (
                RPCError,
                RuntimeError,
                OSError,
            ) as error:  # RuntimeError is what the SDK raises when nobody answers
                log.warning("worker.waiting_for_server", address=settings.temporal_address, error=str(error)[:200])
                await _pause(stopped)
    finally:
        await api.close()


def make_worker(client: Client, settings: WorkerSettings, api: ServiceClient) -> Worker:
    """Every workflow and activity of the platform."""
    redemption = RedemptionActivities(api)
    return Worker(
        client,
        task_queue=settings.temporal_task_queue,
        workflows=[RedemptionWorkflow],
        activities=[
            redemption.open_redemption, redemption.expire_redemption, redemption.burn_units, redemption.pay_out,
            redemption.close_redemption, redemption.look,
        ],
        graceful_shutdown_timeout=GRACE,
        max_concurrent_workflow_tasks=20,
    )  # fmt: skip


async def _serve(client: Client, settings: WorkerSettings, api: ServiceClient, stopped: asyncio.Event) -> None:
    async with make_worker(client, settings, api):
        log.info("worker.started", address=settings.temporal_address, task_queue=settings.temporal_task_queue)
        await stopped.wait()
    log.info("worker.stopped")


async def _pause(stopped: asyncio.Event) -> None:
    try:
        await asyncio.wait_for(stopped.wait(), RECONNECT_S)
    except TimeoutError:
        return


async def _main(settings: WorkerSettings) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    await run(settings, stopped)


def main() -> None:
    """Work until SIGTERM."""
    settings = load_settings(WorkerSettings)
    configure_logging("worker", settings)
    asyncio.run(_main(settings))
    # The SDK's native threads may still call into the interpreter while it shuts down, which aborts it (temporalio 1.35, one exit in two
    # on a busy machine). Everything is closed by now, so nothing is lost by leaving at once.
    sys.stderr.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
