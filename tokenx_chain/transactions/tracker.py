"""Follows every journaled transaction from broadcast to final, whatever the network or a reorganisation does to it.

Losing sight of a transaction is never an end: its bytes are sent again until a final receipt, of any of its attempts, settles the matter."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Final

from tokenx_chain.contracts.errors import Refusal
from tokenx_chain.journal import Journal, JournaledTransaction, Record, SignJob
from tokenx_chain.networks.evm import EvmNode, Receipt
from tokenx_chain.networks.rpc import RpcError, RpcUnavailable
from tokenx_chain.signers.errors import NotDecided, SignerError, SignerUnavailable
from tokenx_chain.transactions.answers import Answer, read_answer
from tokenx_chain.transactions.errors import IntentCancelled, NonceLost
from tokenx_chain.transactions.replacer import NotReplaceable, Replacer
from tokenx_chain.transactions.tracked import Tracked
from tokenx_common.clock import monotonic_s
from tokenx_common.log import get_logger

__all__ = ["IntentCancelled", "NonceLost", "Tracked", "Tracker"]

log = get_logger(__name__)

_POLL_CHUNK: Final = 100
_SEND_CHUNK: Final = 50
_LOOK_EVERY_S: Final = 1.0
_RECHECKED: Final = 16
"""Blocks below the head that are compared again with each new head; what is deeper is looked at when it becomes final."""
_STUCK_AFTER: Final = 3
"""Times a transaction has been sent to the development node before its pool is suspected."""
_WORST_LAST: Final = (Answer.KNOWN, Answer.NONCE_USED, Answer.NONCE_AHEAD, Answer.BUSY, Answer.UNCLEAR, Answer.FUNDS, Answer.FEE_LOW,
                      Answer.UNDERPRICED, Answer.NEVER)  # fmt: skip
"""Where two nodes disagree, the answer that leaves more open counts."""
_REASONS: Final = {Answer.FUNDS: "insufficient_funds", Answer.FEE_LOW: "fee_below_base", Answer.UNDERPRICED: "underpriced",
                   Answer.NEVER: "never_valid"}  # fmt: skip

Explain = Callable[[Tracked, Receipt], Awaitable[Refusal]]
Rebind = Callable[[Tracked], Awaitable[None]]


class Tracker:
    """All open transactions of one chain. Owns their receipts; the listener tells it what became final or was taken back."""

    def __init__(self, node: EvmNode, journal: Journal, *, replacer: Replacer | None = None, explain: Explain | None = None) -> None:  # fmt: skip
        self._node = node
        self._journal = journal
        self._replacer = replacer
        self._explain = explain
        self.on_rebind: Rebind | None = None
        """Gives an intent a new nonce after its own was lost for ever."""
        self._by_id: dict[str, Tracked] = {}
        self._by_hash: dict[str, Tracked] = {}
        self._unmined: dict[str, Tracked] = {}
        self._notes: list[Record] = []
        self._unsigned_from: dict[str, int] = {}
        self._ever_held: set[str] = set()
        self._found: dict[str, list[SignJob]] = {}
        self._tending: dict[str, asyncio.Task[None]] = {}
        self._wake = asyncio.Event()
        self._moved = asyncio.Event()
        self._seen_head = ""
        self._look_by_s = 0.0

    # -- what others ask ------------------------------------------------------------------------------------------------------------

    def find(self, tx_hash: str) -> JournaledTransaction | None:
        """Which of our transactions a hash is."""
        tracked = self._by_hash.get(tx_hash)
        return tracked.entry if tracked else None

    def get(self, tx_id: str) -> Tracked | None:
        """A transaction under way, or final and not yet forgotten."""
        return self._by_id.get(tx_id)

    def mined_hash(self, entry: JournaledTransaction) -> str:
        """Under which hash it is mined; the one it was first sent with while it is not."""
        tracked = self._by_id.get(entry.tx_id)
        return tracked.mined_by.tx_hash if tracked and tracked.mined_by else entry.tx_hash

    @property
    def oldest_unmined_s(self) -> float:
        """Seconds since the transaction that has waited longest was first sent; 0 when all are mined."""
        return max((monotonic_s() - t.first_sent_at_s for t in self._unmined.values() if t.sent), default=0.0)

    @property
    def paused(self) -> dict[str, str]:
        """Why a transaction does not get on, by its id."""
        return {t.entry.tx_id: t.paused for t in self._unmined.values() if t.paused}

    def in_flight(self, address: str) -> list[Tracked]:
        """Signed and not mined."""
        return [tracked for tracked in self._unmined.values() if tracked.entry.from_address == address]

    def open_count(self, address: str) -> int:
        """Transactions that are not final, mined ones included."""
        return sum(t.entry.from_address == address and not t.is_final and not t.is_lost for t in self._by_id.values())

    def held_nonces(self, address: str) -> set[int]:
        """Nonces that transactions of ours have, mined or not, final and not yet forgotten ones included."""
        return {
            attempt.nonce
            for tracked in self._by_id.values()
            if tracked.entry.from_address == address
            for attempt in tracked.attempts
        }

    def hold_above(self, address: str, nonce: int | None) -> None:
        """What is signed above a nonce that is not waits for it. None: nothing waits any more."""
        before = self._unsigned_from.pop(address, None)
        if nonce is not None:
            self._unsigned_from[address] = nonce
            self._ever_held.add(address)
        if before is not None and (nonce is None or nonce > before):
            self._wake.set()

    def _waits(self, tracked: Tracked) -> bool:
        return tracked.active.nonce > self._unsigned_from.get(tracked.entry.from_address, tracked.active.nonce)

    def committed(self, address: str) -> int:
        """The most that what is in flight may still take from an address, in wei."""
        return sum(tracked.cost for tracked in self.in_flight(address))

    async def room(self, address: str, limit: int) -> int:
        """How many more may be in flight, at least one: waits for it."""
        while (free := limit - len(self.in_flight(address))) <= 0:
            self._moved.clear()
            await self._moved.wait()
        return free

    async def mined(self, entry: JournaledTransaction) -> Receipt:
        """The receipt, once there is one. It may still be taken back: only `final` is for ever. Raises NonceLost, IntentCancelled (once that is final)."""
        tracked = self.adopt(entry)
        while tracked.receipt is None or tracked.is_cancelled:
            if tracked.is_lost:
                raise NonceLost(f"nonce {entry.nonce} of {entry.from_address} was used by another transaction")
            if tracked.is_cancelled:
                return await self.final(entry)
            await tracked.mined.wait()
        return tracked.receipt

    async def final(self, entry: JournaledTransaction) -> Receipt:
        """The receipt that can no longer change. Raises NonceLost, IntentCancelled."""
        tracked = self.adopt(entry)
        await tracked.final.wait()
        if tracked.receipt is None:
            raise NonceLost(f"nonce {entry.nonce} of {entry.from_address} was used by another transaction")
        if tracked.is_cancelled:
            raise IntentCancelled(f"{entry.tx_id} was cancelled")
        return tracked.receipt

    def forget(self, entries: Iterable[JournaledTransaction]) -> None:
        """Drop transactions whose operation is closed."""
        for entry in entries:
            tracked = self._by_id.pop(entry.tx_id, None)
            for tx_hash in tracked.hashes if tracked else ():
                self._by_hash.pop(tx_hash, None)

    # -- taking up ------------------------------------------------------------------------------------------------------------------

    async def broadcast(self, entries: Iterable[JournaledTransaction]) -> None:
        """Send journaled bytes, in order, and follow them. Never raises for what the node says or fails to say."""
        followed = [self._follow(entry) for entry in entries]
        waited = [t for t in self._unmined.values() if t.entry.from_address in self._ever_held and not t.sent] if self._ever_held else []  # fmt: skip
        ready = {tracked.entry.tx_id: tracked for tracked in (*waited, *followed) if not self._waits(tracked)}
        await self._send(sorted(ready.values(), key=lambda t: (t.entry.from_address, t.active.nonce)) if waited else list(ready.values()))  # fmt: skip
        self._wake.set()

    def adopt(self, entry: JournaledTransaction) -> Tracked:
        """Follow a transaction found in the journal; it is sent again unless it is found mined."""
        tracked = self._follow(entry)
        self._wake.set()
        return tracked

    def _follow(self, entry: JournaledTransaction) -> Tracked:
        tracked = self._by_id.get(entry.tx_id)
        if tracked is None:
            tracked = self._by_id[entry.tx_id] = Tracked.of(entry)
            self._by_hash.update(dict.fromkeys(tracked.hashes, tracked))
            self._unmined[entry.tx_id] = tracked
            if entry.attempts:
                self._look_by_s = 0.0  # out of the journal: it may have been mined long ago
            for job in self._found.pop(entry.tx_id, ()):
                _remember(tracked, job)
        return tracked

    def take_up(self, job: SignJob) -> None:
        """A replacement that was asked for before a restart; its transaction follows."""
        tracked = self._by_id.get(job.tx_id)
        if tracked is None:
            self._found.setdefault(job.tx_id, []).append(job)
        else:
            _remember(tracked, job)

    def give_up(self, tracked: Tracked) -> None:
        """A lost transaction gets no other nonce: its signature was refused."""
        tracked.is_lost = True
        tracked.mined.set()
        tracked.final.set()

    async def rebound(self, tracked: Tracked) -> None:
        """A lost transaction has journaled bytes under a new nonce."""
        tracked.is_lost = False
        tracked.mined.clear()
        tracked.final.clear()
        tracked.first_sent_at_s = 1e18
        self._by_hash[tracked.active.tx_hash] = tracked
        self._unmined[tracked.entry.tx_id] = tracked
        await self._send([tracked])
        self._wake.set()

    # -- replacing ------------------------------------------------------------------------------------------------------------------

    async def cancel(self, tracked: Tracked) -> None:
        """Put nothing in its place, if that is still possible: which of the two is mined decides. Raises NotReplaceable, RpcUnavailable, SignerError."""
        await self._replace(tracked, is_cancel=True)

    async def speed_up(self, tracked: Tracked) -> None:
        """Offer more for it. Raises as cancel."""
        await self._replace(tracked, is_cancel=False)

    async def _replace(self, tracked: Tracked, *, is_cancel: bool, seen: "_Seen | None" = None) -> None:
        """seen: what it was decided on. Somebody else may have replaced it while this waited for its turn."""
        if self._replacer is None:
            raise NotReplaceable("no_replacement_here")
        async with tracked.replacing:
            if tracked.receipt is not None or tracked.is_lost:
                raise NotReplaceable("already_mined")
            if (is_cancel and tracked.active.kind == "cancel") or seen not in (None, _seen(tracked)):
                return
            await (self._replacer.cancel(tracked) if is_cancel else self._replacer.bump(tracked))
            self._by_hash[tracked.active.tx_hash] = tracked
        await self._send([tracked])
        self._wake.set()

    async def _tend(self) -> None:
        """Replace what holds its sender up: only each sender's next transaction, the others wait for that one anyway."""
        after_s = self._node.network.bump_after_s
        if self._replacer is None or after_s is None:
            return
        now_s = monotonic_s()
        self._look_after_tasks()
        for tracked in self._next_of_each():
            if self._waits(tracked):
                continue
            is_stuck = now_s - tracked.attempt_sent_at_s > after_s
            if tracked.asked is not None:
                await self._see_to(tracked, is_cancel=tracked.asked.kind == "cancel")
            elif tracked.is_hopeless and tracked.active.kind != "cancel":
                await self._see_to(tracked, is_cancel=True)
            elif tracked.wants_bump or (is_stuck and tracked.paused != "insufficient_funds"):
                await self._see_to(tracked, is_cancel=False)

    async def _see_to(self, tracked: Tracked, *, is_cancel: bool) -> None:
        """Aside, where a signature may take long: receipts must be looked for meanwhile."""
        assert self._replacer is not None, "looked at by the caller"
        if not self._replacer.is_slow:
            await self._tend_one(tracked, _seen(tracked), is_cancel=is_cancel)
        elif tracked.entry.tx_id not in self._tending:
            work = self._tend_aside(tracked, _seen(tracked), is_cancel=is_cancel)
            self._tending[tracked.entry.tx_id] = asyncio.create_task(work, name=f"replacing:{tracked.entry.tx_id}")

    async def _tend_aside(self, tracked: Tracked, seen: "_Seen", *, is_cancel: bool) -> None:
        try:
            await self._tend_one(tracked, seen, is_cancel=is_cancel)
        except (RpcUnavailable, RpcError) as error:
            log.warning("tracker.paused", chain_id=self._node.network.chain_id, reason=str(error))

    def _look_after_tasks(self) -> None:
        """What ended is forgotten; what failed by a fault of ours fails here."""
        for tx_id, task in list(self._tending.items()):
            if task.done():
                del self._tending[tx_id]
                task.result()

    async def _tend_one(self, tracked: Tracked, seen: "_Seen", *, is_cancel: bool) -> None:
        """Whatever the key holder says, the transaction stays as it is and is looked after again."""
        try:
            await self._replace(tracked, is_cancel=is_cancel, seen=seen)
        except NotReplaceable as error:
            tracked.wants_bump = False
            tracked.attempt_sent_at_s = monotonic_s()  # look again after another while: the base fee may have come down
            self._pause(tracked, str(error))
        except NotDecided:
            pass  # people take their time; the same is asked for again
        except SignerUnavailable as error:
            log.warning("transaction.signer_unavailable", tx_id=tracked.entry.tx_id, reason=str(error))
        except SignerError as error:
            tracked.attempt_sent_at_s = monotonic_s()
            if tracked.paused != error.code:
                log.error("transaction.held_by_signer", tx_id=tracked.entry.tx_id, code=error.code, detail=error.detail)
            self._pause(tracked, error.code)

    def _next_of_each(self) -> list[Tracked]:
        first: dict[str, Tracked] = {}
        for tracked in self._unmined.values():
            other = first.get(tracked.entry.from_address)
            if other is None or tracked.active.nonce < other.active.nonce:
                first[tracked.entry.from_address] = tracked
        return list(first.values())

    # -- looking and sending --------------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Look for receipts for ever; idle while everything is final. Runs as a task that its owner cancels."""
        try:
            await self._run()
        finally:
            for task in self._tending.values():
                task.cancel()
            await asyncio.gather(*self._tending.values(), return_exceptions=True)

    async def _run(self) -> None:
        while True:
            if not self._unmined and not self._notes and all(t.is_final or t.is_lost for t in self._by_id.values()):
                self._wake.clear()
                await self._wake.wait()
            try:
                await self._look()
                await self._send_overdue()
                await self._tend()
            except (RpcUnavailable, RpcError) as error:
                log.warning("tracker.paused", chain_id=self._node.network.chain_id, reason=str(error))
                await asyncio.sleep(self._node.network.head_poll_s)
            await asyncio.sleep(self._node.network.receipt_poll_s)

    async def _look(self) -> None:
        """Ask for receipts when there is a new block, and every now and then without one: the endpoint may have lagged."""
        head = (await self._node.head()).hash
        is_worth_it = head != self._seen_head or monotonic_s() > self._look_by_s
        if is_worth_it:
            self._seen_head, self._look_by_s = head, monotonic_s() + _LOOK_EVERY_S
            await self._recheck()
        waiting = list(self._unmined.values()) if is_worth_it else []
        found: list[Tracked] = []
        for start in range(0, len(waiting), _POLL_CHUNK):
            for tracked, receipt in await self._receipts(waiting[start : start + _POLL_CHUNK]):
                if receipt is not None:
                    self._mark_mined(tracked, receipt)
                    found.append(tracked)
        if found:
            self._moved.set()
        notes, self._notes = self._notes, []
        await self._note(notes + [tracked.state_record("mined") for tracked in found if tracked.receipt is not None])

    async def _recheck(self) -> None:
        """Take back what was mined in a recent block that is not the chain's any more. The listener does so too, but only for blocks it has seen."""
        recent: dict[int, set[str]] = defaultdict(set)
        for tracked in self._by_id.values():
            if tracked.receipt is not None and not tracked.is_final:
                recent[tracked.receipt.block_number].add(tracked.receipt.block_hash)
        numbers = sorted(recent)[-_RECHECKED:]
        blocks = await self._node.blocks(numbers) if numbers else []
        moved = [
            number
            for number, block in zip(numbers, blocks, strict=True)
            if block is not None and recent[number] != {block.hash}
        ]
        if moved:
            await self.take_back(moved[0] - 1)

    async def _receipts(self, chunk: Sequence[Tracked]) -> list[tuple[Tracked, Receipt | None]]:
        """The receipt of whichever attempt of each is mined."""
        asked = [(tracked, tx_hash) for tracked in chunk for tx_hash in tracked.hashes]
        told = await self._node.receipts([tx_hash for _, tx_hash in asked])
        by_id = {tracked.entry.tx_id: receipt for (tracked, _), receipt in zip(asked, told, strict=True) if receipt}
        return [(tracked, by_id.get(tracked.entry.tx_id)) for tracked in chunk]

    def _mark_mined(self, tracked: Tracked, receipt: Receipt) -> None:
        self._unmined.pop(tracked.entry.tx_id, None)
        tracked.found(receipt)

    async def _send_overdue(self) -> None:
        limit = monotonic_s() - self._node.network.rebroadcast_s
        overdue = [t for t in self._unmined.values() if t.broadcast_at_s < limit and not self._waits(t)]
        overdue.sort(key=lambda tracked: (tracked.entry.from_address, tracked.active.nonce))
        for tracked in overdue:
            log.info("transaction.rebroadcast", tx_id=tracked.entry.tx_id, tx_hash=tracked.active.tx_hash)
        if self._node.network.is_dev and any(
            tracked.sent >= _STUCK_AFTER and not tracked.paused for tracked in overdue
        ):
            # anvil's pool can forget that a transaction is ready and then keeps it for ever (foundry #10122): start the pool afresh.
            log.warning("transaction.pool_restarted", count=len(overdue))
            await self._node.empty_pool()
            ready = [tracked for tracked in self._unmined.values() if not self._waits(tracked)]
            overdue = sorted(ready, key=lambda t: (t.entry.from_address, t.active.nonce))
        await self._send(overdue)

    async def _send(self, tracked: list[Tracked]) -> None:
        for start in range(0, len(tracked), _SEND_CHUNK):
            await self._send_chunk(tracked[start : start + _SEND_CHUNK])

    async def _send_chunk(self, chunk: list[Tracked]) -> None:
        for item in chunk:
            item.broadcast_at_s = monotonic_s()
            item.sent += 1
            item.first_sent_at_s = min(item.first_sent_at_s, item.broadcast_at_s)
            item.attempt_sent_at_s = min(item.attempt_sent_at_s, item.broadcast_at_s)
        attempts = [item.active for item in chunk]
        try:
            answers = await self._node.send_raw([attempt.raw for attempt in attempts])
        except RpcUnavailable as error:
            # Taken or not, nobody knows: the bytes are journaled, so sending them again later is always right.
            log.warning("transaction.broadcast_unknown", count=len(chunk), reason=str(error))
            return
        for item, attempt, refusals in zip(chunk, attempts, answers, strict=True):
            if item.active is attempt and item.receipt is None:
                self._heard(item, refusals)

    def _heard(self, tracked: Tracked, refusals: tuple[RpcError, ...]) -> None:
        """Act on what the nodes said to the bytes that are out."""
        answer = min((read_answer(error.message) for error in refusals), key=_WORST_LAST.index, default=Answer.TAKEN)
        if answer in (Answer.TAKEN, Answer.KNOWN):
            tracked.paused = None
            if tracked.noted not in ("broadcast", "mined", "cancel_requested"):
                self._notes.append(tracked.state_record("broadcast"))
            return
        if answer in (Answer.NONCE_USED, Answer.NONCE_AHEAD, Answer.BUSY):
            return  # mined, or to be sent again later: the next look tells
        if tracked.paused is None:
            log.warning("transaction.broadcast_refused", tx_id=tracked.entry.tx_id, nonce=tracked.active.nonce, answer=answer, reason=refusals[0].message)  # fmt: skip
        tracked.wants_bump = answer in (Answer.FEE_LOW, Answer.UNDERPRICED)
        tracked.is_hopeless = answer is Answer.NEVER
        self._pause(tracked, _REASONS.get(answer, "refused"))

    def _pause(self, tracked: Tracked, reason: str) -> None:
        if tracked.paused == reason:
            return
        tracked.paused = reason
        log.warning("transaction.paused", tx_id=tracked.entry.tx_id, nonce=tracked.active.nonce, reason=reason)
        state = "cancel_requested" if tracked.active.kind == "cancel" else "paused"
        self._notes.append(tracked.state_record(state, reason=reason))

    # -- finality and reorganisations -----------------------------------------------------------------------------------------------

    async def finalize(self, number: int) -> None:
        """Blocks up to `number` are final and their events are published. Receipts are asked for again, because the block may have changed,
        and of two nodes where there are two."""
        due = [t for t in self._by_id.values() if not t.is_final and t.receipt is not None and t.receipt.block_number <= number]  # fmt: skip
        records: list[Record] = []
        for start in range(0, len(due), _POLL_CHUNK):
            records += await self._finalize_some(due[start : start + _POLL_CHUNK], number)
        lost = await self._lost_nonces() if self._may_be_lost() else []
        records += [self._lost_record(tracked) for tracked in lost]
        await self._note(records)
        for tracked in due:
            if tracked.is_final:
                tracked.final.set()
        for tracked in lost:
            await self._end_lost(tracked)

    async def _finalize_some(self, chunk: list[Tracked], number: int) -> list[Record]:
        asked = [(tracked, tx_hash) for tracked in chunk for tx_hash in tracked.hashes]
        told = await self._node.agreed_receipts([tx_hash for _, tx_hash in asked])
        answers: dict[str, list[object]] = defaultdict(list)
        for (tracked, _), receipt in zip(asked, told, strict=True):
            answers[tracked.entry.tx_id].append(receipt)
        records: list[Record] = []
        for tracked in chunk:
            mine = answers[tracked.entry.tx_id]
            receipt = next((one for one in mine if isinstance(one, Receipt)), None)
            if receipt is not None:
                tracked.found(receipt)
                if receipt.block_number <= number:
                    tracked.is_final = True
                    records.append(await self._end_record(tracked, receipt))
            elif "unsure" not in mine:
                records.append(self._mark_taken_back(tracked))
        return records

    async def _end_record(self, tracked: Tracked, receipt: Receipt) -> Record:
        if tracked.is_cancelled:
            return tracked.state_record("cancelled")
        if receipt.ok:
            return tracked.state_record("final")
        refusal = await self._explain(tracked, receipt) if self._explain else Refusal("contract.reverted", "reverted")
        return tracked.state_record("reverted", revert_code=refusal.code, revert_reason=refusal.detail[:1000])

    def _may_be_lost(self) -> list[Tracked]:
        limit = monotonic_s() - self._node.network.rebroadcast_s
        return [t for t in self._unmined.values() if t.sent and t.first_sent_at_s < limit]

    async def _lost_nonces(self) -> list[Tracked]:
        """Transactions whose nonce is spent in a final block although none of their attempts was mined with it: proof that they never will be."""
        suspects = self._may_be_lost()
        final = await self._node.finalized_number(await self._node.head())
        used = {
            address: await self._node.nonce(address, max(0, final))
            for address in {t.entry.from_address for t in suspects}
        }
        lost: list[Tracked] = []
        for tracked in suspects:
            if used[tracked.entry.from_address] <= tracked.active.nonce or tracked.receipt is not None:
                continue
            if any(told is not None for told in await self._node.agreed_receipts(tracked.hashes)):
                continue
            lost.append(tracked)
        return lost

    def _lost_record(self, tracked: Tracked) -> Record:
        entry, active = tracked.entry, tracked.active
        log.error("transaction.nonce_lost", tx_id=entry.tx_id, address=entry.from_address, nonce=active.nonce)
        return tracked.state_record("nonce_lost", reason="nonce_consumed_externally")

    async def _end_lost(self, tracked: Tracked) -> None:
        """Once, and only where that was agreed beforehand, the intent gets a new nonce; else it has failed, with proof."""
        entry = tracked.entry
        self._unmined.pop(entry.tx_id, None)
        self._moved.set()
        is_first_time = not any(attempt.kind == "rebind" for attempt in tracked.attempts)
        if entry.safe_to_rebind and is_first_time and self.on_rebind is not None and tracked.active.kind != "cancel":
            await self.on_rebind(tracked)
            return
        tracked.is_lost = True
        tracked.mined.set()
        tracked.final.set()
        await self._note([{"op": "dead_letter", "kind": "transaction", "ref_id": entry.tx_id, "error": "nonce used by another transaction",
                           "payload": {"tx_hash": tracked.active.tx_hash, "nonce": tracked.active.nonce, "from_address": entry.from_address}}])  # fmt: skip

    async def take_back(self, above: int) -> None:
        """A reorganisation removed the blocks above a number: what was mined there is under way again."""
        gone = [t for t in self._by_id.values() if not t.is_final and t.receipt is not None and t.receipt.block_number > above]  # fmt: skip
        await self._note([self._mark_taken_back(tracked) for tracked in gone])

    def _mark_taken_back(self, tracked: Tracked) -> Record:
        log.warning("transaction.taken_back", tx_id=tracked.entry.tx_id, tx_hash=tracked.active.tx_hash)
        tracked.taken_back()
        self._unmined[tracked.entry.tx_id] = tracked
        self._wake.set()
        return tracked.state_record(
            "cancel_requested" if tracked.active.kind == "cancel" else "broadcast", reason="reorganised"
        )

    async def _note(self, records: list[Record]) -> None:
        if records:
            await self._journal.write(records)


def _remember(tracked: Tracked, job: SignJob) -> None:
    """What was asked for before a restart counts only for the attempt that would be next."""
    if job.attempt != tracked.active.number + 1:
        return
    if job.state == "open":
        tracked.asked = job
    else:
        tracked.spent += 1


_Seen = tuple[int, SignJob | None]
"""Attempts that were there, and what was asked for."""


def _seen(tracked: Tracked) -> _Seen:
    return len(tracked.attempts), tracked.asked
