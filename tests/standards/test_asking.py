"""can_transfer: a stable code, the side and the rule, before anything is sent; and the contract refuses the same by itself."""

from typing import Any

import pytest

from tests.contracts.suites import Suite, wallet
from tests.standards.ground import IR, Ground, Person

pytestmark = pytest.mark.stack


@pytest.fixture(params=["lens", "in turn"], autouse=True)
def way(request: pytest.FixtureRequest, ground: Ground) -> str:
    """Both ways to ask: of the lens at once, and of each contract in turn."""
    if request.param == "lens":
        ground.chain.registry.add("TransferLens", ground.evm.deploy("TransferLens").address, {})
    return request.param


@pytest.fixture
async def suite(ground: Ground) -> Suite:
    """Iran blocked, at most 150 units each."""
    block, cap = ground.evm.deploy("CountryBlock"), ground.evm.deploy("MaxBalance")
    settings = (block.data("setCountries", [IR], True), cap.data("setMaxBalance", 150))
    return await ground.suite(block, cap, settings=settings)


@pytest.fixture
def ann(ground: Ground, suite: Suite) -> Person:
    """Holds 100 units."""
    person = ground.person("ann")
    suite.mint(person.wallet, 100)
    return person


@pytest.fixture
def bob(ground: Ground) -> Person:
    return ground.person("bob")


async def told(ground: Ground, suite: Suite, sender: str, receiver: str, units: int = 1) -> tuple[str, str, str]:
    """(code, side, rule)."""
    found = await ground.standard.can_transfer(suite.token.address, sender=sender, receiver=receiver, units=units)
    assert found is not None, "nothing stands against it"
    return found.code, found.side, found.rule


async def test_nothing_stands_against_a_good_transfer_and_it_goes_through(ground: Ground, suite: Suite, ann: Person, bob: Person) -> None:  # fmt: skip
    assert (
        await ground.standard.can_transfer(suite.token.address, sender=ann.wallet, receiver=bob.wallet, units=100)
        is None
    )
    act = await ground.standard.transfer(suite.token.address, sender=ann.wallet, receiver=bob.wallet, units=100)
    ground.send(act, ann.wallet)
    assert (suite.balance(ann.wallet), suite.balance(bob.wallet)) == (0, 100)


async def test_each_obstacle_has_its_code_side_and_rule(ground: Ground, suite: Suite, ann: Person, bob: Person) -> None:
    a, b, agent = ann.wallet, bob.wallet, suite.platform
    iran, stranger = ground.person("cyrus", country=IR), ground.evm.fund(wallet("stranger"))
    suite.mint(b, 100)
    seen = {
        "self": await told(ground, suite, a, a),
        "zero": await told(ground, suite, a, b, 0),
        "balance": await told(ground, suite, a, b, 101),
        "stranger": await told(ground, suite, a, stranger),
        "country": await told(ground, suite, a, iran.wallet),
        "cap": await told(ground, suite, a, b, 51),
    }
    for call, name, undo in (
        (suite.token.call("pause"), "paused", suite.token.call("unpause")),
        (suite.token.call("setAddressFrozen", a, True), "sender frozen", suite.token.call("setAddressFrozen", a, False)),
        (suite.token.call("setAddressFrozen", b, True), "receiver frozen", suite.token.call("setAddressFrozen", b, False)),
        (suite.token.call("freezePartialTokens", a, 100), "units frozen", suite.token.call("unfreezePartialTokens", a, 100)),
        (suite.registry.call("deleteIdentity", a), "sender unknown", suite.registry.call("registerIdentity", a, ann.identity, 840)),
    ):  # fmt: skip
        ground.evm.send(call, agent)
        seen[name] = await told(ground, suite, a, b)
        ground.evm.send(undo, agent)
    assert seen == {
        "self": ("transfer.to_self", "sender", "self_transfer"),
        "zero": ("amount.zero", "token", "amount"),
        "balance": ("balance.insufficient", "sender", "balance"),
        "stranger": ("identity.not_verified", "receiver", "identity"),
        "country": ("compliance.country_blocked", "receiver", "CountryBlock"),
        "cap": ("compliance.max_balance", "receiver", "MaxBalance"),
        "paused": ("token.paused", "token", "pause"),
        "sender frozen": ("wallet.frozen", "sender", "freeze"),
        "receiver frozen": ("wallet.frozen", "receiver", "freeze"),
        "units frozen": ("balance.insufficient", "sender", "frozen_units"),
        "sender unknown": ("identity.sender_not_verified", "sender", "identity"),
    }


