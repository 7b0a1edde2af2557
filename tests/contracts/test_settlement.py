"""Settlement with a real ERC-3643 token and the test coin: who may settle what, every refusal by name, whole or nothing."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import pytest
from eth_account.messages import _hash_eip191_message, encode_typed_data  # pyright: ignore[reportPrivateUsage]

from tests.contracts import misbehaving as bad
from tests.contracts.evm import ARTIFACTS, Contract, Evm, Reverted, reason_of
from tests.contracts.market import FOREVER, Market, Party, open_market, party, permit_digest
from tests.contracts.suites import Trex, wallet
from tokenx_chain.contracts.calls import ZERO_ADDRESS
from tokenx_chain.contracts.settlement import (
    AssetKind,
    Domain,
    Leg,
    LegKind,
    SettlementState,
    SignedFill,
    custody_digest,
    settlement_key,
)

pytestmark = pytest.mark.stack

HALF_ORDER_DOUBLED: Final = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


@pytest.fixture
def market(trex: Trex) -> Market:
    opened = open_market(trex)
    opened.approve(1_000, 1_000_000)
    return opened


# --- what is signed ---


def test_digest_is_the_same_for_contract_binding_and_wallet(market: Market) -> None:
    fill = market.fill(legs=market.legs(fee=3))
    on_chain = market.evm.read(market.contract.read("digestOf", fill.as_struct()))
    wallet_says = _hash_eip191_message(encode_typed_data(full_message=fill.typed_data(market.domain)))
    assert on_chain == fill.digest(market.domain) == wallet_says


def test_domain_is_of_this_chain_and_contract(market: Market) -> None:
    assert market.evm.read(market.contract.read("domainSeparator")) == market.domain.separator()


# --- settling ---


def test_fill_moves_every_leg_and_says_so(market: Market) -> None:
    market.approve(10, 505)
    fill = market.fill(legs=market.legs(units=10, cash=500, fee=5))
    mined = market.evm.send(market.settlement.settle_batch([market.signed(fill)]), market.submitter)
    assert market.balances() == (990, 10, 500, 999_495)
    legs = market.settlement.leg_reports(mined.logs)
    assert [(r.key, r.index, r.leg) for r in legs] == [(fill.key, n, leg) for n, leg in enumerate(fill.legs)]
    (report,) = market.settlement.fill_reports(mined.logs)
    assert (report.key, report.reason) == (fill.key, None)
    allowances = [asset.read("allowance", who.address, market.contract.address) for asset, who in ((market.token, market.seller), (market.cash, market.buyer))]  # fmt: skip
    assert market.evm.read_all(allowances) == [0, 0]
    assert market.evm.read(market.settlement.state_of("set_1")) == SettlementState.SETTLED
    assert market.evm.read(market.contract.read("isSettled", fill.key)) is True


def test_legs_of_several_tokens_and_parties_settle_together(market: Market, trex: Trex) -> None:
    """A buys from two sellers, one of whom pays part of it on to a third: all or nothing."""
    other = trex.suite()
    third = market.collector.address
    market.evm.fund(third)
    other.register(market.buyer.address, trex.identity(wallet("a")))
    other.register(third, trex.identity(wallet("b")))
    other.mint(third, 50)
    market.own("setAsset", other.token.address, int(AssetKind.SECURITY))
    market.evm.send(other.token.call("approve", market.contract.address, 7), third)
    market.evm.send(market.cash.call("approve", market.contract.address, 100), market.seller.address)
    legs = (
        *market.legs(10, 500),
        Leg(LegKind.DELIVERY, other.token.address, third, market.buyer.address, 7),
        Leg(LegKind.PAYMENT, market.cash.address, market.seller.address, third, 100),
    )
    assert market.batch(market.signed(market.fill(legs=legs))) == [""]
    assert market.balances() == (990, 10, 400, 999_500)
    assert other.balance(market.buyer.address) == 7
    assert market.evm.read(market.cash.read("balanceOf", third)) == 100


def test_one_bad_fill_does_not_hold_up_the_batch(market: Market) -> None:
    good = [market.signed(market.fill(f"set_{n}")) for n in (1, 2)]
    too_much = market.signed(market.fill("set_3", market.legs(units=5_000)))
    assert market.batch(good[0], too_much, good[1]) == ["", "Insufficient Balance", ""]
    assert market.balances() == (980, 20, 1_000, 999_000)


def test_failed_fill_names_leg_and_reason(market: Market) -> None:
    market.suite.act(market.token.call("setAddressFrozen", market.buyer.address, True))
    mined = market.evm.send(market.settlement.settle_batch([market.signed(market.fill())]), market.submitter)
    (event,) = market.contract.events(mined, "FillFailed")
    assert event["leg"] == 0
    assert event["selector"] == bytes.fromhex("08c379a0")
    assert event["text"] == "wallet is frozen"
    assert reason_of(event["data"]) == "wallet is frozen"
    (report,) = market.settlement.fill_reports(mined.logs)
    assert (report.leg, reason_of(report.reason or b"")) == (0, "wallet is frozen")
    assert market.balances() == (1_000, 0, 0, 1_000_000)


def test_failed_check_names_no_leg(market: Market) -> None:
    fill = market.fill(expires_at=1)
    mined = market.evm.send(market.settlement.settle_batch([market.signed(fill)]), market.submitter)
    (report,) = market.settlement.fill_reports(mined.logs)
    assert (report.leg, reason_of(report.reason or b"")) == (None, "Expired()")
    (event,) = market.contract.events(mined, "FillFailed")
    assert (event["text"], event["selector"]) == ("", next(s for s, e in market.contract.abi.errors.items() if e["name"] == "Expired"))  # fmt: skip


def test_cash_stays_when_compliance_refuses_the_units(market: Market) -> None:
    market.suite.act(market.suite.registry.call("deleteIdentity", market.buyer.address))
    assert market.batch(market.signed(market.fill())) == ["Transfer not possible"]
    assert market.balances() == (1_000, 0, 0, 1_000_000)


def test_units_stay_when_the_cash_is_missing(market: Market) -> None:
    market.approve(1_000, 499)
    (reason,) = market.batch(market.signed(market.fill()))
    assert reason.startswith("InsufficientCashAllowance(")
    assert market.balances() == (1_000, 0, 0, 1_000_000)


def test_all_or_nothing_form_takes_everything_back(market: Market) -> None:
    fills = [market.signed(market.fill("set_1")), market.signed(market.fill("set_2", market.legs(units=5_000)))]
    text = market.evm.refusal(market.settlement.settle_all(fills), market.submitter)
    assert text.startswith(f"FillRefused(1, 0x{settlement_key('set_2').hex()}, ")
    assert market.refused(*fills).startswith("LegFailed(0, ")
    market.evm.send(market.settlement.settle_all(fills[:1]), market.submitter)
    assert market.balances() == (990, 10, 500, 999_500)


# --- malformed fills ---

Legs = Callable[[Market], tuple[Leg, ...]]

MALFORMED: Final[dict[str, tuple[Legs, str]]] = {
    "no legs": (lambda m: (), "NoLegs()"),
    "too many legs": (lambda m: m.legs() * 9, "TooManyLegs(18)"),
    "nothing delivered": (lambda m: m.legs(units=0), "EmptyLeg()"),
    "nothing paid": (lambda m: m.legs(cash=0), "EmptyLeg()"),
    "to oneself": (lambda m: (replace(m.legs()[0], receiver=m.seller.address), m.legs()[1]), "SelfTrade()"),
    "delivery only": (lambda m: m.legs()[:1], "NotDeliveryVersusPayment()"),
    "payment only": (lambda m: m.legs()[1:], "NotDeliveryVersusPayment()"),
    "unlisted token": (lambda m: (replace(m.legs()[0], asset=wallet("fake")), m.legs()[1]), f"AssetNotListed({wallet('fake')})"),
    "coin delivered": (lambda m: (replace(m.legs()[0], asset=m.cash.address), m.legs()[1]), "AssetNotListed(cash)"),
    "paid in units": (lambda m: (m.legs()[0], replace(m.legs()[1], asset=m.token.address)), "AssetNotListed(token)"),
    "fee to anybody": (lambda m: (*m.legs(), replace(m.legs(fee=1)[2], receiver=m.stranger.address)), "NotAFeeCollector(stranger)"),
    "fee too high": (lambda m: m.legs(cash=500, fee=6), "FeeTooHigh(6, 5)"),
    "fees too high together": (lambda m: (*m.legs(cash=500, fee=3), m.legs(fee=3)[2]), "FeeTooHigh(6, 5)"),
}  # fmt: skip


@pytest.mark.parametrize("case", MALFORMED)
def test_malformed_fill_is_refused_by_name(market: Market, case: str) -> None:
    legs, expected = MALFORMED[case]
    names = {"cash": market.cash.address, "token": market.token.address, "stranger": market.stranger.address}
    for name, address in names.items():
        expected = expected.replace(f"({name})", f"({address})")
    fill = market.signed(market.fill(legs=legs(market)))
    assert market.batch(fill) == [expected]
    assert market.refused(fill) == expected
    assert market.balances() == (1_000, 0, 0, 1_000_000)


def test_unknown_kind_of_leg_is_not_readable(market: Market) -> None:
    """Such a batch is no batch of fills at all and reverts before anything is tried."""
    call = market.settlement.settle_batch([market.signed(market.fill())])
    asset = bytes(12) + bytes.fromhex(market.cash.address[2:])
    kind = LegKind.PAYMENT.to_bytes(32)
    assert call.data.count(kind + asset) == 1
    unreadable = replace(call, data=call.data.replace(kind + asset, (3).to_bytes(32) + asset))
    assert market.evm.refusal(unreadable, market.submitter) == "0x"


def test_fill_settles_in_its_last_second_and_not_after(market: Market) -> None:
    at = market.evm.now() + 1_000
    fill = market.signed(market.fill(expires_at=at))
    market.evm.rpc("evm_setNextBlockTimestamp", at + 1)
    with market.evm.undone():
        assert market.batch(fill) == ["Expired()"]
    market.evm.rpc("evm_setNextBlockTimestamp", at)
    assert market.batch(fill) == [""]


# --- the operator ---


def test_fill_needs_the_signature_of_an_operator(market: Market) -> None:
    fill = market.fill()
    signed, digest = market.signed(fill), fill.digest(market.domain)
    stranger = market.stranger
    by_stranger = replace(signed, operator=stranger.address, operator_signature=stranger.sign(digest))
    assert market.refused(by_stranger) == f"NotOperator({stranger.address})"
    invalid = f"OperatorSignatureInvalid({market.operator.address})"
    assert market.refused(replace(signed, operator_signature=stranger.sign(digest))) == invalid
    for signature in (b"", bytes(65), bytes(64) + b"\x1b", market.operator.sign(digest)[:64], b"\xff" * 65):
        assert market.refused(replace(signed, operator_signature=signature)) == invalid
    market.own("setOperator", market.operator.address, False)
    assert market.refused(signed) == f"NotOperator({market.operator.address})"


def test_second_form_of_a_signature_is_refused(market: Market) -> None:
    signed = market.signed(market.fill())
    signature = signed.operator_signature
    s = HALF_ORDER_DOUBLED - int.from_bytes(signature[32:64])
    other = signature[:32] + s.to_bytes(32) + bytes([55 - signature[64]])
    assert market.refused(replace(signed, operator_signature=other)).startswith("OperatorSignatureInvalid(")


@pytest.mark.parametrize("change", ["units", "cash", "receiver", "id", "expiry", "order"])
def test_nothing_signed_can_be_changed(market: Market, change: str) -> None:
    signed = market.signed(market.fill())
    delivery, payment = signed.fill.legs
    changes: dict[str, dict[str, Any]] = {
        "units": {"legs": (replace(delivery, amount=9), payment)},
        "cash": {"legs": (delivery, replace(payment, amount=501))},
        "receiver": {"legs": (replace(delivery, receiver=market.stranger.address), payment)},
        "id": {"settlement_id": "set_2"},
        "expiry": {"expires_at": FOREVER - 1},
        "order": {"legs": (payment, delivery)},
    }
    forged = replace(signed, fill=replace(signed.fill, **changes[change]))
    assert market.refused(forged).startswith("OperatorSignatureInvalid(")


@pytest.mark.parametrize("domain", ["contract", "chain"])
def test_signatures_hold_for_one_contract_on_one_chain(market: Market, domain: str) -> None:
    fill = market.fill()
    other = Domain(1, market.contract.address) if domain == "chain" else Domain(31_337, wallet("other"))
    digest = fill.digest(other)
    signed = SignedFill(fill, market.operator.address, market.operator.sign(digest), (market.seller.sign(digest), market.buyer.sign(digest)))  # fmt: skip
    assert market.refused(signed).startswith("OperatorSignatureInvalid(")


def test_only_a_submitter_sends(market: Market) -> None:
    fills = [market.signed(market.fill())]
    for sender in (market.stranger.address, market.operator.address, market.owner, market.seller.address):
        for call in (market.settlement.settle_batch(fills), market.settlement.settle_all(fills)):
            assert market.evm.refusal(call, sender) == f"NotSubmitter({sender})"


def test_inner_call_is_closed_to_everybody(market: Market) -> None:
    inner = market.contract.call("settleOne", market.signed(market.fill()).as_struct())
    for sender in (market.submitter, market.owner, market.stranger.address):
        assert market.evm.refusal(inner, sender) == "NotSelf()"


# --- consent ---


@pytest.mark.parametrize("silent", ["seller", "buyer"])
def test_everybody_a_leg_takes_from_must_consent(market: Market, silent: str) -> None:
    fill = market.fill()
    signed, digest = market.signed(fill), fill.digest(market.domain)
    index = 0 if silent == "seller" else 1
    account = fill.legs[index].sender

    def with_consent(consent: bytes) -> SignedFill:
        return replace(signed, consents=tuple(consent if n == index else c for n, c in enumerate(signed.consents)))

    assert market.refused(with_consent(b"")) == f"ConsentMissing({account})"
    assert market.refused(with_consent(market.stranger.sign(digest))) == f"ConsentInvalid({account})"
    assert market.refused(with_consent(market.operator.sign(digest))) == f"ConsentInvalid({account})"
    other = market.fill(legs=market.legs(units=11)).digest(market.domain)
    key = market.seller if silent == "seller" else market.buyer
    assert market.refused(with_consent(key.sign(other))) == f"ConsentInvalid({account})"
    assert market.refused(replace(signed, consents=signed.consents[:index])) == f"ConsentMissing({account})"
    assert market.balances() == (1_000, 0, 0, 1_000_000)


@pytest.mark.parametrize("nobodys", [bytes(65), bytes(64) + b"\x1b", b"\xff" * 65, b"\1" * 64 + b"\x1d"])
def test_signature_of_nobody_is_not_that_of_an_unnamed_custodian(market: Market, nobodys: bytes) -> None:
    """Recovering a malformed signature gives the zero address, which is also what an account without custodian has."""
    signed = market.signed(market.fill())
    forged = replace(signed, consents=(signed.consents[0], nobodys))
    assert market.refused(forged) == f"ConsentInvalid({market.buyer.address})"
    custody = market.settlement.set_custodian_by_signature(account=ZERO_ADDRESS, custodian=market.stranger.address, expires_at=FOREVER, signature=nobodys)  # fmt: skip
    assert market.evm.refusal(custody, market.stranger.address) == f"CustodySignatureInvalid({ZERO_ADDRESS})"


def test_standing_allowances_are_out_of_reach_without_consent(market: Market) -> None:
    """An outsider, even one the owner made operator, cannot use what others have allowed the contract."""
    market.own("setOperator", market.stranger.address, True)
    fill = market.fill(legs=market.legs(units=1, cash=1_000_000))
    digest = fill.digest(market.domain)
    signed = SignedFill(fill, market.stranger.address, market.stranger.sign(digest), (market.seller.sign(digest),))
    assert market.batch(signed) == [f"ConsentMissing({market.buyer.address})"]


def test_approval_on_chain_is_of_exactly_one_fill(market: Market) -> None:
    fill = market.fill()
    signed = replace(market.signed(fill), consents=())
    for who in (market.seller, market.buyer):
        market.evm.send(market.settlement.approve_fill(fill.digest(market.domain)), who.address)
    other = market.fill("set_2")
    assert market.refused(replace(market.signed(other), consents=())) == f"ConsentMissing({market.seller.address})"
    assert market.batch(signed) == [""]
    assert market.batch(signed) == ["AlreadySettled()"]


def test_consent_can_be_taken_back_and_given_again(market: Market) -> None:
    fill = market.fill()
    signed, digest = market.signed(fill), fill.digest(market.domain)
    market.evm.send(market.settlement.withdraw_consent(digest), market.buyer.address)
    assert market.batch(signed) == [f"ConsentTakenBack({market.buyer.address})"]
    market.evm.send(market.settlement.approve_fill(digest), market.buyer.address)
    assert market.batch(signed) == [""]


def test_nobody_withdraws_for_somebody_else(market: Market) -> None:
    fill = market.fill()
    market.evm.send(market.settlement.withdraw_consent(fill.digest(market.domain)), market.stranger.address)
    assert market.batch(market.signed(fill)) == [""]


def test_account_that_gives_in_several_legs_consents_once(market: Market) -> None:
    fill = market.fill(legs=market.legs(fee=5))
    signed = market.signed(fill)
    assert market.batch(replace(signed, consents=(*signed.consents[:2], b""))) == [""]


def test_operator_who_is_a_party_has_consented_by_signing(market: Market) -> None:
    market.own("setOperator", market.buyer.address, True)
    fill = market.fill()
    digest = fill.digest(market.domain)
    signed = SignedFill(fill, market.buyer.address, market.buyer.sign(digest), (market.seller.sign(digest),))
    assert market.batch(signed) == [""]


# --- custody ---


def in_custody(market: Market, custodian: Party) -> None:
    for who in (market.seller, market.buyer):
        market.evm.send(market.settlement.set_custodian(custodian.address), who.address)


def test_operator_who_is_custodian_needs_no_further_signature(market: Market) -> None:
    in_custody(market, market.operator)
    assert market.batch(replace(market.signed(market.fill()), consents=())) == [""]


def test_other_custodian_signs_in_the_accounts_place(market: Market) -> None:
    custodian = party("custodian")
    in_custody(market, custodian)
    fill = market.fill()
    signed, digest = market.signed(fill), fill.digest(market.domain)
    assert market.refused(replace(signed, consents=())) == f"ConsentMissing({market.seller.address})"
    assert market.refused(replace(signed, consents=(market.stranger.sign(digest),))) == f"ConsentInvalid({market.seller.address})"  # fmt: skip
    assert market.batch(replace(signed, consents=(custodian.sign(digest),) * 2)) == [""]


def test_custody_ends_when_the_account_says_so(market: Market) -> None:
    in_custody(market, market.operator)
    market.evm.send(market.settlement.set_custodian(ZERO_ADDRESS), market.buyer.address)
    signed = replace(market.signed(market.fill()), consents=())
    assert market.batch(signed) == [f"ConsentMissing({market.buyer.address})"]


def test_account_in_custody_can_still_withdraw_from_a_fill(market: Market) -> None:
    in_custody(market, market.operator)
    fill = market.fill()
    market.evm.send(market.settlement.withdraw_consent(fill.digest(market.domain)), market.seller.address)
    assert market.batch(market.signed(fill)) == [f"ConsentTakenBack({market.seller.address})"]


def test_custodian_named_by_signature_once_and_in_time(market: Market) -> None:
    account, custodian = market.buyer, market.operator.address

    def named(*, nonce: int, expires_at: int = FOREVER, by: Party = account, to: str = custodian) -> Any:
        digest = custody_digest(market.domain, account=account.address, custodian=to, nonce=nonce, expires_at=expires_at)  # fmt: skip
        return market.settlement.set_custodian_by_signature(account=account.address, custodian=to, expires_at=expires_at, signature=by.sign(digest))  # fmt: skip

    invalid = f"CustodySignatureInvalid({account.address})"
    anybody = market.stranger.address
    assert market.evm.refusal(named(nonce=0, by=market.operator), anybody) == invalid
    assert market.evm.refusal(named(nonce=1), anybody) == invalid
    assert market.evm.refusal(named(nonce=0, expires_at=1), anybody) == "Expired()"
    first = named(nonce=0)
    market.evm.send(first, anybody)
    assert market.evm.read(market.settlement.custodian_of(account.address)) == custodian
    assert market.evm.refusal(first, anybody) == invalid
    # Naming another one directly voids signatures given before.
    later = named(nonce=1)
    market.evm.send(market.settlement.set_custodian(ZERO_ADDRESS), account.address)
    assert market.evm.refusal(later, anybody) == invalid
    assert market.evm.read(market.settlement.custody_nonce(account.address)) == 2


def test_owner_cannot_name_a_custodian_for_others(market: Market) -> None:
    market.evm.send(market.settlement.set_custodian(market.operator.address), market.owner)
    assert market.evm.read(market.settlement.custodian_of(market.buyer.address)) == ZERO_ADDRESS


# --- accounts that are contracts (ERC-1271) ---

YES: Final = bytes.fromhex("1626ba7e")


def contract_buyer(market: Market, code: bytes) -> tuple[SignedFill, str]:
    """A fill whose buyer is a contract with this code; it holds the cash and is registered."""
    buyer = wallet("smart wallet")
    market.evm.fund(buyer)
    market.suite.register(buyer, market.evm.read(market.suite.registry.read("identity", market.buyer.address)))
    market.evm.send(market.cash.call("mint", buyer, 10_000), market.owner)
    market.evm.send(market.cash.call("approve", market.contract.address, 500), buyer)
    market.evm.place(buyer, code)
    legs = (replace(market.legs()[0], receiver=buyer), replace(market.legs()[1], sender=buyer))
    signed = market.signed(market.fill("set_smart", legs))
    return replace(signed, consents=(signed.consents[0], b"anything the wallet understands")), buyer


def test_contract_account_consents_by_its_own_code(market: Market) -> None:
    signed, buyer = contract_buyer(market, bad.answers(YES))
    assert market.batch(signed) == [""]
    assert market.suite.balance(buyer) == 10


@pytest.mark.parametrize(
    "code",
    [bad.answers(b"\x16\x26\xba\x7f"), bad.answers(YES + b"\1"), bad.answers(b""), bad.answers(YES, size=4), bad.REVERTS_EMPTY, bad.RETURNS_NOTHING, bad.RETURNS_A_BYTE,
     bad.REVERTS_WITH_MUCH, bad.RETURNS_MUCH, bad.BURNS_ALL_GAS],
    ids=["other word", "longer word", "zero", "four bytes", "reverts", "nothing", "one byte", "much revert data", "much data", "burns gas"],
)  # fmt: skip
def test_contract_account_that_does_not_say_yes_has_not_consented(market: Market, code: bytes) -> None:
    signed, buyer = contract_buyer(market, code)
    assert market.batch(signed, market.signed(market.fill())) == [f"ConsentInvalid({buyer})", ""]


def test_key_of_an_account_with_code_still_signs(market: Market) -> None:
    """An account that delegated to code (EIP-7702) keeps its key."""
    market.evm.place(market.buyer.address, bad.REVERTS_EMPTY)
    assert market.batch(market.signed(market.fill())) == [""]


# --- once, or never ---


def test_id_is_spent_for_ever_but_not_by_a_failure(market: Market) -> None:
    failing = market.signed(market.fill("set_1", market.legs(units=5_000)))
    good = market.signed(market.fill("set_1"))
    assert market.batch(failing) == ["Insufficient Balance"]
    assert market.batch(good, good) == ["", "AlreadySettled()"]
    assert market.batch(market.signed(market.fill("set_1", market.legs(units=1)))) == ["AlreadySettled()"]
    assert market.balances() == (990, 10, 500, 999_500)


def test_cancelled_id_never_settles(market: Market) -> None:
    cancel = market.settlement.cancel("set_1")
    for sender in (market.stranger.address, market.seller.address, market.owner):
        assert market.evm.refusal(cancel, sender) == f"NotOperator({sender})"
    mined = market.evm.send(cancel, market.operator.address)
    assert len(market.contract.events(mined, "FillCancelled")) == 1
    assert market.batch(market.signed(market.fill())) == ["AlreadyCancelled()"]
    assert market.evm.refusal(cancel, market.submitter) == "AlreadyCancelled()"
    assert market.evm.read(market.settlement.state_of("set_1")) == SettlementState.CANCELLED


def test_settled_id_cannot_be_cancelled(market: Market) -> None:
    market.batch(market.signed(market.fill()))
    assert market.evm.refusal(market.settlement.cancel("set_1"), market.submitter) == "AlreadySettled()"


# --- pause ---


def test_pause_stops_settlement_but_not_withdrawal_and_cancelling(market: Market) -> None:
    pauser = market.stranger.address
    assert market.evm.refusal(market.contract.call("pause"), pauser) == f"NotPauser({pauser})"
    assert market.evm.refusal(market.contract.call("unpause"), market.owner) == "ContractNotPaused()"
    market.own("setPauser", pauser, True)
    market.evm.send(market.contract.call("pause"), pauser)
    fills = [market.signed(market.fill())]
    assert market.evm.refusal(market.settlement.settle_batch(fills), market.submitter) == "ContractPaused()"
    assert market.evm.refusal(market.settlement.settle_all(fills), market.submitter) == "ContractPaused()"
    assert market.evm.refusal(market.contract.call("pause"), market.owner) == "ContractPaused()"
    market.evm.send(market.settlement.withdraw_consent(bytes(32)), market.buyer.address)
    market.evm.send(market.settlement.cancel("set_9"), market.submitter)
    assert market.evm.refusal(market.contract.call("unpause"), pauser) == f"NotOwner({pauser})"
    market.own("unpause")
    assert market.batch(*fills) == [""]


# --- assets that misbehave ---


def listed(market: Market, code: bytes) -> Contract:
    """A security with this code."""
    address = market.evm.place(wallet("bad token"), code)
    market.own("setAsset", address, int(AssetKind.SECURITY))
    return Contract(ARTIFACTS.abi("TestUSD"), address)


def bad_fill(market: Market, token: Contract) -> SignedFill:
    legs = (market.legs()[1], replace(market.legs()[0], asset=token.address))
    return market.signed(market.fill("set_bad", legs))


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (bad.RETURNS_FALSE, f"LegReturnedFalse({wallet('bad token')})"),
        (bad.RETURNS_TWO, f"LegReturnedFalse({wallet('bad token')})"),
        (bad.RETURNS_A_BYTE, f"LegReturnedFalse({wallet('bad token')})"),
        (bad.REVERTS_EMPTY, "0x"),
        (bad.BURNS_ALL_GAS, "0x"),
        (bad.REVERTS_WITH_MUCH, "0x" + "00" * 1_024),
        (bad.reverts_with(bytes.fromhex("08c379a0") + b"\xff" * 64), "0x08c379a0" + "ff" * 64),
        (bad.reverts_with(bytes.fromhex("08c379a0") + (32).to_bytes(32) + (99).to_bytes(32)), None),
        (bad.reverts_with(b"\x01\x02\x03"), "0x010203"),
    ],
    ids=["false", "two", "one byte", "no reason", "burns gas", "much data", "malformed text", "text too long", "three bytes"],
)  # fmt: skip
def test_misbehaving_asset_spoils_its_own_fill_only(market: Market, code: bytes, reason: str | None) -> None:
    fills = [bad_fill(market, listed(market, code)), market.signed(market.fill("set_good"))]
    mined = market.evm.send(market.settlement.settle_batch(fills), market.submitter, gas=25_000_000)
    spoilt, good = market.settlement.fill_reports(mined.logs)
    assert good.reason is None
    assert (spoilt.key, spoilt.leg) == (fills[0].fill.key, 1 if code != bad.BURNS_ALL_GAS else spoilt.leg)
    (event,) = market.contract.events(mined, "FillFailed")
    assert event["text"] == ""
    if reason is not None and code != bad.REVERTS_WITH_MUCH:
        assert "0x" + event["data"].hex() == reason or reason_of(event["data"]) == reason
    assert len(event["data"]) <= 1_024
    assert market.balances() == (990, 10, 500, 999_500)


@pytest.mark.parametrize("code", [bad.RETURNS_NOTHING, bad.RETURNS_TRUE], ids=["nothing", "true"])
def test_coin_that_answers_nothing_is_accepted(market: Market, code: bytes) -> None:
    assert market.batch(bad_fill(market, listed(market, code))) == [""]


def test_asset_that_calls_back_finds_the_door_closed(market: Market) -> None:
    """Even with a submitter's rights."""
    settle_again = market.contract.data("settleBatch", [])
    token = listed(market, bad.calls_first(market.contract.address, settle_again))
    market.own("setSubmitter", token.address, True)
    assert market.batch(bad_fill(market, token)) == ["Reentered()"]
    assert market.balances() == (1_000, 0, 0, 1_000_000)


