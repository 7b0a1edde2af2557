"""What is compared, and what a difference is."""

from dataclasses import dataclass
from typing import Final, Literal

DriftKind = Literal["register_chain", "ledger_register", "unknown_holder", "supply"]
SUPPLY: Final = "supply"
"""Stands for the holder where a difference is the whole token's."""


@dataclass(frozen=True)
class Token:
    """A deployed offering and its token."""

    offering_id: str
    chain_id: int
    address: str


@dataclass(frozen=True)
class Position:
    """One holder of one token, in units. ledger and in_flight as in the cap table; register: by final events.

    on_chain: what the chain tells at its finalized block, None for a holder without a wallet. is_known: the wallet is somebody's."""

    token: Token
    holder: str
    address: str | None
    is_known: bool
    ledger: int
    in_flight: int
    register: int
    on_chain: int | None


@dataclass(frozen=True)
class Drift:
    """Two books that tell different things of one holder. expected: by the book that is nearer to the owner."""

    kind: DriftKind
    token: Token
    holder: str
    address: str | None
    expected: int
    found: int

    @property
    def key(self) -> str:
        """The same while nothing changes about it."""
        return f"{self.kind}:{self.token.chain_id}:{self.token.address}:{self.holder}:{self.expected}:{self.found}"

    @property
    def text(self) -> str:
        """In words, for whoever looks."""
        books = {
            "register_chain": ("the register has", "the chain"),
            "ledger_register": ("the ledger with what is in flight has", "the register"),
            "unknown_holder": ("nobody should hold anything:", "this wallet holds"),
            "supply": ("the wallets the register knows hold", "the token's supply is"),
        }
        first, second = books[self.kind]
        return f"{first} {self.expected}, {second} {self.found}"
