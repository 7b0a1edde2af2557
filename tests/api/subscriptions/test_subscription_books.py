"""Random journeys of subscriptions: after each step the books agree with the subscriptions. Races: each step happens once."""

import asyncio
import random
from dataclasses import dataclass
from typing import Any, Final

import pytest

from tests.api.harness import Client
from tests.api.world import REASON, World
from tokenx_api.subscriptions import service
from tokenx_common.ids import new_id

STEPS: Final = 40
HELD: Final = """
    SELECT s.investor_id, coalesce(sum(s.amount_minor) FILTER (WHERE s.status IN ('funded', 'accepted')), 0)::bigint AS due,
           coalesce(sum(r.amount), 0)::bigint AS held, a.reserved, a.balance
    FROM api.subscriptions s JOIN api.ledger_accounts a ON a.owner = 'investor:' || s.investor_id AND a.asset = 'USD'
    LEFT JOIN api.reservations r ON r.ref = s.subscription_id AND r.account_id = a.account_id
    WHERE s.offering_id = $1 GROUP BY s.investor_id, a.reserved, a.balance"""
UNITS: Final = """
    SELECT coalesce(-(SELECT balance FROM api.ledger_accounts WHERE owner = 'issuance:' || $1), 0)::bigint AS supply,
           coalesce(sum(units) FILTER (WHERE status = 'issued'), 0)::bigint AS issued,
           coalesce(sum(units) FILTER (WHERE status IN ('awaiting_funds', 'funded', 'accepted', 'issued')), 0)::bigint AS taken
    FROM api.subscriptions WHERE offering_id = $1"""
UNBALANCED: Final = """
    SELECT p.entry_id FROM api.ledger_postings p JOIN api.ledger_accounts a USING (account_id)
    GROUP BY p.entry_id, a.asset HAVING sum(p.amount) <> 0"""


@dataclass
class Journey:
    """One offering of 30 units, two investors, and what may happen to them."""

    world: World
    issuer: Client
    offering_id: str
    investors: list[Client]
    chance: random.Random

    async def step(self) -> None:
        await self.chance.choice([self.subscribe, self.subscribe, self.deposit, self.decide, self.chain, self.chain])()

    async def subscribe(self) -> None:
        body = {"offering_id": self.offering_id, "units": str(self.chance.randint(1, 8))}
        client = self.chance.choice(self.investors)
        answer = await client.send("POST", "/v1/subscriptions", body, Idempotency_Key=new_id("cor"))
        assert answer.status_code in (201, 409), answer.text

    async def deposit(self) -> None:
        amount = f"{self.chance.randint(1, 600)}.{self.chance.randint(0, 99):02d}"
        await self.world.deposit(self.chance.choice(self.investors), amount)

    async def decide(self) -> None:
        for row in await self.rows():
            verb = self.chance.choice(["accept", "reject", "nothing"])
            if verb != "nothing":
                answer = await self.issuer.send("POST", f"/v1/subscriptions/{row['subscription_id']}:{verb}")
                assert answer.status_code in (200, 409), answer.text

    async def chain(self) -> None:
        waiting = [row for row in await self.rows() if row["operation_id"] and row["status"] == "accepted"]
        for row in waiting[:1]:
            subscription_id, operation_id = row["subscription_id"], row["operation_id"]
            async with self.world.api.context.db.write() as conn:
                if self.chance.random() < 0.7:
                    await service.on_operation_final(conn, subscription_id, operation_id, {})
                else:
                    await service.on_operation_failed(conn, subscription_id, operation_id, "chain.reverted", "luck")

    async def rows(self) -> list[dict[str, Any]]:
        return (await self.issuer.get(f"/v1/subscriptions?offering_id={self.offering_id}"))["data"]

    async def check(self) -> None:
        fetch = self.world.api.fetch
        for row in await fetch(HELD, self.offering_id):
            assert row["due"] == row["held"] == row["reserved"] <= row["balance"], row
        [units] = await fetch(UNITS, self.offering_id)
        assert units["supply"] == units["issued"], units
        assert units["taken"] <= 30, units
        assert await fetch(UNBALANCED) == []


async def test_books_agree_after_every_step(world: World) -> None:
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")
    issuer, _ = await world.issuer()
    offering = await world.offering(issuer, max_units="30")
    investors = [(await world.investor())[0] for _ in range(2)]
    journey = Journey(world, issuer, offering["offering_id"], investors, random.Random(seed))
    for _ in range(STEPS):
        await journey.step()
        await journey.check()


@pytest.mark.parametrize("verbs", [("accept", "accept", "accept"), ("accept", "reject", "accept", "reject")])
async def test_decisions_at_once_happen_once(world: World, verbs: tuple[str, ...]) -> None:
    issuer, _ = await world.issuer()
    offering = await world.offering(issuer)
    client, investor_id = await world.investor()
    await world.deposit(client, "100.00")
    body = {"offering_id": offering["offering_id"], "units": "1"}
    made = await client.post("/v1/subscriptions", body, Idempotency_Key=new_id("cor"))
    path = f"/v1/subscriptions/{made['subscription_id']}"
    answers = await asyncio.gather(*(issuer.send("POST", f"{path}:{verb}") for verb in verbs))
    assert sorted(answer.status_code for answer in answers) == [200, *[409] * (len(verbs) - 1)]
    status = next(answer.json()["status"] for answer in answers if answer.status_code == 200)
    operations = await world.api.fetch(
        "SELECT 1 FROM chain.operations WHERE business_ref = $1", f"subscription:{made['subscription_id']}"
    )
    assert len(operations) == (1 if status == "accepted" else 0)
    assert (await world.cash(investor_id)).reserved == (10_000 if status == "accepted" else 0)


async def test_approvals_at_once_register_once(world: World) -> None:
    _, investor_id = await world.investor(registered=False)
    officer = await world.staff("compliance_officer")
    path = f"/v1/investors/{investor_id}:approve-kyc"
    answers = await asyncio.gather(*(officer.send("POST", path, REASON) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
    operations = await world.api.fetch(
        "SELECT 1 FROM chain.operations WHERE business_ref = $1", f"investor:{investor_id}"
    )
    assert len(operations) == 1
