"""A revoked investor may do nothing from the request on; a new KYC decision makes a new claim; a recovery changes the key and nothing else."""

from typing import Any

from tests.api.harness import address_of
from tests.api.world import REASON, World
from tokenx_api.investors import service
from tokenx_common.ids import new_id

SIGNATURE = "0x" + "ab" * 65


async def told(world: World, investor_id: str, operation_id: str, **result: Any) -> None:
    """The chain's news about an investor's operation, with what the journal keeps of it."""
    async with world.api.context.db.write() as conn:
        await service.on_operation_final(conn, investor_id, operation_id, result)


async def operation(world: World, investor_id: str, kind: str) -> dict[str, Any]:
    rows = await world.api.fetch(
        "SELECT operation_id, params::text AS params FROM chain.operations WHERE business_ref = $1 AND kind = $2 ORDER BY operation_id DESC LIMIT 1",
        f"investor:{investor_id}", kind,
    )  # fmt: skip
    return rows[0]


async def reported(world: World, investor_id: str) -> None:
    """The registration's result as the journal holds it."""
    made = await operation(world, investor_id, "investor.register")
    await world.api.fetch(
        "UPDATE chain.operations SET state = 'final', result = jsonb_build_object('signature', $2::text) WHERE operation_id = $1 RETURNING 1",
        made["operation_id"], SIGNATURE,
    )  # fmt: skip


async def test_revoked_means_nothing_from_the_request_on(world: World) -> None:
    issuer, _ = await world.issuer()
    offering = await world.offering(issuer)
    client, investor_id = await world.investor()
    await reported(world, investor_id)
    officer = await world.staff("compliance_officer")
    path = f"/v1/investors/{investor_id}"
    answer = await officer.post(f"{path}:revoke", REASON, expect=200)
    assert (answer["kyc_status"], answer["wallets"][0]["status"]) == ("rejected", "removed")
    assert answer["revoked_at"] is not None
    assert SIGNATURE in (await operation(world, investor_id, "investor.revoke"))["params"]
    deposit = {"direction": "deposit", "amount": "1.00", "currency": "USD"}
    refused = await client.post("/v1/payments", deposit, expect=403, Idempotency_Key=new_id("cor"))
    assert refused["code"] == "investor.revoked"
    for route in ("subscriptions", "redemptions"):
        body = {"offering_id": offering["offering_id"], "units": "1"}
        refused = await client.post(f"/v1/{route}", body, expect=403, Idempotency_Key=new_id("cor"))
        assert refused["reasons"][0]["code"] == "INVESTOR_REVOKED"


async def test_registered_again_after_a_new_decision_by_a_new_claim(world: World) -> None:
    _, investor_id = await world.investor()
    officer, path = await world.staff("compliance_officer"), f"/v1/investors/{investor_id}"
    await officer.post(f"{path}:revoke", REASON, expect=200)
    for again in ("revoke", "approve-kyc"):
        answer = await officer.post(f"{path}:{again}", REASON, expect=409)
        assert answer["code"] == "investor.revocation_under_way"
    revocation = await operation(world, investor_id, "investor.revoke")
    await told(world, investor_id, revocation["operation_id"], removed=False, held={"0x1": "5"})
    await officer.post(f"{path}:revoke", REASON, expect=200)  # asked again once nothing is held
    revocation = await operation(world, investor_id, "investor.revoke")
    await told(world, investor_id, revocation["operation_id"], removed=True, held={})
    back = await officer.post(f"{path}:approve-kyc", REASON, expect=200)
    assert (back["kyc_status"], back["revoked_at"], back["wallets"][0]["status"]) == ("approved", None, "registering")
    made = await operation(world, investor_id, "investor.register")
    assert '"claim_serial": 2' in made["params"]
    assert address_of(f"id:{investor_id}") in made["params"]
    await world.register(investor_id)
    thaw = await world.api.fetch(
        "SELECT params->>'frozen' AS frozen FROM chain.operations WHERE business_ref = $1 AND kind = 'token.freeze'", f"investor:{investor_id}"
    )  # fmt: skip
    assert {row["frozen"] for row in thaw} == {"false"}


async def test_revoked_while_the_registration_is_under_way_is_revoked_when_it_ends(world: World) -> None:
    _, investor_id = await world.investor(registered=False)
    officer, path = await world.staff("compliance_officer"), f"/v1/investors/{investor_id}"
    await officer.post(f"{path}:approve-kyc", REASON, expect=200)
    await officer.post(f"{path}:revoke", REASON, expect=200)
    first = await operation(world, investor_id, "investor.revoke")
    async with world.api.context.db.write() as conn:
        await service.on_operation_failed(conn, investor_id, first["operation_id"], "identity.not_registered", "x")
    registration = await operation(world, investor_id, "investor.register")
    result = {"address": address_of(f"investor:{investor_id}"), "identity": address_of("id")}
    await told(world, investor_id, registration["operation_id"], **result)
    second = await operation(world, investor_id, "investor.revoke")
    assert second["operation_id"] != first["operation_id"]


async def test_a_frozen_investor_pays_nothing_in(world: World) -> None:
    client, investor_id = await world.investor()
    officer = await world.staff("compliance_officer")
    await officer.post(f"/v1/investors/{investor_id}:freeze", REASON, expect=200)
    deposit = {"direction": "deposit", "amount": "1.00", "currency": "USD"}
    refused = await client.post("/v1/payments", deposit, expect=403, Idempotency_Key=new_id("cor"))
    assert refused["code"] == "investor.frozen"


async def test_recovery_changes_the_key_once_the_chain_has_moved_everything(world: World) -> None:
    client, investor_id = await world.investor()
    agent, path = await world.staff("transfer_agent"), f"/v1/investors/{investor_id}:recover"
    operation_id = (await agent.post(path, REASON, expect=202))["operation_id"]
    assert (await client.get("/v1/investors/me"))["wallets"][0]["status"] == "recovering"
    assert (await agent.post(path, REASON, expect=409))["code"] == "wallet.not_registered"
    approve = f"/v1/chain/operations/{operation_id}:approve"
    assert (await agent.post(approve, REASON, expect=409))["code"] == "approval.second_person_required"
    fresh = address_of(f"investor:{investor_id}@2")
    await told(world, investor_id, operation_id, address=fresh, recovered={}, cash_moved=True)
    wallet = (await client.get("/v1/investors/me"))["wallets"][0]
    assert (wallet["address"], wallet["status"]) == (fresh, "registered")
    again = (await agent.post(path, REASON, expect=202))["operation_id"]
    assert f"investor:{investor_id}@3" in (await operation(world, investor_id, "investor.recover"))["params"]
    async with world.api.context.db.write() as conn:
        await service.on_operation_failed(conn, investor_id, again, "identity.not_verified", "x")
    assert (await client.get("/v1/investors/me"))["wallets"][0]["status"] == "registered"


async def test_revoked_in_the_middle_of_a_recovery_is_revoked_where_it_ends(world: World) -> None:
    _, investor_id = await world.investor()
    agent, officer = await world.staff("transfer_agent"), await world.staff("compliance_officer")
    operation_id = (await agent.post(f"/v1/investors/{investor_id}:recover", REASON, expect=202))["operation_id"]
    await officer.post(f"/v1/investors/{investor_id}:revoke", REASON, expect=200)
    fresh = address_of(f"investor:{investor_id}@2")
    await told(world, investor_id, operation_id, address=fresh, recovered={}, cash_moved=True)
    assert fresh in (await operation(world, investor_id, "investor.revoke"))["params"]
