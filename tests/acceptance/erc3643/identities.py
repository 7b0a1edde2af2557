"""28 to 40: recovery, the registry, claims and who may make them."""

from eth_account import Account

from tests.acceptance.erc3643.stage import Stage, case
from tests.contracts.suites import Suite, wallet
from tests.standards.ground import KYC_DATA, Person
from tokenx_chain.contracts.claims import Claims
from tokenx_chain.contracts.identity import KYC_TOPIC

ALWAYS_YES = bytes.fromhex("600160005260206000f3")
ALWAYS_REVERTS = bytes.fromhex("60006000fd")
STORED, NOT_STORED = "address stored already", "address not stored yet"


def new_wallet(stage: Stage, *, manager: bool = True) -> Person:
    """A wallet for ann's identity; a management key of it unless told otherwise."""
    fresh = Person(stage.ground.evm.fund(wallet("ann-2")), stage.ann.identity)
    if manager:
        claims = Claims(stage.ground.chain.artifacts.abi("Identity"), stage.ann.identity)
        stage.ground.evm.send(claims.add_manager(fresh.wallet), stage.platform)
    return fresh


async def recovered(stage: Stage) -> Person:
    fresh = new_wallet(stage)
    stage.ground.send(
        await stage.gate.recover(stage.token, lost=stage.ann.wallet, fresh=fresh.wallet, identity=stage.ann.identity)
    )
    return fresh


@case(28, "recovery of an empty wallet")
async def recover_empty(stage: Stage) -> None:
    fresh = new_wallet(stage)
    asked = stage.gate.recover(stage.token, lost=stage.bob.wallet, fresh=fresh.wallet, identity=stage.bob.identity)
    call = stage.call("recoveryAddress", stage.bob.wallet, fresh.wallet, stage.bob.identity)
    await stage.both(asked, "recovery.nothing_held", call, "no tokens to recover")


@case(29, "recovery to a wallet that is no manager key")
async def recover_not_manager(stage: Stage) -> None:
    fresh = new_wallet(stage, manager=False)
    asked = stage.gate.recover(stage.token, lost=stage.ann.wallet, fresh=fresh.wallet, identity=stage.ann.identity)
    call = stage.call("recoveryAddress", stage.ann.wallet, fresh.wallet, stage.ann.identity)
    await stage.both(asked, "recovery.not_a_manager", call, "Recovery not possible")


@case(30, "recovery of a frozen wallet")
async def recover_frozen(stage: Stage) -> None:
    stage.act("setAddressFrozen", stage.ann.wallet, True)
    assert stage.state(await recovered(stage)) == (100, 0, True)


@case(31, "recovery with a partial freeze")
async def recover_partly_frozen(stage: Stage) -> None:
    stage.act("freezePartialTokens", stage.ann.wallet, 60)
    assert stage.state(await recovered(stage)) == (100, 60, False)


@case(32, "recovery with two tokens on one storage")
async def recover_two(stage: Stage) -> None:
    """The token's own recovery serves one token only. Ours refuses to begin it; the whole investor is tests/standards/test_whole_investor.py."""
    second: Suite = await stage.ground.suite()
    second.mint(stage.ann.wallet, 7)
    fresh = new_wallet(stage)
    args = (stage.ann.wallet, fresh.wallet, stage.ann.identity)
    asked = stage.gate.recover(stage.token, lost=args[0], fresh=args[1], identity=args[2])
    assert await stage.ground.refused(asked) == "recovery.several_tokens"
    stage.act("recoveryAddress", *args)
    assert stage.ground.evm.refusal(second.token.call("recoveryAddress", *args), stage.platform) == STORED
    stage.ground.send(await stage.gate.force_transfer(second.token.address, sender=args[0], receiver=args[1], units=7))
    assert (stage.state(fresh)[0], second.balance(fresh.wallet)) == (100, 7)


