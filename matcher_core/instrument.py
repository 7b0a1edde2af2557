"""What is traded, in decimals: an `Instrument` knows its tick and its lot.

    berg = Instrument("BERG", tick_size="0.05", lot_size="10", currency="EUR")
    berg.ticks("101.05"), berg.lots("50")      # (2021, 5)

Prices and quantities are Decimal or str and are never rounded: one that is not on the grid raises OffGrid, a ValueError
that names its neighbours.
"""

from dataclasses import dataclass, field
from decimal import Decimal

from matcher_core.grid import CONTEXT, Amount, Grid, OffGrid, a_step
from matcher_core.types import MAX_PRICE_TICKS, MAX_QUANTITY_LOTS

__all__ = ["Amount", "Instrument", "OffGrid"]


@dataclass(frozen=True, slots=True, init=False)
class Instrument:
    """What is traded, and in which steps.

    tick_size is the price step in `currency`, lot_size the quantity step in pieces, multiplier what one piece is worth per
    unit of price (50 for a future at 50 dollars a point). number is the symbol of its book, 0 to 2^32 - 1.
    """

    symbol: str
    tick_size: Decimal
    lot_size: Decimal
    currency: str
    multiplier: Decimal
    number: int
    prices: Grid = field(repr=False, compare=False)
    quantities: Grid = field(repr=False, compare=False)

    def __init__(
        self,
        symbol: str,
        tick_size: Amount,
        lot_size: Amount,
        *,
        currency: str = "",
        multiplier: Amount = "1",
        number: int = 0,
    ) -> None:
        """Raises TypeError for a float, ValueError for a step that is not positive or has more than 28 digits."""
        tick, lot = a_step("tick_size", tick_size), a_step("lot_size", lot_size)
        values = {
            "symbol": symbol, "tick_size": tick, "lot_size": lot, "currency": currency,
            "multiplier": a_step("multiplier", multiplier), "number": number,
            "prices": Grid("price", tick, MAX_PRICE_TICKS), "quantities": Grid("quantity", lot, MAX_QUANTITY_LOTS),
        }  # fmt: skip
        for name, value in values.items():
            object.__setattr__(self, name, value)  # the way of a frozen dataclass that converts its arguments

    def ticks(self, price: Amount) -> int:
        """A price as whole ticks. Raises OffGrid between ticks, ValueError at or below 0."""
        return self.prices.count(price)

    def lots(self, quantity: Amount) -> int:
        """A quantity as whole lots. Raises OffGrid between lots, ValueError at or below 0."""
        return self.quantities.count(quantity)

    def price(self, ticks: int) -> Decimal:
        return self.prices.value(ticks)

    def quantity(self, lots: int) -> Decimal:
        return self.quantities.value(lots)

    def notional(self, price: Amount, quantity: Amount) -> Decimal:
        """Price times quantity times multiplier, exactly, in the currency. Both must be on their grids."""
        ticks, lots = self.ticks(price), self.lots(quantity)
        return self.worth(ticks * lots)

    def worth(self, tick_lots: int) -> Decimal:
        """What a sum of ticks times lots is worth in the currency, exactly."""
        one = CONTEXT.multiply(CONTEXT.multiply(self.tick_size, self.lot_size), self.multiplier)
        return CONTEXT.multiply(Decimal(tick_lots), one)

    def affordable(self, notional: Amount, price: Amount) -> Decimal:
        """The largest quantity whose notional at a price is not above the one given; 0 when not even one lot is."""
        one_lot = Grid("notional", self.worth(self.ticks(price)), MAX_QUANTITY_LOTS)
        return self.quantity(one_lot.floor_count(notional))
