"""Payments between an investor's bank and the platform."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from tokenx_common.money import format_amount
from tokenx_common.wire import AmountString, WireModel

Direction = Literal["deposit", "payout"]
PaymentStatus = Literal["pending", "settled", "failed"]


@dataclass(frozen=True)
class Payment:
    """amount_minor: cents. provider_ref: what the provider calls it. operation_id: its on-chain cash leg, None before."""

    payment_id: str
    investor_id: str
    direction: Direction
    amount_minor: int
    currency: str
    provider: str
    provider_ref: str
    status: PaymentStatus
    operation_id: str | None
    created_at: datetime
    settled_at: datetime | None


class NewPayment(WireModel):
    """A deposit. Payouts come from redemptions."""

    direction: Literal["deposit"]
    amount: AmountString
    currency: Literal["USD"]


class PaymentView(WireModel):
    payment_id: str
    direction: Direction
    amount: str
    currency: str
    provider: str
    status: PaymentStatus
    operation_id: str | None
    created_at: datetime
    settled_at: datetime | None


def payment_view(payment: Payment) -> PaymentView:
    return PaymentView(
        payment_id=payment.payment_id,
        direction=payment.direction,
        amount=format_amount(payment.amount_minor),
        currency=payment.currency,
        provider=payment.provider,
        status=payment.status,
        operation_id=payment.operation_id,
        created_at=payment.created_at,
        settled_at=payment.settled_at,
    )