@case(33, "the same wallet registered twice")
async def registered_twice(stage: Stage) -> None:
    asked = stage.gate.register_identity(wallet=stage.ann.wallet, identity=stage.ann.identity, country=840)
    call = stage.ground.registry.call("registerIdentity", stage.ann.wallet, stage.ann.identity, 840)
    await stage.both(asked, "identity.already_registered", call, STORED)


@case(34, "update or delete of an unknown wallet")
async def unknown_wallet(stage: Stage) -> None:
    registry, who = stage.ground.registry, stage.stranger
    code = "identity.not_registered"
    await stage.both(
        stage.gate.update_country(wallet=who, country=1), code, registry.call("updateCountry", who, 1), NOT_STORED
    )
    await stage.both(stage.gate.remove_identity(who), code, registry.call("deleteIdentity", who), NOT_STORED)


@case(35, "no claim topics required")
async def no_topics(stage: Stage) -> None:
    suite = await stage.ground.suite(topics=(), issuers={})
    dan = stage.ground.person("dan", kyc=False)
    assert stage.ground.evm.read(suite.registry.read("isVerified", dan.wallet)) is True
    assert stage.is_verified(dan) is False
    assert await stage.gate.can_receive(suite.token.address, receiver=dan.wallet, units=1) is None


@case(36, "topic required and no trusted issuer")
async def no_issuers(stage: Stage) -> None:
    suite = await stage.ground.suite(issuers={})
    assert stage.ground.evm.read(suite.registry.read("isVerified", stage.ann.wallet)) is False
    found = await stage.gate.can_receive(suite.token.address, receiver=stage.ann.wallet, units=1)
    assert found is not None
    assert found.code == "identity.not_verified"


@case(37, "one issuer throws and another claim is valid")
async def issuer_throws(stage: Stage) -> None:
    evm, faulty = stage.ground.evm, "0x" + "77" * 20
    evm.place(faulty, ALWAYS_YES)
    suite = await stage.ground.suite(issuers={faulty: (KYC_TOPIC,), stage.ground.trex.issuer.address: (KYC_TOPIC,)})
    identity = evm.at("Identity", stage.ann.identity)
    evm.send(identity.call("addClaim", KYC_TOPIC, 1, faulty, b"\1" * 65, b"", ""), stage.platform)
    evm.place(faulty, ALWAYS_REVERTS)
    assert evm.read(suite.registry.read("isVerified", stage.ann.wallet)) is True


@case(38, "claim signed by an unknown key")
async def unknown_signer(stage: Stage) -> None:
    issuer = stage.ground.trex.issuer.address
    signature = stage.ground.signature(stage.bob.identity, key=Account.create("nobody"))
    asked = stage.gate.add_claim(stage.bob.identity, topic=KYC_TOPIC, issuer=issuer, signature=signature, data=KYC_DATA)
    identity = stage.ground.evm.at("Identity", stage.bob.identity)
    await stage.both(
        asked,
        "claim.invalid",
        identity.call("addClaim", KYC_TOPIC, 1, issuer, signature, KYC_DATA, ""),
        "invalid claim",
    )


@case(39, "the same topic twice and a sixteenth")
async def topics(stage: Stage) -> None:
    policy = await stage.ground.adapter.claim_policy(stage.token)
    assert stage.ground.evm.refusal(policy.require_topic(KYC_TOPIC), stage.platform) == "claimTopic already exists"
    for topic in range(1, 15):
        stage.ground.evm.send(policy.require_topic(topic), stage.platform)
    assert stage.ground.evm.refusal(policy.require_topic(15), stage.platform) == "cannot require more than 15 topics"


@case(40, "removal of an unknown issuer")
async def unknown_issuer(stage: Stage) -> None:
    policy = await stage.ground.adapter.claim_policy(stage.token)
    assert stage.ground.evm.refusal(policy.distrust(stage.stranger), stage.platform) == "NOT a trusted issuer"
