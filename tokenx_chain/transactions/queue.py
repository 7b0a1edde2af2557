"""What waits for a nonce, and the nonces themselves."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from tokenx_chain.contracts.calls import Call
from tokenx_chain.journal import JournaledTransaction
from tokenx_chain.policy.gate import Pass
from tokenx_chain.transactions.tracked import Tracked


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
    deadline: datetime | None = None
    """After which it must not be signed any more. None: never."""

    @property
    def tx_id(self) -> str:
        return f"{self.operation_id}:{self.step}"


@dataclass(eq=False)
class Queued:
    """An intent that waits. lost: it has had a nonce before, which another transaction took. noted: why it waits, as the journal was told last."""

    intent: Intent
    journaled: asyncio.Future[JournaledTransaction]
    allowed: Pass | None = None
    lost: Tracked | None = None
    noted: str = ""
    spent: int = 0
    """Signatures that were thrown away, because one before it was refused."""

    def fail(self, error: Exception) -> None:
        """It ends without a transaction."""
        if not self.journaled.done():
            self.journaled.set_exception(error)
            self.journaled.exception()  # looked at here: whoever waits may be gone already


class Nonces:
    """The nonces of one address. What was given back, with proof that nothing is signed under it, is given out again before anything new."""

    def __init__(self, first: int) -> None:
        self.next = first
        """The first that nothing was ever bound to."""
        self.gaps: set[int] = set()
        """Below next, and nobody's."""

    def take(self) -> int:
        """The lowest that is free."""
        if self.gaps:
            lowest = min(self.gaps)
            self.gaps.discard(lowest)
            return lowest
        self.next += 1
        return self.next - 1

    def give_back(self, nonces: Iterable[int]) -> None:
        """Nothing is signed under these and nothing will be."""
        self.gaps.update(nonce for nonce in nonces if nonce < self.next)
        while self.next - 1 in self.gaps:
            self.next -= 1
            self.gaps.discard(self.next)

    def catch_up(self, mined: int) -> bool:
        """Everything below `mined` is spent. True: by somebody else, with our key."""
        stolen = mined > self.next or any(gap < mined for gap in self.gaps)
        self.next = max(self.next, mined)
        self.gaps = {gap for gap in self.gaps if gap >= mined}
        return stolen
