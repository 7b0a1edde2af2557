"""Walks the chain by parent hash. A block is believed only as long as its successor names it; finality is the network's rule.

State: the final block the stream has reached (checkpoint) and the blocks above it. Everything else is derived, so a restart reads
the checkpoint, walks up again, and offers the same events under the same ids."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from tokenx_chain.contracts.calls import Log
from tokenx_chain.journal import Record
from tokenx_chain.listener.events import LogReader, reverted
from tokenx_chain.listener.publisher import Publisher
from tokenx_chain.networks.evm import Block, EvmNode
from tokenx_chain.networks.rpc import RpcError, RpcUnavailable
from tokenx_common.clock import utc_now
from tokenx_common.log import get_logger

log = get_logger(__name__)

STEP: Final = 64
"""Blocks fetched at once while catching up."""
CHECKPOINT_EVERY: Final = 20
"""Final blocks without an event after which the durable checkpoint is moved all the same."""


class ChainHalted(Exception):
    """A final block has changed or vanished. Nothing on this chain may be acted on until a person has looked."""


@dataclass(frozen=True)
class _Link:
    """A block above the checkpoint, with the logs we care about."""

    block: Block
    logs: tuple[Log, ...]


OnFinal = Callable[[int], Awaitable[None]]
OnReorg = Callable[[int], Awaitable[None]]


class Follower:
    """The listener of one chain. on_final(number): events up to it are durable. on_reorg(number): blocks above it are gone."""

    def __init__(self, node: EvmNode, reader: LogReader, publisher: Publisher, *, on_final: OnFinal, on_reorg: OnReorg) -> None:  # fmt: skip
        self._node = node
        self._reader = reader
        self._publisher = publisher
        self._on_final = on_final
        self._on_reorg = on_reorg
        self._links: list[_Link] = []
        self._open_seen: dict[tuple[str, int], Record] = {}
        self._outbox: list[Record] = []
        self._final: tuple[int, str] = (-1, "")
        self._moved = asyncio.Condition()
        self.head: Block | None = None
        self.halted: str | None = None
        self.observed_at: datetime | None = None

    @property
    def finalized_number(self) -> int:
        """Highest block whose final events are durable."""
        return self._final[0]

    def restore(self, tail: Sequence[Record]) -> None:
        """Learn from the stream's last events which seen transfers still wait for their fate."""
        if self._publisher.checkpoint[1]:
            self._final = self._publisher.checkpoint
        for item in tail:
            key = (str(item.get("block_hash")), int(item.get("log_index") or 0))
            if item["type"] == "transfer.seen":
                self._open_seen[key] = item
            elif item["type"] in ("transfer.final", "transfer.reverted"):
                self._open_seen.pop(key, None)

    async def run(self) -> None:
        """Follow for ever. Runs as a task that its owner cancels. A halt is kept until the process is restarted."""
        is_paused = False  # one line for each outage, not one for each look
        while self.halted is None:
            try:
                await self._step()
                self.observed_at, is_paused = utc_now(), False
            except (RpcUnavailable, RpcError) as error:
                if not is_paused:
                    log.warning("listener.paused", chain_id=self._node.network.chain_id, reason=str(error))
                is_paused = True
            except ChainHalted as error:
                self.halted = str(error)
                log.error("chain.halted", chain_id=self._node.network.chain_id, reason=self.halted)
            await asyncio.sleep(self._node.network.head_poll_s)

    async def wait_final(self, number: int) -> None:
        """Returns when every final event up to a block is durable."""
        async with self._moved:
            await self._moved.wait_for(lambda: self._final[0] >= number)

    async def _step(self) -> None:
        """One look at the chain: extend, undo what is gone, publish, promote what became final.

        Events wait in the outbox, so that a node failing half way loses none of them."""
        head = await self._node.head()
        if self.head is None:
            await self._find_start(head)
        if head.number > self._tip_number() or not self._holds(head):
            await self._follow(head)
        self._outbox += self._orphans()
        self.head = head
        await self._promote(min(await self._node.finalized_number(head), self._tip_number()))

    async def _promote(self, finalized: int) -> None:
        """Publish what waits, with the final events of the blocks up to `finalized`."""
        promoted = [link for link in self._links if link.block.number <= finalized]
        finals = [event for link in promoted for entry in link.logs if (event := self._reader.final(link.block, entry))]
        reached = (promoted[-1].block.number, promoted[-1].block.hash) if promoted else self._final
        items = self._outbox + finals
        if items or reached[0] - self._publisher.checkpoint[0] >= CHECKPOINT_EVERY:
            await self._publisher.publish(items, reached)
        self._outbox = []
        if promoted:
            await self._settle(promoted, reached)

    async def _settle(self, promoted: list[_Link], reached: tuple[int, str]) -> None:
        for link in promoted:
            for entry in link.logs:
                self._open_seen.pop((link.block.hash, entry.log_index), None)
        self._links = self._links[len(promoted) :]
        async with self._moved:
            self._final = reached
            self._moved.notify_all()
        await self._on_final(reached[0])

    async def _find_start(self, head: Block) -> None:
        """Continue from the checkpoint, which must still stand. A public chain seen for the first time starts at its final block."""
        number, block_hash = self._final
        if not block_hash:
            if not self._node.network.is_dev:
                await self._start_at(await self._node.finalized_number(head))
            return
        found = (await self._node.blocks([number]))[0] if number <= head.number else None
        if found is None:
            raise ChainHalted(
                f"the node's head {head.number} does not reach the final block {number}: wrong or fresh chain"
            )
        if found.hash != block_hash:
            raise ChainHalted(f"final block {number} was {block_hash}, the node says {found.hash}")

    async def _start_at(self, number: int) -> None:
        block = (await self._node.blocks([max(0, number)]))[0]
        if block is None:
            raise RpcUnavailable(f"the node has no block {number}")
        self._final = (block.number, block.hash)
        await self._publisher.publish([], self._final)

    async def _follow(self, head: Block) -> None:
        """Make our chain end in `head`, as far as the node plays along."""
        while self._tip_hash() != head.hash:
            numbers = range(self._tip_number() + 1, min(head.number, self._tip_number() + STEP) + 1)
            fetched = await self._node.blocks(numbers) if numbers else []
            if fetched and fetched[0] is None:
                return  # the endpoint that answered is behind the one that told the head; look again later
            chain = _linked(fetched, parent=self._tip_hash())
            if not chain:
                await self._drop_tip()
            elif not await self._extend(chain) or chain[-1].number >= head.number:
                return

    async def _extend(self, chain: list[Block]) -> bool:
        """Add blocks on top, with the logs of those that have any. False: a block went away between the two questions."""
        full = [block for block in chain if not block.is_empty]
        addresses = self._reader.addresses
        found = await self._node.logs([b.hash for b in full], addresses=addresses, topics=self._reader.topics) if full and addresses else []  # fmt: skip
        logs = {block.hash: entries for block, entries in zip(full, found, strict=False)}
        for block in chain:
            entries = logs.get(block.hash, [])
            if entries is None:
                return False
            self._links.append(_Link(block, tuple(entries)))
            self._outbox += self._see(block, entries)
        return True

    def _see(self, block: Block, entries: Sequence[Log]) -> list[Record]:
        items = [event for entry in entries if (event := self._reader.seen(block, entry))]
        self._open_seen.update({(block.hash, item["log_index"]): item for item in items})
        return items

    async def _drop_tip(self) -> None:
        """Take the highest block back. Raises ChainHalted when it is a final one."""
        if not self._links:
            raise ChainHalted(f"the chain no longer contains final block {self._final[0]} {self._final[1]}")
        gone = self._links.pop()
        log.warning("listener.reorganised", number=gone.block.number, hash=gone.block.hash)
        await self._on_reorg(gone.block.number - 1)
        lost = [item for (block_hash, _), item in self._open_seen.items() if block_hash == gone.block.hash]
        for item in lost:
            self._open_seen.pop((gone.block.hash, item["log_index"]))
        self._outbox += [reverted(item) for item in reversed(lost)]

    def _orphans(self) -> list[Record]:
        """Seen before a restart, in a block that is not in the chain any more: the reorganisation happened while nobody looked."""
        standing = {link.block.number: link.block.hash for link in self._links}
        lost = [item for item in self._open_seen.values() if item["block_number"] <= self._tip_number() and standing.get(item["block_number"]) != item["block_hash"]]  # fmt: skip
        for item in lost:
            self._open_seen.pop((item["block_hash"], item["log_index"]))
        return [reverted(item) for item in reversed(lost)]

    def _holds(self, block: Block) -> bool:
        if block.number < self._final[0]:
            return True  # far behind: an endpoint that lags
        return block.hash == self._final[1] or any(link.block.hash == block.hash for link in self._links)

    def _tip_number(self) -> int:
        return self._links[-1].block.number if self._links else self._final[0]

    def _tip_hash(self) -> str:
        return self._links[-1].block.hash if self._links else self._final[1]


def _linked(fetched: Sequence[Block | None], *, parent: str) -> list[Block]:
    """The leading blocks that name each other as parents. parent '': the first block needs none, the chain starts here."""
    chain: list[Block] = []
    for block in fetched:
        if block is None or (parent and block.parent_hash != parent):
            break
        chain.append(block)
        parent = block.hash
    return chain
