"""T24 on the running service: a key is replaced while settlements go through it. The service is killed in between, and refuses what it could only half do."""

import asyncio
import itertools
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

import pytest

from tests.chain.harness import ROOT, Stack, chain_stack
from tests.chain.journal_stand_in import Row
from tests.support.servers import ServiceKeys, ValkeyServer
from tokenx_chain.contracts.artifacts import Artifacts
from tokenx_chain.contracts.calls import Call, Read
from tokenx_chain.contracts.identity import ClaimIssuer
from tokenx_chain.contracts.roles import Roles
from tokenx_chain.contracts.settlement import Settlement
from tokenx_chain.contracts.token_agent import TokenAgent
from tokenx_chain.policy.defaults import DEFAULT_RULES
from tokenx_chain.policy.rules import Rule
from tokenx_common.errors import TokenxError

pytestmark = pytest.mark.stack

ARTIFACTS = Artifacts(ROOT / "contracts")
PEOPLE = ("ann", "bob")
STRANGER = "0x" + "77" * 20
ROLE_RULES = (
    Rule("test.owner", kind="transaction.send", key_ref="platform"),
    Rule("test.agent", key_ref="token-agent", contract="token:*", function="freezePartialTokens", approval_above=0),
)
"""What no built-in rule allows: the owner hands out roles, and a key of its own acts as an agent once two people agree."""
_keys = itertools.count(1)


@dataclass
class Floor:
    """A platform, one token, and two people who trade it."""

    stack: Stack
    token: str
    settlement: Settlement
    issuer: ClaimIssuer

    async def read(self, read: Read[Any]) -> Any:
        answer = await self.stack.rpc("eth_call", {"to": read.to, "data": "0x" + read.data.hex()}, "latest")
        return read.decode(bytes.fromhex(answer[2:]))

    async def settle(self, name: str) -> str:
        fill = {"settlement_id": name, "token": self.token, "seller_key_ref": "investor:ann", "buyer_key_ref": "investor:bob", "units": "1",
                "cash_amount": "5"}  # fmt: skip
        return await self.stack.submit("settlement.batch", fills=[fill])

    async def rotate(self, name: str, *, key: str | None = None, force: bool = False) -> Row:
        headers = {"Idempotency-Key": key or f"rot-{next(_keys)}"}
        return await self.stack.client.post(f"/v1/signers/{name}/rotate", {"chain_id": 31337, "force": force}, headers=headers)  # fmt: skip

    async def refused(self, name: str) -> str:
        with pytest.raises(TokenxError) as caught:
            await self.rotate(name)
        return caught.value.code

    async def allow(self, *rules: Rule) -> None:
        """These on top of the built-in ones, from now on."""
        self.stack.state.policies = [asdict(rule) for rule in (*DEFAULT_RULES, *rules)]
        await self.stack.client.post("/v1/policies:reload", {"chain_id": 31337})

    async def call(self, key_ref: str, call: Call) -> str:
        """A single call by a key; the operation's id."""
        return await self.stack.submit("transaction.send", key_ref=key_ref, to=call.to, data="0x" + call.data.hex())

    async def as_owner(self, *calls: Call) -> None:
        for operation_id in [await self.call("platform", call) for call in calls]:
            row = await self.stack.closed(operation_id)
            assert row["state"] == "final", row

    async def agents(self, contracts: list[str], *addresses: str) -> list[list[bool]]:
        """Who of them is an agent, by contract."""
        return [[await self.read(agents_of(contract).is_agent(one)) for one in addresses] for contract in contracts]

    def steps(self, operation_id: str, step: str) -> list[Row]:
        """What an operation sent under names that begin like this, by nonce."""
        rows = [row for row in self.stack.state.transactions.values() if row["operation_id"] == operation_id]
        return sorted((row for row in rows if row["step"].startswith(step)), key=lambda row: row["nonce"] or 0)

    def rotation(self, operation_id: str) -> Row:
        return self.stack.state.rotations[operation_id]

    async def reached(self, operation_id: str, phase: str) -> None:
        await self.stack.until(lambda: phase in self.rotation(operation_id)["phases"], phase)

    async def done(self, operation_id: str) -> None:
        row = await self.stack.closed(operation_id)
        assert row["state"] == "final", row
        assert self.rotation(operation_id)["phase"] == "done"

    async def settled(self, operation_ids: list[str], names: list[str]) -> None:
        """Every fill once: told by the operation, and by exactly one event of the contract."""
        for operation_id, name in zip(operation_ids, names, strict=True):
            row = await self.stack.closed(operation_id)
            assert row["state"] == "final", row
            assert row["result"]["settled"] == [name], row
            assert await self.read(self.settlement.state_of(name)) == 1

    def senders(self, operation_ids: list[str]) -> set[str]:
        rows = self.stack.state.transactions.values()
        return {row["from_address"] for row in rows if row["operation_id"] in operation_ids and row["step"].startswith("settle:")}  # fmt: skip

    def nonces(self, address: str) -> list[int]:
        return sorted(
            {row["nonce"] for row in self.stack.state.transactions.values() if row["from_address"] == address}
        )


