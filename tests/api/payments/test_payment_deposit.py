"""Deposits: idempotency, the sandbox's callback, the books and the on-chain mirror."""

import asyncio
import json
from typing import Any

import pytest

from tests.api.harness import Api, address_of
from tests.api.world import World
from tokenx_api.payments import service
from tokenx_common.ids import new_id

TEN: dict[str, Any] = {"direction": "deposit", "amount": "10.50", "currency": "USD"}


async def test_deposit_is_pending_then_booked_and_minted(world: World) -> None:
    client, investor_id = await world.investor()
    made = await client.post("/v1/payments", TEN, Idempotency_Key=new_id("cor"))
    assert (made["status"], made["amount"], made["provider"], made["settled_at"]) == (
        "pending",
        "10.50",
        "sandbox",
        None,
    )
    settled = await world.settled(client, made["payment_id"])
    assert (await world.cash(investor_id)).balance == 1050
    operation = await world.operation(f"payment:{made['payment_id']}")
    assert (operation["operation_id"], operation["kind"]) == (settled["operation_id"], "cash.mint")
    assert json.loads(operation["params"]) == {"to": address_of(f"investor:{investor_id}"), "amount": 10_500_000}
    async with world.api.context.db.write() as conn:
        await service.on_operation_final(conn, made["payment_id"], operation["operation_id"], {})
    assert await world.actions(made["payment_id"]) == ["payment.deposit_requested", "payment.settled", "payment.minted"]


