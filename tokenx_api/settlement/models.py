"""Delivery versus payment of one fill."""

from dataclasses import dataclass
from typing import Literal

from tokenx_common.wire import WireModel

Status = Literal["pending", "instructed", "settled", "failed"]


@dataclass(frozen=True)
class Due:
    """A settlement that can be instructed, with everything the chain must know. token is lower-case hex."""

    settlement_id: str
    offering_id: str
    buyer_id: str
    seller_id: str
    buyer_key_ref: str
    seller_key_ref: str
    token: str
    units: int
    amount_minor: int
    attempts: int
    price_minor: int


@dataclass(frozen=True)
class Legs:
    """Who gets what when a settlement ends one way or the other."""

    settlement_id: str
    offering_id: str
    currency: str
    buyer_id: str
    seller_id: str
    units: int
    amount_minor: int
    status: Status
    operation_id: str | None
    attempts: int


class SettlementView(WireModel):
    """A settlement as its parties and the operator see it. buyer_id and seller_id are investor ids."""

    settlement_id: str
    fill_id: str
    offering_id: str
    symbol: str
    buyer_id: str
    seller_id: str
    units: str
    amount: str
    status: Status
    failure_reason: str | None
    attempts: int
    operation_id: str | None
    tx_hash: str | None
    created_at: str
    settled_at: str | None
