"""The facts about a network that the service acts on."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class FinalityRule:
    """When a block may be acted on for ever.

    kind 'depth': a block is final when `depth` further blocks stand on it (0: at once).
    kind 'tag': the node's `finalized` block; `depth` is then how far the head may run ahead before finality counts as stalled."""

    kind: Literal["depth", "tag"]
    depth: int


@dataclass(frozen=True)
class Network:
    """One chain. Times in seconds, fees in wei."""

    chain_id: int
    name: str
    coin: str
    block_time_s: float
    finality: FinalityRule
    min_tip_wei: int
    in_flight: int
    """Transactions of one sender that may be unmined at once. 1 where a node does not queue future nonces."""
    log_range: int
    receipt_poll_s: float
    is_dev: bool = False
    """A private chain of our own: gas may be conjured, and nothing on it is worth anything."""

    @property
    def head_poll_s(self) -> float:
        """How often to look for a new block."""
        return 0.15 if self.is_dev else min(1.0, self.block_time_s / 4)

    @property
    def rebroadcast_s(self) -> float:
        """How long a transaction may stay unseen before the same bytes are sent again."""
        return max(1.0, 3 * self.block_time_s)
