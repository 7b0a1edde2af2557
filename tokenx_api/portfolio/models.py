"""What an investor owns."""

from tokenx_common.wire import WireModel


class CashView(WireModel):
    """available = balance - reserved. Proceeds of trades that are not settled yet are not in the balance."""

    currency: str
    balance: str
    reserved: str
    available: str


class HoldingView(WireModel):
    """units are in the ledger; pending_in_units were bought and are not settled yet; on_chain_units are final in the register."""

    offering_id: str
    symbol: str
    units: str
    reserved_units: str
    available_units: str
    pending_in_units: str
    on_chain_units: str
    last_price_amount: str | None
    value_amount: str


class PortfolioView(WireModel):
    """value counts units and pending_in_units at the last price, else at the primary price; total_value adds the cash balance."""

    cash: CashView
    holdings: list[HoldingView]
    total_value_amount: str
