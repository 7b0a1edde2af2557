"""A redemption holds the units, asks the gate twice, burns once, pays once, and never mints again by itself."""

import asyncio

import pytest

from tests.api.in_process import Api
from tests.api.redemptions.driver import Driver


@pytest.fixture
async def driver(api: Api) -> Driver:
    """A holder of 100 units at 10.00 each, and a transfer agent."""
    holder, offering = await api.seed.investor(), await api.seed.offering(unit_price_minor=1000)
    await api.seed.units(investor_id=holder.investor_id, offering_id=offering.offering_id, units=100)
    return Driver(api, holder, offering, await api.seed.user("transfer_agent"))


async def test_request_holds_units_and_starts_a_workflow_once(driver: Driver) -> None:
    first, again = await driver.request(), await driver.request()
    assert (first.status_code, again.json()) == (201, first.json())
    assert (first.json()["status"], first.json()["amount"]) == ("requested", "400.00")
    assert await driver.units() == (100, 40)
    payload = await driver.api.seed.value("SELECT payload FROM api.outbox WHERE kind = 'workflow_start'")
    assert f'"workflow_id": "redemption:{driver.redemption_id}"' in payload


async def test_request_without_a_key_is_refused(driver: Driver) -> None:
    async with driver.api.as_actor(driver.holder.actor) as client:
        answer = await client.post("/v1/redemptions", json={"offering_id": driver.offering.offering_id, "units": "1"})
    assert answer.json()["code"] == "idempotency.key_required"


async def test_more_than_held_is_refused_by_the_gate(driver: Driver) -> None:
    answer = await driver.request("101")
    assert (answer.status_code, answer.json()["code"]) == (403, "compliance.denied")
    assert answer.json()["decision_id"]
    assert await driver.units() == (100, 0)


async def test_frozen_holder_cannot_redeem(driver: Driver) -> None:
    await driver.api.seed.rows.execute("UPDATE api.investors SET frozen = true")
    assert (await driver.request()).json()["code"] == "compliance.denied"


async def test_whole_way_books_units_and_cash_once(driver: Driver) -> None:
    await driver.request()
    assert await driver.step("open") == "awaiting_approval"
    assert (await driver.decide("approve")).json()["status"] == "approved"
    assert await driver.step("burn") == "burning"
    burn = await driver.chain_says("burn")
    assert (await driver.units(), await driver.status()) == ((60, 0), "burned")
    assert await driver.step("payout", "payout:1") == "paying"
    payout = await driver.chain_says("payout")
    assert (await driver.cash(), await driver.status()) == (40_000, "paid")
    assert await driver.step("close") == "closed"
    async with driver.api.as_actor(driver.holder.actor) as client:
        statement = (await client.get(f"/v1/redemptions/{driver.redemption_id}/statement")).json()
    assert (statement["units"], statement["price"], statement["amount"]) == ("40", "10.00", "400.00")
    assert (statement["burn_operation_id"], statement["payout_operation_id"]) == (burn, payout)
    assert await driver.api.seed.value("SELECT count(*) FROM chain.dead_letters") == 0


async def test_every_step_and_event_twice_changes_nothing(driver: Driver) -> None:
    await driver.request()
    await asyncio.gather(driver.step("open"), driver.step("open"))
    await driver.decide("approve")
    for key in ("", "", "another key"):
        await driver.step("burn", key)
    burn = await driver.chain_says("burn")
    await driver.tell("operation.final", {"operation_id": burn, "kind": "x", "result": {}})
    for key in ("payout:1", "payout:1", "payout:2"):
        await driver.step("payout", key)
    await driver.chain_says("payout")
    await driver.chain_says("payout")
    assert (await driver.units(), await driver.cash()) == ((60, 0), 40_000)
    count = "SELECT count(*) FROM chain.operations WHERE business_ref LIKE 'redemption:%'"
    assert await driver.api.seed.value(count) == 2
    assert await driver.api.seed.value("SELECT count(*) FROM api.payments") == 1


