"""Walks the chain by parent hash. A block is believed only as long as its successor names it; finality is the network's rule.

State: the final block the stream has reached (checkpoint) and the blocks above it. Everything else is derived, so a restart reads
the checkpoint, walks up again, and offers the same events under the same ids. No node's word alone takes a block back or makes it
final where two can be asked, and no notification is believed at all: they only say when to look."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any, Final, Literal

from tokenx_chain.contracts.calls import Log
from tokenx_chain.journal import Record
from tokenx_chain.listener.events import LogReader, again, reverted, safe
from tokenx_chain.listener.heads import HeadFeed
from tokenx_chain.listener.links import HeaderChain, Link
from tokenx_chain.listener.publisher import Publisher
from tokenx_chain.listener.source import STEP, LogSource
from tokenx_chain.networks import rules
from tokenx_chain.networks.evm import Block, EvmNode
from tokenx_chain.networks.rpc import RpcError, RpcUnavailable
from tokenx_common.clock import utc_now
from tokenx_common.log import get_logger

log = get_logger(__name__)

CHECKPOINT_EVERY: Final = 20
"""Final blocks without an event after which the durable checkpoint is moved all the same."""
START_LOOKS: Final = 40
"""Looks at the start during which a head below the checkpoint may still be an endpoint that lags."""
BREATH_S: Final = 0.05
"""Least time between two looks, however fast heads are told."""


class ChainHalted(Exception):
    """A final block has changed or vanished. Nothing on this chain may be acted on until a person has looked."""


OnFinal = Callable[[int], Awaitable[None]]
OnReorg = Callable[[int], Awaitable[None]]
Condition = Literal["ok", "degraded", "halted"]


class Follower:
    """The listener of one chain. on_final(number): events up to it are durable. on_reorg(number): blocks above it are gone."""

    def __init__(self, node: EvmNode, reader: LogReader, publisher: Publisher, *, on_final: OnFinal, on_reorg: OnReorg) -> None:  # fmt: skip
        self._node = node
        self._reader = reader
        self._publisher = publisher
        self._on_final = on_final
        self._on_reorg = on_reorg
        self._chain = HeaderChain()
        self._source = LogSource(node)
        self._open_seen: dict[tuple[str, int], Record] = {}
        self._taken_back: dict[tuple[str, int], int] = {}
        self._safe: set[tuple[str, int]] = set()
        """Of the open ones, those that have been told to be safe."""
        self._outbox: list[Record] = []
        self._moved = asyncio.Condition()
        self._looks = 0
        self._doubt = ""
        self._missed = ""
        self._blind = ""
        self.feed = HeadFeed(node.head_addresses, block_time_s=node.network.block_time_s)
        self.head: Block | None = None
        self.safe_number: int | None = None
        self.halted: str | None = None
        self.observed_at: datetime | None = None

    @property
    def finalized_number(self) -> int:
        """Highest block whose final events are durable."""
        return self._chain.final[0]

    @property
    def condition(self) -> Condition:
        """degraded: finality has fallen behind by more than this network ever should, the endpoints do not agree, or none lets us look: nothing is being settled."""
        return "halted" if self.halted else "degraded" if self.reason else "ok"

    @property
    def reason(self) -> str:
        """Why this is not an ordinary day; empty on one."""
        return self.halted or self._blind or self._missed or self._doubt or self._stall()

    def _stall(self) -> str:
        head, final = self.head.number if self.head else 0, self.finalized_number
        is_stalled = self.head is not None and rules.is_stalled(self._node.network.finality, head=head, final=final)
        return f"finality stands at {final}, {head - final} blocks below the head" if is_stalled else ""

    def report(self) -> dict[str, Any]:
        """For the status page."""
        return {"condition": self.condition, "reason": self.reason, "safe_number": self.safe_number, "heads_told": self.feed.is_live}  # fmt: skip

    def restore(self, tail: Sequence[Record]) -> None:
        """Learn from the stream's last events which seen transfers still wait for their fate."""
        if self._publisher.checkpoint[1]:
            self._chain = HeaderChain(self._publisher.checkpoint)
        for item in tail:
            key = (str(item.get("block_hash")), int(item.get("log_index") or 0))
            if item["type"] == "transfer.seen":
                self._open_seen[key] = item
            elif item["type"] in ("transfer.final", "transfer.reverted"):
                self._close(key)
            elif item["type"] == "blocks.safe":
                self._safe |= {
                    key for key, seen in self._open_seen.items() if seen["block_number"] <= item["block_number"]
                }
            if item["type"] == "transfer.reverted":
                self._taken_back[key] = self._taken_back.get(key, 0) + 1

    async def run(self) -> None:
        """Follow for ever. Runs as a task that its owner cancels. A halt is kept until the process is restarted."""
        bell = asyncio.create_task(self.feed.run(), name="heads")
        try:
            await self._look_on()
        finally:
            bell.cancel()

    async def _look_on(self) -> None:
        network = self._node.network
        while self.halted is None:
            try:
                await self.look()
                self.observed_at, self._blind = utc_now(), ""
            except (RpcUnavailable, RpcError) as error:
                if not self._blind:  # one line for each outage, not one for each look
                    log.warning("listener.paused", chain_id=network.chain_id, reason=str(error))
                self._blind = f"the chain cannot be seen: {error}"
            except ChainHalted as error:
                self.halted = str(error)
                log.error("chain.halted", chain_id=network.chain_id, reason=self.halted)
            await asyncio.sleep(BREATH_S)
            await self.feed.wait(live_s=network.block_time_s, deaf_s=network.head_poll_s)

    async def wait_final(self, number: int) -> None:
        """Returns when every final event up to a block is durable."""
        async with self._moved:
            await self._moved.wait_for(lambda: self.finalized_number >= number)

    async def look(self) -> None:
        """One look at the chain: extend, undo what is gone, publish, promote what became final.

        Events wait in the outbox, so that a node failing half way loses none of them. Raises ChainHalted, and what the node raises."""
        head = await self._node.head()
        if self.head is None:
            await self._find_start(head)
        final = await self._final_number(head)
        while not self._chain.holds(head) and await self._advance(head, final):
            await self._promote(final)
        if head != self.head:
            self.head, self.safe_number = head, await self._safe_number(head)
            self._outbox += await self._newly_safe(final)
        await self._promote(final)

    async def _final_number(self, head: Block) -> int:
        """Where finality stands; where we stand already, when too few endpoints answer to say: what is seen goes on all the same."""
        try:
            final = await self._node.finalized_number(head)
        except RpcUnavailable as error:
            self._miss(f"finality: {error}")
            return self.finalized_number
        self._missed = ""
        return final

    async def _safe_number(self, head: Block) -> int | None:
        """As the node's; what we knew, when too few endpoints answer to say."""
        try:
            return await self._node.safe_number(head)
        except RpcUnavailable:
            return self.safe_number

    async def _newly_safe(self, final: int) -> list[Record]:
        """The event for the transfers that are safe since this look. None for what becomes final in the same look, or while endpoints differ."""
        block = self._chain.block_at(min(self.safe_number or 0, self._chain.tip[0]))
        if block is None or block.number <= final:
            return []
        fresh = {
            key: item
            for key, item in self._open_seen.items()
            if key not in self._safe
            and final < item["block_number"] <= block.number
            and self._chain.hash_at(item["block_number"]) == item["block_hash"]
        }
        if not fresh or not await self._is_told_by_all(block):
            return []
        self._safe |= fresh.keys()
        times = max(self._taken_back.get(key, 0) for key in fresh)
        return [safe(block, from_block=min(item["block_number"] for item in fresh.values()), times=times)]

    async def _is_told_by_all(self, block: Block) -> bool:
        try:
            return all(name == block.hash for name in await self._node.named_hashes(block.number))
        except RpcUnavailable:
            return False

    async def _advance(self, head: Block, final: int) -> bool:
        """Take the next blocks towards `head`, or back to where its chain leaves ours. False: that is all for this look."""
        tip = self._chain.tip[0]
        numbers = range(tip + 1, min(head.number, tip + self._source.reach(tip=tip, final=final)) + 1)
        fetched = await self._node.blocks(numbers)
        if fetched and fetched[0] is None:
            return False  # the endpoint that answered is behind the one that told the head; look again later
        chain = self._chain.fitting(fetched)
        return await self._extend(chain, final) if chain else await self._go_back(head)

    async def _extend(self, chain: list[Block], final: int) -> bool:
        """Add blocks on top, with the logs of those that have any. False: a block went away between the two questions."""
        logs = await self._source.of(chain, final=final, addresses=self._reader.addresses, topics=self._reader.topics)
        if logs is None:
            return False
        for block in chain:
            entries = logs.get(block.hash, [])
            self._chain.add(Link(block, tuple(entries)))
            self._outbox += self._see(block, entries)
        return True

    def _see(self, block: Block, entries: Sequence[Log]) -> list[Record]:
        items = [event for entry in entries if (event := self._reader.seen(block, entry))]
        items = [again(item, self._taken_back.get((block.hash, item["log_index"]), 0)) for item in items]
        self._open_seen.update({(block.hash, item["log_index"]): item for item in items})
        return items

    async def _go_back(self, head: Block) -> bool:
        """Our chain and the node's have parted. Take back what lies above the last common block, if another endpoint says so too.

        False: not believed, or nothing to take back; look again later. Raises ChainHalted when a final block is concerned."""
        common = await self._last_common(min(head.number, self._chain.tip[0]))
        if common is None:
            return False
        if common < self._chain.final[0]:
            await self._halt_if_gone()
            return False
        if common >= min(head.number, self._chain.tip[0]) or not await self._is_gone(common + 1):
            return False
        await self._take_back(common)
        return True

    async def _last_common(self, number: int) -> int | None:
        """The highest block that we and the node name alike; below the final one when there is none; None when the node does not have them all."""
        lowest = self._chain.final[0] if self._chain.final[1] else self._chain.final[0] + 1
        while number >= lowest:
            numbers = range(max(lowest, number - STEP + 1), number + 1)
            theirs = await self._node.blocks(numbers)
            for ours, block in zip(reversed(numbers), reversed(theirs), strict=True):
                if block is None:
                    return None
                if block.hash == self._chain.hash_at(ours):
                    return ours
            number = numbers.start - 1
        return lowest - 1

    async def _is_gone(self, number: int) -> bool:
        """Whether every endpoint asked names another block than ours at this height. One that has none yet, or ours, keeps it standing."""
        ours, told = self._chain.hash_at(number), await self._node.named_hashes(number)
        if ours in told and len(set(told)) > 1:
            self._wonder(f"the endpoints disagree about block {number}, {ours} to us: {told}")
        return all(name is not None and name != ours for name in told)

    async def _halt_if_gone(self) -> None:
        number, block_hash = self._chain.final
        if await self._is_gone(number):
            raise ChainHalted(f"the chain no longer contains final block {number} {block_hash}")

    async def _take_back(self, common: int) -> None:
        gone = self._chain.drop_above(common)
        log.warning("listener.reorganised", depth=len(gone), above=common, was=gone[0].block.hash)
        for link in gone:
            lost = [item for (block_hash, _), item in self._open_seen.items() if block_hash == link.block.hash]
            self._outbox += [self._revert(item) for item in reversed(lost)]
        await self._on_reorg(common)

    def _revert(self, item: Record) -> Record:
        key = (item["block_hash"], item["log_index"])
        self._close(key)
        self._taken_back[key] = self._taken_back.get(key, 0) + 1
        return reverted(item)

    def _close(self, key: tuple[str, int]) -> None:
        self._open_seen.pop(key, None)
        self._safe.discard(key)

    async def _promote(self, finalized: int) -> None:
        """Publish what waits, with the final events of the blocks up to `finalized`."""
        self._outbox = self._orphans() + self._outbox
        promoted = self._chain.upto(finalized)
        if promoted and not await self._is_agreed(promoted[-1].block):
            promoted = []
        finals = [
            event
            for link in promoted
            for entry in link.logs
            if (event := self._reader.final(link.block, entry, link.logs))
        ]
        reached = (promoted[-1].block.number, promoted[-1].block.hash) if promoted else self._chain.final
        items = self._outbox + finals
        if items or reached[0] - self._publisher.checkpoint[0] >= CHECKPOINT_EVERY:
            await self._publisher.publish(items, reached)
        self._outbox = []
        if promoted:
            await self._settle(promoted)

    async def _is_agreed(self, block: Block) -> bool:
        """Whether every endpoint asked names this block at its height: nothing is final on one node's word where there are two."""
        try:
            told = await self._node.named_hashes(block.number)
        except RpcUnavailable as error:
            self._miss(f"finality: {error}")
            return False
        if all(name == block.hash for name in told):
            self._doubt = ""
            return True
        if any(name not in (block.hash, None) for name in told):  # None: it only lags
            self._wonder(f"block {block.number} {block.hash} would be final, the endpoints say {told}")
        return False

    def _wonder(self, doubt: str) -> None:
        """Say once why nothing moves."""
        if doubt != self._doubt:
            log.warning("listener.doubt", chain_id=self._node.network.chain_id, reason=doubt)
            self._doubt = doubt

    def _miss(self, problem: str) -> None:
        """Say once that too few endpoints answer for anything to be final."""
        if not self._missed:
            log.warning("listener.too_few_answer", chain_id=self._node.network.chain_id, reason=problem)
        self._missed = problem

    async def _settle(self, promoted: list[Link]) -> None:
        for link in promoted:
            for entry in link.logs:
                self._close((link.block.hash, entry.log_index))
                self._taken_back.pop((link.block.hash, entry.log_index), None)
        async with self._moved:
            self._chain.settle(len(promoted))
            self._moved.notify_all()
        await self._on_final(self.finalized_number)

    async def _find_start(self, head: Block) -> None:
        """Continue from the checkpoint, which must still stand. A public chain seen for the first time starts at its final block."""
        number, block_hash = self._chain.final
        if not block_hash:
            if not self._node.network.is_dev:
                await self._start_at(await self._node.finalized_number(head))
        elif number > head.number:
            self._looks += 1
            if self._looks < START_LOOKS:
                raise RpcUnavailable(f"the node's head {head.number} does not reach the final block {number} yet")
            raise ChainHalted(f"the node's head {head.number} does not reach the final block {number}: wrong or fresh chain")  # fmt: skip
        else:
            await self._halt_if_gone()

    async def _start_at(self, number: int) -> None:
        block = (await self._node.blocks([max(0, number)]))[0]
        if block is None:
            raise RpcUnavailable(f"the node has no block {number}")
        self._chain = HeaderChain((block.number, block.hash))
        await self._publisher.publish([], self._chain.final)

    def _orphans(self) -> list[Record]:
        """Seen before a restart, in a block that is not in the chain any more: the reorganisation happened while nobody looked."""
        tip = self._chain.tip[0]
        lost = [item for item in self._open_seen.values() if item["block_number"] <= tip and self._chain.hash_at(item["block_number"]) != item["block_hash"]]  # fmt: skip
        return [self._revert(item) for item in reversed(lost)]
