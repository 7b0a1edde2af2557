"""Pure decisions about offering terms and who sees an offering."""

from dataclasses import dataclass

from tokenx_api.auth.models import Actor
from tokenx_api.offerings.models import NewOffering, Offering, Terms
from tokenx_common.money import MAX_INT64, parse_amount, parse_units


@dataclass(frozen=True)
class TermError:
    """One thing wrong with the terms. pointer: JSON pointer into the request."""

    pointer: str
    code: str
    message: str


def terms_of(request: NewOffering) -> Terms:
    """The request in integers: cents and units."""
    return Terms(
        symbol=request.symbol,
        name=request.name,
        exemption=request.exemption,
        unit_price_minor=parse_amount(request.unit_price_amount),
        max_units=parse_units(request.max_units),
        tick_size_minor=parse_amount(request.tick_size_amount),
        lot_size_units=parse_units(request.lot_size_units),
        collar_bps=request.collar_bps,
        blocked_countries=tuple(sorted(set(request.blocked_countries))),
        transfer_rules=request.transfer_rules,
    )


def term_errors(terms: Terms) -> list[TermError]:
    """What does not fit together: the first price must be a price the market knows, the supply whole lots, the value countable."""
    errors: list[TermError] = []
    if terms.unit_price_minor % terms.tick_size_minor:
        errors.append(TermError("/unit_price_amount", "not_on_tick_grid", "must be a multiple of tick_size_amount"))
    if terms.max_units % terms.lot_size_units:
        errors.append(TermError("/max_units", "not_whole_lots", "must be a multiple of lot_size_units"))
    if terms.max_units * terms.unit_price_minor > MAX_INT64:
        errors.append(TermError("/max_units", "out_of_range", "max_units times unit_price_amount is too large"))
    return [*errors, *_transfer_rule_errors(terms)]


def _transfer_rule_errors(terms: Terms) -> list[TermError]:
    """Rules that contradict each other, or under which nobody could hold anything."""
    rules, at = terms.transfer_rules, "/transfer_rules"
    errors: list[TermError] = []
    if both := sorted(set(rules.allowed_countries) & set(terms.blocked_countries)):
        errors.append(
            TermError(f"{at}/allowed_countries", "blocked_too", f"{', '.join(both)} cannot be allowed and blocked")
        )
    if rules.max_units_per_holder is not None and parse_units(rules.max_units_per_holder) < terms.lot_size_units:
        errors.append(TermError(f"{at}/max_units_per_holder", "less_than_a_lot", "must be at least lot_size_units"))
    exchanges = [limit.exchange for limit in rules.exchange_limits]
    if len(set(exchanges)) < len(exchanges):
        errors.append(TermError(f"{at}/exchange_limits", "named_twice", "each exchange has one limit"))
    return errors


def may_see(actor: Actor, offering: Offering) -> bool:
    """A draft is its issuer's and staff's business; everything else is public to the signed-in."""
    return offering.status != "draft" or actor.is_staff or actor.issuer_id == offering.issuer_id
