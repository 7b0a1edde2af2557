"""41 to 50: rules, and the factory that deploys suites. The rules are our own modules; where their answer differs from the list, it says so."""

import json
from dataclasses import replace
from typing import Any

from eth_abi.abi import decode

from tests.acceptance.erc3643.stage import Stage, case
from tests.contracts.evm import ROOT, Contract
from tests.contracts.market import open_market
from tests.contracts.suites import wallet
from tests.standards.ground import IR, Person
from tokenx_chain.contracts.abi import Abi
from tokenx_chain.contracts.calls import Call

_GATEWAY = (
    ROOT / "contracts/node_modules/@tokenysolutions/t-rex/artifacts/contracts/factory/TREXGateway.sol/TREXGateway.json"
)
DAY = 86_400


async def bound(stage: Stage, name: str, setter: str, *values: object) -> Contract:
    """One of our modules, bound to the stage's token and set."""
    module = stage.ground.evm.deploy(name)
    stage.ground.send(await stage.gate.bind_rule(stage.token, module.address))
    stage.ground.send(await stage.gate.set_rule(stage.token, module.address, module.data(setter, *values)))
    return module


@case(41, "country restricted twice and a large batch")
async def countries(stage: Stage) -> None:
    """Ours: listing again changes nothing, and a batch may hold every country there is."""
    module = await bound(stage, "CountryBlock", "setCountries", [IR], True)
    for batch in ([IR], list(range(1, 260))):
        stage.ground.send(
            await stage.gate.set_rule(stage.token, module.address, module.data("setCountries", batch, True))
        )
    assert all(stage.suite.ask(module, "isListed", country) for country in (1, IR, 259))
    await stage.transfer(stage.cyrus.wallet, 1, "compliance.country_blocked", "Transfer not possible")


@case(42, "balance cap by identity and not by wallet")
async def balance_cap(stage: Stage) -> None:
    module = await bound(stage, "MaxBalance", "setMaxBalance", 120)
    stage.suite.sync(module, stage.ann.wallet)
    second: Person = stage.ground.person("bob-2", identity=stage.bob.identity)
    stage.suite.mint(stage.bob.wallet, 100)
    await stage.transfer(stage.bob.wallet, 21, "compliance.max_balance", "Transfer not possible")
    await stage.transfer(second.wallet, 21, "compliance.max_balance", "Transfer not possible")
    stage.suite.transfer(stage.bob.wallet, second.wallet, 100)  # within one identity: no cap


@case(43, "cap rule bound to a token with supply")
async def cap_with_supply(stage: Stage) -> None:
    """Ours: it binds, and refuses everything until all holders are counted."""
    module = await bound(stage, "MaxBalance", "setMaxBalance", 120)
    await stage.transfer(stage.bob.wallet, 1, "compliance.book_incomplete", "Transfer not possible")
    stage.suite.sync(module, stage.ann.wallet)
    stage.suite.transfer(stage.ann.wallet, stage.bob.wallet, 1)


@case(44, "26th module and the same module twice")
async def too_many_modules(stage: Stage) -> None:
    first = stage.ground.evm.deploy("CountryBlock")
    stage.suite.add(first)
    again = stage.suite.compliance.call("addModule", first.address)
    await stage.both(
        stage.gate.bind_rule(stage.token, first.address), "compliance.already_bound", again, "module already bound"
    )
    for _ in range(22):
        stage.suite.add(stage.ground.evm.deploy("CountryBlock"))
    last = stage.ground.evm.deploy("CountryBlock").address
    call = stage.suite.compliance.call("addModule", last)
    await stage.both(
        stage.gate.bind_rule(stage.token, last), "compliance.too_many_rules", call, "cannot add more than 25 modules"
    )


@case(45, "module called by an outsider")
async def outsider(stage: Stage) -> None:
    for call in (stage.holders.call("setCap", 1), stage.holders.call("moduleMintAction", stage.stranger, 1)):
        assert stage.ground.evm.refusal(call, stage.stranger).startswith("OnlyCompliance(")


