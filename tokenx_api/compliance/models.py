"""Decisions of the compliance gate, and the question they answer."""

from dataclasses import dataclass
from typing import Any, Literal

Stage = Literal["onboarding", "subscription", "pre_trade", "pre_transfer", "settlement", "payout"]
Outcome = Literal["allow", "review", "deny"]
RuleOutcome = Literal["allow", "review", "deny", "not_applicable"]
Side = Literal["buy", "sell"]
RemedyType = Literal["none", "earliest_at", "max_quantity", "max_amount", "price_range", "document", "support"]


@dataclass(frozen=True)
class Remedy:
    """What would turn the refusal into an allow. value is text: a time, a quantity, an amount; None when there is nothing to name."""

    type: RemedyType
    value: str | None = None


@dataclass(frozen=True)
class RuleResult:
    """What one rule said. reason_code and message are empty unless the outcome is review or deny."""

    rule_id: str
    version: int
    outcome: RuleOutcome
    reason_code: str = ""
    message: str = ""
    remedy: Remedy = Remedy("none")

    def as_json(self) -> dict[str, Any]:
        """As it is stored with the decision."""
        return {
            "rule_id": self.rule_id,
            "version": self.version,
            "outcome": self.outcome,
            "reason_code": self.reason_code,
            "message": self.message,
            "remedy": {"type": self.remedy.type, "value": self.remedy.value},
        }


@dataclass(frozen=True)
class Verdict:
    """Every rule's result and what they come to: deny beats review beats allow."""

    outcome: Outcome
    results: tuple[RuleResult, ...]


@dataclass(frozen=True)
class Question:
    """May this investor do this? A None that a rule of the stage needs is a deny: FACT_MISSING.

    units and notional_minor are what would be held on top of what is held already. price_minor: minor units per unit.
    released_units, released_minor: what the same step would give back, when an order is replaced."""

    stage: Stage
    subject_type: str
    subject_id: str
    investor_id: str
    offering_id: str
    side: Side | None = None
    units: int | None = None
    price_minor: int | None = None
    notional_minor: int | None = None
    released_units: int = 0
    released_minor: int = 0


@dataclass(frozen=True)
class Decision:
    """A verdict with its facts. decision_id is empty for a preview, which is not stored."""

    decision_id: str
    stage: Stage
    verdict: Verdict
    facts: dict[str, Any]

    @property
    def allowed(self) -> bool:
        """Only a plain allow lets anything through; a review waits for a person."""
        return self.verdict.outcome == "allow"

    @property
    def reasons(self) -> list[dict[str, Any]]:
        """Why not, as clients see it: {code, rule_id, rule_version, message, remedy}."""
        return [
            {
                "code": result.reason_code,
                "rule_id": result.rule_id,
                "rule_version": result.version,
                "message": result.message,
                "remedy": {"type": result.remedy.type, "value": result.remedy.value},
            }
            for result in self.verdict.results
            if result.outcome in ("deny", "review")
        ]
