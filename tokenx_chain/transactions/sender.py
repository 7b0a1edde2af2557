"""One actor per (chain, address): the only place where a nonce is given out.

Order of things for each intent: policy, fees, funds, nonce, signature, journal commit, broadcast. A crash before the commit leaves nothing behind;
a crash after it leaves bytes that the next start sends unchanged. What cannot be paid or priced waits before its nonce is given out."""

import asyncio
import contextvars
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Final

from tokenx_chain.contracts.calls import Call
from tokenx_chain.journal import Attempt, Journal, JournaledTransaction, Record, SignJob, Unsigned
from tokenx_chain.networks import rules
from tokenx_chain.networks.evm import Account, EvmNode
from tokenx_chain.networks.rpc import RpcError, RpcUnavailable
from tokenx_chain.policy.gate import Gate, Pass
from tokenx_chain.signers.base import Signer, SignerUnavailable, UnsignedTransaction
from tokenx_chain.signers.errors import SignerError
from tokenx_chain.transactions.asking import Asked, Asker, attempt_id, context_of
from tokenx_chain.transactions.errors import IntentCancelled, IntentRefused
from tokenx_chain.transactions.fees import Fees, first_fees
from tokenx_chain.transactions.funds import Promises
from tokenx_chain.transactions.queue import Intent, Nonces, Queued
from tokenx_chain.transactions.slow import SlowLine, Spawn
from tokenx_chain.transactions.tracker import Tracked, Tracker
from tokenx_common.log import get_logger

__all__ = ["Intent", "Sender", "Senders"]

log = get_logger(__name__)

BATCH: Final = 50
RETRY_S: Final = 0.2