def test_asset_that_cancels_its_own_fill_finds_it_spent(market: Market) -> None:
    token = listed(market, bad.RETURNS_TRUE)
    signed = bad_fill(market, token)
    market.evm.place(token.address, bad.calls_first(market.contract.address, market.contract.data("cancel", signed.fill.key)))  # fmt: skip
    market.own("setSubmitter", token.address, True)
    assert market.batch(signed) == ["AlreadySettled()"]


def test_batch_with_too_little_gas_reverts_instead_of_failing_good_fills(market: Market) -> None:
    call = market.settlement.settle_batch([market.signed(market.fill(f"set_{n}")) for n in range(4)])
    with pytest.raises(Reverted, match="TooLittleGas"):
        market.evm.send(call, market.submitter, gas=1_700_000)
    assert market.balances() == (1_000, 0, 0, 1_000_000)
    market.evm.send(call, market.submitter, gas=call.gas)
    assert market.balances() == (960, 40, 2_000, 998_000)


def test_fill_with_far_too_many_legs_does_not_claim_the_gas_of_others(market: Market) -> None:
    endless = market.signed(market.fill("set_long", market.legs() * 40))
    call = market.settlement.settle_batch([endless, market.signed(market.fill())])
    mined = market.evm.send(call, market.submitter, gas=12_000_000)
    reports = market.settlement.fill_reports(mined.logs)
    assert [reason_of(r.reason) if r.reason else "" for r in reports] == ["TooManyLegs(80)", ""]