async def test_issuer_cash_pays_when_it_suffices(driver: Driver) -> None:
    issuer = f"issuer:{driver.offering.issuer_id}"
    await driver.api.seed.cash(issuer, 50_000)
    await driver.request()
    await driver.decide("approve")
    await driver.step("burn")
    await driver.chain_says("burn")
    await driver.step("payout")
    assert await driver.account(issuer, "USD") == (50_000, 40_000)
    await driver.chain_says("payout")
    assert await driver.account(issuer, "USD") == (10_000, 0)


async def test_rejection_frees_the_units(driver: Driver) -> None:
    await driver.request()
    assert (await driver.decide("reject")).json()["status"] == "rejected"
    assert await driver.units() == (100, 0)
    assert (await driver.decide("approve")).json()["code"] == "redemption.wrong_status"
    assert await driver.step("burn") == "rejected"


async def test_nobody_decides_about_their_own_redemption(driver: Driver) -> None:
    await driver.request()
    both = driver.holder.actor
    agent = type(both)(
        both.user_id, both.email, both.display_name, ("investor", "transfer_agent"), both.investor_id, None, "csrf"
    )
    answer = await driver.decide("approve", agent)
    assert (answer.status_code, answer.json()["code"]) == (403, "redemption.own_account")


async def test_expiry_frees_the_units_unless_somebody_decided_first(driver: Driver) -> None:
    await driver.request()
    await driver.step("open")
    assert await driver.step("expire") == "rejected"
    assert await driver.units() == (100, 0)
    await driver.request(key="k2")
    await driver.decide("approve")
    assert await driver.step("expire") == "approved"


async def test_freeze_after_the_approval_stops_the_burn(driver: Driver) -> None:
    await driver.request()
    await driver.decide("approve")
    await driver.api.seed.rows.execute("UPDATE api.investors SET frozen = true")
    assert await driver.step("burn") == "failed"
    assert await driver.units() == (100, 0)
    assert await driver.api.seed.value("SELECT count(*) FROM chain.operations") == 0


async def test_failed_burn_frees_the_units(driver: Driver) -> None:
    await driver.request()
    await driver.decide("approve")
    await driver.step("burn")
    await driver.chain_says("burn", error="chain.reverted")
    assert (await driver.units(), await driver.status()) == ((100, 0), "failed")


async def test_failed_payout_is_tried_again_and_never_mints(driver: Driver) -> None:
    await driver.request()
    await driver.decide("approve")
    await driver.step("burn")
    await driver.chain_says("burn")
    await driver.step("payout", "payout:1")
    await driver.chain_says("payout", error="chain.reverted")
    assert (await driver.units(), await driver.status()) == ((60, 0), "burned")
    assert await driver.step("payout", "payout:2") == "paying"
    await driver.chain_says("payout")
    assert (await driver.cash(), await driver.status()) == (40_000, "paid")
    assert await driver.api.seed.value("SELECT count(*) FROM api.payments") == 1


async def test_others_see_nothing(driver: Driver) -> None:
    await driver.request()
    async with driver.api.as_actor((await driver.api.seed.investor()).actor) as stranger:
        assert (await stranger.get(f"/v1/redemptions/{driver.redemption_id}")).json()["code"] == "redemption.not_found"
        assert (await stranger.get("/v1/redemptions")).json()["data"] == []
    async with driver.api.as_actor(driver.agent) as agent:
        assert len((await agent.get("/v1/redemptions?status=requested")).json()["data"]) == 1
        answer = await agent.get(f"/v1/redemptions/{driver.redemption_id}/statement")
    assert answer.json()["code"] == "redemption.no_statement"


async def test_steps_are_the_workers_alone(driver: Driver) -> None:
    await driver.request()
    async with driver.api.service("chain") as other:
        answer = await other.post(
            f"/internal/redemptions/{driver.redemption_id}:burn", headers={"Idempotency-Key": "x"}
        )
    assert answer.status_code == 403
