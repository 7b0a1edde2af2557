"""Who carries out what the outbox holds: the chain service, Temporal, the payment provider, the mail sandbox."""

from collections.abc import Mapping
from functools import partial

from tokenx_api.context import AppContext
from tokenx_api.outbox.consumer import Relay
from tokenx_api.outbox.models import Deliver, Entry, Kind
from tokenx_api.outbox.provider import Temporal
from tokenx_common.log import get_logger

log = get_logger(__name__)


async def run(context: AppContext) -> None:
    """Relay for ever."""
    await Relay(context.db, context.wakeups, deliveries(context)).run()


def temporal(context: AppContext) -> Temporal:
    """The Temporal server of the settings, not yet connected."""
    settings = context.settings
    return Temporal(
        address=settings.temporal_address,
        namespace=settings.temporal_namespace,
        task_queue=settings.temporal_task_queue,
    )


def deliveries(context: AppContext) -> Mapping[Kind, Deliver]:
    """One receiver per kind."""
    server = temporal(context)
    return {
        "chain_operation": partial(_to_chain, context),
        "workflow_start": partial(_start_workflow, server),
        "workflow_signal": partial(_signal_workflow, server),
        "notification": _to_mail_sandbox,
    }


async def _to_chain(context: AppContext, entry: Entry) -> None:
    """The chain service knows an operation by its id, so handing it over twice is harmless."""
    await context.chain.post("/v1/operations", entry.payload)


async def _start_workflow(server: Temporal, entry: Entry) -> None:
    payload = entry.payload
    await server.start(workflow=payload["workflow"], workflow_id=payload["workflow_id"], argument=payload["argument"])


async def _signal_workflow(server: Temporal, entry: Entry) -> None:
    payload = entry.payload
    await server.signal(workflow_id=payload["workflow_id"], signal=payload["signal"], argument=payload["argument"])


async def _to_mail_sandbox(entry: Entry) -> None:
    """EMAIL_BACKEND=sandbox: nothing leaves the machine; the outbox row keeps what would have been sent."""
    log.info("notification.sandboxed", outbox_id=entry.outbox_id, template=entry.payload.get("template"))