@pytest.mark.parametrize("gas", range(400_000, 3_000_000, 200_000))
def test_no_amount_of_gas_makes_a_good_fill_fail(market: Market, gas: int) -> None:
    """Either the batch reverts as a whole or the fill settles."""
    call = market.settlement.settle_batch([market.signed(market.fill())])
    try:
        mined = market.evm.send(call, market.submitter, gas=gas)
    except Reverted:
        assert market.balances() == (1_000, 0, 0, 1_000_000)
    else:
        assert [r.reason for r in market.settlement.fill_reports(mined.logs)] == [None]


# --- permits ---


def test_permit_stands_in_for_an_allowance(market: Market) -> None:
    market.approve(10, 0)
    signed = market.signed(market.fill(), permits=(market.permit(market.buyer, 500),))
    assert market.batch(signed) == [""]
    assert market.evm.read(market.cash.read("allowance", market.buyer.address, market.contract.address)) == 0


def test_permit_somebody_else_handed_in_first_does_not_matter(market: Market) -> None:
    market.approve(10, 0)
    permit = market.permit(market.buyer, 500)
    early = market.cash.call("permit", permit.owner, market.contract.address, 500, FOREVER, permit.v, permit.r, permit.s)  # fmt: skip
    market.evm.send(early, market.stranger.address)
    assert market.batch(market.signed(market.fill(), permits=(permit,))) == [""]


