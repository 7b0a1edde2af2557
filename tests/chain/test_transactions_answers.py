"""What each client's words mean (T3), the arithmetic of fees, and the rules of the policy: pure."""

import json
import random
from dataclasses import replace
from typing import Any, cast

import pytest
from eth_typing import ABIElement
from eth_utils.abi import abi_to_signature

from tests.chain.harness import ROOT
from tests.chain.seeds import a_seed
from tokenx_chain.contracts.artifacts import PATHS, Artifacts
from tokenx_chain.contracts.calls import Call
from tokenx_chain.contracts.settlement import Fill, Leg, LegKind, Settlement, SignedFill
from tokenx_chain.operations.keys import ATS_OPERATOR, ATS_SUBMITTER, PLATFORM
from tokenx_chain.policy.defaults import DEFAULT_RULES
from tokenx_chain.policy.reading import SIGNATURES, read_call
from tokenx_chain.policy.rules import Decision, Outcome, Request, Rule, Used, decide
from tokenx_chain.registry import ContractRegistry
from tokenx_chain.transactions.answers import Answer, read_answer
from tokenx_chain.transactions.fees import Fees, first_fees, raised
from tokenx_chain.transactions.funds import Promises

GOLDEN = {
    "anvil": {
        "transaction already imported": Answer.KNOWN,
        "replacement transaction underpriced": Answer.UNDERPRICED,
        "nonce too low": Answer.NONCE_USED,
        "max fee per gas less than block base fee": Answer.FEE_LOW,
        "Insufficient funds for gas * price + value": Answer.FUNDS,
        "intrinsic gas too low": Answer.NEVER,
    },
    "geth": {
        "already known": Answer.KNOWN,
        "replacement transaction underpriced": Answer.UNDERPRICED,
        "nonce too low: next nonce 7, tx nonce 5": Answer.NONCE_USED,
        "transaction underpriced: tip needed 1, tip permitted 0": Answer.FEE_LOW,
        "insufficient funds for gas * price + value: balance 1, tx cost 2, overshot 1": Answer.FUNDS,
        "intrinsic gas too low: gas 20000, minimum needed 21000": Answer.NEVER,
        "txpool is full": Answer.BUSY,
        "exceeds block gas limit": Answer.NEVER,
    },
    "reth": {
        "already known": Answer.KNOWN,
        "replacement transaction underpriced": Answer.UNDERPRICED,
        "nonce too low: next nonce 3, tx nonce 2": Answer.NONCE_USED,
        "insufficient funds for gas * price + value: have 1 want 2": Answer.FUNDS,
        "transaction gas limit too high": Answer.NEVER,
    },
    "nethermind": {
        "AlreadyKnown": Answer.KNOWN,
        "ReplacementNotAllowed": Answer.UNDERPRICED,
        "OldNonce, Current nonce: 4, nonce of rejected tx: 2": Answer.NONCE_USED,
        "InsufficientFunds, Account balance: 0, cumulative cost: 2": Answer.FUNDS,
        "FeeTooLow, MaxFeePerGas too low": Answer.FEE_LOW,
    },
    "besu": {
        "Known transaction": Answer.KNOWN,
        "Replacement transaction underpriced": Answer.UNDERPRICED,
        "Nonce too low": Answer.NONCE_USED,
        "Upfront cost exceeds account balance": Answer.FUNDS,
        "Gas price below configured minimum gas price": Answer.FEE_LOW,
    },
    "erigon": {
        "already known": Answer.KNOWN,
        "could not replace existing tx": Answer.UNDERPRICED,
        "nonce too low": Answer.NONCE_USED,
        "fee too low": Answer.FEE_LOW,
        "insufficient funds for gas * price + value": Answer.FUNDS,
    },
    "coreth": {
        "already known": Answer.KNOWN,
        "nonce too low: address 0x1, current nonce (3) > tx nonce (2)": Answer.NONCE_USED,
        "transaction underpriced: address 0x1 have gas fee cap (1) < pool minimum fee cap (2)": Answer.FEE_LOW,
    },
    "op-geth": {
        "already known": Answer.KNOWN,
        "replacement transaction underpriced": Answer.UNDERPRICED,
        "insufficient funds for gas * price + value + L1 fee": Answer.FUNDS,
    },
    "hedera relay": {
        "[Request ID: 1] Nonce too low": Answer.NONCE_USED,
        "Nonce too high. Provided nonce: 9, current nonce: 7": Answer.NONCE_AHEAD,
        "Error invoking RPC: WRONG_NONCE": Answer.NONCE_AHEAD,
        "Insufficient funds for transfer": Answer.FUNDS,
        "Gas price '1' is below configured minimum gas price '2'": Answer.FEE_LOW,
        "DUPLICATE_TRANSACTION": Answer.KNOWN,
    },
    "providers": {
        "same hash was already imported": Answer.KNOWN,
        "Too Many Requests": Answer.BUSY,
        "daily request count exceeded, request rate limited": Answer.BUSY,
        "something nobody has ever said": Answer.UNCLEAR,
    },
}


