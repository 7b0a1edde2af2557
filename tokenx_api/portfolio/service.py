"""Cash and holdings of one investor."""

from typing import Final

from tokenx_api.db import ReadConn, Record
from tokenx_api.ledger import models as accounts
from tokenx_api.ledger import service as ledger
from tokenx_api.ledger.models import Balance
from tokenx_api.portfolio import queries
from tokenx_api.portfolio.models import CashView, HoldingView, PortfolioView
from tokenx_common.money import format_amount

CURRENCY: Final = "USD"


async def portfolio(conn: ReadConn, investor_id: str) -> PortfolioView:
    """As of now; holdings by symbol."""
    cash = await ledger.balance(conn, accounts.investor(investor_id, CURRENCY))
    rows = await queries.select_holdings(conn, investor_id)
    total = cash.balance + sum(_value(row) for row in rows)
    return PortfolioView(cash=_cash(cash), holdings=[_holding(row) for row in rows], total_value_amount=format_amount(total))  # fmt: skip


def _cash(balance: Balance) -> CashView:
    return CashView(
        currency=CURRENCY,
        balance=format_amount(balance.balance),
        reserved=format_amount(balance.reserved),
        available=format_amount(balance.available),
    )


def _holding(row: Record) -> HoldingView:
    return HoldingView(
        offering_id=row["offering_id"],
        symbol=row["symbol"],
        units=str(row["units"]),
        reserved_units=str(row["reserved"]),
        available_units=str(row["units"] - row["reserved"]),
        pending_in_units=str(row["pending_in"]),
        on_chain_units=str(row["on_chain"]),
        last_price_amount=format_amount(row["price_minor"]) if row["price_minor"] is not None else None,
        value_amount=format_amount(_value(row)),
    )


def _value(row: Record) -> int:
    price = row["unit_price_minor"] if row["price_minor"] is None else row["price_minor"]
    return (row["units"] + row["pending_in"]) * price