def test_permit_gives_no_consent(market: Market) -> None:
    market.approve(10, 0)
    signed = market.signed(market.fill(), permits=(market.permit(market.buyer, 500),))
    assert market.refused(replace(signed, consents=signed.consents[:1])) == f"ConsentMissing({market.buyer.address})"


def test_bad_permit_shows_as_a_missing_allowance(market: Market) -> None:
    market.approve(10, 0)
    permit = replace(market.permit(market.buyer, 500), value=600)
    (reason,) = market.batch(market.signed(market.fill(), permits=(permit,)))
    assert reason.startswith("InsufficientCashAllowance(")


def test_permit_reaches_listed_assets_only(market: Market) -> None:
    permit = replace(market.permit(market.buyer, 500), asset=market.suite.registry.address)
    refused = market.refused(market.signed(market.fill(), permits=(permit,)))
    assert refused == f"AssetNotListed({market.suite.registry.address})"


def test_coin_takes_a_permit_once_in_time_and_by_its_owner_only(market: Market) -> None:
    cash, buyer, spender = market.cash, market.buyer, market.stranger.address

    def permit(by: Party, *, value: int = 5, deadline: int = FOREVER, nonce: int = 0, owner: str = buyer.address) -> Any:  # fmt: skip
        s = by.sign(permit_digest(market, owner, spender, value, nonce, deadline))
        return cash.call("permit", owner, spender, value, deadline, s[64], s[:32], s[32:64])

    not_signed = f"PermitNotSigned({buyer.address})"
    assert market.evm.refusal(permit(market.stranger), spender) == not_signed
    assert market.evm.refusal(permit(buyer, nonce=1), spender) == not_signed
    assert market.evm.refusal(permit(buyer, deadline=1), spender) == "PermitExpired(1)"
    zero = cash.call("permit", ZERO_ADDRESS, spender, 5, FOREVER, 27, bytes(32), bytes(32))
    assert market.evm.refusal(zero, spender) == f"PermitNotSigned({ZERO_ADDRESS})"
    market.evm.send(permit(buyer), spender)
    assert market.evm.read(cash.read("allowance", buyer.address, spender)) == 5
    assert market.evm.refusal(permit(buyer), spender) == not_signed
    assert market.evm.read(cash.read("nonces", buyer.address)) == 1


