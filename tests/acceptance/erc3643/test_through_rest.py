"""The acceptance cases through the public REST API, on the whole product: refused by our code before anything is asked of the chain service, and
by the contract in its own words when it is asked past us. Case by case in docs/erc3643.md; the tests run in this order, each leaving the scene
to the next."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from typing import Any

import pytest
import pytest_asyncio

from tests.acceptance.erc3643.rest import NOBODY, WHY, Scene, set_up
from tests.contracts.evm import ARTIFACTS
from tests.support.stack import Stack, running_stack
from tokenx_chain.contracts.claims import Claims
from tokenx_chain.contracts.identity import KYC_TOPIC
from tokenx_chain.operations.claims import spellings
from tokenx_chain.policy.defaults import DEFAULT_RULES
from tokenx_chain.standards.erc3643 import kyc_claim_data
from tokenx_cli.people import ApiProblem, until
from tokenx_cli.verify.commands import verify_folder

pytestmark = [pytest.mark.stack]
NOT_AGENT = "AgentRole: caller does not have the Agent role"


@pytest.fixture(scope="module")
def product() -> Iterator[Stack]:
    with running_stack("--no-web") as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def scene(product: Stack) -> AsyncGenerator[Scene]:
    made = await set_up(product)
    yield made
    for person in made.people.values():
        await person.close()


Item = tuple[str, int | None, str | None]
REFUSED: list[tuple[str, str, list[Item], str, str | None, tuple[str, str, list[Any]], str]] = [
    ("03-receiver-frozen", "transfer", [("ann", 1, "emil")], "wallet.frozen", "receiver", ("ann", "transfer", ["emil", 1]), "wallet is frozen"),
    ("04-sender-frozen", "transfer", [("emil", 1, "ann")], "wallet.frozen", "sender", ("emil", "transfer", ["ann", 1]), "wallet is frozen"),
    ("05-more-than-the-balance", "transfer", [("ann", 101, "bob")], "balance.insufficient", "sender", ("ann", "transfer", ["bob", 101]),
     "Insufficient Balance"),
    ("06-more-than-the-unfrozen-part", "transfer", [("dora", 41, "bob")], "balance.insufficient", "sender", ("dora", "transfer", ["bob", 41]),
     "Insufficient Balance"),
    ("07-receiver-not-registered", "transfer", [("ann", 1, "stranger")], "identity.not_verified", "receiver", ("ann", "transfer", [NOBODY, 1]),
     "Transfer not possible"),
    ("09-country-rule", "transfer", [("ann", 1, "cyrus")], "compliance.country_blocked", "receiver", ("ann", "transfer", ["cyrus", 1]),
     "Transfer not possible"),
    ("12-batch-with-one-bad-item", "transfer", [("ann", 1, "bob"), ("ann", 1, "cyrus")], "compliance.country_blocked", "receiver",
     ("ann", "batchTransfer", [["bob", "cyrus"], [1, 1]]), "Transfer not possible"),
    ("14-mint-to-an-unverified-wallet", "mint", [("stranger", 1, None)], "identity.not_verified", "receiver", ("platform", "mint", [NOBODY, 1]),
     "Identity is not verified."),
    ("15-mint-against-a-rule", "mint", [("cyrus", 1, None)], "compliance.country_blocked", "receiver", ("platform", "mint", ["cyrus", 1]),
     "Compliance not followed"),
    ("17-burn-more-than-the-balance", "burn", [("ann", 101, None)], "balance.insufficient", "sender", ("platform", "burn", ["ann", 101]),
     "cannot burn more than balance"),
    ("20-forced-more-than-the-balance", "force_transfer", [("ann", 101, "bob")], "balance.insufficient", "sender",
     ("platform", "forcedTransfer", ["ann", "bob", 101]), "sender balance too low"),
    ("21-forced-to-an-unverified-wallet", "force_transfer", [("ann", 1, "stranger")], "identity.not_verified", "receiver",
     ("platform", "forcedTransfer", ["ann", NOBODY, 1]), "Transfer not possible"),
    ("25-freeze-more-than-the-balance", "freeze_units", [("ann", 101, None)], "balance.insufficient", "sender",
     ("platform", "freezePartialTokens", ["ann", 101]), "Amount exceeds available balance"),
    ("26-unfreeze-more-than-is-frozen", "unfreeze_units", [("dora", 61, None)], "balance.insufficient", "sender",
     ("platform", "unfreezePartialTokens", ["dora", 61]), "Amount should be less than or equal to frozen tokens"),
    ("27-unpause-twice", "unpause", [], "token.not_paused", "token", ("platform", "unpause", []), "Pausable: not paused"),
    ("59-forced-to-oneself", "force_transfer", [("dora", 100, "dora")], "transfer.to_self", "sender",
     ("platform", "forcedTransfer", ["dora", "dora", 100]), ""),
]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "items", "code", "side", "direct", "text"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED]
)
async def test_refused_here_and_there(
    scene: Scene, kind: str, items: list[Item], code: str, side: str | None, direct: tuple[str, str, list[Any]], text: str
) -> None:  # fmt: skip
    named = [scene.item(who, units, to) for who, units, to in items]
    assert await scene.no(kind, *named) == (code, side)
    asked = {"offering_id": scene.offering, "kind": kind, "items": named}
    trial = await scene.agent.post("/v1/agent-acts:check", asked)
    assert code in [item["code"] for item in trial["items"]]
    who, name, args = direct
    assert await scene.directly(who, name, *args) == text


async def test_13_and_19_who_is_no_agent(scene: Scene) -> None:
    for kind, item in (("mint", scene.item("ann", 1)), ("force_transfer", scene.item("dora", 1, "ann"))):
        assert (await scene.no(kind, item, by=scene.people["ann"]))[0] == "auth.permission_denied"
    assert await scene.directly("ann", "mint", "ann", 1) == NOT_AGENT
    assert await scene.directly("ann", "forcedTransfer", "dora", "ann", 1) == NOT_AGENT


async def test_16_mint_zero(scene: Scene) -> None:
    assert (await scene.no("mint", scene.item("bob", 0)))[0] == "validation_failed"
    assert await scene.directly("platform", "mint", "bob", 0) == "invalid argument - no value mint"


async def test_33_and_34_registered_twice_and_unknown(scene: Scene) -> None:
    registry = await scene.contract("IdentityRegistry")
    approve = f"/v1/investors/{scene.ids['ann']}:approve-kyc"
    assert (await scene.refused(lambda: scene.officer.post(approve, WHY))).code == "investor.wrong_kyc_status"
    identity = (await scene.people["ann"].get("/v1/investors/me"))["wallets"][0]["identity"]
    again = await scene.directly("platform", "registerIdentity", "ann", identity, 840, contract="IdentityRegistry", at=registry)  # fmt: skip
    assert again == "address stored already"
    unknown = await scene.refused(lambda: scene.officer.post("/v1/investors/inv_0:revoke", WHY))
    assert unknown.code == "investor.not_found"
    gone = await scene.directly("platform", "deleteIdentity", NOBODY, contract="IdentityRegistry", at=registry)
    assert gone == "address not stored yet"


async def test_53_a_frozen_taker_gets_nothing_into_the_book(scene: Scene) -> None:
    assert "WALLET_FROZEN" in await scene.order("emil", "buy")
    assert "WALLET_FROZEN" in await scene.order("emil", "sell")


async def test_10_18_22_and_23_what_goes_through_moves_every_book(scene: Scene) -> None:
    """A holder's transfer; a burn into the frozen part; forced transfers against the country rule and into the frozen part."""
    await scene.act("burn", scene.item("dora", 50))
    assert await scene.state("dora") == (50, 50, False)
    moved = scene.item("ann", 2, "cyrus"), scene.item("dora", 20, "bob")
    await asyncio.gather(scene.act("transfer", scene.item("ann", 30, "bob")), scene.act("force_transfer", *moved))
    states = [await scene.state(who) for who in ("ann", "bob", "cyrus", "dora")]
    assert states == [(68, 0, False), (50, 0, False), (2, 0, False), (30, 30, False)]
    table = await scene.agent.get(f"/v1/offerings/{scene.offering}/cap-table")
    assert (table["agrees"], table["total_units"]) == (True, "185")
    assert "UNITS_FROZEN" in await scene.order("dora", "sell")


