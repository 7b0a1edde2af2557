"""Scores and alerts as kyt reports them, and as compliance works on them."""

from datetime import date, datetime
from typing import Annotated, Any, Literal, Self

from pydantic import ConfigDict, Field, StringConstraints, model_validator

from tokenx_common.wire import Page, WireModel

Severity = Literal["severe", "high", "medium", "low"]
Status = Literal["open", "assigned", "investigating", "escalated", "closed"]
Outcome = Literal["false_positive", "explained", "confirmed_risk", "duplicate"]
Level = Literal["severe", "high", "medium", "low", "no_hit", "unknown", "unsupported"]
Book = Literal["kyt", "surveillance"]
"""Which of the two alert tables, each with its own dense seq."""
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=1000)]
BaseUnits = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,78}$")]


class Reported(WireModel):
    """A row from kyt; members this version does not know are ignored, so that kyt may be newer than the api."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Score(Reported):
    """One row of kyt.tx_risk_scores."""

    score_id: str
    chain_id: int
    seq: int = Field(gt=0)
    event_id: str
    tx_hash: str
    token: str
    from_address: str
    to_address: str
    amount: BaseUnits
    provider: str
    level: Level
    score: int | None = Field(ge=0, le=100)
    factors: list[dict[str, Any]]
    list_version: str
    list_as_of: date | None = None
    input_hash: Sha256
    scored_at: datetime


class KytAlert(Reported):
    """One row of kyt.alerts when it is raised."""

    alert_id: str
    seq: int = Field(gt=0)
    dedupe_key: str
    kind: str
    severity: Severity
    title: str
    score_id: str | None = None
    facts: dict[str, Any]
    raised_at: datetime


class SurveillanceAlert(Reported):
    """One row of surveillance.alerts when it is raised."""

    alert_id: str
    seq: int = Field(gt=0)
    dedupe_key: str
    detector: str
    detector_version: int
    severity: Severity
    offering_id: str
    from_seq: int
    to_seq: int
    subjects: list[dict[str, Any]]
    metrics: dict[str, Any]
    fill_ids: list[str]
    title: str
    replay_hash: Sha256
    raised_at: datetime


class Batch(WireModel):
    """What kyt concluded from the items after prev_seq up to seq of one stream."""

    epoch: int = Field(ge=0)
    stream: str
    prev_seq: int = Field(ge=0)
    seq: int = Field(gt=0)

    @model_validator(mode="after")
    def _forward(self) -> Self:
        if self.seq <= self.prev_seq:
            raise ValueError("seq must be greater than prev_seq")
        return self


class KytBatch(Batch):
    """POST /internal/kyt/batches."""

    scores: list[Score] = Field(max_length=2000)
    alerts: list[KytAlert] = Field(max_length=2000)


class SurveillanceBatch(Batch):
    """POST /internal/surveillance/batches."""

    alerts: list[SurveillanceAlert] = Field(max_length=2000)


class BatchAnswer(WireModel):
    """Where the consumer and its alert stream stand after the batch."""

    stream: str
    seq: int
    alerts_head: int


class OwnerLink(WireModel):
    """Two owner groups that surveillance treats as one; a < b."""

    a: int
    b: int
    confidence_pct: int
    basis: str


class ReferenceOffering(WireModel):
    offering_id: str
    symbol: str
    token_address: str | None
    max_units: str
    market_state: str


class ReferenceData(WireModel):
    """What kyt needs to know of people and offerings. owners: investor id by owner group (as text, a JSON key)."""

    links: list[OwnerLink]
    owners: dict[str, str]
    offerings: list[ReferenceOffering]


class AlertView(WireModel):
    """What both kinds of alert have in common on screen."""

    alert_id: str
    seq: int
    severity: Severity
    status: Status
    outcome: Outcome | None
    title: str
    assigned_to: str | None
    closed_by: str | None
    close_reason: str
    raised_at: str
    updated_at: str


class KytAlertView(AlertView):
    kind: str
    score_id: str | None
    facts: dict[str, Any]


class SurveillanceAlertView(AlertView):
    detector: str
    detector_version: int
    offering_id: str
    from_seq: int
    to_seq: int
    subjects: list[dict[str, Any]]
    metrics: dict[str, Any]
    fill_ids: list[str]
    replay_hash: str


class ScoreView(WireModel):
    score_id: str
    chain_id: int
    seq: int
    event_id: str
    tx_hash: str
    token: str
    from_address: str
    to_address: str
    amount: str
    provider: str
    level: Level
    score: int | None
    factors: list[dict[str, Any]]
    list_version: str
    list_as_of: str | None
    scored_at: str


class KytAlertPage(Page[KytAlertView]):
    """One page of transaction alerts, newest first."""


class SurveillanceAlertPage(Page[SurveillanceAlertView]):
    """One page of trade surveillance alerts, newest first."""


class ScorePage(Page[ScoreView]):
    """One page of scores, newest first."""


class AssignRequest(WireModel):
    """assignee: a compliance officer's user id; null for oneself."""

    assignee: str | None = None


class CloseRequest(WireModel):
    outcome: Outcome
    reason: Reason


class OwnerLinkRequest(WireModel):
    investor_a: str
    investor_b: str
    confidence_pct: int = Field(ge=1, le=100)
    basis: Reason


class OwnerLinkView(WireModel):
    """A declared link, by investor. investor_a is the older account."""

    investor_a: str
    investor_b: str
    confidence_pct: int
    basis: str
    created_by: str
    created_at: str


class OwnerLinkPage(Page[OwnerLinkView]):
    """One page of declared links, newest first."""