@pytest.mark.parametrize(
    ("client", "text", "meaning"), [(client, text, m) for client, table in GOLDEN.items() for text, m in table.items()]
)
def test_t3_words_of_each_client_are_understood(client: str, text: str, meaning: Answer) -> None:
    assert read_answer(text) is meaning, client


def test_no_error_means_taken() -> None:
    assert read_answer(None) is Answer.TAKEN


def test_replacement_raises_both_fields_by_a_tenth_at_least_and_never_passes_the_cap() -> None:
    rng = random.Random(a_seed())
    for _ in range(2000):
        tip = rng.choice([0, 1, 2, rng.randrange(10**12)])
        before = Fees(tip + rng.randrange(1, 10**13), tip)
        cap = rng.randrange(1, 10**14)
        after = raised(before, base_fee=rng.randrange(10**12), cap=cap)
        if after is None:
            assert before.max_fee * 9 // 8 >= cap - 1
            continue
        assert after.max_fee * 10 >= before.max_fee * 11
        assert after.max_tip * 10 >= before.max_tip * 11
        assert after.max_tip <= after.max_fee <= cap


def test_first_offer_outlives_six_full_blocks_unless_the_cap_forbids() -> None:
    assert first_fees(base_fee=100, tip=1, cap=1000) == Fees(201, 1)
    assert first_fees(base_fee=100, tip=1, cap=150) == Fees(150, 1)
    assert first_fees(base_fee=100, tip=1, cap=110) is None


def a_request(**changes: object) -> Request:
    usual: dict[str, object] = {"kind": "token.mint", "key_ref": PLATFORM, "contract": "token:off_1", "address": "0x" + "aa" * 20,
                                "function": "mint", "amount": 5}  # fmt: skip
    return Request(**(usual | changes))  # pyright: ignore[reportArgumentType]  # test data


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        ({}, Outcome.ALLOW),
        ({"function": "forcedTransfer", "kind": "token.force_transfer"}, Outcome.APPROVE),
        ({"function": "batchForcedTransfer", "kind": "token.force_transfer_batch"}, Outcome.APPROVE),
        ({"function": "forcedTransfer", "kind": "investor.recover"}, Outcome.APPROVE),
        ({"function": "recoveryAddress", "kind": "investor.recover"}, Outcome.DENY),
        ({"key_ref": "investor:inv_1"}, Outcome.DENY),
        ({"key_ref": "investor:inv_1", "function": "transfer"}, Outcome.ALLOW),
        ({"contract": "unlisted"}, Outcome.DENY),
        ({"function": "0xdeadbeef"}, Outcome.DENY),
        ({"contract": "create", "function": "create", "amount": None}, Outcome.DENY),
        ({"contract": "create", "function": "create", "amount": None, "kind": "platform.deploy"}, Outcome.ALLOW),
        ({"contract": "coin", "function": "transfer", "amount": 10**18}, Outcome.ALLOW),
        ({"contract": "coin", "function": "transfer", "amount": 10**21}, Outcome.DENY),
        ({"contract": "coin", "function": "transfer", "key_ref": "treasury"}, Outcome.DENY),
        ({"contract": "Settlement", "function": "settleBatch", "key_ref": ATS_SUBMITTER, "amount": 5}, Outcome.ALLOW),
        ({"contract": "Settlement", "function": "settleBatch", "key_ref": ATS_OPERATOR}, Outcome.DENY),
        ({"contract": "Settlement", "function": "transferOwnership"}, Outcome.DENY),
        ({"kind": "settlement.batch", "key_ref": "investor:inv_1", "function": "increaseAllowance"}, Outcome.ALLOW),
        ({"kind": "settlement.batch", "key_ref": "investor:inv_1", "function": "approve"}, Outcome.DENY),
        (
            {
                "kind": "settlement.batch",
                "key_ref": "investor:inv_1",
                "contract": "Settlement",
                "function": "setCustodian",
            },
            Outcome.ALLOW,
        ),
        (
            {
                "kind": "transaction.send",
                "key_ref": "investor:inv_1",
                "contract": "Settlement",
                "function": "setCustodian",
            },
            Outcome.DENY,
        ),
    ],
)
def test_built_in_rules_let_the_platform_work_and_nobody_else(changes: dict[str, object], outcome: Outcome) -> None:
    assert decide(a_request(**changes), DEFAULT_RULES, {}).outcome is outcome