async def test_an_allowance_that_is_too_small_is_told(ground: Ground, suite: Suite, ann: Person, bob: Person) -> None:
    ask: dict[str, Any] = {"sender": ann.wallet, "receiver": bob.wallet, "units": 10, "spender": ground.evm.accounts[5]}
    found = await ground.standard.can_transfer(suite.token.address, **ask)
    assert found is not None
    assert (found.code, found.side, found.rule) == ("allowance.insufficient", "sender", "allowance")
    ground.evm.send(suite.token.call("approve", ground.evm.accounts[5], 10), ann.wallet)
    assert await ground.standard.can_transfer(suite.token.address, **ask) is None


async def test_a_rule_without_reason_is_asked_for_yes_or_no(
    ground: Ground, suite: Suite, ann: Person, bob: Person
) -> None:
    abi = ground.evm.deploy("CountryBlock").abi
    silent = ground.evm.place("0x" + "51" * 20, silent_module(abi.data("reason", ann.wallet, bob.wallet, 1, suite.token.address)[:4],
                                                              abi.data("moduleCheck", ann.wallet, bob.wallet, 1, suite.token.address)[:4]))  # fmt: skip
    suite.act(suite.compliance.call("addModule", silent))
    assert await told(ground, suite, ann.wallet, bob.wallet) == ("compliance.refused", "rule", silent)
    assert suite.refused_transfer(ann.wallet, bob.wallet, 1) == "Transfer not possible"


def silent_module(reason: bytes, check: bytes) -> bytes:
    """Runtime code: reverts when asked for a reason, says no to the check, and 1 to everything else, its name included."""
    return bytes.fromhex(
        "60003560e01c"  # the selector
        f"8063{reason.hex()}14602357"  # reason: jump to 35
        f"63{check.hex()}14602957"  # moduleCheck: jump to 41
        "600160005260206000f3"  # return 1
        "5b60006000fd"  # 35: revert
        "5b60206000f3"  # 41: return 0
    )


async def test_a_mint_is_asked_without_a_sender(ground: Ground, suite: Suite, bob: Person) -> None:
    over = await ground.standard.can_receive(suite.token.address, receiver=bob.wallet, units=151)
    assert over is not None
    assert (over.code, over.rule) == ("compliance.max_balance", "MaxBalance")
    assert await ground.standard.can_receive(suite.token.address, receiver=bob.wallet, units=150) is None


async def test_lens_tells_everything_at_once(ground: Ground, suite: Suite, ann: Person, bob: Person, way: str) -> None:
    suite.mint(bob.wallet, 100)
    suite.act(suite.token.call("pause"))
    suite.act(suite.token.call("setAddressFrozen", bob.wallet, True))
    found = await ground.standard.can_transfer(suite.token.address, sender=ann.wallet, receiver=bob.wallet, units=101)
    assert found is not None
    told = [(one.code, one.side, one.rule) for one in (found, *found.further)]
    everything = [
        ("token.paused", "token", "pause"), ("wallet.frozen", "receiver", "freeze"), ("balance.insufficient", "sender", "balance"),
        ("compliance.max_balance", "receiver", "MaxBalance"),
    ]  # fmt: skip
    assert told == (everything if way == "lens" else everything[:1])
