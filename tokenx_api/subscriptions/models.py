"""Primary subscriptions: an investor's request for new units against cash."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from tokenx_common.money import format_amount
from tokenx_common.wire import UnitsString, WireModel

SubscriptionStatus = Literal["awaiting_funds", "funded", "accepted", "issued", "rejected", "cancelled"]


@dataclass(frozen=True)
class Subscription:
    """amount_minor: cents, held from the investor's cash while funded or accepted. operation_id None while accepted: the issue on chain
    waits until the investor's deposited cash is there. status_reason: why it came back from the chain, empty otherwise."""

    subscription_id: str
    offering_id: str
    symbol: str
    issuer_id: str
    investor_id: str
    investor_name: str
    units: int
    amount_minor: int
    currency: str
    status: SubscriptionStatus
    status_reason: str
    decision_id: str | None
    operation_id: str | None
    created_at: datetime
    updated_at: datetime


class NewSubscription(WireModel):
    offering_id: Annotated[str, Field(min_length=1, max_length=64)]
    units: UnitsString


class SubscriptionView(WireModel):
    subscription_id: str
    offering_id: str
    symbol: str
    investor_id: str
    investor_name: str
    units: str
    amount: str
    currency: str
    status: SubscriptionStatus
    status_reason: str
    decision_id: str | None
    operation_id: str | None
    created_at: datetime
    updated_at: datetime


def subscription_view(row: Subscription) -> SubscriptionView:
    return SubscriptionView(
        subscription_id=row.subscription_id,
        offering_id=row.offering_id,
        symbol=row.symbol,
        investor_id=row.investor_id,
        investor_name=row.investor_name,
        units=str(row.units),
        amount=format_amount(row.amount_minor),
        currency=row.currency,
        status=row.status,
        status_reason=row.status_reason,
        decision_id=row.decision_id,
        operation_id=row.operation_id,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
