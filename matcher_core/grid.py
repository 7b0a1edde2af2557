"""Exact decimals on a grid: a price is a whole number of ticks, a quantity a whole number of lots, and nothing is rounded.

instrument.py names the grids; this file counts steps. The context below is private, so a program's own decimal context
(precision, rounding, traps) neither changes a result nor is changed.
"""

import decimal
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TypeAlias

MAX_DIGITS = 28
"""Significant digits and decimal places of a step. The context then holds price times quantity times multiplier exactly."""
CONTEXT = decimal.Context(
    prec=256, rounding=decimal.ROUND_FLOOR, Emin=decimal.MIN_EMIN, Emax=decimal.MAX_EMAX,
    traps=[decimal.InvalidOperation, decimal.DivisionByZero, decimal.Overflow, decimal.Inexact],
)  # fmt: skip

Amount: TypeAlias = Decimal | str
"""An exact decimal. A float is not exact, and an int could be meant in ticks: both are refused with TypeError."""


class OffGrid(ValueError):
    """A value is not a whole number of steps. `below` and `above` are the nearest that are; below may be 0."""

    def __init__(self, noun: str, value: Decimal, step: Decimal, below: Decimal, above: Decimal) -> None:
        super().__init__(f"{noun} must be a multiple of {step:f}, was {value}: nearest are {below:f} and {above:f}")
        self.value, self.step, self.below, self.above = value, step, below, above


def exact(noun: str, value: Amount) -> Decimal:
    """A finite Decimal. Raises TypeError for anything but Decimal and str, ValueError for text that is no number."""
    if not isinstance(value, (Decimal, str)):  # pyright: ignore[reportUnnecessaryIsInstance]  # callers without types
        kind = type(value).__name__
        raise TypeError(f"{noun} must be a Decimal or a str, which are exact, not {kind}: say Decimal('…') or '…'")
    try:
        number = Decimal(value, CONTEXT)
    except decimal.InvalidOperation:
        raise ValueError(f"{noun} must be a decimal number, was {value!r}") from None
    if not number.is_finite():
        raise ValueError(f"{noun} must be finite, was {number}")
    return number


@dataclass(frozen=True, slots=True)
class Grid:
    """Multiples 1 to `most` of `step`. `noun` begins the messages."""

    noun: str
    step: Decimal
    most: int
    largest: Decimal = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "largest", self.value(self.most))  # once, because each conversion asks for it

    def count(self, value: Amount) -> int:
        """How many steps a value is. Raises OffGrid between steps, ValueError at or below 0 and beyond the largest."""
        number = self._in_range(value)
        steps = self._floor(number)
        if self.value(steps) != number:
            raise OffGrid(self.noun, number, self.step, self.value(steps), self.value(steps + 1))
        return steps

    def value(self, steps: int) -> Decimal:
        """The value of a number of steps, with the decimal places of the step."""
        return CONTEXT.multiply(steps, self.step)

    def floor(self, value: Amount) -> Decimal:
        """The largest multiple that is not above a value; 0 for a value below one step."""
        return self.value(self.floor_count(value))

    def floor_count(self, value: Amount) -> int:
        return self._floor(self._in_range(value))

    def ceil(self, value: Amount) -> Decimal:
        """The smallest multiple that is not below a value."""
        number = self._in_range(value)
        floor = self.value(self._floor(number))
        return floor if floor == number else CONTEXT.add(floor, self.step)

    def _in_range(self, value: Amount) -> Decimal:
        number = exact(self.noun, value)
        if number <= 0:
            raise ValueError(f"{self.noun} must be positive, was {number}")
        if number > self.largest:
            raise ValueError(f"{self.noun} must be at most {self.largest:f}, was {number}")
        return number

    def _floor(self, number: Decimal) -> int:
        return int(CONTEXT.divide_int(number, self.step))


def a_step(noun: str, value: Amount) -> Decimal:
    """A value fit to be a step: positive, of at most MAX_DIGITS digits and decimal places, without an exponent."""
    number = exact(noun, value)
    if number <= 0:
        raise ValueError(f"{noun} must be positive, was {number}")
    if number.adjusted() >= MAX_DIGITS or -int(number.as_tuple().exponent) > MAX_DIGITS:
        raise ValueError(f"{noun} must have at most {MAX_DIGITS} digits on each side of the point, was {number}")
    return Decimal(f"{number:f}")
