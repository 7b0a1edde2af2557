"""Plays the people, the workflow and the chain of a redemption against an api in process."""

from dataclasses import dataclass
from typing import Any

import httpx

from tests.api.builders import CHAIN_ID, SeededInvestor, SeededOffering
from tests.api.in_process import Api
from tokenx_api.auth.models import Actor
from tokenx_api.chain_events import ChainEvents
from tokenx_common.stream import Batch

STREAM = f"chain:{CHAIN_ID}"


@dataclass
class Driver:
    api: Api
    holder: SeededInvestor
    offering: SeededOffering
    agent: Actor
    redemption_id: str = ""
    consumed_in_background: bool = False
    """Whether the api's own consumer runs and takes in what the chain says."""

    async def request(self, units: str = "40", key: str = "k1") -> httpx.Response:
        """The holder asks."""
        async with self.api.as_actor(self.holder.actor) as client:
            body = {"offering_id": self.offering.offering_id, "units": units}
            answer = await client.post("/v1/redemptions", json=body, headers={"Idempotency-Key": key})
        if answer.status_code == 201:
            self.redemption_id = answer.json()["redemption_id"]
        return answer

    async def decide(self, verb: str, actor: Actor | None = None) -> httpx.Response:
        """The transfer agent approves or rejects."""
        async with self.api.as_actor(actor or self.agent) as client:
            return await client.post(f"/v1/redemptions/{self.redemption_id}:{verb}", json={"reason": "checked by hand"})

    async def step(self, step: str, key: str = "") -> Any:
        """The workflow takes a step; the phase afterwards."""
        async with self.api.service("api") as worker:
            answer = await worker.post(
                f"/internal/redemptions/{self.redemption_id}:{step}",
                json={},
                headers={"Idempotency-Key": key or f"redemption:{self.redemption_id}:{step}"},
            )
        assert answer.status_code == 200, answer.text
        return answer.json()["phase"]

    async def chain_says(self, step: str, *, error: str | None = None) -> str:
        """The chain ends the operation of a step; returns its id."""
        operation_id: str = await self.api.seed.value(
            "SELECT operation_id FROM chain.operations WHERE business_ref = $1 ORDER BY operation_id DESC LIMIT 1",
            f"redemption:{self.redemption_id}:{step}",
        )
        outcome: dict[str, Any] = {"error_code": error, "error_detail": "no"} if error else {"result": {}}
        ended = {"operation_id": operation_id, "kind": "x", **outcome}
        await self.tell("operation.failed" if error else "operation.final", ended)
        return operation_id

    async def tell(self, event_type: str, payload: dict[str, Any]) -> None:
        """One more event of the chain, taken in."""
        await self.api.seed.lease(STREAM)
        async with self.api.service("chain") as chain:
            head = (await chain.get(f"/internal/chain/streams/{CHAIN_ID}")).json()["seq"]
            item = {"seq": head + 1, "event_id": f"e:{head + 1}", "type": event_type, "occurred_at": "2026-01-01T00:00:00Z",
                    "correlation_id": "cor_1", "payload": payload}  # fmt: skip
            body = {"epoch": 1, "chain_id": CHAIN_ID, "prev_seq": head, "checkpoint": {"block_number": 1, "block_hash": "0x1"}, "items": [item]}  # fmt: skip
            assert (await chain.post("/internal/chain/events", json=body)).status_code == 200
        if not self.consumed_in_background:
            assert await ChainEvents(self.api.context).commit(Batch(STREAM, 1, head, [item]))

    async def status(self) -> str:
        return await self.api.seed.value(
            "SELECT status FROM api.redemptions WHERE redemption_id = $1", self.redemption_id
        )

    async def account(self, owner: str, asset: str) -> tuple[int, int]:
        """(balance, reserved)."""
        row = await self.api.seed.rows.fetchrow(
            "SELECT balance, reserved FROM api.ledger_accounts WHERE owner = $1 AND asset = $2", owner, asset
        )
        return (row["balance"], row["reserved"]) if row else (0, 0)

    async def units(self) -> tuple[int, int]:
        """The holder's (balance, reserved) of the offering."""
        return await self.account(f"investor:{self.holder.investor_id}", self.offering.offering_id)

    async def cash(self) -> int:
        """The holder's cash in cents."""
        return (await self.account(f"investor:{self.holder.investor_id}", "USD"))[0]
