"""A redemption as the api holds it, as clients see it, and as its workflow knows it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final, Literal

from pydantic import StringConstraints

from tokenx_common.clock import rfc3339
from tokenx_common.money import format_amount
from tokenx_common.wire import Page, UnitsString, WireModel

Status = Literal[
    "requested", "awaiting_approval", "approved", "burning", "burned", "paid", "closed", "rejected", "failed"
]
Step = Literal["open", "burn", "payout", "close", "expire"]
WORKFLOW: Final = "RedemptionWorkflow"


@dataclass(frozen=True)
class Redemption:
    """amount_minor: cents, fixed at the request. operation_id burns the units, payout_operation_id pays them; None before."""

    redemption_id: str
    offering_id: str
    symbol: str
    currency: str
    issuer_id: str
    investor_id: str
    investor_name: str
    investor_user_id: str
    units: int
    amount_minor: int
    status: Status
    status_reason: str
    workflow_id: str
    approver_id: str | None
    decision_id: str | None
    operation_id: str | None
    payout_operation_id: str | None
    payment_id: str | None
    statement: dict[str, Any] | None
    created_at: datetime
    updated_at: datetime
    burned_at: datetime | None
    paid_at: datetime | None

    @property
    def phase(self) -> str:
        """The status, with 'paying' for burned units whose payout is under way."""
        return "paying" if self.status == "burned" and self.payout_operation_id else self.status


class NewRedemption(WireModel):
    offering_id: str
    units: UnitsString


class Decide(WireModel):
    """Why the transfer agent decides so."""

    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=1000)]


class RedemptionView(WireModel):
    redemption_id: str
    offering_id: str
    symbol: str
    investor_id: str
    investor_name: str
    units: str
    amount: str
    currency: str
    status: Status
    reason: str
    decision_id: str | None
    payment_id: str | None
    created_at: str
    updated_at: str


class RedemptionPage(Page[RedemptionView]):
    """One page of redemptions, newest first."""


class Statement(WireModel):
    """What the investor keeps: the units that were destroyed, what was paid for them, and where to find both."""

    redemption_id: str
    investor_id: str
    investor_name: str
    offering_id: str
    symbol: str
    units: str
    price: str
    amount: str
    currency: str
    burn_operation_id: str
    payout_operation_id: str
    payment_id: str
    requested_at: str
    burned_at: str
    paid_at: str


class Progress(WireModel):
    """What a workflow step answers."""

    redemption_id: str
    phase: str


class StepRequest(WireModel):
    """A workflow step says all it has to say with its path and its Idempotency-Key."""


def redemption_view(redemption: Redemption) -> RedemptionView:
    return RedemptionView(
        redemption_id=redemption.redemption_id,
        offering_id=redemption.offering_id,
        symbol=redemption.symbol,
        investor_id=redemption.investor_id,
        investor_name=redemption.investor_name,
        units=str(redemption.units),
        amount=format_amount(redemption.amount_minor),
        currency=redemption.currency,
        status=redemption.status,
        reason=redemption.status_reason,
        decision_id=redemption.decision_id,
        payment_id=redemption.payment_id,
        created_at=rfc3339(redemption.created_at),
        updated_at=rfc3339(redemption.updated_at),
    )


@dataclass(frozen=True)
class WorkflowInput:
    """What the outbox starts the workflow with."""

    redemption_id: str
    correlation_id: str


@dataclass(frozen=True)
class Bell:
    """A signal: something happened, look again. What happened is read from the api, so bells may come twice, late or never."""

    event_id: str


@dataclass(frozen=True)
class StepCall:
    """One activity call. key makes its effect happen once."""

    redemption_id: str
    key: str
    correlation_id: str


@dataclass(frozen=True)
class WorkflowResult:
    phase: str
