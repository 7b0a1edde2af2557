"""Every act by its name on a real suite whose owner, registry agent and token agent are three different keys; and what is never sent."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.contracts.suites import Suite, wallet
from tests.standards.ground import KYC_DATA, KYC_TOPIC, Ground, Person
from tokenx_chain.contracts.calls import ZERO_ADDRESS
from tokenx_chain.standards.erc3643 import Erc3643Adapter
from tokenx_chain.standards.protocol import Act, Keys, Movement, Power

pytestmark = pytest.mark.stack


@pytest.fixture
async def suite(ground: Ground) -> Suite:
    return await ground.suite()


def held(suite: Suite, *people: Person) -> list[int]:
    return [suite.balance(person.wallet) for person in people]


async def test_owner_and_agents_can_be_three_keys(ground: Ground) -> None:
    owner, registrar, agent = ground.evm.accounts[1:4]
    suite = await ground.suite(paused=True, owner=owner, registry_agents=(registrar,), token_agents=(agent,))
    token, to = suite.token.address, ground.standard
    ground.send(await to.unpause(token), agent)
    ann = ground.person("ann")
    ground.send(await to.mint(token, receiver=ann.wallet, units=5), agent)
    for act, wrong, text in (
        (await to.mint(token, receiver=ann.wallet, units=5), owner, "AgentRole: caller does not have the Agent role"),
        (await to.grant_agent(token, wrong_agent := ground.evm.accounts[6]), agent, "Ownable: caller is not the owner"),
    ):
        assert ground.evm.refusal(act.call, wrong) == text
    ground.send(await to.grant_agent(token, wrong_agent), owner)
    ground.send(await to.burn(token, holder=ann.wallet, units=5), wrong_agent)
    ground.send(await to.withdraw_agent(token, wrong_agent), owner)
    assert await ground.refused(to.withdraw_agent(token, wrong_agent)) == "role.not_agent"
    ground.send(await to.hand_over(token, registrar), owner)
    assert ground.evm.read(suite.token.read("owner")) == registrar


async def test_movements_freezes_and_pause(ground: Ground, suite: Suite) -> None:
    token, to, ann, bob = suite.token.address, ground.standard, ground.person("ann"), ground.person("bob")
    ground.send(await to.mint(token, receiver=ann.wallet, units=100))
    ground.send(await to.transfer(token, sender=ann.wallet, receiver=bob.wallet, units=30), ann.wallet)
    ground.evm.send(suite.token.call("approve", ground.platform, 10), ann.wallet)
    ground.send(await to.transfer_from(token, spender=ground.platform, sender=ann.wallet, receiver=bob.wallet, units=10), ground.platform)  # fmt: skip
    ground.send(await to.force_transfer(token, sender=bob.wallet, receiver=ann.wallet, units=5))
    ground.send(await to.burn(token, holder=bob.wallet, units=5))
    assert held(suite, ann, bob) == [65, 30]
    ground.send(await to.freeze_units(token, holder=ann.wallet, units=60))
    assert await ground.refused(to.freeze_units(token, holder=ann.wallet, units=6)) == "balance.insufficient"
    assert await ground.refused(to.unfreeze_units(token, holder=ann.wallet, units=61)) == "balance.insufficient"
    ground.send(await to.unfreeze_units(token, holder=ann.wallet, units=60))
    ground.send(await to.freeze(token, ann.wallet))
    assert await ground.refused(to.transfer(token, sender=ann.wallet, receiver=bob.wallet, units=1)) == "wallet.frozen"
    ground.send(await to.unfreeze(token, ann.wallet))
    ground.send(await to.pause(token))
    assert await ground.refused(to.pause(token)) == "token.paused"
    ground.send(await to.unpause(token))
    assert await ground.refused(to.unpause(token)) == "token.not_paused"


async def test_batches_are_all_or_none(ground: Ground, suite: Suite) -> None:
    token, to, ann, bob, cid = (
        suite.token.address,
        ground.standard,
        *(ground.person(name) for name in ("ann", "bob", "cid")),
    )
    stranger = ground.evm.fund(wallet("stranger"))
    ground.send(await to.mint_batch(token, {ann.wallet: 50, bob.wallet: 50}))
    ground.send(await to.transfer_batch(token, sender=ann.wallet, units_by_receiver={bob.wallet: 10, cid.wallet: 20}), ann.wallet)  # fmt: skip
    moves = [Movement(bob.wallet, ann.wallet, 5), Movement(cid.wallet, ann.wallet, 5)]
    ground.send(await to.force_transfer_batch(token, moves))
    ground.send(await to.burn_batch(token, {ann.wallet: 1, bob.wallet: 1}))
    assert held(suite, ann, bob, cid) == [29, 54, 15]
    ground.send(await to.freeze_units_batch(token, {ann.wallet: 29, bob.wallet: 4}))
    ground.send(await to.unfreeze_units_batch(token, {ann.wallet: 9}))
    ground.send(await to.set_frozen_batch(token, {cid.wallet: True}))
    over = to.transfer_batch(token, sender=ann.wallet, units_by_receiver={bob.wallet: 4, cid.wallet: 4})
    refused: dict[str, Awaitable[Act]] = {
        "wallet.frozen": over,
        "identity.not_verified": to.mint_batch(token, {ann.wallet: 1, stranger: 1}),
        "transfer.to_self": to.force_transfer_batch(token, [*moves, Movement(bob.wallet, bob.wallet, 1)]),
        "balance.insufficient": to.force_transfer_batch(token, [Movement(cid.wallet, ann.wallet, 8), Movement(cid.wallet, bob.wallet, 8)]),
        "batch.size": to.burn_batch(token, {}),
        "amount.zero": to.burn_batch(token, {ann.wallet: 0}),
    }  # fmt: skip
    assert {code: await ground.refused(asked) for code, asked in refused.items()} == {code: code for code in refused}


async def test_identities_claims_and_their_order(ground: Ground) -> None:
    to, platform, address = ground.standard, ground.platform, ground.evm.fund(wallet("dan"))
    ground.send(await to.create_identity(wallet=address, manager=platform))
    assert await ground.refused(to.create_identity(wallet=address, manager=platform)) == "identity.already_created"
    identity = ground.evm.read(ground.trex.identities.read("getIdentity", address))
    claim: dict[str, Any] = {"topic": KYC_TOPIC, "issuer": ground.trex.issuer.address}
    ground.send(await to.add_claim(identity, **claim, signature=ground.signature(identity), data=KYC_DATA))
    ground.send(await to.register_identity(wallet=address, identity=identity, country=840))
    assert ground.evm.read(ground.registry.read("isVerified", address)) is True
    assert await ground.refused(to.register_identity(wallet=address, identity=identity, country=840)) == "identity.already_registered"  # fmt: skip
    ground.send(await to.update_country(wallet=address, country=250))
    ground.send(await to.remove_claim(identity, **claim))
    assert ground.evm.read(ground.registry.read("isVerified", address)) is False
    other, second = ground.trex.identity(wallet("dan-2")), ground.evm.fund(wallet("dan-3"))
    ground.send(await to.update_identity(wallet=address, identity=other))
    ground.send(await to.register_identities({second: (other, 250)}))
    ground.send(await to.remove_identity(address))
    assert await ground.refused(to.update_country(wallet=address, country=840)) == "identity.not_registered"


async def test_a_revoked_claim_cannot_come_back_in_any_spelling(ground: Ground) -> None:
    to, ann, issuer = ground.standard, ground.person("ann"), ground.trex.issuer.address
    signature = ground.signature(ann.identity)
    claim: dict[str, Any] = {"topic": KYC_TOPIC, "issuer": issuer, "data": KYC_DATA}
    ground.send(await to.revoke_claim(issuer, signature=signature))
    assert ground.evm.read(ground.registry.read("isVerified", ann.wallet)) is False
    again = signature[:64] + bytes([signature[64] - 27])
    assert await ground.refused(to.add_claim(ann.identity, **claim, signature=signature)) == "claim.already_revoked"
    assert await ground.refused(to.add_claim(ann.identity, **claim, signature=again)) == "claim.signature_form"
    assert await ground.refused(to.revoke_claim(issuer, signature=signature)) == "claim.already_revoked"


async def test_rules_are_bound_set_and_taken_off(ground: Ground, suite: Suite) -> None:
    token, to, ann = suite.token.address, ground.standard, ground.person("ann")
    cap = ground.evm.deploy("MaxBalance")
    assert await ground.refused(to.set_rule(token, cap.address, b"")) == "compliance.not_bound"
    ground.send(await to.bind_rule(token, cap.address))
    ground.send(await to.set_rule(token, cap.address, cap.data("setMaxBalance", 5)))
    assert await ground.refused(to.bind_rule(token, cap.address)) == "compliance.already_bound"
    assert await ground.refused(to.mint(token, receiver=ann.wallet, units=6)) == "compliance.max_balance"
    ground.send(await to.unbind_rule(token, cap.address))
    ground.send(await to.mint(token, receiver=ann.wallet, units=6))


def _designs(ground: Ground) -> dict[str, Callable[[Erc3643Adapter], Awaitable[Act]]]:
    foreign = ground.evm.deploy("IdentityRegistryStorage").address
    many = tuple(wallet(f"many-{n}") for n in range(31))
    changes: dict[str, dict[str, Any]] = {
        "issuers": {"issuers": dict.fromkeys(many[:6], (1,))},
        "topics": {"topics": tuple(range(6))},
        "agents": {"token_agents": many[:6]},
        "modules": {"modules": many},
        "settings": {"settings": (b"",)},
        "decimals": {"decimals": 19},
        "storage": {"storage": foreign},
    }
    return {name: lambda adapter, change=change: adapter.deploy_suite(ground.design(**change)) for name, change in changes.items()}  # fmt: skip


async def test_a_suite_beyond_the_factory_or_off_the_shared_table_is_refused(ground: Ground) -> None:
    codes = {name: await ground.refused(ask(ground.adapter)) for name, ask in _designs(ground).items()}
    assert codes.pop("storage") == "suite.storage_not_shared"
    assert set(codes.values()) == {"suite.too_much"}
    assert ground.adapter.shared_storage == ground.storage.address


async def test_a_spent_salt_is_refused(ground: Ground, suite: Suite) -> None:
    name = next(iter(ground.chain.registry.tokens()))
    salt = (ground.chain.registry.name_of(name) or "").removeprefix("token:")
    assert await ground.refused(ground.standard.deploy_suite(ground.design(salt=salt))) == "token.already_deployed"


async def test_nobody_is_handed_anything(ground: Ground, suite: Suite) -> None:
    assert await ground.refused(ground.standard.hand_over(suite.token.address, ZERO_ADDRESS)) == "address.zero"


def test_a_holder_signs_for_himself_everything_else_has_a_key() -> None:
    keys = Keys(token_agent="agent")
    assert (keys.of(Power.TOKEN_AGENT), keys.of(Power.OWNER), keys.of(Power.HOLDER, holder="investor:x")) == ("agent", "platform", "investor:x")  # fmt: skip
    with pytest.raises(ValueError, match="holder"):
        keys.of(Power.HOLDER)
