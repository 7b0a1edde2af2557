"""Offerings: the terms of a security, its place on chain, and where it stands between draft and open."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from tokenx_api.countries import Country
from tokenx_common.money import NotADecimal, format_amount, parse_decimal
from tokenx_common.wire import AmountString, UnitsString, WireModel, text_only

Exemption = Literal["reg_d_506b", "reg_d_506c", "reg_s", "reg_a_t2", "reg_cf", "rule_144a", "registered"]
OfferingStatus = Literal["draft", "approved", "deploying", "deployed", "open", "closed"]
MarketState = Literal["closed", "continuous", "halted", "cancel_only"]


MAX_EXCHANGES: Final = 10


def _units_or_none(text: str) -> str:
    try:
        parse_decimal(text, digits=0)
    except NotADecimal as error:
        raise PydanticCustomError("not_a_decimal", "{reason}", {"reason": str(error)}) from None
    return text


Limit = Annotated[str, BeforeValidator(text_only), AfterValidator(_units_or_none), Field(examples=["100"])]
"""A whole quantity, as text; zero lets nothing through."""
Address = Annotated[str, Field(pattern=r"^0x[0-9a-fA-F]{40}$"), AfterValidator(str.lower)]
Holders = Annotated[int, Field(ge=1, le=10**9, strict=True)]


class VolumeWindow(WireModel):
    """At most so many units sent by one investor within so many days, ending now."""

    days: Annotated[int, Field(ge=1, le=365, strict=True)]
    max_units: UnitsString


class ExchangeLimit(WireModel):
    """At most so many units sent to an exchange per calendar day and month (UTC): by one investor, and by all together. Null is no limit.

    exchange: the address of one of its wallets, or of the identity behind all of them."""

    exchange: Address
    day_units: Limit | None = None
    month_units: Limit | None = None
    day_total_units: Limit | None = None
    month_total_units: Limit | None = None


class TransferRules(WireModel):
    """Rules the token itself enforces. What is left out limits nothing. They cannot be changed once the offering is deployed.

    Holders are counted by identity, over all their wallets. lock_up_days: units acquired less than so many days ago cannot be sent."""

    allowed_countries: Annotated[tuple[Country, ...], Field(max_length=249)] = ()
    max_holders: Holders | None = None
    max_holders_by_country: Annotated[
        dict[Country, Annotated[int, Field(ge=0, le=10**9, strict=True)]], Field(max_length=249)
    ] = Field(default_factory=dict)
    max_units_per_holder: UnitsString | None = None
    lock_up_days: Annotated[int, Field(ge=1, le=3650, strict=True)] | None = None
    volume_window: VolumeWindow | None = None
    exchange_limits: Annotated[tuple[ExchangeLimit, ...], Field(max_length=MAX_EXCHANGES)] = ()


NO_RULES: Final = TransferRules()


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
    transfer_rules: TransferRules = NO_RULES


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
    transfer_rules: TransferRules = NO_RULES


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
    transfer_rules: TransferRules
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
        transfer_rules=terms.transfer_rules,
        status=offering.status,
        market_state=offering.market_state,
        chain_id=offering.chain_id,
        token_address=offering.token_address,
        last_price_amount=None if offering.last_price_minor is None else format_amount(offering.last_price_minor),
        created_at=offering.created_at,
    )