def agents_of(contract: str) -> Roles:
    """Tokens and registries answer to the same functions."""
    return Roles(ARTIFACTS.abi("IdentityRegistry"), contract)


@pytest.fixture(scope="module")
def stack(service_keys: ServiceKeys, valkey: ValkeyServer) -> Iterator[Stack]:
    with chain_stack(service_keys, valkey, steered=True) as running:
        yield running


_floors: dict[int, Floor] = {}


@pytest.fixture
async def floor(stack: Stack) -> Floor:
    if id(stack) not in _floors:
        _floors[id(stack)] = await _build(stack)
    return _floors[id(stack)]


async def _build(stack: Stack) -> Floor:
    contracts = (await stack.run("platform.deploy"))["contracts"]
    token = (await stack.run("offering.deploy", offering_id="off_a", name="Acme", symbol="ACME"))["token"]
    made = await asyncio.gather(
        *(stack.run("investor.register", investor_id=name, key_ref=f"investor:{name}", country="US") for name in PEOPLE)
    )
    await asyncio.gather(
        stack.run("token.mint", token=token, to=made[0]["address"], units="1000"),
        stack.run("cash.mint", to=made[1]["address"], amount="1000000"),
    )
    return Floor(stack, token, Settlement(ARTIFACTS.abi("Settlement"), contracts["Settlement"]),
                 ClaimIssuer(ARTIFACTS.abi("ClaimIssuer"), contracts["ClaimIssuer"]))  # fmt: skip


async def test_t24_submitter_rotated_mid_queue_and_killed_settles_each_fill_once_without_a_gap(floor: Floor) -> None:
    stack = floor.stack
    names = [f"sub_{n}" for n in range(8)]
    before = [await floor.settle(name) for name in names[:4]]
    asked = await floor.rotate("ats-submitter", key="same")
    assert (await floor.rotate("ats-submitter", key="same"))["operation_id"] == asked["operation_id"]
    assert await floor.refused("ats-submitter") == "signer.rotation_under_way"
    operation_id = asked["operation_id"]
    await floor.reached(operation_id, "drain")
    stack.kill()
    await stack.restart()
    after = [await floor.settle(name) for name in names[4:]]
    await floor.done(operation_id)
    await floor.settled(before + after, names)
    old, new = asked["old_address"], asked["new_address"]
    assert floor.senders(after) == {new}
    assert floor.senders(before) <= {old, new}
    for address in (old, new):
        assert floor.nonces(address) == list(range(len(floor.nonces(address))))
    assert [await floor.read(floor.settlement.is_submitter(one)) for one in (old, new)] == [False, True]
    told = await stack.client.get("/v1/signers/ats-submitter/rotate", params={"chain_id": 31337})
    assert (told["phase"], told["new_key"]) == ("done", "ats-submitter@2")
    # The name stands for the new key after another start, too.
    stack.kill()
    await stack.restart()
    again = await floor.settle("sub_again")
    await floor.settled([again], ["sub_again"])
    assert floor.senders([again]) == {new}