def test_limits_and_second_approval() -> None:
    rule = Rule("r", function="mint", max_amount=100, daily_amount=150, daily_count=3, approval_above=50)

    def decide_(amount: int | None, used: Used) -> Decision:
        return decide(a_request(amount=amount), [rule], {"r": used})

    assert decide_(50, Used()).outcome is Outcome.ALLOW
    assert decide_(51, Used()).outcome is Outcome.APPROVE
    assert decide_(101, Used()).code == "policy.amount_limit"
    assert decide_(50, Used(101, 1)).code == "policy.daily_amount"
    assert decide_(1, Used(0, 3)).code == "policy.daily_count"
    assert decide_(None, Used()).code == "policy.amount_unknown"


def test_no_rules_allow_nothing() -> None:
    assert decide(a_request(), [], {}).code == "policy.not_allowed"


def test_call_is_read_into_contract_function_and_amount() -> None:
    registry = ContractRegistry()
    registry.add("token:off_1", "0x" + "AA" * 20, {})
    mint = bytes.fromhex("40c10f19") + bytes(31) + b"\x01" + (7).to_bytes(32, "big")
    read = read_call(Call("0x" + "aa" * 20, mint), kind="k", key_ref="p", registry=registry)
    assert (read.contract, read.function, read.amount) == ("token:off_1", "mint", 7)
    cut = read_call(Call("0x" + "aa" * 20, mint[:40]), kind="k", key_ref="p", registry=registry)
    assert cut.amount is None
    paid = read_call(Call("0x" + "aa" * 20, mint, value=1), kind="k", key_ref="p", registry=registry)
    assert paid.amount is None, "coins sent along are not what the rule thinks of"


def test_settled_batch_counts_with_what_is_paid_in_it() -> None:
    """Payments and fees, not units: a limit of a rule about settlement is one in money."""
    legs = (Leg(LegKind.DELIVERY, "0x" + "aa" * 20, "0x" + "01" * 20, "0x" + "02" * 20, 900),
            Leg(LegKind.PAYMENT, "0x" + "bb" * 20, "0x" + "02" * 20, "0x" + "01" * 20, 50),
            Leg(LegKind.FEE, "0x" + "bb" * 20, "0x" + "02" * 20, "0x" + "03" * 20, 1))  # fmt: skip
    fills = [SignedFill(Fill(name, 1, legs), "0x" + "04" * 20, b"\x01") for name in ("set_1", "set_2")]
    settlement = Settlement(Artifacts(ROOT / "contracts").abi("Settlement"), "0x" + "cc" * 20)
    for call in (settlement.settle_batch(fills), settlement.settle_all(fills)):
        assert read_call(call, kind="k", key_ref="p", registry=ContractRegistry()).amount == 102
    cut = replace(settlement.settle_all(fills), data=settlement.settle_all(fills).data[:300])
    assert read_call(cut, kind="k", key_ref="p", registry=ContractRegistry()).amount is None


def test_operations_that_look_at_a_balance_at_once_do_not_count_on_the_same_coins() -> None:
    promises = Promises()
    assert promises.promise("0xa", "op_1", 10) == 0
    assert promises.promise("0xa", "op_2", 7) == 10
    assert promises.promise("0xa", "op_1", 4) == 7, "asking again for less takes nothing back"
    assert promises.promise("0xb", "op_3", 1) == 0
    promises.release("op_1")
    assert promises.promise("0xa", "op_3", 1) == 7


def test_functions_the_policy_can_read_are_those_of_the_contracts() -> None:
    """A misspelt signature would have a selector that nothing ever calls, and its function would be denied for ever."""
    folder = ROOT / "contracts"
    entries: list[dict[str, Any]] = [
        e for path in PATHS.values() for e in json.loads((folder / path).read_text())["abi"]
    ]
    known = {abi_to_signature(cast(ABIElement, entry)) for entry in entries if entry["type"] == "function"}
    assert set(SIGNATURES.values()) - known == set()
