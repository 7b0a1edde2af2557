"""13 to 27: what an agent may do, and who is none."""

from tests.acceptance.erc3643.stage import Stage, case
from tokenx_chain.policy.rules import Outcome, Rule

NOT_AGENT = "AgentRole: caller does not have the Agent role"


@case(13, "mint by another than an agent")
async def mint_by_stranger(stage: Stage) -> None:
    call = stage.call("mint", stage.bob.wallet, 1)
    assert stage.ground.evm.refusal(call, stage.stranger) == NOT_AGENT
    assert stage.policy("investor:inv_x", call).code == "policy.not_allowed"


@case(14, "mint to an unverified wallet")
async def mint_unverified(stage: Stage) -> None:
    asked = stage.gate.mint(stage.token, receiver=stage.stranger, units=1)
    await stage.both(asked, "identity.not_verified", stage.call("mint", stage.stranger, 1), "Identity is not verified.")


@case(15, "mint against a rule")
async def mint_against_rule(stage: Stage) -> None:
    asked = stage.gate.mint(stage.token, receiver=stage.cyrus.wallet, units=1)
    await stage.both(
        asked, "compliance.country_blocked", stage.call("mint", stage.cyrus.wallet, 1), "Compliance not followed"
    )


@case(16, "mint zero")
async def mint_zero(stage: Stage) -> None:
    asked = stage.gate.mint(stage.token, receiver=stage.bob.wallet, units=0)
    await stage.both(asked, "amount.zero", stage.call("mint", stage.bob.wallet, 0), "invalid argument - no value mint")


@case(17, "burn more than the balance")
async def burn_too_much(stage: Stage) -> None:
    asked = stage.gate.burn(stage.token, holder=stage.ann.wallet, units=101)
    await stage.both(
        asked, "balance.insufficient", stage.call("burn", stage.ann.wallet, 101), "cannot burn more than balance"
    )


@case(18, "burn into the frozen part")
async def burn_frozen(stage: Stage) -> None:
    stage.act("freezePartialTokens", stage.ann.wallet, 60)
    mined = stage.ground.send(await stage.gate.burn(stage.token, holder=stage.ann.wallet, units=70))
    assert [event["_amount"] for event in stage.suite.token.events(mined, "TokensUnfrozen")] == [30]
    assert stage.state(stage.ann) == (30, 30, False)


@case(19, "forced transfer by another than an agent")
async def force_by_stranger(stage: Stage) -> None:
    call = stage.call("forcedTransfer", stage.ann.wallet, stage.bob.wallet, 1)
    assert stage.ground.evm.refusal(call, stage.stranger) == NOT_AGENT
    assert stage.policy("investor:inv_x", call).code == "policy.not_allowed"


@case(20, "forced transfer of more than the balance")
async def force_too_much(stage: Stage) -> None:
    asked = stage.gate.force_transfer(stage.token, sender=stage.ann.wallet, receiver=stage.bob.wallet, units=101)
    call = stage.call("forcedTransfer", stage.ann.wallet, stage.bob.wallet, 101)
    await stage.both(asked, "balance.insufficient", call, "sender balance too low")


@case(21, "forced transfer to an unverified wallet")
async def force_unverified(stage: Stage) -> None:
    asked = stage.gate.force_transfer(stage.token, sender=stage.ann.wallet, receiver=stage.stranger, units=1)
    call = stage.call("forcedTransfer", stage.ann.wallet, stage.stranger, 1)
    await stage.both(asked, "identity.not_verified", call, "Transfer not possible")


@case(22, "forced transfer against the country rule")
async def force_against_rule(stage: Stage) -> None:
    stage.ground.send(
        await stage.gate.force_transfer(stage.token, sender=stage.ann.wallet, receiver=stage.cyrus.wallet, units=1)
    )
    assert stage.state(stage.cyrus)[0] == 1


@case(23, "forced transfer eats the frozen part")
async def force_frozen(stage: Stage) -> None:
    stage.act("freezePartialTokens", stage.ann.wallet, 60)
    mined = stage.ground.send(
        await stage.gate.force_transfer(stage.token, sender=stage.ann.wallet, receiver=stage.bob.wallet, units=55)
    )
    assert [event["_amount"] for event in stage.suite.token.events(mined, "TokensUnfrozen")] == [15]
    assert stage.state(stage.ann) == (45, 45, False)


@case(24, "forced transfer while paused")
async def force_paused(stage: Stage) -> None:
    """The contract lets an agent; a policy that asks for a second person does not let one alone."""
    stage.act("pause")
    act = await stage.gate.force_transfer(stage.token, sender=stage.ann.wallet, receiver=stage.bob.wallet, units=1)
    rule = Rule("four-eyes", key_ref="platform", contract="token:*", function="forcedTransfer", approval_above=0)
    assert stage.policy("platform", act.call, rule).outcome is Outcome.APPROVE
    stage.ground.send(act)
    assert stage.state(stage.bob)[0] == 1


@case(25, "freeze more than the balance")
async def freeze_too_much(stage: Stage) -> None:
    asked = stage.gate.freeze_units(stage.token, holder=stage.ann.wallet, units=101)
    await stage.both(
        asked,
        "balance.insufficient",
        stage.call("freezePartialTokens", stage.ann.wallet, 101),
        "Amount exceeds available balance",
    )


@case(26, "unfreeze more than is frozen")
async def unfreeze_too_much(stage: Stage) -> None:
    stage.act("freezePartialTokens", stage.ann.wallet, 10)
    asked = stage.gate.unfreeze_units(stage.token, holder=stage.ann.wallet, units=11)
    text = "Amount should be less than or equal to frozen tokens"
    await stage.both(asked, "balance.insufficient", stage.call("unfreezePartialTokens", stage.ann.wallet, 11), text)


@case(27, "pause twice and unpause twice")
async def twice(stage: Stage) -> None:
    await stage.both(stage.gate.unpause(stage.token), "token.not_paused", stage.call("unpause"), "Pausable: not paused")
    stage.act("pause")
    await stage.both(stage.gate.pause(stage.token), "token.paused", stage.call("pause"), "Pausable: paused")
