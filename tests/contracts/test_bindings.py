"""The typed bindings: what they send is what the contracts take, what they read is what the contracts say."""

import pytest

from tests.contracts.evm import ARTIFACTS, Contract, Evm, Reverted
from tests.contracts.market import Market, open_market
from tests.contracts.suites import Suite, Trex, wallet
from tokenx_chain.contracts import modules
from tokenx_chain.contracts.artifacts import PATHS
from tokenx_chain.contracts.compliance import Compliance
from tokenx_chain.contracts.errors import (
    _BY_CUSTOM_ERROR,  # pyright: ignore[reportPrivateUsage]
    _WRAPPERS,  # pyright: ignore[reportPrivateUsage]
    UNKNOWN,
    decode_revert,
)
from tokenx_chain.contracts.modules import REASON_CODES, UNLIMITED, Finding, TransferLens

pytestmark = pytest.mark.stack

A, B, C = (wallet(name) for name in "ABC")


def holder_rules(evm: Evm) -> tuple[Contract, modules.HolderRules]:
    contract = evm.deploy("HolderRules")
    return contract, modules.HolderRules(contract.abi, contract.address)


def registered(suite: Suite, trex: Trex) -> list[str]:
    identities = [trex.identity(address) for address in (A, B, C)]
    for address, identity in zip((A, B, C), identities, strict=True):
        suite.register(address, identity)
    return identities


def test_settings_of_every_rule_are_taken(trex: Trex) -> None:
    evm = trex.evm
    book, rules = holder_rules(evm)
    block, volume, exchange = (evm.deploy(name) for name in ("CountryBlock", "VolumeWindow", "ExchangeLimit"))
    limits = modules.ExchangeLimit(exchange.abi, exchange.address)
    settings = [
        (book, rules.cap(2)), (book, rules.caps({840: 2, 276: 1})), (book, rules.lift([276])), (book, rules.maximum(100)), (book, rules.days(1)),
        (block, modules.CountryList(block.abi, block.address).countries([408])),
        (volume, modules.VolumeWindow(volume.abi, volume.address).limit(window_s=86_400, units=50)),
        (exchange, limits.exchange(C, day=1, month=2, day_total=3, month_total=UNLIMITED)), (exchange, limits.lift(B)),
    ]  # fmt: skip
    suite = trex.suite(*(m for m, _ in settings), settings=[data for _, data in settings])
    a, *_ = registered(suite, trex)
    suite.mint(A, 60)
    compliance = suite.compliance.address
    reads = [
        rules.holder_count(compliance), rules.units_of(compliance, a), rules.is_complete(compliance), rules.country_holder_count(compliance, 840),
        rules.free_units_of(compliance, a), modules.VolumeWindow(volume.abi, volume.address).volume_of(compliance, a),
    ]  # fmt: skip
    assert evm.read_all(reads) == [1, 60, True, 1, 0, 0]
    today = evm.now() // 86_400
    bound = Compliance(suite.compliance.abi, compliance)
    evm.send(bound.configure(book.address, rules.lots(a, free_units=40, by_day={today: 15, today - 9: 5})), suite.platform)  # fmt: skip
    assert evm.read(rules.free_units_of(compliance, a)) == 45
    evm.send(rules.sync(compliance, [A, B]), evm.accounts[9])
    said = evm.read(rules.reason(sender=A, receiver=B, units=46, compliance=compliance))
    assert modules.reason_text(said) == "LOCKED_UP"
    evm.send(bound.remove_module(volume.address), suite.platform)
    evm.send(bound.add_module(volume.address), suite.platform)
    assert evm.read(bound.modules())[-1] == volume.address


def test_lens_tells_code_side_and_rule(trex: Trex) -> None:
    book, rules = holder_rules(trex.evm)
    suite = trex.suite(book, book, settings=[rules.cap(1), rules.days(5)])
    registered(suite, trex)
    suite.mint(A, 60)
    deployed = trex.evm.deploy("TransferLens")
    lens = TransferLens(deployed.abi, deployed.address)
    found = trex.evm.read(lens.findings(suite.token.address, sender=A, receiver=B, units=10))
    assert found == [Finding("compliance.holder_cap", "HOLDER_CAP", book.address, True)]
    assert found[0].side == "receiver"
    (locked,) = trex.evm.read(lens.findings(suite.token.address, sender=A, receiver=B, units=60))
    assert (locked.code, locked.side) == ("compliance.locked_up", "sender")
    suite.act(suite.token.call("pause"))
    paused, *_ = trex.evm.read(lens.findings(suite.token.address, sender=A, receiver=B, units=10))
    assert (paused.code, paused.side, paused.enforced) == ("token.paused", None, True)
    (minted,) = trex.evm.read(lens.findings(suite.token.address, sender=None, receiver=B, units=10))
    assert minted.code == "compliance.holder_cap"


def test_every_code_on_chain_has_one_of_ours(evm: Evm) -> None:
    """The codes are public constants; each that the contracts name is translated, and none is translated that they do not."""
    plumbing = {"PIECES", "UNLIMITED", "MAX_LOCK_DAYS", "STEPS", "MAX_LOTS"}
    names = ("HolderRules", "CountryAllow", "CountryBlock", "VolumeWindow", "ExchangeLimit", "TransferLens")
    said: set[str] = set()
    for name in names:
        contract = evm.deploy(name)
        constants = [fn for fn in REASON_CODES if (fn, 0) in contract.abi._functions]  # pyright: ignore[reportPrivateUsage]
        for constant, code in zip(constants, evm.read_all([contract.read(c) for c in constants]), strict=True):
            assert modules.reason_text(code) == constant
        said |= set(constants)
        upper = {fn for fn, _ in contract.abi._functions if fn.isupper()}  # pyright: ignore[reportPrivateUsage]
        assert upper - plumbing <= set(REASON_CODES)
    assert said == set(REASON_CODES)


def test_refusal_inside_a_refusal_is_what_is_told(trex: Trex) -> None:
    """settleAll wraps what a fill said, and a fill what a token said; the innermost reason is the useful one."""
    market: Market = open_market(trex)
    market.approve(1_000, 1_000_000)
    signed = market.signed(market.fill(legs=market.legs(units=5_000)))
    with pytest.raises(Reverted) as caught:
        market.evm.send(market.settlement.settle_all([signed]), market.submitter)
    refusal = decode_revert(caught.value.data, ARTIFACTS.custom_errors)
    assert (refusal.code, refusal.detail) == ("balance.insufficient", "Insufficient Balance")


def test_every_error_of_ours_has_a_code() -> None:
    own = [name for name, path in PATHS.items() if path.startswith("out/")]
    errors = {entry["name"] for name in own for entry in ARTIFACTS.abi(name).errors.values()}
    assert errors - {"NotPendingOwner"} <= set(_BY_CUSTOM_ERROR) | set(_WRAPPERS)
    assert UNKNOWN not in _BY_CUSTOM_ERROR.values()
