"""One transaction under way: its attempts, where it is mined, what holds it up."""

import asyncio
from dataclasses import dataclass, field

from tokenx_chain.journal import Attempt, JournaledTransaction, Record, SignJob
from tokenx_chain.networks.evm import Receipt
from tokenx_chain.signers.base import UnsignedTransaction
from tokenx_chain.transactions.codec import unsigned_of

NEVER_S = -1e9


@dataclass
class Tracked:
    """receipt: where it is mined now, None after a reorganisation took it back; mined_by: the attempt that is mined there."""

    entry: JournaledTransaction
    attempts: list[Attempt]
    receipt: Receipt | None = None
    mined_by: Attempt | None = None
    is_final: bool = False
    is_lost: bool = False
    paused: str | None = None
    noted: str = ""
    """The state the journal was told last."""
    broadcast_at_s: float = NEVER_S
    first_sent_at_s: float = 1e18
    attempt_sent_at_s: float = 1e18
    sent: int = 0
    wants_bump: bool = False
    is_hopeless: bool = False
    asked: SignJob | None = None
    """A replacement whose signature was asked for and is not there: the next try asks for the same."""
    spent: int = 0
    """Names of the next attempt that can never be signed any more."""
    replacing: asyncio.Lock = field(default_factory=asyncio.Lock)
    mined: asyncio.Event = field(default_factory=asyncio.Event)
    final: asyncio.Event = field(default_factory=asyncio.Event)

    @classmethod
    def of(cls, entry: JournaledTransaction) -> "Tracked":
        return cls(entry, entry.all_attempts(), noted=entry.state)

    @property
    def active(self) -> Attempt:
        """The attempt whose bytes go out."""
        return self.attempts[-1]

    @property
    def hashes(self) -> list[str]:
        """Any of these may turn out to be the mined one."""
        return [attempt.tx_hash for attempt in self.attempts]

    @property
    def is_cancelled(self) -> bool:
        """Whether what is mined is not the intent but what took its place."""
        return self.mined_by is not None and self.mined_by.kind == "cancel"

    @property
    def unsigned(self) -> UnsignedTransaction:
        """What the active attempt's bytes say."""
        return unsigned_of(self.active.raw)

    @property
    def cost(self) -> int:
        """The most it may still take from its sender, in wei."""
        if len(self.attempts) == 1 and self.entry.cost:
            return self.entry.cost
        return max(fields.gas * fields.max_fee + fields.value for fields in (unsigned_of(a.raw) for a in self.attempts))

    def add(self, attempt: Attempt) -> None:
        """A journaled further attempt: its bytes go out from now on."""
        self.attempts.append(attempt)
        self.broadcast_at_s, self.attempt_sent_at_s = NEVER_S, 1e18
        self.wants_bump = self.is_hopeless = False
        self.asked, self.spent = None, 0

    def found(self, receipt: Receipt) -> None:
        """It is mined, as far as one node knows."""
        self.receipt = receipt
        self.mined_by = next(attempt for attempt in self.attempts if attempt.tx_hash == receipt.tx_hash)
        self.paused = None
        self.mined.set()

    def taken_back(self) -> None:
        """It is mined no more."""
        self.receipt = self.mined_by = None
        self.mined.clear()
        self.broadcast_at_s = NEVER_S  # the pool has dropped it too: send at once

    def state_record(self, state: str, **members: object) -> Record:
        """The journal record of a state, with the block it is mined in."""
        self.noted = state
        record: Record = {"op": "tx_state", "tx_id": self.entry.tx_id, "state": state, **members}
        if self.receipt is None:
            return record
        receipt = self.receipt
        return record | {"block_number": receipt.block_number, "block_hash": receipt.block_hash, "gas_used": receipt.gas_used,
                         "effective_gas_price": receipt.gas_price, "l1_fee": receipt.l1_fee}  # fmt: skip
