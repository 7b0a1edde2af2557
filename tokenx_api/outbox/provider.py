"""The door to the Temporal server: connects when first needed, and says plainly when there is none."""

from datetime import timedelta
from typing import Any, Final

from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from tokenx_common.errors import DependencyUnavailable

_RPC_TIMEOUT: Final = timedelta(seconds=5)
_AWAY: Final = {
    RPCStatusCode.UNAVAILABLE,
    RPCStatusCode.DEADLINE_EXCEEDED,
    RPCStatusCode.CANCELLED,
    RPCStatusCode.UNKNOWN,
}


class TemporalUnavailable(DependencyUnavailable):
    """No server, or none that answers: what needs a workflow waits in the outbox."""

    code = "temporal.unavailable"


class Temporal:
    """Starts and signals workflows, each at most once per id."""

    def __init__(self, *, address: str, namespace: str, task_queue: str) -> None:
        self._address = address
        self._namespace = namespace
        self._task_queue = task_queue
        self._client: Client | None = None

    async def start(self, *, workflow: str, workflow_id: str, argument: dict[str, Any]) -> None:
        """Start a workflow; one that was ever started under this id stays as it is. Raises TemporalUnavailable."""
        client = await self._connected()
        try:
            await client.start_workflow(
                workflow,
                argument,
                id=workflow_id,
                task_queue=self._task_queue,
                id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                rpc_timeout=_RPC_TIMEOUT,
            )
        except WorkflowAlreadyStartedError:
            return
        except RPCError as error:
            raise _translated(error) from error

    async def signal(self, *, workflow_id: str, signal: str, argument: dict[str, Any]) -> None:
        """Signal a workflow; one that has ended needs no signal. Raises TemporalUnavailable, RPCError when there is no such workflow."""
        handle = (await self._connected()).get_workflow_handle(workflow_id)
        try:
            await handle.signal(signal, argument, rpc_timeout=_RPC_TIMEOUT)
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND and await self._has_ended(workflow_id):
                return
            raise _translated(error) from error

    async def _has_ended(self, workflow_id: str) -> bool:
        client = await self._connected()
        try:
            found = await client.get_workflow_handle(workflow_id).describe(rpc_timeout=_RPC_TIMEOUT)
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return False
            raise _translated(error) from error
        return found.status is not WorkflowExecutionStatus.RUNNING

    async def check(self) -> str:
        """The server's address when it serves. Raises TemporalUnavailable."""
        client = await self._connected()
        try:
            await client.service_client.check_health(timeout=timedelta(seconds=1))
        except RPCError as error:
            raise _translated(error) from error
        return self._address

    async def _connected(self) -> Client:
        if not self._address:
            raise TemporalUnavailable("TEMPORAL_ADDRESS is empty: what needs a workflow waits in the outbox")
        if self._client is None:
            try:
                self._client = await Client.connect(self._address, namespace=self._namespace, identity="tokenx.api")
            except RuntimeError as error:  # what the SDK raises when nobody answers
                raise TemporalUnavailable(f"no Temporal server at {self._address}") from error
        return self._client


def _translated(error: RPCError) -> Exception:
    return TemporalUnavailable(f"temporal: {error.message}") if error.status in _AWAY else error
