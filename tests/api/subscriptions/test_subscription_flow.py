"""Primary subscriptions from request to issue, with the books at each step."""

import asyncio
import json
from typing import Any

import pytest

from tests.api.harness import Client
from tests.api.world import REASON, World, token_of, until
from tokenx_api.ledger import models as accounts
from tokenx_api.ledger import service as ledger
from tokenx_api.subscriptions import service
from tokenx_common.ids import new_id


async def subscribe(client: Client, offering: dict[str, Any], units: str, expect: int = 201) -> dict[str, Any]:
    body = {"offering_id": offering["offering_id"], "units": units}
    return await client.post("/v1/subscriptions", body, expect=expect, Idempotency_Key=new_id("cor"))


async def chain_says(world: World, subscription_id: str, *, final: bool) -> None:
    operation = await world.operation(f"subscription:{subscription_id}")
    async with world.api.context.db.write() as conn:
        if final:
            await service.on_operation_final(conn, subscription_id, operation["operation_id"], {})
        else:
            await service.on_operation_failed(
                conn, subscription_id, operation["operation_id"], "chain.reverted", "paused"
            )


async def test_funded_accepted_issued(world: World) -> None:
    issuer, issuer_id = await world.issuer()
    offering = await world.offering(issuer)
    client, investor_id = await world.investor()
    await world.deposit(client, "1000.00")
    made = await subscribe(client, offering, "3")
    assert (made["status"], made["amount"], made["units"], made["symbol"]) == (
        "funded",
        "300.00",
        "3",
        offering["symbol"],
    )
    cash = await world.cash(investor_id)
    assert (cash.balance, cash.reserved) == (100_000, 30_000)
    accepted = await issuer.post(f"/v1/subscriptions/{made['subscription_id']}:accept", expect=200)
    assert accepted["status"] == "accepted"
    operation = await world.operation(f"subscription:{made['subscription_id']}")
    assert (operation["operation_id"], operation["kind"]) == (accepted["operation_id"], "subscription.issue")
    assert json.loads(operation["params"]) == {
        "subscription_id": made["subscription_id"],
        "token": token_of(offering["offering_id"]),
        "to_key_ref": f"investor:{investor_id}",
        "units": 3,
        "cash_from_key_ref": f"investor:{investor_id}",
        "cash_to_key_ref": f"issuer:{issuer_id}",
        "cash_amount": 300_000_000,
    }
    await chain_says(world, made["subscription_id"], final=True)
    await chain_says(world, made["subscription_id"], final=True)
    cash = await world.cash(investor_id)
    assert (cash.balance, cash.reserved) == (70_000, 0)
    async with world.api.context.db.read() as conn:
        units = await ledger.balance(conn, accounts.investor(investor_id, offering["offering_id"]))
        proceeds = await ledger.balance(conn, accounts.issuer(issuer_id, "USD"))
    assert (units.balance, proceeds.balance) == (3, 30_000)
    assert (await client.get("/v1/subscriptions"))["data"][0]["status"] == "issued"
    assert await world.actions(made["subscription_id"]) == [
        "subscription.requested", "subscription.funded", "subscription.accepted", "subscription.issued",
    ]  # fmt: skip


async def test_waiting_subscription_is_funded_by_a_later_deposit(world: World) -> None:
    issuer, _ = await world.issuer()
    offering = await world.offering(issuer)
    client, investor_id = await world.investor()
    made = await subscribe(client, offering, "2")
    assert made["status"] == "awaiting_funds"
    refused = await issuer.post(f"/v1/subscriptions/{made['subscription_id']}:accept", expect=409)
    assert refused["code"] == "subscription.wrong_status"
    await world.deposit(client, "200.00")

    async def funded() -> bool | None:
        return (await client.get("/v1/subscriptions"))["data"][0]["status"] == "funded" or None

    await until(funded)
    assert (await world.cash(investor_id)).available == 0


async def test_issue_waits_until_the_deposit_is_on_chain(world: World) -> None:
    issuer, _ = await world.issuer()
    offering = await world.offering(issuer)
    client, _ = await world.investor()
    settled = await world.deposit(client, "100.00")
    await world.finish(settled["operation_id"], "running")
    made = await subscribe(client, offering, "1")
    accepted = await issuer.post(f"/v1/subscriptions/{made['subscription_id']}:accept", expect=200)
    assert (accepted["status"], accepted["operation_id"]) == ("accepted", None)
    await world.finish(settled["operation_id"], "final")

    async def sent() -> str | None:
        return (await client.get("/v1/subscriptions"))["data"][0]["operation_id"]

    assert await until(sent) == (await world.operation(f"subscription:{made['subscription_id']}"))["operation_id"]


async def test_failed_issue_goes_back_to_funded_with_the_reason(world: World) -> None:
    issuer, _ = await world.issuer()
    offering = await world.offering(issuer)
    client, investor_id = await world.investor()
    await world.deposit(client, "100.00")
    made = await subscribe(client, offering, "1")
    path = f"/v1/subscriptions/{made['subscription_id']}"
    await issuer.post(f"{path}:accept", expect=200)
    await chain_says(world, made["subscription_id"], final=False)
    [row] = (await client.get("/v1/subscriptions"))["data"]
    assert (row["status"], row["status_reason"], row["operation_id"]) == ("funded", "chain.reverted: paused", None)
    assert (await world.cash(investor_id)).reserved == 10_000
    await issuer.post(f"{path}:accept", expect=200)
    await chain_says(world, made["subscription_id"], final=True)
    [row] = (await client.get("/v1/subscriptions"))["data"]
    assert (row["status"], row["status_reason"]) == ("issued", "")


