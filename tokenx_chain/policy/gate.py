"""Stands before every signature: reads the call, applies the rules, keeps count of the day, asks whether a second person has agreed."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from tokenx_chain.contracts.calls import Call
from tokenx_chain.policy.reading import read_call
from tokenx_chain.policy.rules import Decision, Outcome, Rule, Used, decide
from tokenx_chain.registry import ContractRegistry
from tokenx_chain.signers.keybook import name_of
from tokenx_chain.transactions.errors import IntentRefused
from tokenx_common.clock import monotonic_s, utc_now

ASK_AGAIN_S: Final = 1.0
APPROVALS_NEEDED: Final = 2
"""Different people who agreed. Who asked for an operation is not always known, so two others must look."""

Approvals = Callable[[str], Awaitable[int]]
"""How many people have agreed to an operation."""


@dataclass(frozen=True)
class Pass:
    """An intent may be signed, or waits. amount counts under the rule's daily cap."""

    policy_id: str | None
    amount: int
    waits_for: str | None = None
    made: tuple[int, date] | None = None
    """Under which version of the rules and when it was counted; None: for ever, it was counted in another life."""


class Gate:
    """The rules of one chain. What was used today is counted here from what the journal told at the start: there is one signer of a chain at a time."""

    def __init__(self, rules: Sequence[Rule], registry: ContractRegistry, *, used: dict[str, Used], approvals: Approvals, version: int = 0) -> None:  # fmt: skip
        self._rules = tuple(rules)
        self.version = version
        self._registry = registry
        self._used = dict(used)
        self._day: date = utc_now().date()
        self._approvals = approvals
        self._asked: dict[str, tuple[float, int]] = {}

    @classmethod
    def open(cls) -> "Gate":
        """Lets everything pass: for tests of what comes after it."""

        async def nobody(_operation_id: str) -> int:
            return 0

        return cls([Rule("open")], ContractRegistry(), used={}, approvals=nobody)

    @property
    def rules(self) -> tuple[Rule, ...]:
        """In effect now."""
        return self._rules

    @property
    def used(self) -> dict[str, Used]:
        """What each rule has let pass today."""
        self._turn_day()
        return dict(self._used)

    def replace(self, rules: Sequence[Rule], version: int) -> None:
        """Other rules from now on. What was let pass today still counts, by the rule's name; what waits is asked again."""
        self._rules, self.version = tuple(rules), version

    def is_stale(self, passed: Pass) -> bool:
        """Whether the rules have changed since it was let pass."""
        return passed.made is not None and passed.made[0] != self.version

    def give_back(self, passed: Pass) -> None:
        """It was let pass and nothing was signed: it does not count any more."""
        self._turn_day()
        if (
            passed.policy_id is None
            or passed.waits_for is not None
            or passed.made is None
            or passed.made[1] != self._day
        ):
            return
        used = self._used.get(passed.policy_id, Used())
        self._used[passed.policy_id] = Used(max(0, used.amount - passed.amount), max(0, used.count - 1))

    def decide(self, key_ref: str, call: Call, *, kind: str) -> tuple[Decision, int]:
        """(decision, amount), without counting anything. A rotated key may do what its name may."""
        self._turn_day()
        request = read_call(call, kind=kind, key_ref=name_of(key_ref), registry=self._registry)
        return decide(request, self._rules, self._used), request.amount or 0

    async def check(self, key_ref: str, call: Call, *, kind: str, operation_id: str) -> Pass:
        """Counts what it lets pass. Raises IntentRefused."""
        decision, amount = self.decide(key_ref, call, kind=kind)
        if decision.outcome is Outcome.DENY:
            raise IntentRefused(decision.code, decision.detail)
        if decision.outcome is Outcome.APPROVE and await self._agreed(operation_id) < APPROVALS_NEEDED:
            return Pass(decision.policy_id, amount, waits_for="approval_required")
        assert decision.policy_id is not None, "only a rule lets something pass"
        used = self._used.get(decision.policy_id, Used())
        self._used[decision.policy_id] = Used(used.amount + amount, used.count + 1)
        return Pass(decision.policy_id, amount, made=(self.version, self._day))

    async def _agreed(self, operation_id: str) -> int:
        asked_s, count = self._asked.get(operation_id, (-ASK_AGAIN_S, 0))
        if monotonic_s() - asked_s >= ASK_AGAIN_S:
            count = await self._approvals(operation_id)
            self._asked[operation_id] = (monotonic_s(), count)
        return count

    def _turn_day(self) -> None:
        today = utc_now().date()
        if today != self._day:
            self._day = today
            self._used.clear()
            self._asked.clear()
