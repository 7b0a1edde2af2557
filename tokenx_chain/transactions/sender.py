"""One actor per (chain, address): the only place where a nonce is given out.

Order of things for each intent: policy, fees, funds, nonce, signature, journal commit, broadcast. A crash before the commit leaves nothing behind;
a crash after it leaves bytes that the next start sends unchanged. What cannot be paid or priced waits before its nonce is given out."""

import asyncio
import contextvars
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tokenx_chain.contracts.calls import Call
from tokenx_chain.journal import Attempt, Journal, JournaledTransaction, Record
from tokenx_chain.networks import rules
from tokenx_chain.networks.evm import Account, EvmNode
from tokenx_chain.networks.rpc import RpcError, RpcUnavailable
from tokenx_chain.policy.gate import Gate, Pass
from tokenx_chain.signers.base import SignedTransaction, Signer, SignerUnavailable, UnsignedTransaction
from tokenx_chain.signers.errors import SignerError
from tokenx_chain.transactions.errors import IntentCancelled, IntentRefused
from tokenx_chain.transactions.fees import Fees, first_fees
from tokenx_chain.transactions.funds import Promises
from tokenx_chain.transactions.tracker import Tracked, Tracker
from tokenx_common.log import get_logger

log = get_logger(__name__)

BATCH: Final = 50
RETRY_S: Final = 0.2


@dataclass(frozen=True)
class Intent:
    """One step of one operation. gas is decided. tx_id '<operation_id>:<step>' names it for ever."""

    operation_id: str
    step: str
    call: Call
    gas: int
    kind: str = ""
    """Of the operation: the policy's rules speak of it."""
    safe_to_rebind: bool = False

    @property
    def tx_id(self) -> str:
        return f"{self.operation_id}:{self.step}"


@dataclass(eq=False)
class _Queued:
    """An intent that waits. lost: it has had a nonce before, which another transaction took."""

    intent: Intent
    journaled: asyncio.Future[JournaledTransaction]
    allowed: Pass | None = None
    lost: Tracked | None = None
    noted: str = ""