async def test_operator_rotated_wallets_name_the_new_one_with_their_next_settlement(floor: Floor) -> None:
    stack = floor.stack
    before = await floor.settle("op_1")
    await floor.settled([before], ["op_1"])
    asked = await floor.rotate("ats-operator")
    wallet = await stack.address("investor:ann")
    assert await floor.read(floor.settlement.custodian_of(wallet)) == asked["old_address"]
    await floor.reached(asked["operation_id"], "grant")
    during = await floor.settle("op_2")
    stack.kill()
    await stack.restart()
    await floor.done(asked["operation_id"])
    last = await floor.settle("op_3")
    await floor.settled([during, last], ["op_2", "op_3"])
    assert await floor.read(floor.settlement.custodian_of(wallet)) == asked["new_address"]
    both = [await floor.read(floor.settlement.is_operator(asked[one])) for one in ("old_address", "new_address")]
    assert both == [False, True]


async def test_claim_issuer_rotated_claims_of_the_old_key_still_count_and_new_ones_do(floor: Floor) -> None:
    asked = await floor.rotate("claim-issuer")
    await floor.done(asked["operation_id"])
    await floor.stack.run("investor.register", investor_id="cat", key_ref="investor:cat", country="US")
    both = [await floor.read(floor.issuer.is_signer(asked[one])) for one in ("old_address", "new_address")]
    assert both == [True, True]
    again = await floor.settle("claims")
    await floor.settled([again], ["claims"])


async def test_agents_of_every_deployment_are_moved_and_of_one_made_meanwhile(floor: Floor) -> None:
    stack, shared = floor.stack, floor.stack.state.contracts["IdentityRegistry"]["address"]
    await floor.allow(*ROLE_RULES)
    old, new, ann = [await stack.address(key) for key in ("token-agent", "token-agent@2", "investor:ann")]
    for address in (old, new):
        await stack.rpc("anvil_setBalance", address, hex(10**20))
    await floor.as_owner(*(agents_of(contract).add_agent(old) for contract in (floor.token, shared)))
    freeze = TokenAgent(ARTIFACTS.abi("Token"), floor.token).freeze_units(holder=ann, units=1)
    stack.state.approvals = 0
    waits = await floor.call("token-agent", freeze)
    stack.state.approvals = 2
    await stack.until(lambda: [row["state"] for row in floor.steps(waits, "send")] == ["paused"], "the act to wait")
    asked = await floor.rotate("token-agent")
    operation_id = asked["operation_id"]
    await floor.reached(operation_id, "drain")
    late = await stack.run("offering.deploy", offering_id="off_late", name="Late", symbol="LATE")
    await floor.as_owner(*(agents_of(late[part]).add_agent(old) for part in ("token", "identity_registry")))
    contracts = [floor.token, shared, late["token"], late["identity_registry"]]
    assert await floor.agents(contracts, old, new) == [[True, True]] * 2 + [[True, False]] * 2
    stack.state.operations[waits]["approvals"] = 2
    await floor.done(operation_id)
    assert await floor.agents(contracts, old, new) == [[False, True]] * 4
    phases = floor.rotation(operation_id)["phases"]
    assert phases[phases.index("drain") + 1 :] == ["recheck", "grant", "verify", "recheck", "revoke", "confirm", "done"]
    granted, revoked = floor.steps(operation_id, "rot:grant:"), floor.steps(operation_id, "rot:revoke_old:")
    assert (len(granted), len(revoked)) == (4, 4)
    assert granted[-1]["nonce"] < revoked[0]["nonce"]  # all by one key: no role was nobody's for a moment
    # What waited was done by the old key while it still was an agent; the name stands for the new one since.
    after = await floor.call("token-agent", freeze)
    for sent, by in ((waits, old), (after, new)):
        assert (await stack.closed(sent))["state"] == "final"
        assert [row["from_address"] for row in floor.steps(sent, "send")] == [by]
    assert await floor.read(ARTIFACTS.abi("Token").read(floor.token, "getFrozenTokens", ann, as_type=int)) == 2


