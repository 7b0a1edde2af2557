"""Investor profiles, KYC, registration of wallets, freezing."""

from datetime import timedelta

import pytest

from tests.api.harness import Api, address_of
from tests.api.world import REASON, World
from tokenx_api.investors import service
from tokenx_api.investors.rules import on_approval


async def test_profile_is_pending_and_private(world: World) -> None:
    client, investor_id = await world.investor(registered=False)
    mine = await client.get("/v1/investors/me")
    assert (mine["investor_id"], mine["kyc_status"], mine["wallets"]) == (investor_id, "pending", [])
    assert mine["owner_group"] is None
    again = await client.post("/v1/investors", {"legal_name": "Twice", "country": "US"}, expect=409)
    assert again["code"] == "investor.profile_exists"


async def test_no_profile_is_not_found(api: Api) -> None:
    answer = await (await api.user("investor")).get("/v1/investors/me", expect=404)
    assert answer["code"] == "investor.not_found"


async def test_approval_holds_a_year_and_registers_the_wallet(world: World) -> None:
    client, investor_id = await world.investor(registered=False, country="SE")
    officer = await world.staff("compliance_officer")
    approved = await officer.post(f"/v1/investors/{investor_id}:approve-kyc", REASON, expect=200)
    key_ref = f"investor:{investor_id}"
    assert approved["kyc_status"] == "approved"
    assert approved["owner_group"] > 0
    assert [(w["address"], w["status"], w["identity"]) for w in approved["wallets"]] == [
        (address_of(key_ref), "registering", None)
    ]
    [row] = await world.api.fetch(
        "SELECT kyc_expires_at - now() AS left FROM api.investors WHERE investor_id = $1", investor_id
    )
    assert timedelta(days=364) < row["left"] < timedelta(days=365)
    operation = await world.operation(key_ref)
    assert operation["kind"] == "investor.register"
    assert '"country": "SE"' in operation["params"]
    await world.register(investor_id)
    [wallet] = (await client.get("/v1/investors/me"))["wallets"]
    assert (wallet["status"], wallet["identity"]) == ("registered", address_of(f"id:{investor_id}"))
    assert await world.actions(investor_id) == [
        "investor.created", "investor.kyc_approved", "wallet.registration_requested", "wallet.registered",
    ]  # fmt: skip


async def test_final_registration_told_twice_counts_once(world: World) -> None:
    _, investor_id = await world.investor()
    await world.register(investor_id)
    assert (await world.actions(investor_id)).count("wallet.registered") == 1


async def test_failed_registration_can_be_sent_again(world: World) -> None:
    client, investor_id = await world.investor(registered=False)
    officer, path = await world.staff("compliance_officer"), f"/v1/investors/{investor_id}:approve-kyc"
    await officer.post(path, REASON, expect=200)
    first = await world.operation(f"investor:{investor_id}")
    refused = await officer.post(path, REASON, expect=409)
    assert refused["code"] == "investor.wrong_kyc_status"
    async with world.api.context.db.write() as conn:
        await service.on_operation_failed(conn, investor_id, first["operation_id"], "chain.reverted", "out of gas")
    assert (await client.get("/v1/investors/me"))["wallets"][0]["status"] == "created"
    await officer.post(path, REASON, expect=200)
    assert (await world.operation(f"investor:{investor_id}"))["operation_id"] != first["operation_id"]
    await world.register(investor_id)
    assert (await world.actions(investor_id)).count("investor.kyc_approved") == 1


async def test_decision_is_stored_with_its_reviewer(world: World) -> None:
    _, investor_id = await world.investor(registered=False)
    officer = await world.staff("compliance_officer")
    rejected = await officer.post(f"/v1/investors/{investor_id}:reject-kyc", REASON, expect=200)
    assert (rejected["kyc_status"], rejected["kyc_expires_at"]) == ("rejected", None)
    [row] = await world.api.fetch(
        "SELECT stage, outcome, facts->>'reviewer_id' AS who FROM compliance.decisions WHERE subject_id = $1",
        investor_id,
    )
    assert row == {"stage": "onboarding", "outcome": "deny", "who": officer.user_id}
    await officer.post(f"/v1/investors/{investor_id}:reject-kyc", REASON, expect=409)


