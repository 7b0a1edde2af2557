"""The rules: the reference table's cases by citation, and that the gate fails closed."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tokenx_api.compliance.rules import RULES, collar, decide

AS_OF = "2026-11-22T08:00:00.000000Z"


def facts(**changes: Any) -> dict[str, Any]:
    """Facts with which everything is allowed, for a buy of 10 units at 10.00. Names with __ stand for a dot."""
    base: dict[str, Any] = {
        "as_of": AS_OF,
        "investor.kyc_status": "approved",
        "investor.kyc_expires_at": "2026-11-23T08:00:00.000000Z",
        "investor.frozen": False,
        "investor.revoked": False,
        "investor.country": "US",
        "wallet.status": "registered",
        "wallet.frozen": False,
        "token.paused": False,
        "offering.status": "open",
        "offering.market_state": "continuous",
        "offering.blocked_countries": ["KP"],
        "offering.collar_bps": 1000,
        "offering.reference_price_minor": 1000,
        "cash.available_minor": 10_000,
        "holding.available_units": 100,
        "holding.restrictions": [],
        "side": "buy",
        "units": 10,
        "price_minor": 1000,
        "notional_minor": 10_000,
    }
    return base | {name.replace("__", "."): value for name, value in changes.items()}


def frozen(units: int | None = None) -> dict[str, Any]:
    return {"kind": "freeze", "units": units, "until": None}


def locked(until: str, units: int | None = None) -> dict[str, Any]:
    return {"kind": "lock_up", "units": units, "until": until}


CASES: list[tuple[str, str, dict[str, Any], list[str]]] = [
    ("R01 31 CFR 1023.220: expires tomorrow", "pre_trade", {}, []),
    ("R01 31 CFR 1023.220: pending", "pre_trade", {"investor__kyc_status": "pending"}, ["KYC_NOT_APPROVED"]),
    ("R01 31 CFR 1023.220: expired 1 s ago", "pre_trade", {"investor__kyc_expires_at": "2026-11-22T07:59:59.000000Z"}, ["KYC_EXPIRED"]),
    ("R01 31 CFR 1023.220: expires this instant", "pre_trade", {"investor__kyc_expires_at": AS_OF}, ["KYC_EXPIRED"]),
    ("R01 31 CFR 1023.220: fact absent", "pre_trade", {"investor__kyc_status": None}, ["FACT_MISSING"]),
    ("R01 31 CFR 1023.220: expiry absent", "pre_trade", {"investor__kyc_expires_at": None}, ["FACT_MISSING"]),
    ("R01 31 CFR 1023.220: expired at settlement", "settlement", {"investor__kyc_expires_at": AS_OF}, ["KYC_EXPIRED"]),
    ("R19 offering terms: country KP buys", "pre_trade", {"investor__country": "KP"}, ["JURISDICTION_BLOCKED"]),
    ("R19 offering terms: country KP subscribes", "subscription", {"investor__country": "KP"}, ["JURISDICTION_BLOCKED"]),
    ("R19 offering terms: a blocked holder may still sell", "pre_trade", {"investor__country": "KP", "side": "sell"}, []),
    ("R20 lock-up whole holding", "pre_trade", {"side": "sell", "holding__restrictions": [locked("2027-01-01T00:00:00.000000Z")]}, ["LOCKUP"]),
    ("R20 lock-up over since a second", "pre_trade", {"side": "sell", "holding__restrictions": [locked("2026-11-22T07:59:59.000000Z")]}, []),
    ("R20 25 % released, hold 1000, sell 250", "pre_trade",
     {"side": "sell", "units": 250, "holding__available_units": 1000, "holding__restrictions": [locked("2027-01-01T00:00:00.000000Z", 750)]}, []),
    ("R20 25 % released, hold 1000, sell 251", "pre_trade",
     {"side": "sell", "units": 251, "holding__available_units": 1000, "holding__restrictions": [locked("2027-01-01T00:00:00.000000Z", 750)]}, ["LOCKUP"]),
    ("R20 does not touch buys", "pre_trade", {"holding__restrictions": [frozen()]}, []),
    ("R20 a legend is only a note", "pre_trade", {"side": "sell", "holding__restrictions": [{"kind": "legend", "units": None, "until": None}]}, []),
    ("R21 account frozen", "pre_trade", {"investor__frozen": True}, ["ACCOUNT_FROZEN"]),
    ("R21 account frozen at settlement", "settlement", {"investor__frozen": True}, ["ACCOUNT_FROZEN"]),
    ("R21 40 of 100 frozen, sell 60", "pre_trade", {"side": "sell", "units": 60, "holding__restrictions": [frozen(40)]}, []),
    ("R21 40 of 100 frozen, sell 61", "pre_trade", {"side": "sell", "units": 61, "holding__restrictions": [frozen(40)]}, ["UNITS_FROZEN"]),
    ("R26 revoked", "pre_trade", {"investor__revoked": True}, ["INVESTOR_REVOKED"]),
    ("R26 revoked subscribes", "subscription", {"investor__revoked": True}, ["INVESTOR_REVOKED"]),
    ("R27 wallet frozen buys", "pre_trade", {"wallet__frozen": True}, ["WALLET_FROZEN"]),
    ("R27 wallet frozen sells", "pre_trade", {"side": "sell", "wallet__frozen": True}, ["WALLET_FROZEN"]),
    ("R27 wallet frozen at settlement", "settlement", {"wallet__frozen": True}, ["WALLET_FROZEN"]),
    ("R28 token paused", "pre_trade", {"token__paused": True}, ["TOKEN_PAUSED"]),
    ("R28 does not touch the primary sale", "subscription", {"token__paused": True}, []),
    ("R22 ERC-3643: wallet unverified", "pre_trade", {"wallet__status": "registering"}, ["WALLET_UNVERIFIED"]),
    ("R23 15c3-5: settled 100, open sells 60, sell 40", "pre_trade", {"side": "sell", "units": 40, "holding__available_units": 40}, []),
    ("R23 15c3-5: settled 100, open sells 60, sell 41", "pre_trade", {"side": "sell", "units": 41, "holding__available_units": 40}, ["INSUFFICIENT_QUANTITY"]),
    ("R24 15c3-5: cash 1000.00, order 1000.00", "pre_trade", {"cash__available_minor": 100_000, "notional_minor": 100_000}, []),
    ("R24 15c3-5: cash 1000.00, order 1000.01", "pre_trade", {"cash__available_minor": 100_000, "notional_minor": 100_001}, ["INSUFFICIENT_FUNDS"]),
    ("R24 is for buys", "pre_trade", {"side": "sell", "cash__available_minor": 0}, []),
    ("R25 15c3-5: reference 10.00, collar 10 %, buy 11.00", "pre_trade", {"price_minor": 1100}, []),
    ("R25 15c3-5: reference 10.00, collar 10 %, buy 11.01", "pre_trade", {"price_minor": 1101}, ["COLLAR"]),
    ("R25 15c3-5: reference 10.00, collar 10 %, sell 9.00", "pre_trade", {"price_minor": 900, "side": "sell"}, []),
    ("R25 15c3-5: reference 10.00, collar 10 %, sell 8.99", "pre_trade", {"price_minor": 899, "side": "sell"}, ["COLLAR"]),
    ("R25 no reference price", "pre_trade", {"offering__reference_price_minor": None}, ["FACT_MISSING"]),
    ("V01 subscription of an open offering", "subscription", {}, []),
    ("V01 subscription of a deployed offering", "subscription", {"offering__status": "deployed"}, ["OFFERING_NOT_OPEN"]),
    ("V02 market halted", "pre_trade", {"offering__market_state": "halted"}, ["MARKET_NOT_OPEN"]),
    ("V02 a halt does not stop settlement", "settlement", {"offering__market_state": "halted"}, []),
    ("all obstacles are named", "pre_trade", {"investor__frozen": True, "price_minor": 1, "cash__available_minor": 0},
     ["ACCOUNT_FROZEN", "INSUFFICIENT_FUNDS", "COLLAR"]),
    ("a stage without rules is a deny", "payout", {}, []),
]  # fmt: skip


@pytest.mark.parametrize(("stage", "changes", "codes"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_rule_table(stage: Any, changes: dict[str, Any], codes: list[str]) -> None:
    verdict = decide(stage, facts(**changes))
    assert [result.reason_code for result in verdict.results if result.outcome == "deny"] == codes
    assert verdict.outcome == ("deny" if codes or stage == "payout" else "allow")
    for result in verdict.results:
        assert bool(result.message) == (result.outcome == "deny")


@pytest.mark.parametrize(
    ("changes", "remedy"),
    [
        ({"side": "sell", "units": 61, "holding__restrictions": [frozen(40)]}, ("max_quantity", "60")),
        ({"side": "sell", "holding__restrictions": [locked("2027-01-01T00:00:00.000000Z")]}, ("earliest_at", "2027-01-01T00:00:00.000000Z")),
        ({"side": "sell", "units": 101}, ("max_quantity", "100")),
        ({"cash__available_minor": 9_999}, ("max_amount", "99.99")),
        ({"price_minor": 2000}, ("price_range", "9.00-11.00")),
        ({"investor__kyc_status": "rejected"}, ("document", "kyc")),
    ],
)  # fmt: skip
def test_remedy_says_what_would_help(changes: dict[str, Any], remedy: tuple[str, str]) -> None:
    (denied,) = [result for result in decide("pre_trade", facts(**changes)).results if result.outcome == "deny"]
    assert (denied.remedy.type, denied.remedy.value) == remedy


@pytest.mark.parametrize("stage", ["subscription", "pre_trade", "settlement"])
@pytest.mark.parametrize("side", ["buy", "sell", None])
@pytest.mark.parametrize("name", sorted(facts()))
def test_dropping_a_fact_never_allows_what_was_denied_nor_what_it_decides(
    stage: Any, side: str | None, name: str
) -> None:
    known = {key: value for key, value in facts(side=side).items() if key != name}
    needed = {
        need
        for rule in RULES
        if stage in rule.stages and (rule.side in (None, side) or side is None)
        for need in rule.needs
    }
    if name in needed:
        assert decide(stage, known).outcome == "deny"


values = st.fixed_dictionaries({}, optional={
    "as_of": st.just(AS_OF),
    "investor.kyc_status": st.sampled_from(["approved", "pending", "rejected", "expired"]),
    "investor.kyc_expires_at": st.sampled_from([AS_OF, "2026-11-21T00:00:00.000000Z", "2027-01-01T00:00:00.000000Z"]),
    "investor.frozen": st.booleans(),
    "investor.country": st.sampled_from(["US", "KP"]),
    "wallet.status": st.sampled_from(["none", "created", "registered"]),
    "offering.status": st.sampled_from(["open", "deployed"]),
    "offering.market_state": st.sampled_from(["continuous", "halted", "closed"]),
    "offering.blocked_countries": st.sampled_from([[], ["KP"]]),
    "offering.collar_bps": st.integers(1, 10_000),
    "offering.reference_price_minor": st.integers(1, 10**12),
    "cash.available_minor": st.integers(0, 10**12),
    "holding.available_units": st.integers(0, 10**9),
    "holding.restrictions": st.lists(st.sampled_from([frozen(), frozen(5), locked("2027-01-01T00:00:00.000000Z", 7)]), max_size=3),
    "side": st.sampled_from(["buy", "sell"]),
    "units": st.integers(1, 10**9),
    "price_minor": st.integers(1, 10**12),
    "notional_minor": st.integers(1, 10**15),
})  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(values, st.sampled_from(["subscription", "pre_trade", "settlement"]), st.sampled_from(sorted(facts())))
def test_knowing_less_never_allows_more(known: dict[str, Any], stage: Any, dropped: str) -> None:
    """Monotonicity: whatever is allowed without a fact is allowed with it or depends on it; a deny stays a deny."""
    less = {key: value for key, value in known.items() if key != dropped}
    if decide(stage, known).outcome == "deny" and dropped != "holding.restrictions":
        assert decide(stage, less).outcome == "deny"


@given(st.integers(1, 10**12), st.integers(1, 10_000))
def test_collar_is_around_the_reference_and_never_wider_than_said(reference: int, bps: int) -> None:
    low, high = collar(reference, collar_bps=bps)
    assert 1 <= low <= reference <= high
    assert high * 10_000 <= reference * (10_000 + bps)
    assert low == 1 or low * 10_000 >= reference * (10_000 - bps)


def test_every_rule_is_cited_and_named_once() -> None:
    assert all(rule.source and rule.version > 0 for rule in RULES)
    assert len({rule.rule_id for rule in RULES}) == len(RULES)