async def test_same_key_and_body_replays_the_answer(world: World) -> None:
    client, investor_id = await world.investor()
    key = new_id("cor")
    first = await client.send("POST", "/v1/payments", TEN, Idempotency_Key=key)
    again = await client.send("POST", "/v1/payments", TEN, Idempotency_Key=key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    await world.settled(client, first.json()["payment_id"])
    assert (await world.cash(investor_id)).balance == 1050


async def test_many_at_once_under_one_key_are_one_payment(world: World) -> None:
    client, _ = await world.investor()
    key = new_id("cor")
    answers = await asyncio.gather(*(client.send("POST", "/v1/payments", TEN, Idempotency_Key=key) for _ in range(8)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["payment_id"] for answer in answers}) == 1
    assert len((await client.get("/v1/payments"))["data"]) == 1


async def test_same_key_with_another_body_is_refused(world: World) -> None:
    client, _ = await world.investor()
    key = new_id("cor")
    await client.post("/v1/payments", TEN, Idempotency_Key=key)
    answer = await client.post("/v1/payments", {**TEN, "amount": "10.51"}, expect=422, Idempotency_Key=key)
    assert answer["code"] == "idempotency.key_reused"


async def test_one_users_key_means_nothing_to_another(world: World) -> None:
    key = new_id("cor")
    one, _ = await world.investor()
    two, _ = await world.investor()
    first = await one.post("/v1/payments", TEN, Idempotency_Key=key)
    second = await two.post("/v1/payments", TEN, Idempotency_Key=key)
    assert first["payment_id"] != second["payment_id"]


async def test_missing_key_is_refused(world: World) -> None:
    client, _ = await world.investor()
    assert (await client.post("/v1/payments", TEN, expect=400))["code"] == "idempotency.key_required"


async def test_refused_request_may_use_its_key_again(world: World) -> None:
    client, investor_id = await world.investor(registered=False)
    key = new_id("cor")
    assert (await client.post("/v1/payments", TEN, expect=409, Idempotency_Key=key))["code"] == "payment.no_wallet"
    officer = await world.staff("compliance_officer")
    await officer.post(f"/v1/investors/{investor_id}:approve-kyc", {"reason": "fine now"}, expect=200)
    await client.post("/v1/payments", TEN, Idempotency_Key=key)


async def test_user_without_profile_cannot_pay(api: Api) -> None:
    client = await api.user("investor")
    assert (await client.get("/v1/payments"))["data"] == []
    answer = await client.post("/v1/payments", TEN, expect=409, Idempotency_Key="k")
    assert answer["code"] == "investor.profile_required"


async def test_callback_twice_books_once(world: World) -> None:
    client, investor_id = await world.investor()
    made = await client.post("/v1/payments", TEN, Idempotency_Key=new_id("cor"))
    [row] = await world.api.fetch("SELECT provider_ref FROM api.payments WHERE payment_id = $1", made["payment_id"])
    path = f"/internal/sandbox/payments/{row['provider_ref']}:settle"
    callers = [world.api.service("cli").post(path, expect=200) for _ in range(4)]
    answers = await asyncio.gather(*callers)
    assert sum(answer["settled"] for answer in answers) <= 1
    await world.settled(client, made["payment_id"])
    assert (await world.cash(investor_id)).balance == 1050


async def test_callback_needs_a_service_and_a_payment(world: World) -> None:
    path = "/internal/sandbox/payments/sandbox_0:settle"
    await world.api.anonymous.post(path, expect=401)
    await world.api.service("kyt").post(path, expect=403)
    assert (await world.api.service("api").post(path, expect=404))["code"] == "payment.not_found"


async def test_payout_settles_without_touching_the_books(world: World) -> None:
    client, investor_id = await world.investor()
    async with world.api.context.db.write() as conn:
        payout = await service.pay_out(
            conn, backend="sandbox", actor="service:api", investor_id=investor_id, amount_minor=700
        )
    settled = await world.settled(client, payout.payment_id)
    assert (settled["direction"], settled["amount"], settled["operation_id"]) == ("payout", "7.00", None)
    assert (await world.cash(investor_id)).balance == 0


async def test_failed_mint_keeps_the_books(world: World) -> None:
    client, investor_id = await world.investor()
    settled = await world.deposit(client, "3.00")
    async with world.api.context.db.write() as conn:
        await service.on_operation_failed(conn, settled["payment_id"], settled["operation_id"], "chain.reverted", "x")
    assert (await world.cash(investor_id)).balance == 300
    assert (await world.actions(settled["payment_id"]))[-1] == "payment.mint_failed"


async def test_failed_mint_can_be_repeated_once(world: World) -> None:
    client, _ = await world.investor()
    settled = await world.deposit(client, "3.00")
    agent, path = await world.staff("tokenization_agent"), f"/v1/payments/{settled['payment_id']}:mint-again"
    assert (await agent.post(path, expect=409))["code"] == "payment.mint_not_failed"
    await world.finish(settled["operation_id"], "failed")
    answers = await asyncio.gather(*(agent.send("POST", path) for _ in range(3)))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409]
    operation = await world.operation(f"payment:{settled['payment_id']}")
    assert operation["operation_id"] != settled["operation_id"]
    assert (await client.get("/v1/payments"))["data"][0]["operation_id"] == operation["operation_id"]
    assert (await agent.post("/v1/payments/pay_0:mint-again", expect=404))["code"] == "payment.not_found"


@pytest.mark.parametrize(
    ("change", "pointer", "code"),
    [
        ({"amount": 10}, "/amount", "number_not_string"),
        ({"amount": 10.5}, "/amount", "number_not_string"),
        ({"amount": "10.505"}, "/amount", "not_a_decimal"),
        ({"amount": "0.00"}, "/amount", "not_positive"),
        ({"amount": "1e3"}, "/amount", "not_a_decimal"),
        ({"amount": "99999999999999999999"}, "/amount", "not_a_decimal"),
        ({"amount": None}, "/amount", "string_type"),
        ({"currency": "EUR"}, "/currency", "literal_error"),
        ({"direction": "payout"}, "/direction", "literal_error"),
        ({"investor_id": "inv_1"}, "/investor_id", "extra_forbidden"),
    ],
)
async def test_wrong_payment_is_named(world: World, change: dict[str, Any], pointer: str, code: str) -> None:
    client = await world.staff("investor")
    answer = await client.post("/v1/payments", {**TEN, **change}, expect=422, Idempotency_Key="k")
    assert [(error["pointer"], error["code"]) for error in answer["errors"]] == [(pointer, code)]