async def test_01_02_24_and_27_paused(scene: Scene) -> None:
    await scene.act("pause")
    assert await scene.no("pause") == ("token.paused", "token")
    assert await scene.no("transfer", scene.item("ann", 1, "bob")) == ("token.paused", "token")
    assert "TOKEN_PAUSED" in await scene.order("ann", "sell")
    assert await scene.directly("ann", "transfer", "bob", 1) == "Pausable: paused"
    assert await scene.directly("ann", "transferFrom", "ann", "bob", 1) == "Pausable: paused"
    assert await scene.directly("platform", "pause") == "Pausable: paused"
    forced = await scene.ask("force_transfer", scene.item("ann", 1, "bob"))
    refused = await scene.ask("force_transfer", scene.item("ann", 1, "bob"))
    await asyncio.gather(*(until("a second person to be asked for", lambda act=act: _waits(scene, act)) for act in (forced, refused)))  # fmt: skip
    alone = await scene.refused(lambda: scene.agent.post(f"/v1/chain/operations/{forced['operation_id']}:approve", WHY))
    assert alone.code == "approval.second_person_required"
    assert await scene.state("bob") == (50, 0, False)
    await scene.officer.post(f"/v1/agent-acts/{refused['act_id']}:withdraw", WHY)
    await scene.agree(forced["operation_id"])
    await scene.done(forced)
    assert (await scene.state("ann"))[0] == 67
    assert await until("the withdrawn act to end", lambda: _ended(scene, refused)) == "transaction.cancelled"
    await scene.act("unpause")


