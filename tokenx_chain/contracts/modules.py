"""Our compliance modules and the lens that asks all of them: what to bind to a token, and why a transfer would be refused.

Settings are calldata which the compliance contract relays to the module, at deployment or by `Compliance.configure`. One
instance of a module serves every token. Countries are ISO 3166-1 numeric codes; units are whole tokens."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from tokenx_chain.contracts.abi import Abi
from tokenx_chain.contracts.calls import ZERO_ADDRESS, Call, Read

UNLIMITED: Final = 2**96 - 1
"""In exchange limits: no limit. Zero closes the exchange."""

REASON_CODES: Final = {
    "TOKEN_PAUSED": "token.paused",
    "SENDER_FROZEN": "wallet.frozen",
    "RECEIVER_FROZEN": "wallet.frozen",
    "BALANCE_INSUFFICIENT": "balance.insufficient",
    "UNITS_FROZEN": "balance.insufficient",
    "SELF_TRANSFER": "transfer.to_self",
    "ZERO_AMOUNT": "amount.zero",
    "SENDER_NOT_VERIFIED": "identity.sender_not_verified",
    "RECEIVER_NOT_VERIFIED": "identity.not_verified",
    "RULE_REFUSED": "compliance.refused",
    "COUNTRY_BLOCKED": "compliance.country_blocked",
    "COUNTRY_NOT_ALLOWED": "compliance.country_not_allowed",
    "HOLDER_CAP": "compliance.holder_cap",
    "COUNTRY_HOLDER_CAP": "compliance.country_holder_cap",
    "MAX_BALANCE": "compliance.max_balance",
    "LOCKED_UP": "compliance.locked_up",
    "VOLUME_WINDOW": "compliance.volume_window",
    "EXCHANGE_DAY_LIMIT": "compliance.exchange_day_limit",
    "EXCHANGE_MONTH_LIMIT": "compliance.exchange_month_limit",
    "EXCHANGE_DAY_TOTAL": "compliance.exchange_day_total",
    "EXCHANGE_MONTH_TOTAL": "compliance.exchange_month_total",
    "NOT_CONFIGURED": "compliance.not_configured",
    "BOOK_INCOMPLETE": "compliance.book_incomplete",
    "BOOK_STALE": "compliance.book_stale",
    "AMOUNT_TOO_LARGE": "compliance.amount_too_large",
}
"""Our code for each code on chain."""

SENDER_CODES: Final = frozenset({"SENDER_FROZEN", "BALANCE_INSUFFICIENT", "UNITS_FROZEN", "SENDER_NOT_VERIFIED", "LOCKED_UP", "VOLUME_WINDOW", "EXCHANGE_DAY_LIMIT", "EXCHANGE_MONTH_LIMIT"})  # fmt: skip
RECEIVER_CODES: Final = frozenset({"RECEIVER_FROZEN", "RECEIVER_NOT_VERIFIED", "COUNTRY_BLOCKED", "COUNTRY_NOT_ALLOWED", "HOLDER_CAP", "COUNTRY_HOLDER_CAP", "MAX_BALANCE", "EXCHANGE_DAY_TOTAL", "EXCHANGE_MONTH_TOTAL"})  # fmt: skip


@dataclass(frozen=True)
class Finding:
    """One obstacle to a movement. rule: the contract that says so; enforced: False where only our own gate refuses it."""

    code: str
    on_chain: str
    rule: str
    enforced: bool

    @property
    def side(self) -> Literal["sender", "receiver"] | None:
        """Whose it is: "sender", "receiver", or None when it is neither's."""
        if self.on_chain in SENDER_CODES:
            return "sender"
        return "receiver" if self.on_chain in RECEIVER_CODES else None


def reason_text(code: bytes) -> str:
    """A reason code as text, empty when allowed."""
    return code.rstrip(b"\0").decode("ascii", "replace")


@dataclass(frozen=True)
class TransferLens:
    """Asks token, registry and every bound rule in one question."""

    abi: Abi
    address: str

    def findings(self, token: str, *, sender: str | None, receiver: str, units: int) -> Read[list[Finding]]:
        """Everything that stands against a transfer (sender None: a mint), in the order the token would come across it."""
        read: Read[Any] = self.abi.read(self.address, "findings", token, sender or ZERO_ADDRESS, receiver, units, as_type=object)  # fmt: skip
        return Read(read.to, read.data, lambda answer: [_finding(*row) for row in read.decode(answer)])