class Sender:
    """Sends for one address, first come first served."""

    def __init__(self, *, key_ref: str, address: str, next_nonce: int, node: EvmNode, signer: Signer, journal: Journal, tracker: Tracker,
                 gate: Gate, spawn: Spawn) -> None:  # fmt: skip
        self.address = address
        self.key_ref = key_ref
        self._paused: str | None = None
        self._node = node
        self._nonces = Nonces(next_nonce)
        self._asker = Asker(signer, key_ref)
        self._can = signer.capabilities
        self._journal = journal
        self._tracker = tracker
        self._gate = gate
        self._queue: deque[Queued] = deque()
        self._arrived = asyncio.Event()
        self._slow = SlowLine(address=address, key_ref=key_ref, chain_id=node.network.chain_id, nonces=self._nonces, asker=self._asker,
                              journal=journal, tracker=tracker, spawn=spawn, on_change=self._arrived.set, give_back=gate.give_back)  # fmt: skip

    @property
    def paused(self) -> str | None:
        """Why nothing is signed at the moment."""
        return self._asker.why or self._paused or ("nonce_gap" if self._slow.is_stuck else None)

    @property
    def next_nonce(self) -> int:
        """The first that nothing is bound to and nothing above it either."""
        return self._nonces.next

    @property
    def unsigned_nonces(self) -> set[int]:
        """Those being signed for, and those given back that somebody will take."""
        return self._slow.nonces | self._nonces.gaps

    @property
    def queued(self) -> list[str]:
        """Intents without a nonce, in their order."""
        return [item.intent.tx_id for item in self._queue]

    def enqueue(self, intent: Intent) -> asyncio.Future[JournaledTransaction]:
        """Take the intent in order of calling. The future holds the transaction once its bytes are durable; it raises IntentRefused or IntentCancelled."""
        return self._slow.taken_up(intent.tx_id) or self._add(
            Queued(intent, asyncio.get_running_loop().create_future())
        )

    def take_up(self, job: SignJob) -> None:
        """Go on with a signature that was asked for before a restart, or with the gap that a refused one left."""
        self._slow.take_up(job)
        self._arrived.set()

    def is_signing(self, tx_id: str) -> bool:
        """Whether a signature for it was asked for before a restart: what it says is decided."""
        return self._slow.taken_up(tx_id) is not None

    def rebind(self, tracked: Tracked, call: Call, gas: int) -> None:
        """Give a lost intent a new nonce, in its turn."""
        if self._slow.rebinds(tracked):
            return
        entry = tracked.entry
        intent = Intent(entry.operation_id, entry.step, call, gas)  # let pass before, and counted then
        passed = Pass(entry.policy_id, 0)
        self._add(Queued(intent, asyncio.get_running_loop().create_future(), allowed=passed, lost=tracked))

    def _add(self, item: Queued) -> asyncio.Future[JournaledTransaction]:
        self._queue.append(item)
        self._arrived.set()
        return item.journaled

    async def withdraw(self, tx_id: str) -> bool:
        """Take an intent that has no nonce out of the queue. False: it is not here, or its bytes are being signed."""
        item = next((item for item in self._queue if item.intent.tx_id == tx_id and item.lost is None), None)
        if item is None:
            return False
        self._queue.remove(item)
        await self._journal.write([self._note(item, "cancelled", "withdrawn")])
        item.fail(IntentCancelled(f"{tx_id} was cancelled before it was signed"))
        return True

    async def run(self) -> None:
        """Work the queue for ever. Runs as a task that its owner cancels."""
        while True:
            while not self._queue and self._slow.gap is None:
                self._arrived.clear()
                await self._arrived.wait()
            await self._one_round()

    async def _one_round(self) -> None:
        """Sign and send as many as policy, room, price and money allow; wait a little when that is none."""
        room = await self._room()
        try:
            candidates = await self._allowed(min(BATCH, room)) if room > 0 else []
            account = await self._node.account(self.address)
            batch, fees = await self._affordable(candidates, account)
            if not batch:
                await self._see_to_gap(account)
        except (RpcUnavailable, RpcError) as error:
            await self._wait("node_away", [], str(error))
            return
        if batch and fees is not None:
            self._resume()
            await self._send(batch, fees, account.nonce)

    async def _room(self) -> int:
        """How many more may be asked for now. Waits for room, unless there is a gap to see to."""
        limit = self._node.network.in_flight
        if self._can.is_sync:
            return await self._tracker.room(self.address, limit)
        while True:
            asked = len(self._slow)
            free = min(self._can.max_inflight, limit - len(self._tracker.in_flight(self.address))) - asked
            if self._asker.is_stopped:
                free = 0  # people must look at what the key holder said before it is asked for more
            if free > 0 or self._slow.gap is not None:
                return free
            await asyncio.sleep(RETRY_S)

    async def _see_to_gap(self, account: Account) -> None:
        """Nobody takes a nonce that was given back while a later one is signed: put nothing there."""
        gap = self._slow.gap
        if gap is None:
            return
        fees = self._fees(account)
        if self._asker.is_stopped or fees is None or self._catch_up(account.nonce):
            await asyncio.sleep(RETRY_S)
            return
        await self._slow.fill(gap, fees)

    async def _allowed(self, wanted: int) -> list[Queued]:
        """The first in line that policy lets pass. One that waits for approval is passed by, with everything that follows it in its operation."""
        allowed: list[Queued] = []
        waiting: list[Queued] = []
        for item in list(self._queue):
            operation_id = item.intent.operation_id
            if any(other.intent.operation_id == operation_id for other in waiting):
                continue
            if await self._passes(item):
                allowed.append(item)
            elif item.allowed is not None:
                item.allowed = None  # asked again in the next round
                waiting.append(item)
            if len(allowed) >= wanted:
                break
        if waiting and not allowed:
            await self._wait("approval_required", waiting, "policy")
        return [item for item in allowed if item in self._queue]

    async def _passes(self, item: Queued) -> bool:
        """Whether it may be signed now. Refused for good: it leaves the queue, and item.allowed stays None."""
        intent = item.intent
        if item.allowed is not None and self._gate.is_stale(item.allowed):
            self._gate.give_back(item.allowed)
            item.allowed = None
        if item.allowed is None:
            try:
                item.allowed = await self._gate.check(self.key_ref, intent.call, kind=intent.kind, operation_id=intent.operation_id)  # fmt: skip
            except IntentRefused as refusal:
                await self._refuse(item, "rejected_policy", refusal)
                return False
        return item.allowed.waits_for is None

    async def _affordable(self, candidates: list[Queued], account: Account) -> tuple[list[Queued], Fees | None]:
        """As many from the front as the balance covers on top of everything in flight. Waits when that is none. What the network cannot take leaves the queue."""
        candidates = [item for item in candidates if not await self._is_impossible(item)]
        if not candidates:
            return [], None
        fees = self._fees(account)
        if fees is None:
            await self._wait("base_fee_spike", candidates, f"base fee {account.head.base_fee}")
            return [], None
        left = account.balance - self._tracker.committed(self.address) - self._slow.cost
        batch: list[Queued] = []
        for item in candidates:
            call, gas = item.intent.call, item.intent.gas
            left -= fees.cost(gas, call.value) + await self._node.l1_fee(call.data, gas=gas)
            if left < 0:
                break
            batch.append(item)
        if not batch:
            await self._wait("insufficient_funds", candidates, f"balance {account.balance}")
        return batch, fees

    def _fees(self, account: Account) -> Fees | None:
        """What a new transaction offers now. None: not even the next block can be paid under the cap."""
        network = self._node.network
        tip = rules.offered_tip(network, suggested=account.suggested_tip)
        return first_fees(base_fee=account.head.base_fee, tip=tip, cap=network.fee_cap_wei)

    async def _is_impossible(self, item: Queued) -> bool:
        """Whether the network's rules are against it, so that it has been refused. What has had a nonce before has passed them."""
        intent = item.intent
        found = rules.obstacle(self._node.network, value=intent.call.value, gas=intent.gas, data_bytes=len(intent.call.data))  # fmt: skip
        if found is None or item.lost is not None:
            return False
        await self._refuse(item, "failed_presubmit", IntentRefused(found.code, found.detail))
        return True

    async def _wait(self, reason: str, items: Sequence[Queued], detail: str) -> None:
        """Say once why nothing moves, and let a little time pass."""
        if self._paused != reason:
            log.warning("sender.paused", address=self.address, reason=reason, detail=detail)
            self._paused = reason
        fresh = [item for item in items if item.noted != reason and item.lost is None]
        if fresh:
            await self._journal.write([self._note(item, "paused", reason) for item in fresh])
        await asyncio.sleep(RETRY_S)

    def _resume(self) -> None:
        if self._paused is not None:
            log.info("sender.resumed", address=self.address, after=self._paused)
            self._paused = None

    def _note(self, item: Queued, state: str, reason: str) -> Record:
        """The record of an intent without a nonce."""
        item.noted = reason
        intent = item.intent
        return {"op": "intent", "tx_id": intent.tx_id, "operation_id": intent.operation_id, "step": intent.step, "from_address": self.address,
                "to_address": intent.call.to, "key_ref": self.key_ref, "state": state, "reason": reason}  # fmt: skip

    async def _refuse(self, item: Queued, state: str, refusal: IntentRefused) -> None:
        """The intent is over; nothing was signed for it."""
        if item in self._queue:
            self._queue.remove(item)
        log.warning("intent.refused", tx_id=item.intent.tx_id, code=refusal.code, detail=refusal.detail)
        await self._journal.write([self._note(item, state, refusal.code)])
        item.fail(refusal)

    async def _send(self, batch: list[Queued], fees: Fees, mined_nonce: int) -> None:
        self._catch_up(mined_nonce)
        taken = [item for item in batch if item in self._queue]  # others were withdrawn meanwhile
        if not self._can.is_sync:
            for item in taken:
                self._queue.remove(item)
            await self._slow.ask(taken, fees)
            return
        await self._publish(await self._sign_all(taken, fees))

    async def _sign_all(self, batch: list[Queued], fees: Fees) -> list[tuple[Queued, JournaledTransaction]]:
        """All at once, up to the first that is refused: its nonce serves the one behind it, so what was signed behind it is thrown away unseen."""
        taken = [(item, self._nonces.take()) for item in batch]
        for item in batch:
            self._queue.remove(item)
        ends = await asyncio.gather(*(self._try_to_sign(item, nonce, fees) for item, nonce in taken))
        done = next((n for n, end in enumerate(ends) if isinstance(end, IntentRefused)), len(ends))
        self._nonces.give_back(nonce for _, nonce in taken[done:])
        for (item, _), end in zip(reversed(taken[done:]), reversed(ends[done:]), strict=True):
            if isinstance(end, IntentRefused):
                await self._turn_down(item, end)
            else:
                item.spent += 1  # under another nonce it is another attempt to the key holder
                self._queue.appendleft(item)
        return [(item, end) for (item, _), end in zip(taken[:done], ends[:done], strict=True) if isinstance(end, JournaledTransaction)]  # fmt: skip

    async def _try_to_sign(self, item: Queued, nonce: int, fees: Fees) -> JournaledTransaction | IntentRefused:
        try:
            return await self._sign(item, nonce, fees)
        except IntentRefused as refusal:
            return refusal

    async def _turn_down(self, item: Queued, refusal: IntentRefused) -> None:
        if item.allowed is not None:
            self._gate.give_back(item.allowed)
        await self._refuse(item, "sign_rejected", refusal)

    async def _publish(self, signed: list[tuple[Queued, JournaledTransaction]]) -> None:
        """Make the bytes durable, then send them. From the commit on the nonces are bound: these bytes and no others go out under them."""
        if not signed:
            return
        await self._journal.write([_record(item, entry) for item, entry in signed])
        for item, entry in signed:
            if not item.journaled.done():
                item.journaled.set_result(entry)
        await self._tracker.broadcast([entry for item, entry in signed if item.lost is None])
        for item, entry in signed:
            if item.lost is not None:
                item.lost.add(_rebound(item.lost, entry))
                await self._tracker.rebound(item.lost)

    def _catch_up(self, mined_nonce: int) -> bool:
        """Nonces that someone else used with our key are not ours to give. True: there were such."""
        expected = self.next_nonce
        is_news = self._nonces.catch_up(mined_nonce)
        if is_news:
            log.error("sender.nonce_consumed_externally", address=self.address, expected=expected, found=mined_nonce)
        return is_news

    async def _sign(self, item: Queued, nonce: int, fees: Fees) -> JournaledTransaction:
        """Raises IntentRefused when the key holder proves that it has not signed and will not."""
        intent, call = item.intent, item.intent.call
        unsigned = UnsignedTransaction(self._node.network.chain_id, nonce, call.to, call.value, call.data, intent.gas, fees.max_fee, fees.max_tip)  # fmt: skip
        number = item.lost.active.number + 1 if item.lost else 1
        asked = Asked(attempt_id(intent.tx_id, number, spent=item.spent), intent.tx_id, unsigned, context_of(unsigned, operation=intent.kind, step=intent.step),
                      intent.deadline)  # fmt: skip
        signed = await self._asker.signature(asked, lambda reason: self._held(item, reason))
        passed = item.allowed or Pass(None, 0)
        return JournaledTransaction(intent.tx_id, intent.operation_id, intent.step, self.address, call.to, nonce, signed.tx_hash, signed.raw, "signed",
                                    key_ref=self.key_ref, max_fee=fees.max_fee, max_tip=fees.max_tip, cost=fees.cost(intent.gas, call.value),
                                    safe_to_rebind=intent.safe_to_rebind, policy_id=passed.policy_id, policy_amount=passed.amount)  # fmt: skip

    async def _held(self, item: Queued, reason: str) -> None:
        """The key holder said something that is neither a signature nor a proof that there is none: the nonce stays with the intent."""
        if item.lost is None:
            await self._journal.write([self._note(item, "paused", reason)])


