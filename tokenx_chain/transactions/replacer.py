"""Other bytes under the same nonce: the same intent for more money, or nothing at all in its place. Journaled before they are sent, like the first."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final, Literal

from tokenx_chain.journal import Attempt, AttemptKind, Journal, SignJob
from tokenx_chain.networks.evm import EvmNode
from tokenx_chain.signers.base import SignedTransaction, Signer, UnsignedTransaction
from tokenx_chain.signers.errors import SignerError
from tokenx_chain.transactions.asking import attempt_id, context_of
from tokenx_chain.transactions.fees import Fees, raised
from tokenx_chain.transactions.tracked import Tracked
from tokenx_common.log import get_logger

log = get_logger(__name__)

SELF_TRANSFER_GAS: Final = 21_000
MOST_ATTEMPTS: Final = 40
"""Of one intent. An eighth more each time is a hundredfold after 40."""

OnReplaced = Callable[[str, str], None]
"""(hash of the attempt before, hash of the new one)"""


class NotReplaceable(Exception):
    """Why there is no valid replacement; the word is kept as the reason of the pause."""


class Replacer:
    """Makes further attempts. The caller holds tracked.replacing."""

    def __init__(self, node: EvmNode, signer: Signer, journal: Journal, on_replaced: OnReplaced) -> None:
        self._node = node
        self._signer = signer
        self._journal = journal
        self._on_replaced = on_replaced

    @property
    def is_slow(self) -> bool:
        """Whether a signature may take as long as people take."""
        return not self._signer.capabilities.is_sync

    async def bump(self, tracked: Tracked) -> None:
        """The same for more. Raises NotReplaceable, RpcUnavailable, SignerError.

        After one that does not prove anything the same bytes are asked for again by the next call."""
        kind: AttemptKind = "cancel" if tracked.active.kind == "cancel" else "bump"
        await self._replace(tracked, kind, tracked.unsigned)

    async def cancel(self, tracked: Tracked) -> None:
        """A transfer of nothing to itself in its place. Raises as bump."""
        if tracked.asked is not None and tracked.asked.kind != "cancel":
            await self._finish(tracked, tracked.asked)  # its name is taken: first the one, then the other
        own = tracked.entry.from_address
        await self._replace(tracked, "cancel", replace(tracked.unsigned, to=own, value=0, data=b"", gas=SELF_TRANSFER_GAS))  # fmt: skip

    async def _replace(self, tracked: Tracked, kind: AttemptKind, wanted: UnsignedTransaction) -> None:
        if self._node.network.bump_after_s is None:
            raise NotReplaceable("no_replacement_here")
        if tracked.entry.key_ref is None:
            raise NotReplaceable("unknown_key")
        if len(tracked.attempts) >= MOST_ATTEMPTS:
            raise NotReplaceable("stuck_capped")
        await self._finish(tracked, tracked.asked or await self._ask(tracked, kind, wanted))

    async def _ask(self, tracked: Tracked, kind: AttemptKind, wanted: UnsignedTransaction) -> SignJob:
        """Decide what to ask for; durable first where the answer may take long."""
        entry, number = tracked.entry, tracked.active.number + 1
        assert entry.key_ref is not None, "looked at by the caller"
        assert kind != "initial", "a replacement"
        fees = await self._fees(tracked)
        unsigned = replace(wanted, nonce=tracked.active.nonce, max_fee=fees.max_fee, max_tip=fees.max_tip)
        name = attempt_id(entry.tx_id, number, spent=tracked.spent)
        asked = SignJob(
            name, entry.tx_id, entry.operation_id, entry.step, number, kind, entry.from_address, entry.key_ref, unsigned
        )
        if self.is_slow:
            await self._journal.write([asked.record()])
        tracked.asked = asked
        return asked

    async def _finish(self, tracked: Tracked, asked: SignJob) -> None:
        """Get the signature and make it the attempt that goes out. Raises NotReplaceable when it is proven that there will be none."""
        facts = context_of(asked.unsigned, attempt=asked.kind, step=asked.step)
        try:
            signed = await self._signer.sign_transaction(asked.key_ref, asked.unsigned, attempt_id=asked.job_id, intent_id=asked.tx_id,
                                                         policy_context=facts)  # fmt: skip
        except SignerError as error:
            if not error.proves_unsigned:
                raise
            await self._drop(tracked, asked, "released", error.code)
            raise NotReplaceable(error.code) from error
        if tracked.receipt is not None or tracked.is_lost:
            await self._drop(tracked, asked, "unused", "already_mined")
            raise NotReplaceable("already_mined")
        await self._add(tracked, asked, signed)

    async def _drop(self, tracked: Tracked, asked: SignJob, state: Literal["released", "unused"], reason: str) -> None:
        """It is over without an attempt; another of the same number needs another name."""
        if self.is_slow:
            await self._journal.write([asked.ended(state, reason)])
        tracked.asked, tracked.spent = None, tracked.spent + 1

    async def _add(self, tracked: Tracked, asked: SignJob, signed: SignedTransaction) -> None:
        before, out = tracked.active, asked.unsigned
        kind: AttemptKind = "cancel" if asked.kind == "cancel" else "bump"
        attempt = Attempt(asked.attempt, kind, out.nonce, signed.tx_hash, signed.raw, out.max_fee, out.max_tip)
        await self._journal.write([attempt.record(tracked.entry.tx_id, tracked.entry.from_address)])
        tracked.add(attempt)
        tracked.noted = "cancel_requested" if kind == "cancel" else "signed"
        self._on_replaced(before.tx_hash, attempt.tx_hash)
        log.info("transaction.replaced", tx_id=tracked.entry.tx_id, kind=kind, attempt=attempt.number, tx_hash=attempt.tx_hash,
                 max_fee=str(out.max_fee), max_tip=str(out.max_tip))  # fmt: skip

    async def _fees(self, tracked: Tracked) -> Fees:
        out = tracked.unsigned
        base_fee = (await self._node.head()).base_fee
        fees = raised(Fees(out.max_fee, out.max_tip), base_fee=base_fee, cap=self._node.network.fee_cap_wei)
        if fees is None:
            raise NotReplaceable("stuck_capped")
        return fees