async def test_expired_kyc_shows_as_expired_and_can_be_renewed(world: World) -> None:
    client, investor_id = await world.investor()
    await world.api.fetch(
        "UPDATE api.investors SET kyc_expires_at = now() WHERE investor_id = $1 RETURNING 1", investor_id
    )
    assert (await client.get("/v1/investors/me"))["kyc_status"] == "expired"
    officer = await world.staff("compliance_officer")
    expired = await officer.get("/v1/investors?kyc_status=expired")
    assert investor_id in [row["investor_id"] for row in expired["data"]]
    renewed = await officer.post(f"/v1/investors/{investor_id}:approve-kyc", REASON, expect=200)
    assert (renewed["kyc_status"], renewed["wallets"][0]["status"]) == ("approved", "registered")


async def test_freeze_reaches_every_deployed_token(world: World) -> None:
    issuer, _ = await world.issuer()
    offering = await world.offering(issuer, until="deployed")
    _, investor_id = await world.investor()
    officer, path = await world.staff("compliance_officer"), f"/v1/investors/{investor_id}"
    assert (await officer.post(f"{path}:freeze", REASON, expect=200))["frozen"] is True
    assert (await officer.post(f"{path}:freeze", REASON, expect=409))["code"] == "investor.already_so"
    rows = await world.api.fetch(
        "SELECT params->>'token' AS token, params->>'frozen' AS frozen FROM chain.operations WHERE kind = 'token.freeze' AND business_ref = $1",
        f"investor:{investor_id}",
    )
    assert {"token": offering["token_address"], "frozen": "true"} in rows
    assert (await officer.post(f"{path}:unfreeze", REASON, expect=200))["frozen"] is False
    actions = await world.actions(investor_id)
    assert actions[-2:] == ["investor.frozen", "investor.unfrozen"]


async def test_failed_freeze_on_chain_leaves_the_wallet_alone(world: World) -> None:
    issuer, _ = await world.issuer()
    await world.offering(issuer, until="deployed")
    client, investor_id = await world.investor()
    officer = await world.staff("compliance_officer")
    await officer.post(f"/v1/investors/{investor_id}:freeze", REASON, expect=200)
    operation = await world.operation(f"investor:{investor_id}")
    async with world.api.context.db.write() as conn:
        await service.on_operation_failed(conn, investor_id, operation["operation_id"], "chain.reverted", "x")
    mine = await client.get("/v1/investors/me")
    assert (mine["frozen"], mine["wallets"][0]["status"]) == (True, "registered")
    assert (await world.actions(investor_id))[-1] == "investor.freeze_failed"


async def test_list_pages_through_everyone_once(world: World) -> None:
    made = {(await world.investor(registered=False))[1] for _ in range(3)}
    officer = await world.staff("transfer_agent")
    seen: list[str] = []
    cursor = ""
    while True:
        page = await officer.get(f"/v1/investors?limit=2{cursor}")
        seen += [row["investor_id"] for row in page["data"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert len(seen) == len(set(seen))
    assert made <= set(seen)
    assert seen == sorted(seen, reverse=True)
    await officer.get("/v1/investors?limit=201", expect=422)
    await officer.get("/v1/investors?cursor=%25%25", expect=422)


@pytest.mark.parametrize("path", ["approve-kyc", "reject-kyc", "freeze", "unfreeze"])
async def test_unknown_investor_is_not_found(world: World, path: str) -> None:
    officer = await world.staff("compliance_officer")
    assert (await officer.post(f"/v1/investors/inv_0:{path}", REASON, expect=404))["code"] == "investor.not_found"
    await officer.post(f"/v1/investors/inv_0:{path}", {"reason": ""}, expect=422)


@pytest.mark.parametrize("country", ["us", "ZZ", "USA", ""])
async def test_country_must_be_assigned(api: Api, country: str) -> None:
    client = await api.user("investor")
    answer = await client.post("/v1/investors", {"legal_name": "Ann", "country": country}, expect=422)
    assert answer["errors"][0]["pointer"] == "/country"


def test_approval_of_an_approved_case_only_repeats_a_lost_registration() -> None:
    assert on_approval("pending", None) == "approve"
    assert on_approval("rejected", "created") == "approve"
    assert on_approval("approved", "created") == "register_again"
    assert on_approval("approved", "registering") == "refuse"
    assert on_approval("approved", "registered") == "refuse"
