"""What a program works with: send a step once, wait for it, read the chain, record a contract."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeVar

from eth_typing import HexAddress, HexStr
from web3.types import Nonce
from web3.utils.address import get_create_address

from tokenx_chain.chain import Chain
from tokenx_chain.contracts.calls import Call, Read
from tokenx_chain.contracts.errors import Refusal
from tokenx_chain.journal import Journal, JournaledTransaction
from tokenx_chain.networks.evm import Receipt
from tokenx_chain.networks.rpc import RpcError, RpcUnavailable
from tokenx_chain.operations.errors import OperationFailed
from tokenx_chain.operations.index import Operation, OperationIndex
from tokenx_chain.policy.gate import ASK_AGAIN_S
from tokenx_chain.signers.errors import SignerError, SignerUnavailable
from tokenx_chain.transactions.errors import IntentCancelled, IntentRefused, NonceLost
from tokenx_chain.transactions.sender import Intent, Senders
from tokenx_chain.transactions.tracker import Tracker
from tokenx_common.clock import utc_now
from tokenx_common.log import get_logger

log = get_logger(__name__)

Value = TypeVar("Value")

RETRY_S: Final = 0.25
_GAS_MARGIN_PERCENT: Final = 30


@dataclass(frozen=True)
class Step:
    """One transaction of a program. name is unique within the operation and says what it does."""

    name: str
    call: Call
    key_ref: str
    safe_to_rebind: bool = False
    """Whether it may get another nonce when somebody else has used its own."""
    deadline: datetime | None = None
    """After which it must not be signed any more."""


class Context:
    """One operation's view of the chain. Reads and estimates wait for the node; nothing here fails because a node is away."""

    def __init__(self, operation: Operation, chain: Chain, *, journal: Journal, senders: Senders, tracker: Tracker, index: OperationIndex,
                 recorded: Sequence[JournaledTransaction]) -> None:  # fmt: skip
        self.operation = operation
        self.chain = chain
        self._journal = journal
        self._senders = senders
        self._tracker = tracker
        self._index = index
        self._recorded = {entry.step: entry for entry in recorded}
        for entry in recorded:
            self._index.add(entry.tx_hash, operation)

    @property
    def transactions(self) -> list[JournaledTransaction]:
        """Everything this operation has sent, in no particular order."""
        return list(self._recorded.values())

    async def address(self, key_ref: str) -> str:
        """The address of a custodial key, of the one its name stands for now."""
        return await self.chain.address(key_ref)

    def was_sent(self, step: str) -> bool:
        """Whether a step is journaled already, or being signed: true only in a re-run."""
        return step in self._recorded or self._senders.is_signing(f"{self.operation.operation_id}:{step}")

    def sent(self, step: str) -> JournaledTransaction | None:
        """A step as it is journaled, None when it has not been sent."""
        return self._recorded.get(step)

    async def sign_typed_data(self, key_ref: str, typed_data: Mapping[str, Any]) -> bytes:
        """65 bytes r, s, v over EIP-712 data, by this very key; waits for a key holder who is away. Raises OperationFailed when he refuses."""
        while True:
            try:
                return await self.chain.signer.sign_typed_data(key_ref, typed_data)
            except SignerUnavailable as error:
                await self._pause(error)
            except SignerError as error:
                raise OperationFailed(error.code, error.detail) from error

    async def attempt(self, step: Step) -> Receipt | OperationFailed:
        """Send one step and wait until it is mined; its receipt, or why there is no good one. Never raises for the step itself."""
        try:
            return (await self.mined(await self.send_all([step])))[0]
        except OperationFailed as error:
            return error

    async def send(self, name: str, call: Call, key_ref: str) -> JournaledTransaction:
        """Send one step, once in the life of the operation. Raises OperationFailed when trying it out shows it would revert."""
        return (await self.send_all([Step(name, call, key_ref)]))[0]

    async def send_all(self, steps: Sequence[Step]) -> list[JournaledTransaction]:
        """Send steps without waiting in between; those of one key keep their order. Each is sent once in the life of the operation."""
        fresh = [step for step in steps if step.name not in self._recorded]
        intents = await asyncio.gather(*(self._intent(step) for step in fresh))
        senders = await self._senders.of_all([step.key_ref for step in fresh])
        # No await between these, so that the order within one sender is the order of the steps.
        futures = [sender.enqueue(intent) for sender, intent in zip(senders, intents, strict=True)]
        outcomes = await asyncio.gather(*futures, return_exceptions=True)
        for step, entry in zip(fresh, outcomes, strict=True):
            if isinstance(entry, JournaledTransaction):
                self._recorded[step.name] = entry
                self._index.add(entry.tx_hash, self.operation)
        for step, entry in zip(fresh, outcomes, strict=True):
            if isinstance(entry, BaseException):
                raise _failure(step.name, entry) from entry
        return [self._recorded[step.name] for step in steps]

    async def _intent(self, step: Step) -> Intent:
        gas = step.call.gas or 0
        # What is being signed says what it says: nothing about it is decided again.
        if step.call.gas is None and not self.was_sent(step.name):
            gas = await self._estimate(step)
        return Intent(
            self.operation.operation_id,
            step.name,
            step.call,
            gas,
            self.operation.kind,
            step.safe_to_rebind,
            step.deadline,
        )

    async def _estimate(self, step: Step) -> int:
        sender = await self.address(step.key_ref)
        while True:
            try:
                needed = await self.chain.node.estimate(step.call, sender=sender)
                return needed + needed * _GAS_MARGIN_PERCENT // 100
            except RpcUnavailable as error:
                await self._pause(error)
            except RpcError as error:
                if error.is_revert:
                    refusal = self.chain.refusal(error)
                    raise OperationFailed(refusal.code, f"{step.name}: {refusal.detail}") from error
                await self._pause(error)

    async def mined(self, entries: Sequence[JournaledTransaction]) -> list[Receipt]:
        """Receipts of the transactions, all successful. Raises OperationFailed for one that reverted."""
        try:
            receipts = await asyncio.gather(*(self._tracker.mined(entry) for entry in entries))
        except (IntentCancelled, NonceLost) as error:
            raise _failure("transaction", error) from error
        for entry, receipt in zip(entries, receipts, strict=True):
            if not receipt.ok:
                refusal = await self._why_reverted(entry, receipt)
                raise OperationFailed(refusal.code, f"{entry.step}: {refusal.detail}")
        return list(receipts)

    async def final(self, entry: JournaledTransaction) -> bool:
        """Whether a transaction, now that it can no longer change, did what it was for. Raises OperationFailed as mined."""
        try:
            return (await self._tracker.final(entry)).ok
        except (IntentCancelled, NonceLost) as error:
            raise _failure("transaction", error) from error

    async def agreed(self, people: int, *, not_after: int) -> None:
        """Returns once that many people have agreed to the operation. Raises OperationFailed 'approval.expired' when they have not by then (unix seconds)."""
        while True:
            if await self._journal.approvals(self.operation.operation_id) >= people:
                return
            if utc_now().timestamp() > not_after:
                raise OperationFailed("approval.expired", f"{people} people have not agreed in time")
            await asyncio.sleep(ASK_AGAIN_S)

    async def open_work(self, key_ref: str) -> int:
        """What a key has in hand: waiting, being signed, sent and not final."""
        sender = await self._senders.of_key(key_ref)
        return len(sender.queued) + len(sender.unsigned_nonces) + self._tracker.open_count(sender.address)

    async def withdraw_queued(self, key_ref: str) -> int:
        """Cancel what waits for a nonce of a key; how many. What is signed goes on."""
        sender = await self._senders.of_key(key_ref)
        return sum([await sender.withdraw(tx_id) for tx_id in sender.queued])

    async def note_rotation(self, **members: Any) -> None:
        """Make known, durably, how far a rotation is. Raises TokenxError when another one has switched before."""
        await self._journal.write([{"op": "rotation", "operation_id": self.operation.operation_id, **members}])

    async def succeeded(self, entry: JournaledTransaction) -> bool:
        """Whether a mined transaction did what it was for."""
        return (await self._tracker.mined(entry)).ok

    async def _why_reverted(self, entry: JournaledTransaction, receipt: Receipt) -> Refusal:
        return await self.chain.why_reverted(entry.raw, sender=entry.from_address, at=receipt.block_number)

    async def read(self, read: Read[Value]) -> Value:
        """A view call at the latest block. Raises OperationFailed when it reverts."""
        return (await self.read_all([read]))[0]

    async def read_all(self, reads: Sequence[Read[Value]]) -> list[Value]:
        """Several view calls in one request."""
        while True:
            try:
                return await self.chain.node.read_all(reads)
            except RpcUnavailable as error:
                await self._pause(error)
            except RpcError as error:
                if error.is_revert:
                    refusal = self.chain.refusal(error)
                    raise OperationFailed(refusal.code, refusal.detail) from error
                await self._pause(error)

    async def simulate(self, call: Call, key_ref: str) -> bytes:
        """What a call would return if it were sent now. Raises OperationFailed when it would revert."""
        sender = await self.address(key_ref)
        while True:
            try:
                return await self.chain.node.simulate(call, sender=sender)
            except RpcUnavailable as error:
                await self._pause(error)
            except RpcError as error:
                if error.is_revert:
                    refusal = self.chain.refusal(error)
                    raise OperationFailed(refusal.code, refusal.detail) from error
                await self._pause(error)

    async def balance(self, address: str) -> int:
        """Coins for gas, in wei."""
        while True:
            try:
                return await self.chain.node.balance(address)
            except (RpcUnavailable, RpcError) as error:
                await self._pause(error)

    def count_on(self, address: str, wei: int) -> int:
        """Rely on coins of an address until everything is mined; returns what other operations rely on there."""
        return self._senders.promises.promise(address, self.operation.operation_id, wei)

    async def record_contracts(self, contracts: dict[str, tuple[str, dict[str, Any]]]) -> None:
        """Make contracts known by name, durably, and follow their events from here on."""
        await self._journal.write([{"op": "contract", "name": name, "address": address, "detail": detail} for name, (address, detail) in contracts.items()])  # fmt: skip
        for name, (address, detail) in contracts.items():
            self.chain.registry.add(name, address, detail)

    async def _pause(self, error: Exception) -> None:
        log.warning("operation.paused", operation_id=self.operation.operation_id, reason=str(error))
        await asyncio.sleep(RETRY_S)


def _failure(step: str, error: BaseException) -> BaseException:
    """What a program sees of an intent that ended: a failure it can react to, for instance by giving cash back."""
    match error:
        case IntentRefused():
            return OperationFailed(error.code, f"{step}: {error.detail}")
        case IntentCancelled():
            return OperationFailed("transaction.cancelled", str(error))
        case NonceLost():
            return OperationFailed("chain.nonce_lost", str(error))
        case _:
            return error


def created_address(entry: JournaledTransaction) -> str:
    """Where a contract creation puts the contract: known as soon as the nonce is."""
    sender = HexAddress(HexStr(entry.from_address))
    return get_create_address(sender, Nonce(entry.nonce)).lower()
