"""A key holder where people decide, in this process. It outlives the service, as a real one does, and insists that a name is used once."""

import asyncio
from datetime import datetime
from typing import Literal

from tests.support.seed_signer import SeedSigner
from tokenx_chain.signers.base import SignedTransaction, UnsignedTransaction
from tokenx_chain.signers.errors import BadAnswer, JobConflict, NotDecided, SignRejected, WrongSignature
from tokenx_chain.signers.jobs import Capabilities, Context

Decision = Literal["sign", "reject", "wrong", "nonsense"]


class People(SeedSigner):
    """asked: what was asked for under each name. decisions: what was decided about it; default for names not in there, None for not yet."""

    def __init__(self, default: Decision | None = None, *, max_inflight: int = 8) -> None:
        super().__init__(b"5eed" * 16)
        self.default = default
        self.max_inflight = max_inflight
        self.asked: dict[str, UnsignedTransaction] = {}
        self.contexts: dict[str, Context] = {}
        self.decisions: dict[str, Decision] = {}
        self.most_at_once = 0
        self._at_once = 0

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(raw_digest=True, typed_data=False, contract_call=False, is_sync=False, deterministic=False, max_inflight=self.max_inflight,
                            webhooks=False)  # fmt: skip

    async def sign_transaction(self, key_ref: str, transaction: UnsignedTransaction, *, attempt_id: str | None = None, intent_id: str = "",
                               policy_context: Context = (), deadline: datetime | None = None) -> SignedTransaction:  # fmt: skip
        assert attempt_id is not None
        if self.asked.setdefault(attempt_id, transaction) != transaction:
            raise JobConflict(f"{attempt_id} was something else: {self.asked[attempt_id]}, {transaction}")
        self.contexts[attempt_id] = policy_context
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            await asyncio.sleep(0.01)
        finally:
            self._at_once -= 1
        match self.decisions.get(attempt_id, self.default):
            case None:
                raise NotDecided("nobody has looked yet")
            case "reject":
                raise SignRejected("not today")
            case "wrong":
                raise WrongSignature("another key")
            case "nonsense":
                raise BadAnswer("what?")
            case _:
                return await super().sign_transaction(key_ref, transaction)

    def open(self) -> list[str]:
        """Names nothing was decided about, in the order of asking."""
        return [name for name in self.asked if name not in self.decisions]
