"""Ledger accounts by name. Amounts are int: minor units for a currency, units for an offering."""

from dataclasses import dataclass
from typing import Literal

EntryKind = Literal["deposit", "issue", "trade", "settle", "unwind", "redeem", "payout", "act"]


@dataclass(frozen=True)
class AccountName:
    """owner: 'investor:<id>', 'issuer:<id>', 'clearing:<offering_id>', 'issuance:<offering_id>' or 'bank:<currency>'. asset: currency or offering id."""

    owner: str
    asset: str


def investor(investor_id: str, asset: str) -> AccountName:
    return AccountName(f"investor:{investor_id}", asset)


def issuer(issuer_id: str, asset: str) -> AccountName:
    return AccountName(f"issuer:{issuer_id}", asset)


def clearing(offering_id: str, asset: str) -> AccountName:
    """Where units and cash of a trade wait between the fill and the final chain event."""
    return AccountName(f"clearing:{offering_id}", asset)


def issuance(offering_id: str) -> AccountName:
    """The contra account of an offering's units: minus the supply."""
    return AccountName(f"issuance:{offering_id}", offering_id)


def bank(currency: str) -> AccountName:
    """The contra account of cash that entered the platform: minus all deposits."""
    return AccountName(f"bank:{currency}", currency)


@dataclass(frozen=True)
class Posting:
    account: AccountName
    amount: int


@dataclass(frozen=True)
class Balance:
    """available = balance - reserved."""

    balance: int
    reserved: int

    @property
    def available(self) -> int:
        return self.balance - self.reserved


@dataclass(frozen=True)
class Hold:
    """What `ref` holds of an account from now on, and what it held before. Both in the account's asset."""

    ref: str
    account: AccountName
    before: int
    after: int