# --- the owner ---


def test_settings_are_the_owners(market: Market) -> None:
    a = market.stranger.address
    for name, args in {
        "setOperator": (a, True), "setSubmitter": (a, True), "setPauser": (a, True), "setAsset": (market.cash.address, 0),
        "setFeeCollector": (a, True), "setMaxFeeBps": (1,), "setLegGas": (1,), "offerOwnership": (a,),
    }.items():  # fmt: skip
        assert market.evm.refusal(market.contract.call(name, *args), a) == f"NotOwner({a})"


def test_settings_have_bounds(market: Market) -> None:
    def refused(name: str, *args: Any) -> str:
        return market.evm.refusal(market.contract.call(name, *args), market.owner)

    assert refused("setMaxFeeBps", 1_001) == "OutOfRange(1001, 1000)"
    assert refused("setLegGas", 5_000_001) == "OutOfRange(5000001, 5000000)"
    assert refused("setOperator", ZERO_ADDRESS, True) == "ZeroAddress()"
    assert refused("setAsset", wallet("nobody"), 1) == f"NotAContract({wallet('nobody')})"


def test_ownership_moves_in_two_steps(market: Market) -> None:
    heir = market.stranger.address
    market.own("offerOwnership", heir)
    accept = market.contract.call("acceptOwnership")
    assert market.evm.refusal(accept, market.owner) == f"NotPendingOwner({market.owner})"
    market.evm.send(accept, heir)
    assert market.evm.refusal(market.contract.call("setMaxFeeBps", 1), market.owner) == f"NotOwner({market.owner})"


