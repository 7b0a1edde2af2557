"""What a transaction offers for its place in a block. Pure; everything in wei per gas."""

from dataclasses import dataclass
from typing import Final

_EIGHTHS: Final = 8
"""A replacement raises both fields by one eighth: nodes ask for a tenth, and rounding must never fall below it."""


@dataclass(frozen=True)
class Fees:
    """max_fee: the most per gas, base fee included. max_tip: the part for the block's maker."""

    max_fee: int
    max_tip: int

    def cost(self, gas: int, value: int = 0) -> int:
        """The most a transaction may take from its sender."""
        return gas * self.max_fee + value


def first_fees(*, base_fee: int, tip: int, cap: int) -> Fees | None:
    """What a new transaction offers: twice the base fee outlives six full blocks in a row. None: not even the next block can be paid under the cap."""
    if base_fee + base_fee // _EIGHTHS + tip > cap:
        return None
    return Fees(min(2 * base_fee + tip, cap), tip)


def raised(fees: Fees, *, base_fee: int, cap: int) -> Fees | None:
    """What takes the place of a transaction with `fees`: at least an eighth more on both fields, and enough for the base fee of now.
    None: the cap does not allow a valid replacement."""
    max_tip = fees.max_tip + max(1, -(-fees.max_tip // _EIGHTHS))
    least = fees.max_fee + max(1, -(-fees.max_fee // _EIGHTHS))
    if least > cap:
        return None
    return Fees(min(cap, max(least, 2 * base_fee + max_tip)), min(max_tip, cap))