def _rebound(lost: Tracked, entry: JournaledTransaction) -> Attempt:
    return Attempt(lost.active.number + 1, "rebind", entry.nonce, entry.tx_hash, entry.raw, entry.max_fee, entry.max_tip)  # fmt: skip


def _record(item: Queued, entry: JournaledTransaction) -> Record:
    if item.lost is None:
        return entry.record()
    return _rebound(item.lost, entry).record(entry.tx_id, entry.from_address)


class Senders:
    """The senders of one chain, made when first needed and run in the owner's task group."""

    def __init__(self, *, node: EvmNode, signer: Signer, journal: Journal, tracker: Tracker, tasks: asyncio.TaskGroup, journaled_nonces: dict[str, int],
                 gate: Gate | None = None, current: Callable[[str], str] = str) -> None:  # fmt: skip
        self._node = node
        self._current = current
        self._signer = signer
        self._journal = journal
        self._tracker = tracker
        self._tasks = tasks
        self._journaled = journaled_nonces
        self._gate = gate or Gate.open()
        self._senders: dict[str, Sender] = {}
        self._making = asyncio.Lock()
        self._context = contextvars.copy_context()
        self.promises = Promises()
        tracker.on_rebind = self._rebind

    async def of(self, key_ref: str) -> Sender:
        """The sender of the key a name stands for now."""
        return await self.of_key(self._current(key_ref))

    async def of_all(self, key_refs: Sequence[str]) -> list[Sender]:
        """Those of several names, all as they are at the moment of return: no rotation comes in between."""
        while True:
            for key_ref in key_refs:
                await self.of(key_ref)
            found = [self._senders.get(self._current(key_ref)) for key_ref in key_refs]
            if None not in found:
                return [sender for sender in found if sender is not None]

    async def of_key(self, key_ref: str) -> Sender:
        """The sender of this very key. Its first nonce is above everything mined and everything ever journaled."""
        sender = self._senders.get(key_ref)
        if sender is not None:
            return sender
        async with self._making:
            if key_ref not in self._senders:
                self._senders[key_ref] = await self._make(key_ref)
            return self._senders[key_ref]

    def all(self) -> list[Sender]:
        """Those in use since the start."""
        return list(self._senders.values())

    async def withdraw(self, tx_id: str) -> bool:
        """Take an intent that has no nonce out of whichever queue it is in."""
        for sender in self._senders.values():
            if await sender.withdraw(tx_id):
                return True
        return False

    def journaled_nonce(self, address: str) -> int:
        """The highest nonce known to be bound, -1 for none."""
        sender = next((sender for sender in self._senders.values() if sender.address == address), None)
        return sender.next_nonce - 1 if sender else self._journaled.get(address, -1)

    def is_signing(self, tx_id: str) -> bool:
        """Whether its signature was asked for before a restart: what it says is decided."""
        return any(sender.is_signing(tx_id) for sender in self._senders.values())

    async def take_up(self, found: Unsigned) -> None:
        """After a restart, before any operation goes on: signatures that were asked for, gaps, and what has no operation any more."""
        for job in found.jobs:
            if job.kind in ("bump", "cancel"):
                self._tracker.take_up(job)
            else:
                await self._take_up(job)
        for entry in found.loose:
            self._tracker.adopt(entry)

    async def _take_up(self, job: SignJob) -> None:
        """A key that nobody holds any more keeps its nonces: people must look."""
        while True:
            try:
                sender = await self.of_key(job.key_ref)
                break
            except (SignerUnavailable, RpcUnavailable, RpcError) as error:
                log.warning("sender.waits_to_take_up", key_ref=job.key_ref, reason=str(error))
                await asyncio.sleep(RETRY_S)
            except SignerError as error:
                log.error("sender.cannot_take_up", job_id=job.job_id, key_ref=job.key_ref, code=error.code)
                return
        if sender.address != job.from_address:
            log.error(
                "sender.other_key",
                job_id=job.job_id,
                key_ref=job.key_ref,
                expected=job.from_address,
                found=sender.address,
            )
            return
        sender.take_up(job)

    async def _rebind(self, tracked: Tracked) -> None:
        assert tracked.entry.key_ref is not None, "an intent that may be rebound names its key"
        sender = await self.of_key(tracked.entry.key_ref)
        fields = tracked.unsigned
        sender.rebind(tracked, Call(to=fields.to, data=fields.data, value=fields.value), fields.gas)

    async def _make(self, key_ref: str) -> Sender:
        address = await self._signer.address(key_ref)
        next_nonce = max(await self._node.nonce(address), self._journaled.get(address, -1) + 1)
        sender = Sender(key_ref=key_ref, address=address, next_nonce=next_nonce, node=self._node, signer=self._signer,
                        journal=self._journal, tracker=self._tracker, gate=self._gate, spawn=self._spawn)  # fmt: skip
        self._spawn(sender.run(), f"sender:{key_ref}")
        log.info("sender.started", key_ref=key_ref, address=address, next_nonce=next_nonce)
        return sender

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> None:
        """In a context of its own: it outlives the operation that first needed it and must not log under its correlation id."""
        self._tasks.create_task(work, name=name, context=self._context.copy())
