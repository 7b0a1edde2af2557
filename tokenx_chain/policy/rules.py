"""The decision, pure: a request, the rules, and what was used today. Amounts are base units of the contract, wei for the chain's coin."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase


@dataclass(frozen=True)
class Rule:
    """Allows what fits its four patterns (with *; | between alternatives), up to its limits. None: no limit.

    approval_above: beyond this amount a second person must agree. Limits a day are of all requests that passed by this rule."""

    policy_id: str
    kind: str = "*"
    key_ref: str = "*"
    contract: str = "*"
    function: str = "*"
    max_amount: int | None = None
    daily_amount: int | None = None
    daily_count: int | None = None
    approval_above: int | None = None


@dataclass(frozen=True)
class Request:
    """A transaction to be. kind: of the operation it belongs to. contract: recorded name, 'coin', 'create' or 'unlisted'; address: None for a creation.

    amount: what its arguments move or make, 0 where they do neither; None: they could not be read, so no rule with a limit lets it pass."""

    kind: str
    key_ref: str
    contract: str
    address: str | None
    function: str
    amount: int | None


@dataclass(frozen=True)
class Used:
    """What a rule has let pass today (UTC)."""

    amount: int = 0
    count: int = 0


class Outcome(StrEnum):
    ALLOW = "allow"
    APPROVE = "approve"
    DENY = "deny"


@dataclass(frozen=True)
class Decision:
    """policy_id: the rule that decided, None when none fits. code is stable and set when denied."""

    outcome: Outcome
    policy_id: str | None
    code: str = ""
    detail: str = ""


def decide(request: Request, rules: Sequence[Rule], used: Mapping[str, Used]) -> Decision:
    """The first rule that fits and has room decides; failing that one that asks for approval; failing that the answer is no."""
    fitting = [rule for rule in rules if fits(rule, request)]
    if not fitting:
        return Decision(Outcome.DENY, None, "policy.not_allowed", f"{request.key_ref} may not call {request.function} of {request.contract} for {request.kind}")  # fmt: skip
    decisions = [_by_rule(rule, request, used.get(rule.policy_id, Used())) for rule in fitting]
    for outcome in (Outcome.ALLOW, Outcome.APPROVE):
        chosen = next((decision for decision in decisions if decision.outcome is outcome), None)
        if chosen is not None:
            return chosen
    return decisions[0]


def fits(rule: Rule, request: Request) -> bool:
    """Whether the rule speaks of such a request. A contract may be named by its recorded name or by its address."""
    return (
        _matches(rule.kind, request.kind)
        and _matches(rule.key_ref, request.key_ref)
        and (_matches(rule.contract, request.contract) or rule.contract.lower() == request.address)
        and _matches(rule.function, request.function)
    )


def _matches(patterns: str, text: str) -> bool:
    return any(fnmatchcase(text, pattern) for pattern in patterns.split("|"))


def _by_rule(rule: Rule, request: Request, used: Used) -> Decision:
    def no(code: str, detail: str) -> Decision:
        return Decision(Outcome.DENY, rule.policy_id, code, detail)

    has_limits = (rule.max_amount, rule.daily_amount, rule.approval_above) != (None, None, None)
    if request.amount is None and has_limits:
        return no("policy.amount_unknown", f"the amount of {request.function} cannot be read")
    amount = request.amount or 0
    if rule.max_amount is not None and amount > rule.max_amount:
        return no("policy.amount_limit", f"{amount} is more than {rule.max_amount}")
    if rule.daily_amount is not None and used.amount + amount > rule.daily_amount:
        return no("policy.daily_amount", f"{used.amount} of {rule.daily_amount} are used today, {amount} more were asked for")  # fmt: skip
    if rule.daily_count is not None and used.count >= rule.daily_count:
        return no("policy.daily_count", f"all {rule.daily_count} of today are used")
    if rule.approval_above is not None and amount > rule.approval_above:
        return Decision(Outcome.APPROVE, rule.policy_id)
    return Decision(Outcome.ALLOW, rule.policy_id)
