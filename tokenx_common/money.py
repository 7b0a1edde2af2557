"""Integers inside, decimal strings outside. No float ever touches money, prices or quantities."""

import re
from decimal import Decimal
from typing import Final

MINOR_DIGITS: Final = 2
STABLECOIN_UNITS_PER_CENT: Final = 10_000
"""TestUSD has 6 decimals: one cent is 10_000 base units."""
MAX_INT64: Final = 2**63 - 1

_DECIMAL: Final = re.compile(r"(0|[1-9][0-9]{0,18})(\.[0-9]{1,18})?")


class NotADecimal(ValueError):
    """The text is not a plain non-negative decimal, has too many digits after the point, or is out of range."""


def parse_decimal(text: str, *, digits: int) -> int:
    """'12.34' with digits=2 -> 1234. Refuses signs, exponents, spaces, more than `digits` decimals and anything above int64."""
    if not _DECIMAL.fullmatch(text):
        raise NotADecimal(f"not a plain decimal number: {text!r}")
    whole, _, fraction = text.partition(".")
    if len(fraction.rstrip("0")) > digits:
        raise NotADecimal(f"at most {digits} digits after the point, was {text!r}")
    value = int(whole) * 10**digits + int(fraction[:digits].ljust(digits, "0") or 0)
    if value > MAX_INT64:
        raise NotADecimal(f"out of range: {text!r}")
    return value


def parse_amount(text: str) -> int:
    """'12.34' -> 1234 minor units (cents)."""
    return parse_decimal(text, digits=MINOR_DIGITS)


def format_amount(minor: int) -> str:
    """1234 -> '12.34'; -5 -> '-0.05'."""
    sign = "-" if minor < 0 else ""
    return f"{sign}{abs(minor) // 100}.{abs(minor) % 100:02d}"


def parse_units(text: str) -> int:
    """'10' -> 10. Units and lots are whole numbers."""
    return parse_decimal(text, digits=0)


def to_ticks(price_minor: int, *, tick_size_minor: int) -> int:
    """Price in minor units -> ticks. Raises NotADecimal when the price is not on the tick grid: prices are refused, never rounded."""
    ticks, rest = divmod(price_minor, tick_size_minor)
    if rest:
        raise NotADecimal(
            f"price {format_amount(price_minor)} is not a multiple of the tick size {format_amount(tick_size_minor)}"
        )
    return ticks


def notional_minor(*, price_ticks: int, quantity_lots: int, tick_size_minor: int, lot_size_units: int) -> int:
    """Value in minor units of a quantity at a price."""
    return price_ticks * tick_size_minor * quantity_lots * lot_size_units


def share_pct(part: int, whole: int) -> str:
    """Percentage with two decimals as text; '0.00' of nothing."""
    return "0.00" if whole == 0 else str((Decimal(part) * 100 / Decimal(whole)).quantize(Decimal("0.01")))
