"""The workflow's hands: each activity is one call of the api, under a key that makes its effect happen once. The worker holds no database credential."""

import asyncio
from collections.abc import Awaitable
from typing import Any, Final

from temporalio import activity
from temporalio.exceptions import ApplicationError

from tokenx_api.redemptions.models import StepCall
from tokenx_common.correlation import bind_correlation_id
from tokenx_common.errors import TokenxError
from tokenx_common.http import ServiceClient

HEARTBEAT_EVERY_S: Final = 1.0
_PASSING: Final = frozenset({401, 408, 425, 429})
"""Refusals that pass by themselves."""


class RedemptionActivities:
    """Made by the worker around its client of the api."""

    def __init__(self, api: ServiceClient) -> None:
        self._api = api

    @activity.defn
    async def open_redemption(self, call: StepCall) -> str:
        """Ask for a decision. Like all of these: the phase the redemption is in afterwards."""
        return await self._step("open", call)

    @activity.defn
    async def expire_redemption(self, call: StepCall) -> str:
        """Nobody decided in time."""
        return await self._step("expire", call)

    @activity.defn
    async def burn_units(self, call: StepCall) -> str:
        """Have the units destroyed on chain."""
        return await self._step("burn", call)

    @activity.defn
    async def pay_out(self, call: StepCall) -> str:
        """Have the cash paid."""
        return await self._step("payout", call)

    @activity.defn
    async def close_redemption(self, call: StepCall) -> str:
        """Write the statement and close."""
        return await self._step("close", call)

    @activity.defn
    async def look(self, call: StepCall) -> str:
        """Only ask where it stands."""
        bind_correlation_id(call.correlation_id)
        return await _phase(self._api.get(f"/internal/redemptions/{call.redemption_id}"))

    async def _step(self, step: str, call: StepCall) -> str:
        bind_correlation_id(call.correlation_id)
        path = f"/internal/redemptions/{call.redemption_id}:{step}"
        return await _phase(self._api.post(path, headers={"Idempotency-Key": call.key}))


async def _phase(request: Awaitable[Any]) -> str:
    """The phase of the answer. A refusal of the api ends the workflow; trouble on the way is tried again."""
    heartbeat = asyncio.create_task(_heartbeat())
    try:
        return str((await request)["phase"])
    except TokenxError as error:
        is_final = 400 <= error.status < 500 and error.status not in _PASSING
        raise ApplicationError(error.detail, type=error.code, non_retryable=is_final) from error
    finally:
        heartbeat.cancel()


async def _heartbeat() -> None:
    """Tells the server that this worker lives; without it a killed worker is noticed only when the activity's time is up."""
    while True:
        activity.heartbeat()
        await asyncio.sleep(HEARTBEAT_EVERY_S)
