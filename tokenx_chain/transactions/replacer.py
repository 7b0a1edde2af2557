"""Other bytes under the same nonce: the same intent for more money, or nothing at all in its place. Journaled before they are sent, like the first."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from tokenx_chain.journal import Attempt, AttemptKind, Journal
from tokenx_chain.networks.evm import EvmNode
from tokenx_chain.signers.base import Signer, UnsignedTransaction
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

    async def bump(self, tracked: Tracked) -> None:
        """The same for more. Raises NotReplaceable, RpcUnavailable, SignerUnavailable."""
        kind: AttemptKind = "cancel" if tracked.active.kind == "cancel" else "bump"
        await self._replace(tracked, kind, tracked.unsigned)

    async def cancel(self, tracked: Tracked) -> None:
        """A transfer of nothing to itself in its place. Raises as bump."""
        own = tracked.entry.from_address
        await self._replace(tracked, "cancel", replace(tracked.unsigned, to=own, value=0, data=b"", gas=SELF_TRANSFER_GAS))  # fmt: skip

    async def _replace(self, tracked: Tracked, kind: AttemptKind, wanted: UnsignedTransaction) -> None:
        key_ref = tracked.entry.key_ref
        if self._node.network.bump_after_s is None:
            raise NotReplaceable("no_replacement_here")
        if key_ref is None:
            raise NotReplaceable("unknown_key")
        if len(tracked.attempts) >= MOST_ATTEMPTS:
            raise NotReplaceable("stuck_capped")
        fees = await self._fees(tracked)
        signed = await self._signer.sign_transaction(key_ref, replace(wanted, nonce=tracked.active.nonce, max_fee=fees.max_fee, max_tip=fees.max_tip))  # fmt: skip
        before = tracked.active
        attempt = Attempt(before.number + 1, kind, before.nonce, signed.tx_hash, signed.raw, fees.max_fee, fees.max_tip)
        await self._journal.write([attempt.record(tracked.entry.tx_id, tracked.entry.from_address)])
        tracked.add(attempt)
        tracked.noted = "cancel_requested" if kind == "cancel" else "signed"
        self._on_replaced(before.tx_hash, attempt.tx_hash)
        log.info("transaction.replaced", tx_id=tracked.entry.tx_id, kind=kind, attempt=attempt.number, tx_hash=attempt.tx_hash,
                 max_fee=str(fees.max_fee), max_tip=str(fees.max_tip))  # fmt: skip

    async def _fees(self, tracked: Tracked) -> Fees:
        out = tracked.unsigned
        base_fee = (await self._node.head()).base_fee
        fees = raised(Fees(out.max_fee, out.max_tip), base_fee=base_fee, cap=self._node.network.fee_cap_wei)
        if fees is None:
            raise NotReplaceable("stuck_capped")
        return fees
