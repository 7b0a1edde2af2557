"""One actor per (chain, address): the only place where a nonce is given out.

Order of things for each intent: nonce, signature, journal commit, broadcast. A crash before the commit leaves nothing behind;
a crash after it leaves bytes that the next start sends unchanged."""

import asyncio
import contextvars
from dataclasses import dataclass
from typing import Final

from tokenx_chain.contracts.calls import Call
from tokenx_chain.journal import Journal, JournaledTransaction
from tokenx_chain.networks.evm import EvmNode
from tokenx_chain.networks.rpc import RpcError, RpcUnavailable
from tokenx_chain.signers.base import Signer, SignerUnavailable, UnsignedTransaction
from tokenx_chain.transactions.tracker import Tracker
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

    @property
    def tx_id(self) -> str:
        return f"{self.operation_id}:{self.step}"


@dataclass
class _Queued:
    intent: Intent
    journaled: asyncio.Future[JournaledTransaction]


class Sender:
    """Sends for one address, first come first served."""

    def __init__(self, *, key_ref: str, address: str, next_nonce: int, node: EvmNode, signer: Signer, journal: Journal, tracker: Tracker) -> None:  # fmt: skip
        self.address = address
        self._key_ref = key_ref
        self._next_nonce = next_nonce
        self._node = node
        self._signer = signer
        self._journal = journal
        self._tracker = tracker
        self._queue: asyncio.Queue[_Queued] = asyncio.Queue()

    def enqueue(self, intent: Intent) -> asyncio.Future[JournaledTransaction]:
        """Take the intent in order of calling. The future holds the transaction once its bytes are durable."""
        queued = _Queued(intent, asyncio.get_running_loop().create_future())
        self._queue.put_nowait(queued)
        return queued.journaled

    async def run(self) -> None:
        """Work the queue for ever. Runs as a task that its owner cancels."""
        while True:
            batch = [await self._queue.get()]
            while len(batch) < min(BATCH, self._node.network.in_flight) and not self._queue.empty():
                batch.append(self._queue.get_nowait())
            await self._send(batch)

    async def _send(self, batch: list[_Queued]) -> None:
        fees = await self._fees()
        entries = [await self._sign(queued.intent, self._next_nonce + n, fees) for n, queued in enumerate(batch)]
        await self._journal.write([entry.record() for entry in entries])
        # From here on the nonces are bound: whatever happens, these bytes and no others go out under them.
        self._next_nonce += len(batch)
        for queued, entry in zip(batch, entries, strict=True):
            if not queued.journaled.done():
                queued.journaled.set_result(entry)
        await self._tracker.broadcast(entries)
        if self._node.network.in_flight == 1:
            await self._tracker.mined(entries[-1])

    async def _fees(self) -> tuple[int, int]:
        """(max fee, tip) in wei. Twice the base fee outlives six full blocks in a row."""
        tip = self._node.network.min_tip_wei
        while True:
            try:
                return 2 * (await self._node.head()).base_fee + tip, tip
            except (RpcUnavailable, RpcError) as error:
                log.warning("sender.paused", address=self.address, reason=str(error))
                await asyncio.sleep(RETRY_S)

    async def _sign(self, intent: Intent, nonce: int, fees: tuple[int, int]) -> JournaledTransaction:
        call = intent.call
        unsigned = UnsignedTransaction(
            self._node.network.chain_id, nonce, call.to, call.value, call.data, intent.gas, *fees
        )
        while True:
            try:
                signed = await self._signer.sign_transaction(self._key_ref, unsigned)
                break
            except SignerUnavailable as error:
                log.warning("sender.signer_unavailable", key_ref=self._key_ref, reason=str(error))
                await asyncio.sleep(RETRY_S)
        return JournaledTransaction(intent.tx_id, intent.operation_id, intent.step, self.address, call.to, nonce, signed.tx_hash, signed.raw, "signed")  # fmt: skip


class Senders:
    """The senders of one chain, made when first needed and run in the owner's task group."""

    def __init__(self, *, node: EvmNode, signer: Signer, journal: Journal, tracker: Tracker, tasks: asyncio.TaskGroup, journaled_nonces: dict[str, int]) -> None:  # fmt: skip
        self._node = node
        self._signer = signer
        self._journal = journal
        self._tracker = tracker
        self._tasks = tasks
        self._journaled = journaled_nonces
        self._senders: dict[str, Sender] = {}
        self._making = asyncio.Lock()
        self._context = contextvars.copy_context()

    async def of(self, key_ref: str) -> Sender:
        """The sender of a key. Its first nonce is above everything mined and everything ever journaled."""
        sender = self._senders.get(key_ref)
        if sender is not None:
            return sender
        async with self._making:
            if key_ref not in self._senders:
                self._senders[key_ref] = await self._make(key_ref)
            return self._senders[key_ref]

    async def _make(self, key_ref: str) -> Sender:
        address = await self._signer.address(key_ref)
        next_nonce = max(await self._node.nonce(address), self._journaled.get(address, -1) + 1)
        sender = Sender(key_ref=key_ref, address=address, next_nonce=next_nonce, node=self._node, signer=self._signer,
                        journal=self._journal, tracker=self._tracker)  # fmt: skip
        # In a context of its own: a sender outlives the operation that first needed it and must not log under its correlation id.
        self._tasks.create_task(sender.run(), name=f"sender:{key_ref}", context=self._context.copy())
        log.info("sender.started", key_ref=key_ref, address=address, next_nonce=next_nonce)
        return sender
