"""What others may ask about transactions: send one, look, cancel, offer more, try out, and where a key's nonces stand."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from tokenx_chain.chain import Chain
from tokenx_chain.contracts.calls import Call
from tokenx_chain.contracts.errors import Refusal
from tokenx_chain.journal import Journal, Record
from tokenx_chain.networks.rpc import RpcError, RpcUnavailable
from tokenx_chain.policy.gate import Gate
from tokenx_chain.policy.rules import Decision, Outcome
from tokenx_chain.signers.base import SignerUnavailable
from tokenx_chain.transactions.replacer import NotReplaceable
from tokenx_chain.transactions.sender import Sender, Senders
from tokenx_chain.transactions.tracker import Tracker
from tokenx_common.errors import Conflict, DependencyUnavailable, PermissionDenied, TokenxError
from tokenx_common.ids import new_id

MOST_QUEUED: Final = 5000
"""Intents of a chain that may wait for a nonce; beyond that the asker is told to come back."""
COME_BACK_S: Final = 5


class NotAllowed(PermissionDenied):
    """The policy does not let this be signed. Nothing was queued."""

    code = "policy.not_allowed"


class TooMany(TokenxError):
    """Too much is waiting already. Nothing was queued."""

    code = "transaction.too_many"
    status = 429


class NotReplaceableNow(Conflict):
    """Mined, capped, or on a network that knows no replacement; `reason` says which."""

    code = "transaction.not_replaceable"


class BeingSigned(Conflict):
    """Its bytes are being signed right now, or it has ended: look again."""

    code = "transaction.not_under_way"


@dataclass(frozen=True)
class NonceView:
    """Where an address stands. latest: transactions mined; journaled: the highest bound nonce, -1 for none; gaps: bound nonces missing in between.

    epoch: of a key whose name was rotated, else None."""

    key_ref: str
    address: str
    latest: int
    journaled: int
    next: int
    in_flight: int
    queued: int
    gaps: list[int]
    paused: str | None
    epoch: int | None = None


class TransactionDesk:
    """The use cases behind /v1/transactions of one chain."""

    def __init__(self, chain: Chain, *, journal: Journal, senders: Senders, tracker: Tracker, gate: Gate, open_calls: Callable[[str], int],
                 most_open: int) -> None:  # fmt: skip
        self._open_calls = open_calls
        self._most_open = most_open
        self._asking: Counter[str] = Counter()
        self._chain = chain
        self._journal = journal
        self._senders = senders
        self._tracker = tracker
        self._gate = gate

    async def request(self, *, kind: str, params: Record, call: Call, key_ref: str, idempotency_key: str, asked_by: str, correlation_id: str,
                      start: Callable[[str], Awaitable[str]]) -> tuple[str, bool]:  # fmt: skip
        """Make an intent durable and start it; (operation id, whether it is new). Raises NotAllowed, TooMany, TokenxError 'transaction.key_reused'."""
        decision, _ = self._gate.decide(key_ref, call, kind=kind)
        if (
            decision.outcome is Outcome.DENY
            and decision.code != "policy.daily_count"
            and decision.code != "policy.daily_amount"
        ):
            raise NotAllowed(decision.detail, code=decision.code)
        with self._place(key_ref):
            body = {"operation_id": new_id("op"), "idempotency_key": idempotency_key, "params": params, "key_ref": key_ref,
                    "from_address": await self._address(key_ref), "to_address": call.to, "requested_by": asked_by,
                    "correlation_id": correlation_id}  # fmt: skip
            operation_id, is_new = await self._journal.request_intent(body)
            await start(operation_id)
        return operation_id, is_new

    @contextmanager
    def _place(self, key_ref: str) -> Generator[None]:
        """Room for one more of this key; also those just being made durable count. Raises TooMany."""
        waiting = sum(len(sender.queued) for sender in self._senders.all())
        if waiting >= MOST_QUEUED:
            raise TooMany(f"{waiting} intents wait on this chain already", retry_after_s=COME_BACK_S)
        mine = self._open_calls(key_ref) + self._asking[key_ref]
        if mine >= self._most_open:
            raise TooMany(f"{mine} intents of {key_ref} have not ended yet", retry_after_s=COME_BACK_S, open=mine)
        self._asking[key_ref] += 1
        try:
            yield
        finally:
            self._asking[key_ref] -= 1

    async def get(self, tx_id: str) -> Record:
        """With attempts and history. Raises NotFound."""
        return await self._journal.transaction(tx_id)

    async def page(self, query: dict[str, Any]) -> Record:
        """Newest first."""
        return await self._journal.transactions(query)

    async def cancel(self, tx_id: str) -> Record:
        """Withdraw what waits, put nothing in the place of what is out. Which of the two is mined decides. Raises BeingSigned, NotReplaceableNow."""
        if not await self._senders.withdraw(tx_id):
            await self._replace(tx_id, is_cancel=True)
        return await self.get(tx_id)

    async def speed_up(self, tx_id: str) -> Record:
        """Offer more for what is out. Raises BeingSigned, NotReplaceableNow."""
        await self._replace(tx_id, is_cancel=False)
        return await self.get(tx_id)

    async def _replace(self, tx_id: str, *, is_cancel: bool) -> None:
        tracked = self._tracker.get(tx_id)
        if tracked is None:
            await self.get(tx_id)  # Raises NotFound for one that never was
            raise BeingSigned(f"{tx_id} is not out: it waits for its operation, is being signed, or has ended")
        try:
            await (self._tracker.cancel(tracked) if is_cancel else self._tracker.speed_up(tracked))
        except NotReplaceable as error:
            raise NotReplaceableNow(f"{tx_id} cannot be replaced: {error}", reason=str(error)) from error
        except (RpcUnavailable, RpcError, SignerUnavailable) as error:
            raise DependencyUnavailable(f"not replaced: {error}") from error

    def decide(self, kind: str, call: Call, key_ref: str) -> Decision:
        """What the policy would say now. Nothing is counted."""
        return self._gate.decide(key_ref, call, kind=kind)[0]

    async def simulate(self, call: Call, key_ref: str) -> tuple[Refusal | None, int]:
        """(what stands against it now, gas it needs). Raises DependencyUnavailable."""
        try:
            return None, await self._chain.node.estimate(call, sender=await self._address(key_ref))
        except RpcUnavailable as error:
            raise DependencyUnavailable(f"the node did not answer: {error}") from error
        except RpcError as error:
            if not error.is_revert:
                raise DependencyUnavailable(f"the node did not answer: {error}") from error
            return self._chain.refusal(error), 0

    async def nonce(self, key_ref: str) -> NonceView:
        """Where a key's nonces stand. Raises DependencyUnavailable."""
        address = await self._address(key_ref)
        try:
            return await self._nonce_view(key_ref, address)
        except (RpcUnavailable, RpcError) as error:
            raise DependencyUnavailable(f"the node did not answer: {error}") from error

    async def nonces(self, told: Mapping[str, int], *, limit: int) -> list[NonceView]:
        """Where the keys in use stand; those with work in hand or with news since `told` (next nonce by address). Raises RpcUnavailable, RpcError."""
        senders = [sender for sender in self._senders.all() if self._has_news(sender, told)]
        return list(await asyncio.gather(*(self._nonce_view(sender.key_ref, sender.address) for sender in senders[:limit])))  # fmt: skip

    def _has_news(self, sender: Sender, told: Mapping[str, int]) -> bool:
        is_busy = bool(sender.queued or sender.paused or self._tracker.in_flight(sender.address))
        return is_busy or told.get(sender.address) != sender.next_nonce or ":" not in sender.key_ref

    async def _nonce_view(self, key_ref: str, address: str) -> NonceView:
        latest = await self._chain.node.nonce(address)
        flying = self._tracker.in_flight(address)
        journaled = self._senders.journaled_nonce(address)
        sender = next((sender for sender in self._senders.all() if sender.address == address), None)
        held = self._tracker.held_nonces(address) | (sender.unsigned_nonces if sender else set[int]())
        gaps = sorted(set(range(latest, journaled + 1)) - held)
        return NonceView(key_ref, address, latest, journaled, max(latest, journaled + 1), len(flying), len(sender.queued) if sender else 0,
                         gaps, sender.paused if sender else None, self._chain.book.epoch_of(sender.key_ref if sender else self._chain.key(key_ref)))  # fmt: skip

    async def _address(self, key_ref: str) -> str:
        try:
            return await self._chain.address(key_ref)
        except SignerUnavailable as error:
            raise DependencyUnavailable(f"the key holder did not answer: {error}") from error

    def report(self) -> dict[str, Any]:
        """For the status page: what is paused and why, and how long the oldest has waited."""
        paused = {sender.key_ref: sender.paused for sender in self._senders.all() if sender.paused}
        return {
            "senders_paused": paused,
            "transactions_paused": dict(list(self._tracker.paused.items())[:50]),
            "oldest_unmined_s": round(self._tracker.oldest_unmined_s, 1),
            "queued": sum(len(sender.queued) for sender in self._senders.all()),
        }
