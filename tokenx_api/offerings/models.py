"""Offerings: the terms of a security, its place on chain, and where it stands between draft and open."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from tokenx_api.countries import Country
from tokenx_common.money import format_amount
from tokenx_common.wire import AmountString, UnitsString, WireModel

Exemption = Literal["reg_d_506b", "reg_d_506c", "reg_s", "reg_a_t2", "reg_cf", "rule_144a", "registered"]
OfferingStatus = Literal["draft", "approved", "deploying", "deployed", "open", "closed"]
MarketState = Literal["closed", "continuous", "halted", "cancel_only"]


@dataclass(frozen=True)
class Terms:
    """What the issuer decides. *_minor: cents. tick: price step on the market; lot: smallest tradable quantity."""

    symbol: str
    name: str
    exemption: Exemption
    unit_price_minor: int
    max_units: int
    tick_size_minor: int
    lot_size_units: int
    collar_bps: int
    blocked_countries: tuple[str, ...]


@dataclass(frozen=True)
class Offering:
    """chain_id and token_address are None until deployment. last_price_minor: of one unit, None before the first trade."""

    offering_id: str
    issuer_id: str
    issuer_name: str
    terms: Terms
    currency: str
    status: OfferingStatus
    market_state: MarketState
    chain_id: int | None
    token_address: str | None
    last_price_minor: int | None
    created_at: datetime


class NewOffering(WireModel):
    """Prices of a unit are in US dollars."""

    symbol: Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9]{1,9}$", examples=["ACME"])]
    name: Annotated[str, Field(min_length=1, max_length=100, pattern=r"^\S(.*\S)?$")]
    exemption: Exemption
    unit_price_amount: AmountString
    max_units: UnitsString
    tick_size_amount: AmountString
    lot_size_units: UnitsString
    collar_bps: Annotated[int, Field(ge=1, le=10_000, strict=True)] = 1000
    blocked_countries: Annotated[tuple[Country, ...], Field(max_length=249)] = ()


class OfferingView(WireModel):
    offering_id: str
    symbol: str
    name: str
    issuer_id: str
    issuer_name: str
    exemption: Exemption
    currency: str
    unit_price_amount: str
    max_units: str
    tick_size_amount: str
    lot_size_units: str
    collar_bps: int
    blocked_countries: list[str]
    status: OfferingStatus
    market_state: MarketState
    chain_id: int | None
    token_address: str | None
    last_price_amount: str | None
    created_at: datetime


def offering_view(offering: Offering) -> OfferingView:
    terms = offering.terms
    return OfferingView(
        offering_id=offering.offering_id,
        symbol=terms.symbol,
        name=terms.name,
        issuer_id=offering.issuer_id,
        issuer_name=offering.issuer_name,
        exemption=terms.exemption,
        currency=offering.currency,
        unit_price_amount=format_amount(terms.unit_price_minor),
        max_units=str(terms.max_units),
        tick_size_amount=format_amount(terms.tick_size_minor),
        lot_size_units=str(terms.lot_size_units),
        collar_bps=terms.collar_bps,
        blocked_countries=list(terms.blocked_countries),
        status=offering.status,
        market_state=offering.market_state,
        chain_id=offering.chain_id,
        token_address=offering.token_address,
        last_price_amount=None if offering.last_price_minor is None else format_amount(offering.last_price_minor),
        created_at=offering.created_at,
    )