def _finding(code: bytes, rule: str, enforced: bool) -> Finding:
    text = reason_text(code)
    return Finding(REASON_CODES.get(text, "compliance.refused"), text, rule, enforced)


@dataclass(frozen=True)
class Rule:
    """What all our modules have in common."""

    abi: Abi
    address: str

    def reason(self, *, sender: str, receiver: str, units: int, compliance: str) -> Read[bytes]:
        """32 bytes, zero-padded: empty when allowed. sender is the zero address for a mint."""
        return self.abi.read(self.address, "reason", sender, receiver, units, compliance, as_type=bytes)


@dataclass(frozen=True)
class BookedRule(Rule):
    """A rule that counts holders. After a wallet's identity or country changed in the registry, sync it."""

    def sync(self, compliance: str, wallets: Sequence[str]) -> Call:
        """Anyone may send it; a wallet that is booked right is left alone."""
        return self.abi.call(self.address, "sync", compliance, list(wallets))

    def holder_count(self, compliance: str) -> Read[int]:
        return self.abi.read(self.address, "holderCount", compliance, as_type=int)

    def units_of(self, compliance: str, identity: str) -> Read[int]:
        """Over all wallets of the identity."""
        return self.abi.read(self.address, "unitsOf", compliance, identity, as_type=int)

    def is_complete(self, compliance: str) -> Read[bool]:
        """Whether every unit of the token is booked; until then the rule refuses everything."""
        return self.abi.read(self.address, "isComplete", compliance, as_type=bool)


@dataclass(frozen=True)
class HolderCap(BookedRule):
    """At most so many holders."""

    def cap(self, holders: int) -> bytes:
        return self.abi.data("setCap", holders)


@dataclass(frozen=True)
class CountryHolderCap(BookedRule):
    """At most so many holders per country."""

    def caps(self, holders_by_country: dict[int, int]) -> bytes:
        return self.abi.data("setCountryCaps", list(holders_by_country), list(holders_by_country.values()))

    def lift(self, countries: Sequence[int]) -> bytes:
        return self.abi.data("removeCountryCaps", list(countries))

    def country_holder_count(self, compliance: str, country: int) -> Read[int]:
        return self.abi.read(self.address, "countryHolderCount", compliance, country, as_type=int)


@dataclass(frozen=True)
class MaxBalance(BookedRule):
    """At most so many units per identity."""

    def maximum(self, units: int) -> bytes:
        return self.abi.data("setMaxBalance", units)


@dataclass(frozen=True)
class LockUp(BookedRule):
    """What was acquired less than so many days ago may not be sent."""

    def days(self, days: int) -> bytes:
        return self.abi.data("setLockUp", days)

    def lots(self, identity: str, *, free_units: int, by_day: dict[int, int]) -> bytes:
        """Replaces the lots of an identity. by_day: units by days since 1 January 1970."""
        return self.abi.data("setLots", identity, free_units, sorted(by_day.items()))

    def free_units_of(self, compliance: str, identity: str) -> Read[int]:
        return self.abi.read(self.address, "freeUnitsOf", compliance, identity, as_type=int)


@dataclass(frozen=True)
class HolderRules(HolderCap, CountryHolderCap, MaxBalance, LockUp):
    """The four rules above over one book: cheaper than binding two of them. What is not set limits nothing."""


@dataclass(frozen=True)
class CountryList(Rule):
    """CountryAllow (nobody but) or CountryBlock (everybody but), by the receiver's country."""

    def countries(self, numeric: Sequence[int], *, listed: bool = True) -> bytes:
        return self.abi.data("setCountries", list(numeric), listed)


@dataclass(frozen=True)
class VolumeWindow(Rule):
    """At most so many units sent per identity within a rolling window."""

    def limit(self, *, window_s: int, units: int) -> bytes:
        return self.abi.data("setVolumeLimit", window_s, units)

    def volume_of(self, compliance: str, identity: str) -> Read[int]:
        return self.abi.read(self.address, "volumeOf", compliance, identity, as_type=int)


@dataclass(frozen=True)
class ExchangeLimit(Rule):
    """At most so many units sent to an exchange per day and month, by one investor and by all. See UNLIMITED."""

    def exchange(self, exchange: str, *, day: int, month: int, day_total: int, month_total: int) -> bytes:
        """exchange: one of its wallets, or the identity behind all of them."""
        return self.abi.data("setExchange", exchange, day, month, day_total, month_total)

    def lift(self, exchange: str) -> bytes:
        return self.abi.data("removeExchange", exchange)