async def test_rotation_given_up_before_its_switch_takes_back_what_it_granted(floor: Floor) -> None:
    stack, shared = floor.stack, floor.stack.state.contracts["IdentityRegistry"]["address"]
    await floor.allow(*ROLE_RULES)
    old, new, platform = [await stack.address(key) for key in ("other-agent", "other-agent@2", "platform")]
    first, last = contracts = sorted([floor.token.lower(), shared.lower()])  # the order in which they are granted
    await floor.as_owner(*(agents_of(contract).add_agent(old) for contract in contracts))
    await floor.as_owner(agents_of(last).transfer_ownership(STRANGER))  # so that the second grant is refused
    asked = await floor.rotate("other-agent")
    ended = await stack.closed(asked["operation_id"])
    assert (ended["state"], ended["error_code"]) == ("failed", "role.not_owner"), ended
    for step in ("rot:grant:", "rot:revoke_new:"):
        assert [(row["to_address"], row["state"]) for row in floor.steps(asked["operation_id"], step)] == [(first, "final")]  # fmt: skip
    assert await floor.agents(contracts, old, new) == [[True, False]] * 2
    row = floor.rotation(asked["operation_id"])
    assert (row["phase"], row["switched_at"], bool(row["ended_at"])) == ("aborted", None, True)
    # Once it can be done, the same key is moved by asking again.
    back = agents_of(last).transfer_ownership(platform)
    await stack.rpc("anvil_setBalance", STRANGER, hex(10**20))
    await stack.rpc("anvil_impersonateAccount", STRANGER)
    await stack.rpc("eth_sendTransaction", {"from": STRANGER, "to": last, "data": "0x" + back.data.hex()})
    again = await floor.rotate("other-agent")
    assert (again["old_address"], again["new_address"]) == (old, new)
    await floor.done(again["operation_id"])
    assert await floor.agents(contracts, old, new) == [[False, True]] * 2


async def test_rotation_waits_for_two_people_and_a_key_that_does_not_sign_changes_nothing(floor: Floor) -> None:
    stack, wrong = floor.stack, "0x" + "99" * 20
    stack.state.approvals = 1
    unsigned, late = await floor.rotate("claim-issuer"), await floor.rotate("ats-operator")
    stack.state.approvals = 2
    rows = [stack.state.operations[asked["operation_id"]] for asked in (unsigned, late)]
    await stack.until(lambda: {row["state"] for row in rows} == {"running"}, "the operations to run")
    assert [floor.rotation(asked["operation_id"])["phases"] for asked in (unsigned, late)] == [[], []]
    stack.kill()  # people may take longer than a process lives
    rows[0].update(params=rows[0]["params"] | {"new_address": wrong}, approvals=2)
    rows[1].update(params=rows[1]["params"] | {"not_after": 1})
    await stack.restart()
    codes = [(await stack.closed(asked["operation_id"]))["error_code"] for asked in (unsigned, late)]
    assert codes == ["signer.rotation_refused", "approval.expired"]
    for asked in (unsigned, late):
        row = floor.rotation(asked["operation_id"])
        assert (row["phase"], row["switched_at"], bool(row["ended_at"])) == ("aborted", None, True)
    assert not await floor.read(floor.issuer.is_signer(wrong))
    await floor.done((await floor.rotate("claim-issuer"))["operation_id"])


async def test_key_with_a_role_that_cannot_be_moved_is_refused_before_anything(floor: Floor) -> None:
    for name in ("platform", "treasury", "investor:ann"):
        assert await floor.refused(name) == "signer.role_not_movable"
    assert await floor.refused("ats-submitter@2") == "signer.not_a_name"


async def test_t24_force_cancels_what_waits_for_a_nonce_and_nothing_else(floor: Floor) -> None:
    stack = floor.stack
    waits = [replace(rule, approval_above=0) if rule.policy_id == "default.settlement" else rule for rule in DEFAULT_RULES]  # fmt: skip
    stack.kill()
    stack.state.policies = [asdict(rule) for rule in waits]
    await stack.restart()
    stack.state.approvals = 0
    held = await floor.settle("forced")
    stack.state.approvals = 2
    await stack.until(
        lambda: "paused" in {row["state"] for row in floor.steps(held, "settle:")}, "the fill to wait for people"
    )
    asked = await floor.rotate("ats-submitter", force=True)
    await floor.done(asked["operation_id"])
    row = await stack.closed(held)
    assert (row["result"]["settled"], row["result"]["failed"][0]["reason"]) == ([], "transaction.cancelled")
    again = await floor.settle("forced")  # as the api does with what was not settled
    await floor.settled([again], ["forced"])
    assert floor.senders([again]) == {asked["new_address"]}
