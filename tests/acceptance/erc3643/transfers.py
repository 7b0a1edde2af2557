"""1 to 12: what a holder may send."""

from tests.acceptance.erc3643.stage import Stage, case

NOT_POSSIBLE = "Transfer not possible"


@case(1, "transfer while paused")
async def paused(stage: Stage) -> None:
    stage.act("pause")
    await stage.transfer(stage.bob.wallet, 1, "token.paused", "Pausable: paused")


@case(2, "transferFrom while paused")
async def paused_from(stage: Stage) -> None:
    stage.ground.evm.send(stage.call("approve", stage.platform, 10), stage.ann.wallet)
    stage.act("pause")
    asked = stage.gate.transfer_from(
        stage.token, spender=stage.platform, sender=stage.ann.wallet, receiver=stage.bob.wallet, units=1
    )
    await stage.both(
        asked, "token.paused", stage.call("transferFrom", stage.ann.wallet, stage.bob.wallet, 1), "Pausable: paused"
    )


@case(3, "receiver frozen")
async def receiver_frozen(stage: Stage) -> None:
    stage.act("setAddressFrozen", stage.bob.wallet, True)
    await stage.transfer(stage.bob.wallet, 1, "wallet.frozen", "wallet is frozen")


@case(4, "sender frozen")
async def sender_frozen(stage: Stage) -> None:
    stage.act("setAddressFrozen", stage.ann.wallet, True)
    await stage.transfer(stage.bob.wallet, 1, "wallet.frozen", "wallet is frozen")


@case(5, "more than the balance")
async def over_balance(stage: Stage) -> None:
    await stage.transfer(stage.bob.wallet, 101, "balance.insufficient", "Insufficient Balance")


@case(6, "more than the unfrozen part")
async def over_free(stage: Stage) -> None:
    stage.act("freezePartialTokens", stage.ann.wallet, 60)
    await stage.transfer(stage.bob.wallet, 41, "balance.insufficient", "Insufficient Balance")


@case(7, "receiver not registered")
async def unregistered(stage: Stage) -> None:
    await stage.transfer(stage.stranger, 1, "identity.not_verified", NOT_POSSIBLE)


@case(8, "receivers claim revoked")
async def claim_revoked(stage: Stage) -> None:
    signature = stage.ground.signature(stage.bob.identity)
    stage.ground.send(await stage.gate.revoke_claim(stage.ground.trex.issuer.address, signature=signature))
    await stage.transfer(stage.bob.wallet, 1, "identity.not_verified", NOT_POSSIBLE)


@case(9, "country rule")
async def country(stage: Stage) -> None:
    await stage.transfer(stage.cyrus.wallet, 1, "compliance.country_blocked", NOT_POSSIBLE)


@case(10, "compliant transfer moves balances and counters")
async def compliant(stage: Stage) -> None:
    assert stage.suite.ask(stage.holders, "holderCount") == 1
    act = await stage.gate.transfer(stage.token, sender=stage.ann.wallet, receiver=stage.bob.wallet, units=40)
    mined = stage.ground.send(act, stage.ann.wallet)
    (event,) = stage.suite.token.events(mined, "Transfer")
    assert (event["from"], event["to"], event["value"]) == (stage.ann.wallet, stage.bob.wallet, 40)
    assert (stage.state(stage.ann)[0], stage.state(stage.bob)[0]) == (60, 40)
    assert stage.suite.ask(stage.holders, "holderCount") == 2


@case(11, "transferFrom lowers the allowance")
async def allowance(stage: Stage) -> None:
    stage.ground.evm.send(stage.call("approve", stage.platform, 10), stage.ann.wallet)
    act = await stage.gate.transfer_from(
        stage.token, spender=stage.platform, sender=stage.ann.wallet, receiver=stage.bob.wallet, units=4
    )
    mined = stage.ground.send(act, stage.platform)
    assert len(stage.suite.token.events(mined, "Transfer")) == 1
    assert [event["value"] for event in stage.suite.token.events(mined, "Approval")] == [6]


@case(12, "batch transfer with one bad item")
async def batch(stage: Stage) -> None:
    to = {stage.bob.wallet: 1, stage.stranger: 1}
    asked = stage.gate.transfer_batch(stage.token, sender=stage.ann.wallet, units_by_receiver=to)
    await stage.both(
        asked, "identity.not_verified", stage.call("batchTransfer", list(to), [1, 1]), NOT_POSSIBLE, stage.ann.wallet
    )
    assert stage.state(stage.bob)[0] == 0