async def _waits(scene: Scene, act: dict[str, Any]) -> bool:
    return (await scene.agent.get(f"/v1/agent-acts/{act['act_id']}"))["waits_for_approval"]


async def _ended(scene: Scene, act: dict[str, Any]) -> str | None:
    return (await scene.agent.get(f"/v1/agent-acts/{act['act_id']}"))["error_code"]


async def test_30_31_32_57_58_and_60_recovered_and_revoked(scene: Scene) -> None:
    """Recovery of a frozen wallet, and over two tokens with a partial freeze; revocation that holds, of somebody with units; both on their way at the same time."""
    recovery = await scene.agent.post(f"/v1/investors/{scene.ids['rita']}:recover", WHY)
    of_frozen = await scene.agent.post(f"/v1/investors/{scene.ids['emil']}:recover", WHY)
    assert "WALLET_UNVERIFIED" in await scene.order("rita", "sell")
    await scene.officer.post(f"/v1/investors/{scene.ids['zoe']}:revoke", WHY)
    assert await scene.no("transfer", scene.item("zoe", 1, "bob")) == ("investor.revoked", "sender")
    assert await scene.no("transfer", scene.item("ann", 1, "zoe")) == ("investor.revoked", "receiver")
    assert (await scene.order("zoe", "buy"))[0] == "INVESTOR_REVOKED"
    deposit = {"direction": "deposit", "amount": "1.00", "currency": "USD"}
    assert (await scene.refused(lambda: scene.people["zoe"].post_once("/v1/payments", deposit))).code == "investor.revoked"  # fmt: skip
    await asyncio.gather(scene.agree(recovery["operation_id"]), scene.agree(of_frozen["operation_id"]))
    await asyncio.gather(
        until("the recovery", lambda: _state(scene, recovery["operation_id"])),
        until("the other recovery", lambda: _state(scene, of_frozen["operation_id"])),
        until("the revocation", lambda: _kind_is_final(scene, "investor.revoke")),
    )
    found = await scene.wait("the new key", "rita", lambda mine: mine["wallets"][0]["status"] == "registered")
    fresh = found["wallets"][0]["address"]
    assert [await scene.state(fresh), await scene.state(fresh, scene.second_token)] == [(20, 8, False), (7, 0, False)]
    assert [await scene.state("rita"), await scene.state("rita", scene.second_token)] == [(0, 0, True), (0, 0, True)]
    found = await scene.wait("the new key", "emil", lambda mine: mine["wallets"][0]["status"] == "registered")
    assert await scene.state(found["wallets"][0]["address"]) == (10, 0, True)
    await _revoked_for_good(scene)


