"""51 to 60: delivery versus payment by our own contract, and what we refuse beyond the standard."""

from dataclasses import replace

from tests.acceptance.erc3643.stage import Stage, case
from tests.contracts.evm import reason_of
from tests.contracts.market import Market, open_market
from tests.standards.ground import KYC_DATA
from tokenx_chain.contracts.identity import KYC_TOPIC
from tokenx_chain.contracts.settlement import Leg, LegKind, SignedFill
from tokenx_chain.operations.claims import spellings


def market_of(stage: Stage) -> Market:
    return open_market(stage.ground.trex)


@case(51, "seller lacks balance or allowance")
async def seller_lacks(stage: Stage) -> None:
    market = market_of(stage)
    market.approve(10, 500)
    short = market.signed(market.fill(legs=market.legs(units=11)))
    assert market.refused(short).startswith("LegFailed(0, ")
    market.approve(5_000, 500)
    poor = market.signed(market.fill(legs=market.legs(units=1_001)))
    assert "LegFailed(0, " in market.refused(poor)
    assert market.balances() == (1_000, 0, 0, 1_000_000)


@case(52, "unknown settlement and a second take")
async def second_take(stage: Stage) -> None:
    """Ours: an id is open until it is spent, and is spent once; cancelled it never settles."""
    market = market_of(stage)
    market.approve(20, 1_000)
    signed = market.signed(market.fill("set_a"))
    assert market.batch(signed) == [""]
    assert market.refused(signed).startswith("AlreadySettled(")
    market.evm.send(market.settlement.cancel("set_b"), market.submitter)
    assert market.refused(market.signed(market.fill("set_b"))).startswith("AlreadyCancelled(")


@case(53, "buyer frozen")
async def buyer_frozen(stage: Stage) -> None:
    market = market_of(stage)
    market.approve(10, 500)
    market.suite.act(market.token.call("setAddressFrozen", market.buyer.address, True))
    refusal = market.refused(market.signed(market.fill()))
    assert reason_of(bytes.fromhex(refusal.rsplit(", 0x", 1)[1].rstrip(")"))) == "wallet is frozen"
    assert market.balances() == (1_000, 0, 0, 1_000_000)


@case(54, "stranger settles or cancels")
async def stranger_settles(stage: Stage) -> None:
    market = market_of(stage)
    market.approve(10, 500)
    signed = market.signed(market.fill())
    stranger = market.stranger.address
    assert market.evm.refusal(market.settlement.settle_all([signed]), stranger).startswith("NotSubmitter(")
    assert market.evm.refusal(market.settlement.cancel("set_1"), stranger).startswith("NotOperator(")


@case(55, "agent of another token takes a standing allowance")
async def foreign_agent(stage: Stage) -> None:
    """With a token of his own on one side he is nobody here: not as submitter, not as operator, and his token is not listed."""
    market = market_of(stage)
    market.approve(10, 1_000_000)
    worthless, stranger = market.evm.deploy("TestUSD", market.stranger.address), market.stranger
    market.evm.send(worthless.call("mint", stranger.address, 10), stranger.address)
    legs = (Leg(LegKind.DELIVERY, worthless.address, stranger.address, market.buyer.address, 10),
            Leg(LegKind.PAYMENT, market.cash.address, market.buyer.address, stranger.address, 900_000))  # fmt: skip
    fill = market.fill(legs=legs)
    digest = fill.digest(market.domain)
    own = SignedFill(fill, stranger.address, stranger.sign(digest), (stranger.sign(digest), b""))
    assert market.evm.refusal(market.settlement.settle_all([own]), stranger.address).startswith("NotSubmitter(")
    assert market.refused(own).startswith("AssetNotListed(")
    assert market.refused(market.signed(fill)).startswith("AssetNotListed(")
    listed = market.fill(legs=(market.legs()[0], legs[1]))
    by_himself = replace(
        market.signed(listed), operator=stranger.address, operator_signature=stranger.sign(listed.digest(market.domain))
    )
    assert market.refused(by_himself).startswith("NotOperator(")
    assert market.balances()[3] == 1_000_000


@case(56, "fee of 25 basis points on 1000")
async def fee(stage: Stage) -> None:
    market = market_of(stage)
    market.own("setMaxFeeBps", 25)
    market.approve(20, 2_000)
    assert market.batch(market.signed(market.fill("fee_2", market.legs(cash=1_000, fee=1_000 * 25 // 10_000)))) == [""]
    assert market.evm.read(market.cash.read("balanceOf", market.collector.address)) == 2
    assert market.refused(market.signed(market.fill("fee_250", market.legs(cash=1_000, fee=250)))).startswith(
        "FeeTooHigh("
    )


@case(57, "revoked claim written in another way")
async def rewritten_claim(stage: Stage) -> None:
    issuer, signature = stage.ground.trex.issuer, stage.ground.signature(stage.bob.identity)
    forms = spellings(signature)
    for form in forms:
        stage.ground.evm.send(issuer.call("revokeClaimBySignature", form), stage.platform)
    identity = stage.ground.evm.at("Identity", stage.bob.identity)
    for form in forms:
        asked = stage.gate.add_claim(
            stage.bob.identity, topic=KYC_TOPIC, issuer=issuer.address, signature=form, data=KYC_DATA
        )
        assert await stage.ground.refused(asked) in ("claim.already_revoked", "claim.signature_form")
        call = identity.call("addClaim", KYC_TOPIC, 1, issuer.address, form, KYC_DATA, "")
        assert stage.ground.evm.refusal(call, stage.platform) == "invalid claim"
    assert stage.is_verified(stage.bob) is False


@case(58, "revoked holder sends")
async def revoked_sends(stage: Stage) -> None:
    """Our gate looks at the sender too; and a revocation of ours freezes, so that the contract refuses as well."""
    signature = stage.ground.signature(stage.ann.identity)
    stage.ground.send(await stage.gate.revoke_claim(stage.ground.trex.issuer.address, signature=signature))
    asked = stage.gate.transfer(stage.token, sender=stage.ann.wallet, receiver=stage.bob.wallet, units=1)
    assert await stage.ground.refused(asked) == "identity.sender_not_verified"
    stage.ground.send(await stage.gate.freeze(stage.token, stage.ann.wallet))
    await stage.transfer(stage.bob.wallet, 1, "wallet.frozen", "wallet is frozen")


@case(59, "forced transfer to oneself")
async def forced_to_self(stage: Stage) -> None:
    stage.act("freezePartialTokens", stage.ann.wallet, 60)
    asked = stage.gate.force_transfer(stage.token, sender=stage.ann.wallet, receiver=stage.ann.wallet, units=100)
    assert await stage.ground.refused(asked) == "transfer.to_self"
    assert stage.state(stage.ann) == (100, 60, False)


@case(60, "identity of a holder deleted")
async def delete_holder(stage: Stage) -> None:
    assert await stage.ground.refused(stage.gate.remove_identity(stage.ann.wallet)) == "identity.holds_tokens"
    stage.ground.send(await stage.gate.burn(stage.token, holder=stage.ann.wallet, units=100))
    stage.ground.send(await stage.gate.remove_identity(stage.ann.wallet))
    assert stage.is_verified(stage.ann) is False