async def test_rejection_frees_the_cash(world: World) -> None:
    issuer, _ = await world.issuer()
    offering = await world.offering(issuer)
    client, investor_id = await world.investor()
    await world.deposit(client, "100.00")
    made = await subscribe(client, offering, "1")
    path = f"/v1/subscriptions/{made['subscription_id']}"
    assert (await issuer.post(f"{path}:reject", expect=200))["status"] == "rejected"
    assert (await world.cash(investor_id)).reserved == 0
    assert (await issuer.post(f"{path}:reject", expect=409))["code"] == "subscription.wrong_status"
    assert (await issuer.post(f"{path}:accept", expect=409))["code"] == "subscription.wrong_status"


async def test_supply_is_never_oversold(world: World) -> None:
    issuer, _ = await world.issuer()
    offering = await world.offering(issuer, max_units="10")
    clients = [(await world.investor())[0] for _ in range(4)]
    body = {"offering_id": offering["offering_id"], "units": "4"}
    answers = await asyncio.gather(
        *(client.send("POST", "/v1/subscriptions", body, Idempotency_Key="one") for client in clients)
    )
    assert sorted(answer.status_code for answer in answers) == [201, 201, 409, 409]
    refused = next(answer.json() for answer in answers if answer.status_code == 409)
    assert (refused["code"], refused["left_units"]) == ("subscription.offering_full", "2")


async def test_refusal_of_the_gate_names_every_reason_and_is_kept(world: World) -> None:
    issuer, _ = await world.issuer()
    offering = await world.offering(issuer, until="deployed")
    client, _ = await world.investor(country="KP", registered=False)
    refused = await subscribe(client, offering, "1", expect=403)
    assert refused["code"] == "compliance.denied"
    assert {"KYC_NOT_APPROVED", "JURISDICTION_BLOCKED", "OFFERING_NOT_OPEN", "WALLET_UNVERIFIED"} <= {
        reason["code"] for reason in refused["reasons"]
    }
    [decision] = await world.api.fetch(
        "SELECT stage, outcome FROM compliance.decisions WHERE decision_id = $1", refused["decision_id"]
    )
    assert decision == {"stage": "subscription", "outcome": "deny"}
    assert (await client.get("/v1/subscriptions"))["data"] == []


async def test_investor_frozen_in_between_is_not_issued(world: World) -> None:
    issuer, _ = await world.issuer()
    offering = await world.offering(issuer)
    client, investor_id = await world.investor()
    await world.deposit(client, "100.00")
    made = await subscribe(client, offering, "1")
    officer = await world.staff("compliance_officer")
    await officer.post(f"/v1/investors/{investor_id}:freeze", REASON, expect=200)
    refused = await issuer.post(f"/v1/subscriptions/{made['subscription_id']}:accept", expect=403)
    assert [reason["code"] for reason in refused["reasons"]] == ["ACCOUNT_FROZEN"]
    assert (await issuer.get("/v1/subscriptions"))["data"][0]["status"] == "funded"


async def test_everyone_sees_their_own(world: World) -> None:
    issuer, _ = await world.issuer()
    stranger, _ = await world.issuer()
    offering = await world.offering(issuer)
    client, _ = await world.investor()
    other, _ = await world.investor()
    made = await subscribe(client, offering, "1")

    async def sees(person: Client) -> bool:
        rows = (await person.get(f"/v1/subscriptions?offering_id={offering['offering_id']}"))["data"]
        return made["subscription_id"] in [row["subscription_id"] for row in rows]

    assert [await sees(person) for person in (client, issuer, other, stranger)] == [True, True, False, False]
    assert await sees(await world.staff("compliance_officer"))
    await stranger.post(f"/v1/subscriptions/{made['subscription_id']}:accept", expect=404)
    await stranger.post(f"/v1/subscriptions/{made['subscription_id']}:reject", expect=404)


@pytest.mark.parametrize(
    ("change", "pointer", "code"),
    [
        ({"units": 1}, "/units", "number_not_string"),
        ({"units": "1.5"}, "/units", "not_a_decimal"),
        ({"units": "0"}, "/units", "not_positive"),
        ({"units": "-1"}, "/units", "not_a_decimal"),
        ({"units": "9223372036854775807"}, "/units", "out_of_range"),
        ({"offering_id": ""}, "/offering_id", "string_too_short"),
    ],
)
async def test_wrong_subscription_is_named(world: World, change: dict[str, Any], pointer: str, code: str) -> None:
    issuer, _ = await world.issuer()
    offering = await world.offering(issuer)
    client, _ = await world.investor()
    body = {"offering_id": offering["offering_id"], "units": "1", **change}
    answer = await client.post("/v1/subscriptions", body, expect=422, Idempotency_Key="k")
    assert [(error["pointer"], error["code"]) for error in answer["errors"]] == [(pointer, code)]


async def test_unknown_offering_is_not_found(world: World) -> None:
    client, _ = await world.investor()
    assert (await subscribe(client, {"offering_id": "off_0"}, "1", expect=404))["code"] == "offering.not_found"