async def _revoked_for_good(scene: Scene) -> None:
    registry, issuer = await scene.contract("IdentityRegistry"), await scene.contract("ClaimIssuer")
    assert await scene.read("IdentityRegistry", registry, "isVerified", "zoe") is False
    assert await scene.read("IdentityRegistry", registry, "contains", "zoe") is True  # 60: five units are held
    assert await scene.directly("zoe", "transfer", "bob", 1) == "wallet is frozen"
    assert await scene.directly("ann", "transfer", "zoe", 1) == "wallet is frozen"
    identity = (await scene.people["zoe"].get("/v1/investors/me"))["wallets"][0]["identity"]
    shown = Claims(ARTIFACTS.abi("Identity"), identity).signature(topic=KYC_TOPIC, issuer=issuer)
    answer = await scene.rpc("eth_call", {"to": identity, "data": "0x" + shown.data.hex()}, "latest")
    data = kyc_claim_data(chain_id=31337, investor_id=scene.ids["zoe"], serial=1)
    for form in spellings(shown.decode(bytes.fromhex(answer["result"][2:]))):
        added = await scene.directly("platform", "addClaim", KYC_TOPIC, 1, issuer, form, data, "", contract="Identity", at=identity)  # fmt: skip
        assert added == "invalid claim"


async def _state(scene: Scene, operation_id: str) -> bool:
    found = await scene.agent.get(f"/v1/chain/operations/{operation_id}")
    assert found["state"] != "failed", found
    return found["state"] == "final"


async def _kind_is_final(scene: Scene, kind: str) -> bool:
    rows = (await scene.agent.get("/v1/chain/operations", limit=20))["data"]
    return any(row["kind"] == kind and row["state"] == "final" for row in rows)


async def test_a_mint_above_the_operators_amount_waits_for_a_second_person(scene: Scene) -> None:
    usual = next(rule for rule in DEFAULT_RULES if rule.policy_id == "default.agent")
    rule = {"policy_id": usual.policy_id, "key_ref": usual.key_ref, "contract": usual.contract, "function": usual.function, "approval_above": "40"}  # fmt: skip
    change = await scene.officer.post("/v1/chain/policies/changes", {"rules": [rule], "keep_built_in": True, **WHY})
    second = scene.staff("tokenization_agent")
    await second.post(f"/v1/chain/policies/changes/{change['change_id']}:approve", WHY)
    await scene.done(await scene.ask("mint", scene.item("bob", 40)))
    above = await scene.ask("mint", scene.item("bob", 41))
    await until("a second person to be asked for", lambda: _waits(scene, above))
    await scene.agree(above["operation_id"])
    await scene.done(above)


async def test_57_a_revoked_investor_comes_back_by_another_claim(scene: Scene) -> None:
    """And every invariant holds after all of it."""
    registry = await scene.contract("IdentityRegistry")
    await until("the revocation to be known", lambda: _may_come_back(scene))
    await scene.wait("zoe back", "zoe", lambda mine: mine["wallets"][0]["status"] == "registered")
    assert await scene.read("IdentityRegistry", registry, "isVerified", "zoe") is True
    table = await scene.agent.get(f"/v1/offerings/{scene.offering}/cap-table")
    assert table["agrees"] is True
    broken = [f"{one['name']}: {line}" for one in await verify_folder(scene.stack.folder) for line in one["broken"]]
    assert not broken, "\n".join(broken)


async def _may_come_back(scene: Scene) -> bool:
    try:
        await scene.officer.post(f"/v1/investors/{scene.ids['zoe']}:approve-kyc", WHY)
    except ApiProblem as problem:
        if problem.code != "investor.revocation_under_way":
            raise
        return False
    return True
