"""Issuers: companies that offer securities."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from tokenx_api.countries import Country
from tokenx_common.wire import WireModel

KybStatus = Literal["pending", "approved", "rejected"]


@dataclass(frozen=True)
class Issuer:
    issuer_id: str
    user_id: str
    legal_name: str
    country: str
    kyb_status: KybStatus
    created_at: datetime


class NewIssuer(WireModel):
    legal_name: Annotated[str, Field(min_length=1, max_length=200, pattern=r"^\S(.*\S)?$")]
    country: Country


class KybReason(WireModel):
    reason: Annotated[str, Field(min_length=3, max_length=500)]


class IssuerView(WireModel):
    issuer_id: str
    legal_name: str
    country: str
    kyb_status: KybStatus
    created_at: datetime


def issuer_view(issuer: Issuer) -> IssuerView:
    return IssuerView(
        issuer_id=issuer.issuer_id,
        legal_name=issuer.legal_name,
        country=issuer.country,
        kyb_status=issuer.kyb_status,
        created_at=issuer.created_at,
    )