def test_contract_without_owner_is_not_deployed(evm: Evm) -> None:
    assert evm.refusal(ARTIFACTS["Settlement"].deployment(ZERO_ADDRESS), evm.accounts[0]) == "ZeroAddress()"


def test_every_error_and_event_can_be_told_from_the_others() -> None:
    """Revert data passes through several contracts and does not say whose it is: one selector, one meaning."""
    seen: dict[bytes, str] = {}
    for name in ("Settlement", "TestUSD", "HolderCap", "LockUp", "VolumeWindow", "ExchangeLimit", "CountryHolderCap"):
        for selector, entry in ARTIFACTS.abi(name).errors.items():
            said = entry["name"] + repr([field["type"] for field in entry["inputs"]])
            assert seen.setdefault(selector, said) == said


# --- the coin's allowances ---


def test_coin_allowance_is_added_to_and_taken_from_and_never_below_zero(market: Market) -> None:
    holder, spender = market.buyer.address, market.stranger.address

    def allowance() -> int:
        return market.evm.read(market.cash.read("allowance", holder, spender))

    for added in (300, 200):
        market.evm.send(market.cash.call("increaseAllowance", spender, added), holder)
    assert allowance() == 500
    market.evm.send(market.cash.call("decreaseAllowance", spender, 450), holder)
    assert allowance() == 50
    refusal = market.evm.refusal(market.cash.call("decreaseAllowance", spender, 51), holder)
    assert refusal == f"InsufficientCashAllowance({holder}, 50, 51)"
    assert market.evm.refusal(market.cash.call("increaseAllowance", spender, 2**256 - 1), holder).startswith(
        "0x4e487b71"
    )


def test_coin_is_minted_by_minters_only(market: Market) -> None:
    stranger = market.stranger.address
    assert market.evm.refusal(market.cash.call("mint", stranger, 1), stranger) == f"NotMinter({stranger})"
