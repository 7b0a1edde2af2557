"""Rules that change while intents wait, and what a change would stop of the platform's own work. No I/O."""

import pytest

from tokenx_chain.contracts.calls import Call
from tokenx_chain.operations import intent
from tokenx_chain.operations.catalog import PROGRAMS
from tokenx_chain.policy.defaults import DEFAULT_RULES
from tokenx_chain.policy.gate import Gate
from tokenx_chain.policy.needs import NEEDS, warnings
from tokenx_chain.policy.rules import Rule, Used
from tokenx_chain.registry import ContractRegistry
from tokenx_chain.transactions.errors import IntentRefused

COIN = "0x" + "aa" * 20
MINT = Call(COIN, bytes.fromhex("40c10f19") + bytes(31) + b"\x01" + (5).to_bytes(32, "big"))


def a_gate(*rules: Rule, approvals: int = 0) -> Gate:
    registry = ContractRegistry()
    registry.add("StableCoin", COIN, {})

    async def agreed(_operation_id: str) -> int:
        return approvals

    return Gate(rules, registry, used={}, approvals=agreed)


def test_built_in_rules_stop_nothing_of_the_platform() -> None:
    assert warnings(DEFAULT_RULES, usual=DEFAULT_RULES) == []


def test_every_kind_of_operation_is_looked_at() -> None:
    assert set(PROGRAMS) - {intent.KIND} == set(NEEDS)


@pytest.mark.parametrize("rule", [rule.policy_id for rule in DEFAULT_RULES])
def test_each_built_in_rule_is_needed_by_somebody(rule: str) -> None:
    left = [other for other in DEFAULT_RULES if other.policy_id != rule]
    assert [one for one in warnings(left, usual=DEFAULT_RULES) if one.effect == "denied"]


def test_no_rules_stop_everything() -> None:
    assert {one.kind for one in warnings([], usual=DEFAULT_RULES)} == set(NEEDS)


async def test_intent_let_pass_under_old_rules_is_asked_again_and_does_not_count_twice() -> None:
    gate = a_gate(Rule("mint", function="mint", daily_amount=9))
    passed = await gate.check("platform", MINT, kind="k", operation_id="op_1")
    assert (gate.used["mint"], gate.is_stale(passed)) == (Used(5, 1), False)
    gate.replace([Rule("mint", function="mint", daily_amount=9)], version=1)
    assert gate.is_stale(passed)
    gate.give_back(passed)
    again = await gate.check("platform", MINT, kind="k", operation_id="op_1")
    assert (gate.used["mint"], gate.is_stale(again)) == (Used(5, 1), False)


async def test_rule_taken_out_denies_at_once_and_what_was_used_today_still_counts() -> None:
    gate = a_gate(Rule("mint", function="mint", daily_amount=9))
    await gate.check("platform", MINT, kind="k", operation_id="op_1")
    gate.replace([], version=1)
    with pytest.raises(IntentRefused, match="may not call mint"):
        await gate.check("platform", MINT, kind="k", operation_id="op_2")
    gate.replace([Rule("mint", function="mint", daily_amount=9)], version=2)
    with pytest.raises(IntentRefused, match="5 of 9 are used"):
        await gate.check("platform", MINT, kind="k", operation_id="op_2")


async def test_intent_that_waits_for_approval_gives_nothing_back() -> None:
    gate = a_gate(Rule("mint", function="mint", approval_above=1))
    waits = await gate.check("platform", MINT, kind="k", operation_id="op_1")
    gate.give_back(waits)
    assert (waits.waits_for, gate.used) == ("approval_required", {})
