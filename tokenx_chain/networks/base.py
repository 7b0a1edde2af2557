"""What is known about a network, as data: the service acts on these facts and on nothing else that is particular to a chain.

Decisions made from the facts are in rules.py, the networks themselves in catalog.py, and docs/networks.md is written from both."""

from dataclasses import dataclass
from typing import Final, Literal

Family = Literal["ethereum", "polygon", "avalanche", "optimism", "base", "hedera", "dev"]
Environment = Literal["main", "test", "dev"]
FinalityKind = Literal["tag", "depth", "accepted", "mirror"]
Heads = Literal["same_address", "avalanche_path", "polling"]

UNIT: Final = 1
"""Amounts may be any number of wei."""


@dataclass(frozen=True)
class FinalityRule:
    """When a block may be acted on for ever. Blocks count from the head.

    kind 'tag': the node's `finalized` block. 'depth': when `depth` blocks stand on it. 'accepted': as soon as a node tells of it.
    'mirror': consensus is final at once, but the answer comes from a record that is written `depth` blocks later.
    stalled_after: a final block further than this below the head is a network in trouble; None: cannot fall behind."""

    kind: FinalityKind
    depth: int = 0
    stalled_after: int | None = None
    has_safe: bool = False
    """Whether the node's `safe` block means something of its own."""
    fallback_depth: int | None = None
    """Of 'tag': a block this deep is final even while the tag stands still. None: nothing replaces the tag."""


@dataclass(frozen=True)
class LogRule:
    """How many blocks one eth_getLogs may span. first: where we begin; most: where growing ends; limit: what a larger question is refused by, if known."""

    first: int = 500
    most: int = 2_000
    limit: int | None = None


@dataclass(frozen=True)
class Quirk:
    """A habit of the chain and what we do about it, for readers; the behaviour is tried in tests/networks."""

    habit: str
    answer: str
    is_verified: bool = True


@dataclass(frozen=True, kw_only=True)
class Network:
    """One chain. Times in seconds, fees in wei.

    unverified: names of fields whose figure is general knowledge and not yet checked against the chain's own documents."""

    chain_id: int
    name: str
    coin: str
    block_time_s: float
    finality: FinalityRule
    min_tip_wei: int
    in_flight: int
    """Transactions of one sender that may be unmined at once. 1 where a node does not queue future nonces."""
    receipt_poll_s: float
    family: Family = "dev"
    environment: Environment = "main"
    logs: LogRule = LogRule()
    heads: Heads = "same_address"
    """Where new heads are told on a WebSocket; polling goes on beside it."""
    is_dev: bool = False
    """A private chain of our own: gas may be conjured, and nothing on it is worth anything."""
    fee_cap_wei: int = 500 * 10**9
    """Most per gas that is ever offered. A base fee beyond it pauses signing until it has passed."""
    bump_after_s: float | None = 30.0
    """How long a sender's next transaction may wait for its block before it is replaced by one that offers more; None: no replacement here."""
    l1_oracle: str | None = None
    """Where a rollup tells what the first layer costs on top of gas; that too must be in the balance."""
    value_unit_wei: int = UNIT
    """An amount of coin must be a multiple of this."""
    gas_cap: int | None = None
    """Most gas one transaction may ask for."""
    calldata_cap: int | None = None
    """Most bytes of data a node takes in one transaction."""
    not_yet: tuple[str, ...] = ()
    """Error texts, in part and lower case, by which a node says that it does not have the block yet."""
    quirks: tuple[Quirk, ...] = ()
    unverified: frozenset[str] = frozenset()

    @property
    def head_poll_s(self) -> float:
        """How often to look for a new block."""
        return 0.15 if self.is_dev else min(1.0, self.block_time_s / 4)

    @property
    def rebroadcast_s(self) -> float:
        """How long a transaction may stay unseen before the same bytes are sent again."""
        return max(1.0, 2 * self.block_time_s)
