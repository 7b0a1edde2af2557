"""The blocks above the last final one, held together by parent hash. Pure: what to ask a node is the follower's business."""

from collections.abc import Sequence
from dataclasses import dataclass

from tokenx_chain.contracts.calls import Log
from tokenx_chain.networks.evm import Block


@dataclass(frozen=True)
class Link:
    """A block above the checkpoint, with the logs we care about."""

    block: Block
    logs: tuple[Log, ...]


class HeaderChain:
    """final: number and hash of the last final block, (-1, '') before the first. links: the blocks on top of it, each naming the one before."""

    def __init__(self, final: tuple[int, str] = (-1, "")) -> None:
        self.final = final
        self.links: list[Link] = []

    @property
    def tip(self) -> tuple[int, str]:
        """Number and hash of the highest block we hold."""
        return (self.links[-1].block.number, self.links[-1].block.hash) if self.links else self.final

    def hash_at(self, number: int) -> str | None:
        """What we call the block at a height; None where we hold none."""
        if number == self.final[0]:
            return self.final[1]
        index = number - self.final[0] - 1
        return self.links[index].block.hash if 0 <= index < len(self.links) else None

    def block_at(self, number: int) -> Block | None:
        """The block above the final one at a height; None where we hold none."""
        index = number - self.final[0] - 1
        return self.links[index].block if 0 <= index < len(self.links) else None

    def holds(self, block: Block) -> bool:
        """Whether a head is nothing new. Far below our final block it only shows an endpoint that lags."""
        return block.number < self.final[0] or self.hash_at(block.number) == block.hash

    def fitting(self, fetched: Sequence[Block | None]) -> list[Block]:
        """The leading blocks that go on top of ours, each naming the one before. The very first block of all needs no parent."""
        chain: list[Block] = []
        parent = self.tip[1]
        for block in fetched:
            if block is None or (parent and block.parent_hash != parent):
                break
            chain.append(block)
            parent = block.hash
        return chain

    def add(self, link: Link) -> None:
        """Put a block on top."""
        assert link.block.number == self.tip[0] + 1 or not self.tip[1], "a block that does not fit"
        self.links.append(link)

    def drop_above(self, number: int) -> list[Link]:
        """Take the blocks above a height away; highest first."""
        keep = max(0, number - self.final[0])
        gone, self.links = self.links[keep:], self.links[:keep]
        return gone[::-1]

    def upto(self, number: int) -> list[Link]:
        """The blocks that are not above a height, lowest first."""
        return self.links[: max(0, number - self.final[0])]

    def settle(self, count: int) -> None:
        """The lowest `count` blocks are final now."""
        last = self.links[count - 1].block
        self.links, self.final = self.links[count:], (last.number, last.hash)
