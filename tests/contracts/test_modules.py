"""Each compliance module for itself: what it refuses, with which code, who may call, and what agents can do all the same."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest

from tests.contracts.evm import Contract, Evm, code_text
from tests.contracts.suites import Suite, Trex, wallet
from tokenx_chain.contracts.calls import ZERO_ADDRESS
from tokenx_chain.contracts.identity import key_of
from tokenx_chain.contracts.settlement import FILL_GAS, LEG_GAS

pytestmark = pytest.mark.stack

DAY: Final = 86_400
MONTH: Final = 30 * DAY
UNLIMITED: Final = 2**96 - 1
A, B, C, D, E = (wallet(name) for name in "ABCDE")
STRANGER: Final = wallet("stranger")

SETTERS: Final[dict[str, tuple[Any, ...]]] = {
    "HolderCap": ("setCap", 2),
    "CountryHolderCap": ("setCountryCaps", [276], [1]),
    "MaxBalance": ("setMaxBalance", 100),
    "HolderRules": ("setMaxBalance", 100),
    "CountryAllow": ("setCountries", [840], True),
    "CountryBlock": ("setCountries", [643], True),
    "LockUp": ("setLockUp", 10),
    "VolumeWindow": ("setVolumeLimit", MONTH, 100),
    "ExchangeLimit": ("setExchange", E, 10, 20, 30, 40),
}
ALL: Final = tuple(SETTERS)
BOOKS: Final = ("HolderCap", "CountryHolderCap", "MaxBalance", "LockUp", "HolderRules")
UNCONFIGURED: Final = ("HolderCap", "MaxBalance", "LockUp", "VolumeWindow")


def with_rule(trex: Trex, name: str, *setting: Any) -> tuple[Suite, Contract]:
    """A suite with one rule, set as given or as in SETTERS."""
    module = trex.evm.deploy(name)
    setter, *args = setting or SETTERS[name]
    return trex.suite(module, settings=[module.data(setter, *args)]), module


def investors(suite: Suite, trex: Trex, *wallets: str, country: int = 840) -> list[str]:
    """Registers each wallet with an identity of its own; the identities."""
    identities = [trex.identity(address) for address in wallets]
    for address, identity in zip(wallets, identities, strict=True):
        suite.register(address, identity, country)
    return identities


# --- all modules alike ---


@pytest.mark.parametrize("name", ALL)
def test_hooks_and_settings_are_closed_to_everybody_but_a_bound_compliance(trex: Trex, name: str) -> None:
    _, module = with_rule(trex, name)
    setter, *args = SETTERS[name]
    for call in (
        module.call("moduleTransferAction", A, B, 1),
        module.call("moduleMintAction", A, 1),
        module.call("moduleBurnAction", A, 1),
        module.call(setter, *args),
        module.call("unbindCompliance", trex.platform),
    ):
        assert trex.evm.refusal(call, trex.platform) == f"OnlyCompliance({trex.platform})"


@pytest.mark.parametrize("name", ALL)
def test_only_the_compliance_contract_binds_itself_and_once(trex: Trex, name: str) -> None:
    suite, module = with_rule(trex, name)
    compliance = suite.compliance.address
    bind = module.call("bindCompliance", compliance)
    assert trex.evm.refusal(bind, STRANGER) == f"OnlyCompliance({STRANGER})"
    assert trex.evm.refusal(bind, compliance) == f"AlreadyBound({compliance})"
    assert (
        trex.evm.refusal(suite.compliance.call("addModule", module.address), suite.platform) == "module already bound"
    )
    unbind = module.call("unbindCompliance", A)
    assert trex.evm.refusal(unbind, compliance) == f"OnlyCompliance({compliance})"


@pytest.mark.parametrize("name", ALL)
def test_module_says_what_it_is(trex: Trex, name: str) -> None:
    suite, module = with_rule(trex, name)
    assert trex.evm.read(module.read("name")) == name
    assert trex.evm.read(module.read("isPlugAndPlay")) is (name not in BOOKS)
    assert suite.ask(module, "isComplianceBound") is True
    suite.remove(module)
    assert suite.ask(module, "isComplianceBound") is False


@pytest.mark.parametrize("name", UNCONFIGURED)
def test_rule_without_settings_refuses_by_that_name(trex: Trex, name: str) -> None:
    module = trex.evm.deploy(name)
    suite = trex.suite(module)
    investors(suite, trex, A, B)
    assert suite.reason(module, A, B, 1) == "NOT_CONFIGURED"


@pytest.mark.parametrize("name", ALL)
def test_module_bound_again_starts_empty(trex: Trex, name: str) -> None:
    suite, module = with_rule(trex, name)
    investors(suite, trex, A, B)
    before = suite.reason(module, A, B, 1_000)
    suite.remove(module)
    suite.add(module)
    again = suite.reason(module, A, B, 1_000)
    cleared = {"CountryAllow": "COUNTRY_NOT_ALLOWED"} | dict.fromkeys(UNCONFIGURED, "NOT_CONFIGURED")
    assert again == cleared.get(name, "")
    assert before in ("", "MAX_BALANCE", "LOCKED_UP", "VOLUME_WINDOW")


@pytest.mark.parametrize("name", ALL)
def test_two_suites_on_one_module_do_not_see_each_other(trex: Trex, name: str) -> None:
    first, module = with_rule(trex, name)
    second = trex.suite(module, settings=[module.data(*SETTERS[name])])
    investors(first, trex, A, B)
    investors(second, trex, C)
    first.mint(A, 50)
    assert second.reason(module, ZERO_ADDRESS, C, 50) == ""
    if name in BOOKS:
        assert first.ask(module, "holderCount") == 1
        assert second.ask(module, "holderCount") == 0


# --- the book shared by the holder rules ---


@pytest.mark.parametrize("name", BOOKS)
def test_rule_bound_to_a_token_with_holders_waits_until_all_are_booked(trex: Trex, name: str) -> None:
    suite, module = trex.suite(), trex.evm.deploy(name)
    a, b = investors(suite, trex, A, B)
    suite.mint(A, 30)
    suite.mint(B, 20)
    suite.add(module)
    suite.configure(module, *SETTERS[name])
    assert suite.reason(module, A, B, 1) == "BOOK_INCOMPLETE"
    assert suite.refused_transfer(A, B, 1) == "Transfer not possible"
    suite.sync(module, A)
    assert suite.ask(module, "isComplete") is False
    suite.force(B, A, 5)  # an agent may act meanwhile, and is counted right
    suite.burn(B, 1)
    suite.sync(module, B, B, A)
    assert suite.ask(module, "isComplete") is True
    assert [suite.ask(module, "unitsOf", i) for i in (a, b)] == [35, 14]
    assert suite.ask(module, "holderCount") == 2


@pytest.mark.parametrize("name", BOOKS)
def test_sync_asks_for_a_bound_compliance(trex: Trex, name: str) -> None:
    module = trex.evm.deploy(name)
    suite = trex.suite()
    refused = trex.evm.refusal(module.call("sync", suite.compliance.address, []), STRANGER)
    assert refused == f"NotBound({suite.compliance.address})"


@pytest.mark.parametrize("name", BOOKS)
def test_supply_beyond_what_the_book_can_count_is_refused(trex: Trex, name: str) -> None:
    module, plain = trex.evm.deploy(name), trex.suite()
    investors(plain, trex, A)
    plain.mint(A, 2**96)
    add = plain.compliance.call("addModule", module.address)
    assert trex.evm.refusal(add, plain.platform) == "compliance is not suitable for binding to the module"
    setter, *args = SETTERS[name]
    suite = trex.suite(module, settings=[module.data(setter, *([UNLIMITED] if setter == "setMaxBalance" else args))])
    investors(suite, trex, C, D)
    suite.mint(C, 2**96 - 1)
    assert suite.reason(module, ZERO_ADDRESS, D, 1) == "AMOUNT_TOO_LARGE"
    assert suite.reason(module, C, D, 2**96) == "AMOUNT_TOO_LARGE"
    suite.force(C, D, 2**96 - 1)
    suite.burn(D, 2**96 - 1)
    assert suite.ask(module, "holderCount") == 0


@pytest.mark.parametrize("name", BOOKS)
def test_replaced_identity_is_refused_until_synced(trex: Trex, name: str) -> None:
    suite, module = with_rule(trex, name)
    a, b = investors(suite, trex, A, B)
    suite.mint(A, 10)
    suite.act(suite.registry.call("updateIdentity", A, b))
    assert suite.reason(module, A, B, 1) == "BOOK_STALE"
    assert suite.reason(module, ZERO_ADDRESS, A, 1) == "BOOK_STALE"
    mined = suite.sync(module, A)
    (rekeyed,) = module.events(mined, "WalletRekeyed")
    assert (rekeyed["previousIdentity"], rekeyed["identity"], rekeyed["units"]) == (a.lower(), b.lower(), 10)
    assert [suite.ask(module, "unitsOf", i) for i in (a, b)] == [0, 10]
    assert suite.reason(module, A, B, 1) == ""
    assert suite.ask(module, "holderCount") == 1


@pytest.mark.parametrize("name", BOOKS)
def test_hook_on_a_replaced_identity_books_it_first(trex: Trex, name: str) -> None:
    suite, module = with_rule(trex, name)
    a, b, c = investors(suite, trex, A, B, C)
    suite.mint(A, 10)
    suite.act(suite.registry.call("updateIdentity", A, b))
    suite.force(A, C, 4)
    assert [suite.ask(module, "unitsOf", i) for i in (a, b, c)] == [0, 6, 4]


@pytest.mark.parametrize("name", BOOKS)
def test_wallet_out_of_the_registry_still_counts_for_its_investor(trex: Trex, name: str) -> None:
    suite, module = with_rule(trex, name)
    a, b = investors(suite, trex, A, B)
    suite.mint(A, 10)
    suite.act(suite.registry.call("deleteIdentity", A))
    suite.sync(module, A)
    assert suite.ask(module, "unitsOf", a) == 10
    suite.force(A, B, 4)
    suite.burn(A, 6)
    assert [suite.ask(module, "unitsOf", i) for i in (a, b)] == [0, 4]
    assert suite.ask(module, "holderCount") == 1


@pytest.mark.parametrize("name", BOOKS)
def test_wallet_never_registered_counts_for_itself(trex: Trex, name: str) -> None:
    suite, module = trex.suite(), trex.evm.deploy(name)
    (a,) = investors(suite, trex, A)
    suite.mint(A, 10)
    suite.act(suite.registry.call("deleteIdentity", A))
    suite.add(module)
    suite.sync(module, A)
    assert suite.ask(module, "unitsOf", A) == 10
    suite.register(A, a)
    suite.sync(module, A)
    assert [suite.ask(module, "unitsOf", who) for who in (A, a)] == [0, 10]


@pytest.mark.parametrize("name", BOOKS)
def test_recovery_changes_wallets_and_no_count(trex: Trex, name: str) -> None:
    suite, module = with_rule(trex, name)
    (a,) = investors(suite, trex, A)
    suite.mint(A, 10)
    suite.act(suite.evm.at("Identity", a).call("addKey", key_of(B), 1, 1))
    suite.act(suite.token.call("recoveryAddress", A, B, a))
    assert suite.ask(module, "unitsOf", a) == 10
    assert suite.ask(module, "holderCount") == 1
    assert suite.evm.read(suite.registry.read("contains", A)) is False
    assert suite.balance(B) == 10


@pytest.mark.parametrize("name", BOOKS)
def test_second_token_of_a_recovered_investor_is_brought_over_by_force(trex: Trex, name: str) -> None:
    """Recovery on one token takes the old wallet out of a shared registry; on the others the agent moves the units."""
    suite, module = with_rule(trex, name)
    (a,) = investors(suite, trex, A)
    suite.mint(A, 10)
    suite.act(suite.registry.call("deleteIdentity", A))
    suite.register(B, a)
    suite.force(A, B, 10)
    assert suite.ask(module, "unitsOf", a) == 10
    assert suite.ask(module, "holderCount") == 1
    if name == "LockUp":
        assert suite.ask(module, "freeUnitsOf", a) == 0  # still the lot of the day it was acquired


@pytest.mark.parametrize("name", BOOKS)
def test_movements_missed_under_another_compliance_are_found_by_sync(trex: Trex, name: str) -> None:
    suite, module = with_rule(trex, name)
    other = trex.suite()
    a, b = investors(suite, trex, A, B)
    suite.mint(A, 10)
    suite.act(other.compliance.call("unbindToken", other.token.address))
    suite.act(suite.token.call("setCompliance", other.compliance.address))
    suite.force(A, B, 3)
    suite.burn(A, 1)
    suite.act(suite.token.call("setCompliance", suite.compliance.address))
    mined = suite.sync(module, A, B)
    assert len(module.events(mined, "WalletCorrected")) == 2
    assert [suite.ask(module, "unitsOf", i) for i in (a, b)] == [6, 3]


@pytest.mark.parametrize("name", BOOKS)
def test_transfer_to_oneself_changes_no_count(trex: Trex, name: str) -> None:
    suite, module = with_rule(trex, name)
    (a,) = investors(suite, trex, A)
    suite.mint(A, 10)
    suite.transfer(A, A, 10)
    assert suite.ask(module, "unitsOf", a) == 10


# --- holder cap ---


def test_holder_cap_refuses_one_identity_too_many(trex: Trex) -> None:
    suite, cap = with_rule(trex, "HolderCap", "setCap", 2)
    investors(suite, trex, A, B, C)
    suite.mint(A, 10)
    suite.transfer(A, B, 5)
    assert suite.reason(cap, A, C, 1) == "HOLDER_CAP"
    assert suite.refused_transfer(A, C, 1) == "Transfer not possible"
    assert suite.refused_mint(C, 1) == "Compliance not followed"
    assert suite.reason(cap, A, B, 1) == ""


def test_holder_who_sells_everything_frees_his_place(trex: Trex) -> None:
    suite, cap = with_rule(trex, "HolderCap", "setCap", 1)
    a, c = investors(suite, trex, A, C)
    suite.register(B, a)
    suite.mint(A, 10)
    suite.transfer(A, B, 4)
    assert suite.reason(cap, A, C, 6) == "HOLDER_CAP"  # his other wallet still holds
    suite.transfer(A, B, 6)
    suite.transfer(B, C, 10)
    assert suite.ask(cap, "holderCount") == 1
    assert suite.ask(cap, "unitsOf", c) == 10


def test_second_wallet_of_a_holder_is_not_a_second_holder(trex: Trex) -> None:
    suite, cap = with_rule(trex, "HolderCap", "setCap", 1)
    (a,) = investors(suite, trex, A)
    suite.register(B, a)
    suite.mint(A, 10)
    suite.mint(B, 10)
    assert suite.ask(cap, "holderCount") == 1


def test_forced_transfer_passes_the_holder_cap_and_is_counted(trex: Trex) -> None:
    suite, cap = with_rule(trex, "HolderCap", "setCap", 1)
    investors(suite, trex, A, B, C)
    suite.mint(A, 10)
    suite.force(A, B, 5)
    assert suite.ask(cap, "holderCount") == 2
    assert suite.reason(cap, A, C, 5) == "HOLDER_CAP"
    suite.transfer(A, B, 5)
    assert suite.ask(cap, "holderCount") == 1


def test_lowered_cap_leaves_holders_and_admits_none(trex: Trex) -> None:
    suite, cap = with_rule(trex, "HolderCap", "setCap", 2)
    investors(suite, trex, A, B)
    suite.mint(A, 10)
    suite.mint(B, 10)
    suite.configure(cap, "setCap", 0)
    assert suite.reason(cap, A, B, 1) == ""
    assert suite.reason(cap, ZERO_ADDRESS, wallet("new"), 1) == "HOLDER_CAP"


# --- holder cap per country ---


def test_country_cap_counts_each_country_for_itself(trex: Trex) -> None:
    suite, cap = with_rule(trex, "CountryHolderCap", "setCountryCaps", [276, 250], [1, 0])
    investors(suite, trex, A, B, country=276)
    investors(suite, trex, C, country=840)
    investors(suite, trex, D, country=250)
    suite.mint(A, 10)
    assert suite.reason(cap, ZERO_ADDRESS, B, 1) == "COUNTRY_HOLDER_CAP"
    assert suite.reason(cap, ZERO_ADDRESS, D, 1) == "COUNTRY_HOLDER_CAP"
    suite.mint(C, 10)
    suite.transfer(A, B, 10)  # the leaving holder frees the place
    assert [suite.ask(cap, "countryHolderCount", c) for c in (276, 840, 250)] == [1, 1, 0]
    suite.configure(cap, "removeCountryCaps", [276])
    assert suite.reason(cap, B, A, 1) == ""


def test_holder_whose_country_changed_counts_as_new_there(trex: Trex) -> None:
    suite, cap = with_rule(trex, "CountryHolderCap", "setCountryCaps", [276], [1])
    investors(suite, trex, A, country=276)
    (b,) = investors(suite, trex, B, country=840)
    suite.mint(A, 10)
    suite.mint(B, 10)
    suite.act(suite.registry.call("updateCountry", B, 276))
    assert suite.reason(cap, A, B, 1) == "COUNTRY_HOLDER_CAP"
    suite.sync(cap, B)
    assert [suite.ask(cap, "countryHolderCount", country) for country in (276, 840)] == [2, 0]
    assert suite.ask(cap, "countryOf", b) == 276
    assert suite.reason(cap, A, B, 1) == ""


def test_country_caps_come_in_pairs(trex: Trex) -> None:
    suite, cap = with_rule(trex, "CountryHolderCap")
    call = suite.compliance.call("callModuleFunction", cap.data("setCountryCaps", [1, 2], [1]), cap.address)
    assert trex.evm.refusal(call, suite.platform) == "LengthsDiffer(2, 1)"


# --- maximum balance ---


def test_max_balance_adds_up_the_wallets_of_an_identity(trex: Trex) -> None:
    suite, rule = with_rule(trex, "MaxBalance", "setMaxBalance", 100)
    (a,) = investors(suite, trex, A)
    investors(suite, trex, C)
    suite.register(B, a)
    suite.mint(A, 60)
    assert suite.reason(rule, ZERO_ADDRESS, B, 41) == "MAX_BALANCE"
    suite.mint(B, 40)
    suite.transfer(A, B, 60)  # from one own wallet to the other
    suite.mint(C, 10)
    assert suite.refused_transfer(C, A, 1) == "Transfer not possible"


def test_forced_transfer_passes_the_maximum_and_then_only_sending_goes(trex: Trex) -> None:
    suite, rule = with_rule(trex, "MaxBalance", "setMaxBalance", 100)
    a, _ = investors(suite, trex, A, B)
    suite.mint(A, 90)
    suite.mint(B, 90)
    suite.force(B, A, 50)
    assert suite.ask(rule, "unitsOf", a) == 140
    assert suite.reason(rule, B, A, 1) == "MAX_BALANCE"
    suite.transfer(A, B, 60)


# --- countries ---


def test_allow_list_admits_listed_countries_only(trex: Trex) -> None:
    suite, rule = with_rule(trex, "CountryAllow", "setCountries", [840, 276], True)
    investors(suite, trex, A, country=276)
    investors(suite, trex, B, country=643)
    suite.mint(A, 10)
    assert suite.reason(rule, A, B, 1) == "COUNTRY_NOT_ALLOWED"
    assert suite.reason(rule, A, STRANGER, 1) == "COUNTRY_NOT_ALLOWED"
    assert suite.refused_mint(B, 1) == "Compliance not followed"
    suite.configure(rule, "setCountries", [276], False)
    assert suite.ask(rule, "isListed", 276) is False
    assert suite.refused_mint(A, 1) == "Compliance not followed"


def test_block_list_lets_a_holder_of_a_blocked_country_sell(trex: Trex) -> None:
    suite, rule = with_rule(trex, "CountryBlock", "setCountries", [408], True)
    investors(suite, trex, A, country=408)
    investors(suite, trex, B, country=643)
    suite.mint(B, 10)
    assert suite.reason(rule, B, A, 1) == "COUNTRY_BLOCKED"
    suite.configure(rule, "setCountries", [643], True)
    suite.act(suite.registry.call("updateCountry", A, 840))
    suite.transfer(B, A, 10)


def test_allow_and_block_list_go_together(trex: Trex) -> None:
    allow, block = trex.evm.deploy("CountryAllow"), trex.evm.deploy("CountryBlock")
    settings = [allow.data("setCountries", [840, 408], True), block.data("setCountries", [408], True)]
    suite = trex.suite(allow, block, settings=settings)
    investors(suite, trex, A)
    investors(suite, trex, B, country=408)
    suite.mint(A, 1)
    assert suite.refused_mint(B, 1) == "Compliance not followed"


# --- lock-up ---


def at_midnight(evm: Evm) -> int:
    """The node's clock at the next beginning of a day in UTC."""
    midnight = (evm.now() // DAY + 1) * DAY
    evm.travel(midnight)
    return midnight


def test_lot_is_free_from_the_beginning_of_the_day_the_lock_up_ends(trex: Trex) -> None:
    suite, lock = with_rule(trex, "LockUp", "setLockUp", 10)
    a, _ = investors(suite, trex, A, B)
    midnight = at_midnight(trex.evm)
    trex.evm.travel(midnight + DAY - 10)
    suite.mint(A, 10)
    assert suite.reason(lock, A, B, 1) == "LOCKED_UP"
    trex.evm.travel(midnight + 10 * DAY - 1)
    assert suite.reason(lock, A, B, 1) == "LOCKED_UP"
    assert suite.refused_transfer(A, B, 1) == "Transfer not possible"
    trex.evm.travel(midnight + 10 * DAY)
    assert suite.ask(lock, "freeUnitsOf", a) == 10
    suite.transfer(A, B, 10)


def test_lots_go_first_in_first_out_and_received_units_are_locked_anew(trex: Trex) -> None:
    suite, lock = with_rule(trex, "LockUp", "setLockUp", 10)
    a, b = investors(suite, trex, A, B)
    start = at_midnight(trex.evm)
    suite.mint(A, 10)
    trex.evm.travel(start + 5 * DAY)
    suite.mint(A, 20)
    trex.evm.travel(start + 10 * DAY)
    assert suite.reason(lock, A, B, 11) == "LOCKED_UP"
    suite.transfer(A, B, 10)
    assert suite.reason(lock, B, A, 1) == "LOCKED_UP"
    assert [suite.ask(lock, "freeUnitsOf", who) for who in (a, b)] == [0, 0]
    trex.evm.travel(start + 15 * DAY)
    assert [suite.ask(lock, "freeUnitsOf", who) for who in (a, b)] == [20, 0]


def test_own_wallets_are_not_locked_towards_each_other(trex: Trex) -> None:
    suite, lock = with_rule(trex, "LockUp", "setLockUp", 10)
    (a,) = investors(suite, trex, A)
    suite.register(B, a)
    suite.mint(A, 10)
    suite.transfer(A, B, 10)
    assert suite.ask(lock, "freeUnitsOf", a) == 0


def test_burn_and_forced_transfer_take_the_oldest_units_locked_or_not(trex: Trex) -> None:
    suite, lock = with_rule(trex, "LockUp", "setLockUp", 10)
    a, b = investors(suite, trex, A, B)
    start = at_midnight(trex.evm)
    for day in range(3):
        trex.evm.travel(start + day * DAY + 1)
        suite.mint(A, 10)
    suite.burn(A, 5)
    suite.force(A, B, 10)
    _, lots = lots_of(suite, lock, a)
    assert lots == [(start // DAY + 1, 5), (start // DAY + 2, 10)]
    assert lots_of(suite, lock, b) == (0, [(start // DAY + 2, 10)])


def test_lots_move_with_their_days_when_an_identity_is_replaced(trex: Trex) -> None:
    suite, lock = with_rule(trex, "LockUp", "setLockUp", 10)
    a, b = investors(suite, trex, A, B)
    start = at_midnight(trex.evm)
    for day, units in enumerate((1, 2, 4, 8)):
        trex.evm.travel(start + day * DAY + 1)
        suite.mint(A if day % 2 else B, units)
    suite.act(suite.registry.call("updateIdentity", A, b))
    suite.sync(lock, A)
    assert lots_of(suite, lock, a) == (0, [])
    first = start // DAY
    assert lots_of(suite, lock, b) == (0, [(first, 1), (first + 1, 2), (first + 2, 4), (first + 3, 8)])


def test_lots_of_a_long_lock_up_stay_bounded_and_never_end_early(trex: Trex) -> None:
    suite, lock = with_rule(trex, "LockUp", "setLockUp", 365)
    a, _ = investors(suite, trex, A, B)
    start = at_midnight(trex.evm)
    for day in range(0, 366, 3):
        trex.evm.travel(start + day * DAY + 1)
        suite.mint(A, 1)
        assert suite.ask(lock, "freeUnitsOf", a) == max(0, 0 if day < 365 else 1)
    assert len(lots_of(suite, lock, a)[1]) <= 62
    for days in (365 + 366, 365 + 372):
        trex.evm.travel(start + days * DAY)
    assert suite.ask(lock, "freeUnitsOf", a) == 122


def test_dearest_transfer_fits_what_settlement_grants_a_fill(trex: Trex) -> None:
    """Sixty-one lots, all ended, none set aside yet, under all holder rules."""
    rules = trex.evm.deploy("HolderRules")
    settings = [("setCap", 9), ("setMaxBalance", 10**6), ("setCountryCaps", [840], [9]), ("setLockUp", 60)]
    suite = trex.suite(*[rules] * 4, settings=[rules.data(name, *args) for name, *args in settings])
    investors(suite, trex, A, B)
    start = at_midnight(trex.evm)
    for day in range(61):
        trex.evm.travel(start + day * DAY + 1)
        suite.mint(A, 10)
    trex.evm.travel(start + 125 * DAY)
    transfer = suite.token.call("transfer", B, 610)
    with trex.evm.undone():
        suite.evm.send(transfer, A, gas=1_000_000)
    assert FILL_GAS + 2 * LEG_GAS > 1_000_000 + 200_000


def test_full_queue_merges_into_its_youngest_lot(trex: Trex) -> None:
    suite, lock = with_rule(trex, "LockUp", "setLockUp", 60)
    a, _ = investors(suite, trex, A, B)
    start = at_midnight(trex.evm) // DAY
    suite.mint(A, 640)
    suite.configure(lock, "setLockUp", 3_650)
    suite.configure(lock, "setLots", a, 0, [(start - 64 + n, 10) for n in range(64)])
    suite.mint(A, 5)
    _, lots = lots_of(suite, lock, a)
    assert len(lots) == 64
    assert lots[-1] == (start - start % 61 + 60, 15)
    assert lots[0] == (start - 64, 10)


def test_lots_of_two_full_queues_merge_without_losing_units(trex: Trex) -> None:
    suite, lock = with_rule(trex, "LockUp", "setLockUp", 3_650)
    a, b = investors(suite, trex, A, B)
    today = at_midnight(trex.evm) // DAY
    for address, identity, first in ((A, a, today - 128), (B, b, today - 127)):
        suite.mint(address, 640)
        suite.configure(lock, "setLots", identity, 0, [(first + 2 * n, 10) for n in range(64)])
    suite.act(suite.registry.call("updateIdentity", A, b))
    gas = suite.sync(lock, A).gas
    freeUnits, lots = lots_of(suite, lock, b)
    assert (freeUnits, len(lots), sum(units for _, units in lots)) == (0, 64, 1_280)
    assert lots[:3] == [(today - 128, 10), (today - 127, 10), (today - 126, 10)]
    assert gas < 3_000_000  # the dearest thing a hook can be asked to do fits a block with room


def test_owner_sets_lots_of_an_identity(trex: Trex) -> None:
    suite, lock = with_rule(trex, "LockUp", "setLockUp", 10)
    a, _ = investors(suite, trex, A, B)
    suite.mint(A, 100)
    today = trex.evm.now() // DAY

    def refused(free: int, lots: list[tuple[int, int]]) -> str:
        data = lock.data("setLots", a, free, lots)
        return trex.evm.refusal(suite.compliance.call("callModuleFunction", data, lock.address), suite.platform)

    assert refused(0, [(today, 99)]) == "UnitsDiffer(100, 99)"
    assert refused(50, [(today, 25), (today, 25)]) == "LotsNotSorted(1)"
    assert refused(35, [(today + n, 1) for n in range(65)]) == "TooManyLots(65)"
    suite.configure(lock, "setLots", a, 40, [(today - 20, 10), (today, 50)])
    assert suite.ask(lock, "freeUnitsOf", a) == 50
    suite.transfer(A, B, 45)
    assert suite.reason(lock, A, B, 6) == "LOCKED_UP"


def test_lock_up_has_an_upper_bound(trex: Trex) -> None:
    suite, lock = with_rule(trex, "LockUp")
    call = suite.compliance.call("callModuleFunction", lock.data("setLockUp", 3_651), lock.address)
    assert trex.evm.refusal(call, suite.platform) == "TooManyDays(3651)"


def lots_of(suite: Suite, lock: Contract, identity: str) -> tuple[int, list[tuple[int, int]]]:
    """Free units and lots (day, units)."""
    data = lock.data("lotsOf", suite.compliance.address, identity)
    answer = bytes.fromhex(suite.evm.rpc("eth_call", {"to": lock.address, "data": "0x" + data.hex()}, "latest")[2:])
    words = [int.from_bytes(answer[n : n + 32]) for n in range(0, len(answer), 32)]
    assert words[1] == 64
    return words[0], [(words[3 + 2 * n], words[4 + 2 * n]) for n in range(words[2])]


# --- volume window ---


def test_volume_counts_for_the_window_and_at_most_one_piece_longer(trex: Trex) -> None:
    suite, rule = with_rule(trex, "VolumeWindow", "setVolumeLimit", 24 * 3_600, 100)
    a, _ = investors(suite, trex, A, B)
    suite.mint(A, 500)
    start = at_midnight(trex.evm)
    trex.evm.travel(start + 1_800)
    suite.transfer(A, B, 60)
    assert suite.reason(rule, A, B, 41) == "VOLUME_WINDOW"
    suite.transfer(A, B, 40)
    assert suite.refused_transfer(A, B, 1) == "Transfer not possible"
    trex.evm.travel(start + 24 * 3_600 + 1_801)
    assert suite.ask(rule, "volumeOf", a) == 100  # the window is over, the piece is not
    trex.evm.travel(start + 25 * 3_600)
    assert suite.ask(rule, "volumeOf", a) == 0
    suite.transfer(A, B, 100)


def test_volume_adds_up_the_wallets_of_an_identity_and_skips_own_moves(trex: Trex) -> None:
    suite, rule = with_rule(trex, "VolumeWindow", "setVolumeLimit", MONTH, 100)
    (a,) = investors(suite, trex, A)
    investors(suite, trex, C)
    suite.register(B, a)
    suite.mint(A, 500)
    suite.transfer(A, B, 300)
    assert suite.ask(rule, "volumeOf", a) == 0
    suite.transfer(A, C, 70)
    assert suite.reason(rule, B, C, 31) == "VOLUME_WINDOW"
    suite.transfer(B, C, 30)
    suite.burn(A, 10)
    suite.mint(A, 10)
    assert suite.ask(rule, "volumeOf", a) == 100


def test_wallet_out_of_the_registry_keeps_its_investors_volume(trex: Trex) -> None:
    suite, rule = with_rule(trex, "VolumeWindow", "setVolumeLimit", MONTH, 100)
    (a,) = investors(suite, trex, A)
    investors(suite, trex, C)
    suite.mint(A, 500)
    suite.transfer(A, C, 90)
    suite.act(suite.registry.call("deleteIdentity", A))
    assert suite.reason(rule, A, C, 11) == "VOLUME_WINDOW"
    suite.force(A, C, 50)  # counts, but is not refused
    assert suite.ask(rule, "volumeOf", a) == 140


def test_window_shorter_than_its_pieces_is_refused(trex: Trex) -> None:
    suite, rule = with_rule(trex, "VolumeWindow")
    call = suite.compliance.call("callModuleFunction", rule.data("setVolumeLimit", 23, 1), rule.address)
    assert trex.evm.refusal(call, suite.platform) == "WindowTooShort(23)"


def test_huge_forced_volume_saturates_instead_of_failing(trex: Trex) -> None:
    suite, rule = with_rule(trex, "VolumeWindow", "setVolumeLimit", MONTH, 100)
    a, _ = investors(suite, trex, A, B)
    suite.mint(A, 2**255)
    for _ in range(3):
        suite.force(A, B, 2**191)
    assert suite.ask(rule, "volumeOf", a) == 2**192 - 1
    suite.force(A, B, 2**200)


# --- exchanges ---


def usage(suite: Suite, rule: Contract, exchange: str, who: str) -> tuple[int, int]:
    data = rule.data("usageOf", suite.compliance.address, exchange, who)
    answer = suite.evm.rpc("eth_call", {"to": rule.address, "data": "0x" + data.hex()}, "latest")
    return int(answer[2:66], 16), int(answer[66:], 16)


def test_exchange_limits_hold_per_investor_and_for_all(trex: Trex) -> None:
    suite, rule = with_rule(trex, "ExchangeLimit", "setExchange", E, 100, 250, 150, 300)
    a, _, _ = investors(suite, trex, A, B, E)
    for who in (A, B):
        suite.mint(who, 1_000)
    trex.evm.travel(int(datetime(2031, 3, 10, tzinfo=UTC).timestamp()))
    suite.transfer(A, B, 500)  # not an exchange
    suite.transfer(A, E, 90)
    assert suite.reason(rule, A, E, 11) == "EXCHANGE_DAY_LIMIT"
    assert suite.reason(rule, B, E, 61) == "EXCHANGE_DAY_TOTAL"
    suite.transfer(B, E, 60)
    suite.transfer(E, A, 50)  # coming back does not count
    trex.evm.travel(int(datetime(2031, 3, 11, tzinfo=UTC).timestamp()))
    suite.transfer(A, E, 100)
    assert usage(suite, rule, E, a) == (100, 190)
    trex.evm.travel(int(datetime(2031, 3, 12, tzinfo=UTC).timestamp()))
    assert suite.reason(rule, A, E, 61) == "EXCHANGE_MONTH_LIMIT"
    assert suite.reason(rule, B, E, 51) == "EXCHANGE_MONTH_TOTAL"
    assert suite.refused_transfer(B, E, 51) == "Transfer not possible"
    trex.evm.travel(int(datetime(2031, 4, 1, tzinfo=UTC).timestamp()))
    assert usage(suite, rule, E, ZERO_ADDRESS) == (0, 0)
    suite.transfer(A, E, 100)


def test_exchange_named_by_its_identity_covers_all_its_wallets(trex: Trex) -> None:
    suite, rule = with_rule(trex, "ExchangeLimit", "setExchange", E, 1, 1, 1, 1)
    _, exchange = investors(suite, trex, A, C)
    suite.register(D, exchange)
    suite.mint(A, 100)
    suite.configure(rule, "setExchange", exchange, 10, UNLIMITED, UNLIMITED, UNLIMITED)
    suite.transfer(A, C, 6)
    assert suite.reason(rule, A, D, 5) == "EXCHANGE_DAY_LIMIT"
    suite.transfer(A, D, 4)
    suite.transfer(C, D, 6)  # within the exchange
    suite.configure(
        rule, "setExchange", D, UNLIMITED, UNLIMITED, UNLIMITED, UNLIMITED
    )  # a wallet's own limits go first
    suite.transfer(A, D, 50)
    suite.configure(rule, "removeExchange", exchange)
    suite.transfer(A, C, 30)


def test_limit_of_zero_closes_an_exchange_but_not_to_agents(trex: Trex) -> None:
    suite, rule = with_rule(trex, "ExchangeLimit", "setExchange", E, 0, 0, 0, 0)
    a, _ = investors(suite, trex, A, E)
    suite.mint(A, 100)
    assert suite.reason(rule, A, E, 1) == "EXCHANGE_DAY_LIMIT"
    suite.mint(E, 5)
    suite.force(A, E, 60)
    assert usage(suite, rule, E, a) == (60, 60)


def test_months_are_those_of_the_calendar(trex: Trex) -> None:
    """The turn of a month, at random times over 200 years, against Python's calendar."""
    seed = 3643
    print(f"seed {seed}")
    rng = random.Random(seed)
    suite, rule = with_rule(trex, "ExchangeLimit", "setExchange", E, UNLIMITED, UNLIMITED, UNLIMITED, UNLIMITED)
    a, _ = investors(suite, trex, A, E)
    suite.mint(A, 10**6)
    at, sums = datetime(2030, 1, 1, tzinfo=UTC), dict[tuple[int, int], int]()
    while at.year < 2230:
        at += timedelta(seconds=rng.choice((rng.randint(1, 40 * DAY), rng.randint(1, 2_000 * DAY))))
        if rng.random() < 0.5:  # a second before or at the turn of the month
            at = datetime(at.year + at.month // 12, at.month % 12 + 1, 1, tzinfo=UTC) - timedelta(seconds=rng.choice((2, -1)))  # fmt: skip
        trex.evm.rpc("evm_setNextBlockTimestamp", int(at.timestamp()))
        suite.transfer(A, E, 1)
        key = (at.year, at.month)
        sums[key] = sums.get(key, 0) + 1
        assert usage(suite, rule, E, a)[1] == sums[key], at


# --- all holder rules over one book ---


def test_holder_rules_in_one_speak_in_order_and_only_when_set(trex: Trex) -> None:
    suite, rules = with_rule(trex, "HolderRules", "setMaxBalance", 100)
    investors(suite, trex, A, B)
    investors(suite, trex, C, country=276)
    suite.mint(A, 100)
    assert suite.reason(rules, A, B, 50) == ""  # no cap, no country, no lock-up was set
    suite.configure(rules, "setLockUp", 10)
    assert suite.reason(rules, A, B, 50) == "LOCKED_UP"
    suite.mint(B, 80)
    assert suite.reason(rules, A, B, 50) == "MAX_BALANCE"
    suite.configure(rules, "setCountryCaps", [276], [0])
    assert suite.reason(rules, A, C, 101) == "COUNTRY_HOLDER_CAP"
    suite.configure(rules, "setCap", 2)
    assert suite.reason(rules, A, C, 101) == "HOLDER_CAP"
    assert suite.reason(rules, ZERO_ADDRESS, C, 1) == "HOLDER_CAP"


# --- one question for everything ---


def findings(suite: Suite, lens: Contract, sender: str, to: str, units: int) -> list[tuple[str, str, bool]]:
    """(code, rule, enforced)"""
    found = suite.evm.read(lens.read("findings", suite.token.address, sender, to, units))
    return [(code_text(code), rule, enforced) for code, rule, enforced in found]


def test_lens_names_every_obstacle_in_order(trex: Trex) -> None:
    lens, cap = trex.evm.deploy("TransferLens"), trex.evm.deploy("HolderCap")
    suite = trex.suite(cap, settings=[cap.data("setCap", 1)])
    investors(suite, trex, A, B)
    suite.mint(A, 10)
    token, registry = suite.token.address, suite.registry.address
    assert findings(suite, lens, A, B, 10) == []
    assert findings(suite, lens, A, B, 1) == [("HOLDER_CAP", cap.address, True)]
    assert findings(suite, lens, ZERO_ADDRESS, B, 1) == [("HOLDER_CAP", cap.address, True)]
    assert findings(suite, lens, A, A, 1) == [("SELF_TRANSFER", token, False)]
    assert findings(suite, lens, A, B, 0) == [("ZERO_AMOUNT", token, True)]
    suite.act(suite.token.call("freezePartialTokens", A, 4))
    assert findings(suite, lens, A, B, 7)[0] == ("UNITS_FROZEN", token, True)
    suite.act(suite.token.call("pause"))
    for who in (A, B):
        suite.act(suite.token.call("setAddressFrozen", who, True))
    suite.act(suite.registry.call("deleteIdentity", A))
    assert findings(suite, lens, A, STRANGER, 11) == [
        ("TOKEN_PAUSED", token, True),
        ("SENDER_FROZEN", token, True),
        ("BALANCE_INSUFFICIENT", token, True),
        ("SENDER_NOT_VERIFIED", registry, False),
        ("RECEIVER_NOT_VERIFIED", registry, True),
        ("HOLDER_CAP", cap.address, True),
    ]
    assert ("RECEIVER_FROZEN", token, True) in findings(suite, lens, A, B, 1)


def test_lens_asks_rules_without_reasons_for_yes_or_no(trex: Trex) -> None:
    """A rule that only has moduleCheck, here one that answers everything with zero, so refuses all."""
    lens, evm = trex.evm.deploy("TransferLens"), trex.evm
    suite = trex.suite()
    investors(suite, trex, A, B)
    suite.mint(A, 10)
    mute = evm.place(wallet("mute rule"), bytes.fromhex("600160005260206000f3"))  # answers 1 to whatever is asked
    suite.act(suite.compliance.call("addModule", mute))
    assert [code for code, _, _ in findings(suite, lens, A, B, 1)] == ["\x00" * 31 + "\x01"]
    evm.place(mute, bytes.fromhex("60006000fd"))  # fails whatever is asked
    assert [code for code, _, _ in findings(suite, lens, A, B, 1)] == ["RULE_REFUSED"]