class Sender:
    """Sends for one address, first come first served."""

    def __init__(self, *, key_ref: str, address: str, next_nonce: int, node: EvmNode, signer: Signer, journal: Journal, tracker: Tracker,
                 gate: Gate) -> None:  # fmt: skip
        self.address = address
        self.key_ref = key_ref
        self.next_nonce = next_nonce
        self.paused: str | None = None
        """Why nothing is signed at the moment."""
        self._node = node
        self._signer = signer
        self._journal = journal
        self._tracker = tracker
        self._gate = gate
        self._queue: deque[_Queued] = deque()
        self._arrived = asyncio.Event()

    @property
    def queued(self) -> list[str]:
        """Intents without a nonce, in their order."""
        return [item.intent.tx_id for item in self._queue]

    def enqueue(self, intent: Intent) -> asyncio.Future[JournaledTransaction]:
        """Take the intent in order of calling. The future holds the transaction once its bytes are durable; it raises IntentRefused or IntentCancelled."""
        return self._add(_Queued(intent, asyncio.get_running_loop().create_future()))

    def rebind(self, tracked: Tracked, call: Call, gas: int) -> None:
        """Give a lost intent a new nonce, in its turn."""
        entry = tracked.entry
        intent = Intent(entry.operation_id, entry.step, call, gas)  # let pass before, and counted then
        passed = Pass(entry.policy_id, 0)
        self._add(_Queued(intent, asyncio.get_running_loop().create_future(), allowed=passed, lost=tracked))

    def _add(self, item: _Queued) -> asyncio.Future[JournaledTransaction]:
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
        _fail(item, IntentCancelled(f"{tx_id} was cancelled before it was signed"))
        return True

    async def run(self) -> None:
        """Work the queue for ever. Runs as a task that its owner cancels."""
        while True:
            while not self._queue:
                self._arrived.clear()
                await self._arrived.wait()
            await self._one_round()

    async def _one_round(self) -> None:
        """Sign and send as many as policy, room, price and money allow; wait a little when that is none."""
        room = await self._tracker.room(self.address, self._node.network.in_flight)
        try:
            candidates = await self._allowed(min(BATCH, room))
            account = await self._node.account(self.address)
            batch, fees = await self._affordable(candidates, account)
        except (RpcUnavailable, RpcError) as error:
            await self._wait("node_away", [], str(error))
            return
        if batch and fees is not None:
            self._resume()
            await self._send(batch, fees, account.nonce)

    async def _allowed(self, wanted: int) -> list[_Queued]:
        """The first in line that policy lets pass. One that waits for approval is passed by, with everything that follows it in its operation."""
        allowed: list[_Queued] = []
        waiting: list[_Queued] = []
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

    async def _passes(self, item: _Queued) -> bool:
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

    async def _affordable(self, candidates: list[_Queued], account: Account) -> tuple[list[_Queued], Fees | None]:
        """As many from the front as the balance covers on top of everything in flight. Waits when that is none. What the network cannot take leaves the queue."""
        network = self._node.network
        candidates = [item for item in candidates if not await self._is_impossible(item)]
        if not candidates:
            return [], None
        tip = rules.offered_tip(network, suggested=account.suggested_tip)
        fees = first_fees(base_fee=account.head.base_fee, tip=tip, cap=network.fee_cap_wei)
        if fees is None:
            await self._wait("base_fee_spike", candidates, f"base fee {account.head.base_fee}")
            return [], None
        left = account.balance - self._tracker.committed(self.address)
        batch: list[_Queued] = []
        for item in candidates:
            call, gas = item.intent.call, item.intent.gas
            left -= fees.cost(gas, call.value) + await self._node.l1_fee(call.data, gas=gas)
            if left < 0:
                break
            batch.append(item)
        if not batch:
            await self._wait("insufficient_funds", candidates, f"balance {account.balance}")
        return batch, fees

    async def _is_impossible(self, item: _Queued) -> bool:
        """Whether the network's rules are against it, so that it has been refused. What has had a nonce before has passed them."""
        intent = item.intent
        found = rules.obstacle(self._node.network, value=intent.call.value, gas=intent.gas, data_bytes=len(intent.call.data))  # fmt: skip
        if found is None or item.lost is not None:
            return False
        await self._refuse(item, "failed_presubmit", IntentRefused(found.code, found.detail))
        return True

    async def _wait(self, reason: str, items: Sequence[_Queued], detail: str) -> None:
        """Say once why nothing moves, and let a little time pass."""
        if self.paused != reason:
            log.warning("sender.paused", address=self.address, reason=reason, detail=detail)
            self.paused = reason
        fresh = [item for item in items if item.noted != reason and item.lost is None]
        if fresh:
            await self._journal.write([self._note(item, "paused", reason) for item in fresh])
        await asyncio.sleep(RETRY_S)

    def _resume(self) -> None:
        if self.paused is not None:
            log.info("sender.resumed", address=self.address, after=self.paused)
            self.paused = None

    def _note(self, item: _Queued, state: str, reason: str) -> Record:
        """The record of an intent without a nonce."""
        item.noted = reason
        intent = item.intent
        return {"op": "intent", "tx_id": intent.tx_id, "operation_id": intent.operation_id, "step": intent.step, "from_address": self.address,
                "to_address": intent.call.to, "key_ref": self.key_ref, "state": state, "reason": reason}  # fmt: skip

    async def _refuse(self, item: _Queued, state: str, refusal: IntentRefused) -> None:
        """The intent is over; nothing was signed for it."""
        if item in self._queue:
            self._queue.remove(item)
        log.warning("intent.refused", tx_id=item.intent.tx_id, code=refusal.code, detail=refusal.detail)
        await self._journal.write([self._note(item, state, refusal.code)])
        _fail(item, refusal)

    async def _send(self, batch: list[_Queued], fees: Fees, mined_nonce: int) -> None:
        self._catch_up(mined_nonce)
        signed: list[tuple[_Queued, JournaledTransaction]] = []
        for item in batch:
            if item not in self._queue:
                continue  # withdrawn meanwhile
            self._queue.remove(item)
            try:
                signed.append((item, await self._sign(item, self.next_nonce + len(signed), fees)))
            except IntentRefused as refusal:
                await self._refuse(item, "sign_rejected", refusal)  # its nonce was never used: the next intent takes it
        if not signed:
            return
        await self._journal.write([_record(item, entry) for item, entry in signed])
        # From here on the nonces are bound: whatever happens, these bytes and no others go out under them.
        self.next_nonce += len(signed)
        for item, entry in signed:
            if not item.journaled.done():
                item.journaled.set_result(entry)
        await self._tracker.broadcast([entry for item, entry in signed if item.lost is None])
        for item, entry in signed:
            if item.lost is not None:
                item.lost.add(_rebound(item.lost, entry))
                await self._tracker.rebound(item.lost)

    def _catch_up(self, mined_nonce: int) -> None:
        """Nonces that someone else used with our key are not ours to give."""
        if mined_nonce > self.next_nonce:
            log.error("sender.nonce_consumed_externally", address=self.address, expected=self.next_nonce, found=mined_nonce)  # fmt: skip
            self.next_nonce = mined_nonce

    async def _sign(self, item: _Queued, nonce: int, fees: Fees) -> JournaledTransaction:
        """Raises IntentRefused when the key holder proves that it has not signed and will not."""
        intent, call = item.intent, item.intent.call
        unsigned = UnsignedTransaction(self._node.network.chain_id, nonce, call.to, call.value, call.data, intent.gas, fees.max_fee, fees.max_tip)  # fmt: skip
        signed = await self._signature(unsigned)
        passed = item.allowed or Pass(None, 0)
        return JournaledTransaction(intent.tx_id, intent.operation_id, intent.step, self.address, call.to, nonce, signed.tx_hash, signed.raw, "signed",
                                    key_ref=self.key_ref, max_fee=fees.max_fee, max_tip=fees.max_tip, cost=fees.cost(intent.gas, call.value),
                                    safe_to_rebind=intent.safe_to_rebind, policy_id=passed.policy_id, policy_amount=passed.amount)  # fmt: skip

    async def _signature(self, unsigned: UnsignedTransaction) -> SignedTransaction:
        while True:
            try:
                return await self._signer.sign_transaction(self.key_ref, unsigned)
            except SignerUnavailable as error:
                if self.paused != "signer_away":
                    log.warning("sender.signer_unavailable", key_ref=self.key_ref, reason=str(error))
                self.paused = "signer_away"
                await asyncio.sleep(RETRY_S)
            except SignerError as error:
                raise IntentRefused(error.code, error.detail) from error


