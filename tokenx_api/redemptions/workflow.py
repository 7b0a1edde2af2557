"""One redemption from request to statement, durable: it may wait days for a person and survives every restart on the way.

The api's rows decide what is true. Signals are bells: they only make the workflow look again, so they may come twice, late or never."""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any, Final

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from tokenx_api.redemptions.activities import RedemptionActivities
    from tokenx_api.redemptions.models import WORKFLOW, Bell, StepCall, WorkflowInput, WorkflowResult

DECISION_TIME: Final = timedelta(hours=48)
LOOK_FOR_DECISION: Final = timedelta(hours=1)
LOOK_FOR_CHAIN: Final = timedelta(seconds=30)
"""How long to wait for a bell before looking without one."""
PAYOUT_ATTEMPTS: Final = 5
PAYOUT_PAUSE: Final = timedelta(minutes=1)

_UNDECIDED: Final = frozenset({"requested", "awaiting_approval"})
_ENDED: Final = frozenset({"closed", "rejected", "failed"})
_KNOWN: Final = _UNDECIDED | _ENDED | {"approved", "burning", "burned", "paying", "paid"}
_RETRY: Final = RetryPolicy(
    initial_interval=timedelta(milliseconds=500),
    maximum_interval=timedelta(seconds=15),
    non_retryable_error_types=["KeyError", "TypeError", "ValueError", "AttributeError", "AssertionError"],
)
"""For ever while the api is away. Our own mistakes are not tried again: they would fail the same way."""

Activity = Callable[[RedemptionActivities, StepCall], Coroutine[Any, Any, str]]


@workflow.defn(name=WORKFLOW, failure_exception_types=[Exception])
class RedemptionWorkflow:
    """Request -> decision -> burn -> payout -> statement. Any exception fails the run visibly instead of being retried for ever."""

    def __init__(self) -> None:
        self._phase = "requested"
        self._rung = 0
        self._heard = 0

    @workflow.run
    async def run(self, request: WorkflowInput) -> WorkflowResult:
        self._request = request
        await self._do(RedemptionActivities.open_redemption, "open")
        await self._wait_for_decision()
        if self._phase == "approved":
            await self._do(RedemptionActivities.burn_units, "burn")
        await self._wait_while("burning")
        await self._pay()
        if self._phase == "paid":
            await self._do(RedemptionActivities.close_redemption, "close")
        if self._phase not in _ENDED:
            raise ApplicationError(f"the redemption ended in phase {self._phase}", non_retryable=True)
        return WorkflowResult(self._phase)

    @workflow.signal
    def decided(self, bell: Bell) -> None:
        """Somebody approved or rejected."""
        self._rung += 1

    @workflow.signal
    def chain_event(self, bell: Bell) -> None:
        """An operation of this redemption ended."""
        self._rung += 1

    @workflow.query
    def phase(self) -> str:
        """Where the workflow believes the redemption to be."""
        return self._phase

    async def _wait_for_decision(self) -> None:
        deadline = workflow.now() + DECISION_TIME
        while self._phase in _UNDECIDED and workflow.now() < deadline:
            await self._bell(min(LOOK_FOR_DECISION, deadline - workflow.now()))
            await self._do(RedemptionActivities.look, "look")
        if self._phase in _UNDECIDED:
            await self._do(RedemptionActivities.expire_redemption, "expire")

    async def _pay(self) -> None:
        for attempt in range(1, PAYOUT_ATTEMPTS + 1):
            if self._phase != "burned":
                return
            if attempt > 1:
                await asyncio.sleep((PAYOUT_PAUSE * 2 ** (attempt - 2)).total_seconds())
            await self._do(RedemptionActivities.pay_out, f"payout:{attempt}")
            await self._wait_while("paying")

    async def _wait_while(self, phase: str) -> None:
        while self._phase == phase:
            await self._bell(LOOK_FOR_CHAIN)
            await self._do(RedemptionActivities.look, "look")

    async def _bell(self, patience: timedelta) -> None:
        """Returns when a bell has rung since the last look began, or after `patience`."""
        try:
            await workflow.wait_condition(lambda: self._rung > self._heard, timeout=patience)
        except TimeoutError:
            return

    async def _do(self, work: Activity, step: str) -> None:
        self._heard = self._rung
        call = StepCall(
            redemption_id=self._request.redemption_id,
            key=f"{workflow.info().workflow_id}:{step}",
            correlation_id=self._request.correlation_id,
        )
        phase = await workflow.execute_activity_method(
            work, call, start_to_close_timeout=timedelta(seconds=20), heartbeat_timeout=timedelta(seconds=5), retry_policy=_RETRY
        )  # fmt: skip
        if phase not in _KNOWN:
            raise ValueError(f"the api reports a phase this version does not know: {phase!r}")
        self._phase = phase
