"""Follows every journaled transaction from broadcast to final, whatever the network or a reorganisation does to it.

Losing sight of a transaction is never an end: the same bytes are sent again until a final receipt settles the matter."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from tokenx_chain.journal import Journal, JournaledTransaction, Record
from tokenx_chain.networks.evm import EvmNode, Receipt
from tokenx_chain.networks.rpc import RpcError, RpcUnavailable
from tokenx_common.clock import monotonic_s
from tokenx_common.log import get_logger

log = get_logger(__name__)

_KNOWN: Final = ("already imported", "already known", "known transaction", "nonce too low", "already exists")
"""Answers to our own bytes that mean: the node has them, or has mined them."""
_POLL_CHUNK: Final = 100
_STUCK_AFTER: Final = 3
"""Times a transaction has been sent to the development node before its pool is suspected."""


@dataclass
class Tracked:
    """One transaction under way. receipt: where it is mined now; None after a reorganisation took it back."""

    entry: JournaledTransaction
    receipt: Receipt | None = None
    is_final: bool = False
    is_lost: bool = False
    broadcast_at_s: float = -1e9
    first_sent_at_s: float = 1e18
    sent: int = 0
    mined: asyncio.Event = field(default_factory=asyncio.Event)
    final: asyncio.Event = field(default_factory=asyncio.Event)


class NonceLost(Exception):
    """Another transaction with this nonce is final: the key is used by someone else."""


class Tracker:
    """All open transactions of one chain. Owns their receipts; the listener tells it what became final or was taken back."""

    def __init__(self, node: EvmNode, journal: Journal) -> None:
        self._node = node
        self._journal = journal
        self._by_hash: dict[str, Tracked] = {}
        self._unmined: dict[str, Tracked] = {}
        self._wake = asyncio.Event()

    def find(self, tx_hash: str) -> JournaledTransaction | None:
        """Which of our transactions a hash is."""
        tracked = self._by_hash.get(tx_hash)
        return tracked.entry if tracked else None

    @property
    def oldest_unmined_s(self) -> float:
        """Seconds since the longest unseen transaction was last sent; 0 when all are mined."""
        return max((monotonic_s() - t.broadcast_at_s for t in self._unmined.values() if t.broadcast_at_s > 0), default=0.0)  # fmt: skip

    async def broadcast(self, entries: Iterable[JournaledTransaction]) -> None:
        """Send journaled bytes, in order, and follow them. Never raises for what the node says or fails to say."""
        tracked = [self._follow(entry) for entry in entries]
        await self._send(tracked)
        self._wake.set()

    def adopt(self, entry: JournaledTransaction) -> Tracked:
        """Follow a transaction found in the journal; it is sent again unless it is found mined."""
        tracked = self._follow(entry)
        self._wake.set()
        return tracked

    def _follow(self, entry: JournaledTransaction) -> Tracked:
        tracked = self._by_hash.get(entry.tx_hash)
        if tracked is None:
            tracked = self._by_hash[entry.tx_hash] = Tracked(entry)
            self._unmined[entry.tx_hash] = tracked
        return tracked

    async def mined(self, entry: JournaledTransaction) -> Receipt:
        """The receipt, once there is one. It may still be taken back: only `final` is for ever. Raises NonceLost."""
        tracked = self.adopt(entry)
        while tracked.receipt is None:
            if tracked.is_lost:
                raise NonceLost(f"nonce {entry.nonce} of {entry.from_address} was used by another transaction")
            await tracked.mined.wait()
        return tracked.receipt

    async def final(self, entry: JournaledTransaction) -> Receipt:
        """The receipt that can no longer change. Raises NonceLost."""
        tracked = self.adopt(entry)
        await tracked.final.wait()
        if tracked.receipt is None:
            raise NonceLost(f"nonce {entry.nonce} of {entry.from_address} was used by another transaction")
        return tracked.receipt

    def forget(self, entries: Iterable[JournaledTransaction]) -> None:
        """Drop transactions whose operation is closed."""
        for entry in entries:
            self._by_hash.pop(entry.tx_hash, None)

    async def run(self) -> None:
        """Look for receipts for ever; idle while nothing is under way. Runs as a task that its owner cancels."""
        while True:
            if not self._unmined:
                self._wake.clear()
                await self._wake.wait()
            try:
                await self._look()
                await self._send_overdue()
            except (RpcUnavailable, RpcError) as error:
                log.warning("tracker.paused", chain_id=self._node.network.chain_id, reason=str(error))
                await asyncio.sleep(self._node.network.head_poll_s)
            await asyncio.sleep(self._node.network.receipt_poll_s)

    async def _look(self) -> None:
        waiting = list(self._unmined.values())
        for start in range(0, len(waiting), _POLL_CHUNK):
            chunk = waiting[start : start + _POLL_CHUNK]
            receipts = await self._node.receipts([tracked.entry.tx_hash for tracked in chunk])
            found = [
                (tracked, receipt) for tracked, receipt in zip(chunk, receipts, strict=True) if receipt is not None
            ]
            for tracked, receipt in found:
                self._mark_mined(tracked, receipt)
            await self._note([_state(tracked, "mined", receipt) for tracked, receipt in found])

    def _mark_mined(self, tracked: Tracked, receipt: Receipt) -> None:
        tracked.receipt = receipt
        self._unmined.pop(tracked.entry.tx_hash, None)
        tracked.mined.set()

    async def _send_overdue(self) -> None:
        limit = monotonic_s() - self._node.network.rebroadcast_s
        overdue = [tracked for tracked in self._unmined.values() if tracked.broadcast_at_s < limit]
        overdue.sort(key=lambda tracked: (tracked.entry.from_address, tracked.entry.nonce))
        for tracked in overdue:
            log.info("transaction.rebroadcast", tx_id=tracked.entry.tx_id, tx_hash=tracked.entry.tx_hash)
        if self._node.network.is_dev and any(tracked.sent >= _STUCK_AFTER for tracked in overdue):
            # anvil's pool can forget that a transaction is ready and then keeps it for ever (foundry #10122): start the pool afresh.
            log.warning("transaction.pool_restarted", count=len(overdue))
            await self._node.empty_pool()
        await self._send(overdue)

    async def _send(self, tracked: list[Tracked]) -> None:
        if not tracked:
            return
        for item in tracked:
            item.broadcast_at_s = monotonic_s()
            item.sent += 1
            item.first_sent_at_s = min(item.first_sent_at_s, item.broadcast_at_s)
        try:
            answers = await self._node.send_raw([item.entry.raw for item in tracked])
        except RpcUnavailable as error:
            # Taken or not, nobody knows: the bytes are journaled, so sending them again later is always right.
            log.warning("transaction.broadcast_unknown", count=len(tracked), reason=str(error))
            return
        for item, answer in zip(tracked, answers, strict=True):
            if answer is not None and not any(text in answer.message.lower() for text in _KNOWN):
                log.warning("transaction.broadcast_refused", tx_id=item.entry.tx_id, nonce=item.entry.nonce, reason=answer.message)  # fmt: skip

    async def finalize(self, number: int) -> None:
        """Blocks up to `number` are final and their events are published. Receipts are asked for again, because the block may have changed."""
        due = [t for t in self._by_hash.values() if not t.is_final and t.receipt is not None and t.receipt.block_number <= number]  # fmt: skip
        records: list[Record] = []
        for start in range(0, len(due), _POLL_CHUNK):
            chunk = due[start : start + _POLL_CHUNK]
            receipts = await self._node.receipts([tracked.entry.tx_hash for tracked in chunk])
            for tracked, receipt in zip(chunk, receipts, strict=True):
                if receipt is None:
                    self._mark_lost(tracked)
                elif receipt.block_number <= number:
                    tracked.receipt, tracked.is_final = receipt, True
                    records.append(_state(tracked, "final" if receipt.ok else "reverted", receipt))
                else:
                    tracked.receipt = receipt
        records += await self._lost_nonces(number)
        await self._note(records)
        for tracked in due:
            if tracked.is_final:
                tracked.final.set()

    async def _lost_nonces(self, number: int) -> list[Record]:
        """Transactions whose nonce is spent in a final block although none of ours was mined with it: proof that they never will be."""
        limit = monotonic_s() - self._node.network.rebroadcast_s
        records: list[Record] = []
        for tracked in [t for t in self._unmined.values() if t.broadcast_at_s > -1e9 and t.first_sent_at_s < limit]:
            entry = tracked.entry
            if await self._node.nonce(entry.from_address, number) <= entry.nonce:
                continue
            if (await self._node.receipts([entry.tx_hash]))[0] is not None:
                continue
            log.error("transaction.nonce_lost", tx_id=entry.tx_id, address=entry.from_address, nonce=entry.nonce)
            self._unmined.pop(entry.tx_hash)
            tracked.is_lost = True
            tracked.mined.set()
            tracked.final.set()
            records.append({"op": "dead_letter", "kind": "operation", "ref_id": entry.tx_id, "error": "nonce used by another transaction",
                            "payload": {"tx_hash": entry.tx_hash, "nonce": entry.nonce, "from_address": entry.from_address}})  # fmt: skip
        return records

    async def take_back(self, above: int) -> None:
        """A reorganisation removed the blocks above a number: what was mined there is under way again."""
        lost = [t for t in self._by_hash.values() if not t.is_final and t.receipt is not None and t.receipt.block_number > above]  # fmt: skip
        for tracked in lost:
            self._mark_lost(tracked)
        await self._note([_state(tracked, "broadcast", None) for tracked in lost])

    def _mark_lost(self, tracked: Tracked) -> None:
        log.warning("transaction.taken_back", tx_id=tracked.entry.tx_id, tx_hash=tracked.entry.tx_hash)
        tracked.receipt = None
        tracked.mined.clear()
        tracked.broadcast_at_s = -1e9  # the pool has dropped it too: send at once
        self._unmined[tracked.entry.tx_hash] = tracked
        self._wake.set()

    async def _note(self, records: list[Record]) -> None:
        if records:
            await self._journal.write(records)


def _state(tracked: Tracked, state: str, receipt: Receipt | None) -> Record:
    record: Record = {"op": "tx_state", "tx_id": tracked.entry.tx_id, "state": state}
    if receipt is None:
        return record
    return record | {"block_number": receipt.block_number, "block_hash": receipt.block_hash, "gas_used": receipt.gas_used}  # fmt: skip