def _fail(item: _Queued, error: Exception) -> None:
    if not item.journaled.done():
        item.journaled.set_exception(error)
        item.journaled.exception()  # looked at here: whoever waits may be gone already


def _rebound(lost: Tracked, entry: JournaledTransaction) -> Attempt:
    return Attempt(lost.active.number + 1, "rebind", entry.nonce, entry.tx_hash, entry.raw, entry.max_fee, entry.max_tip)  # fmt: skip


def _record(item: _Queued, entry: JournaledTransaction) -> Record:
    if item.lost is None:
        return entry.record()
    return _rebound(item.lost, entry).record(entry.tx_id, entry.from_address)


class Senders:
    """The senders of one chain, made when first needed and run in the owner's task group."""

    def __init__(self, *, node: EvmNode, signer: Signer, journal: Journal, tracker: Tracker, tasks: asyncio.TaskGroup, journaled_nonces: dict[str, int],
                 gate: Gate | None = None) -> None:  # fmt: skip
        self._node = node
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
        """The sender of a key. Its first nonce is above everything mined and everything ever journaled."""
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

    async def _rebind(self, tracked: Tracked) -> None:
        assert tracked.entry.key_ref is not None, "an intent that may be rebound names its key"
        sender = await self.of(tracked.entry.key_ref)
        fields = tracked.unsigned
        sender.rebind(tracked, Call(to=fields.to, data=fields.data, value=fields.value), fields.gas)

    async def _make(self, key_ref: str) -> Sender:
        address = await self._signer.address(key_ref)
        next_nonce = max(await self._node.nonce(address), self._journaled.get(address, -1) + 1)
        sender = Sender(key_ref=key_ref, address=address, next_nonce=next_nonce, node=self._node, signer=self._signer,
                        journal=self._journal, tracker=self._tracker, gate=self._gate)  # fmt: skip
        # In a context of its own: a sender outlives the operation that first needed it and must not log under its correlation id.
        self._tasks.create_task(sender.run(), name=f"sender:{key_ref}", context=self._context.copy())
        log.info("sender.started", key_ref=key_ref, address=address, next_nonce=next_nonce)
        return sender