@case(46, "volume limit resets after its window")
async def window(stage: Stage) -> None:
    await bound(stage, "VolumeWindow", "setVolumeLimit", DAY, 10)
    stage.suite.transfer(stage.ann.wallet, stage.bob.wallet, 10)
    await stage.transfer(stage.bob.wallet, 1, "compliance.volume_window", "Transfer not possible")
    stage.ground.evm.travel(stage.ground.evm.now() + 2 * DAY)
    stage.ground.send(
        await stage.gate.transfer(stage.token, sender=stage.ann.wallet, receiver=stage.bob.wallet, units=1),
        stage.ann.wallet,
    )


@case(47, "conditional transfer not approved and approved once")
async def conditional(stage: Stage) -> None:
    """Ours: consent to a fill of the settlement contract, which is spent with it."""
    market = open_market(stage.ground.trex)
    market.approve(20, 1_000)
    signed = market.signed(market.fill())
    without = replace(signed, consents=(b"", b""))
    assert market.refused(without).startswith("ConsentMissing(")
    assert market.batch(signed) == [""]
    assert market.refused(signed).startswith("AlreadySettled(")


@case(48, "suite with a used salt")
async def used_salt(stage: Stage) -> None:
    name = stage.ground.chain.registry.name_of(stage.token)
    assert name is not None
    design = stage.ground.design(salt=name.removeprefix("token:"))
    factory = stage.ground.trex.factory
    await stage.both(
        stage.gate.deploy_suite(design),
        "token.already_deployed",
        design.deployment(factory.abi, factory.address),
        "token already deployed",
    )


@case(49, "more issuers, topics, agents or modules than the factory takes")
async def too_much(stage: Stage) -> None:
    many, factory = tuple(wallet(f"many-{n}") for n in range(31)), stage.ground.trex.factory
    excesses: tuple[tuple[dict[str, Any], str], ...] = (
        ({"issuers": dict.fromkeys(many[:6], (1,))}, "max 5 claim issuers at deployment"),
        ({"topics": tuple(range(6))}, "max 5 claim topics at deployment"),
        ({"token_agents": many[:6]}, "max 5 agents at deployment"),
        ({"modules": many}, "max 30 module actions at deployment"),
    )
    for changes, text in excesses:
        design = stage.ground.design(**changes)
        await stage.both(
            stage.gate.deploy_suite(design), "suite.too_much", design.deployment(factory.abi, factory.address), text
        )


@case(50, "gateway used by a stranger or on behalf of another")
async def gateway(stage: Stage) -> None:
    """We deploy by the factory, which takes its owner only; the gateway is shown as it comes."""
    evm, factory, design = stage.ground.evm, stage.ground.trex.factory, stage.ground.design()
    assert (
        evm.refusal(design.deployment(factory.abi, factory.address), stage.stranger)
        == "Ownable: caller is not the owner"
    )
    content = json.loads(_GATEWAY.read_text())
    abi = Abi(content["abi"])
    for is_public, words in ((False, "PublicDeploymentsNotAllowed"), (True, "PublicCannotDeployOnBehalf")):
        code = bytes.fromhex(content["bytecode"][2:]) + abi.constructor_args(factory.address, is_public)
        address = evm.send(Call(to=None, data=code), stage.platform).contract
        assert address is not None
        inner = design.deployment(factory.abi, factory.address)
        call = Call(address, abi.data("deployTREXSuite", *details(inner)))
        assert evm.refusal(call, stage.stranger) == "0x" + selector(abi, words)


def details(call: Call) -> tuple[Any, ...]:
    """The two tuples of the factory's call, which the gateway takes without the salt."""
    token = "(address,string,string,uint8,address,address,address[],address[],address[],bytes[])"
    claims = "(uint256[],address[],uint256[][])"
    return decode(["string", token, claims], call.data[4:])[1:]


def selector(abi: Abi, name: str) -> str:
    return next(found.hex() for found, entry in abi.errors.items() if entry["name"] == name)
