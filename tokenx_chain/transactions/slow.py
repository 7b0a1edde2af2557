"""Signatures that take as long as people take: many asked for side by side, each durable before the key holder hears of it.

A nonce belongs to its job until there is proof that nothing is signed under it. Then the next intent takes it, or, when a later nonce is signed
already and nobody waits, a transfer of nothing fills the gap."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tokenx_chain.journal import Attempt, Journal, JournaledTransaction, Record, SignJob
from tokenx_chain.policy.gate import Pass
from tokenx_chain.signers.base import SignedTransaction, UnsignedTransaction
from tokenx_chain.transactions.asking import Asked, Asker, attempt_id, context_of
from tokenx_chain.transactions.errors import IntentRefused
from tokenx_chain.transactions.fees import Fees
from tokenx_chain.transactions.queue import Nonces, Queued
from tokenx_chain.transactions.replacer import SELF_TRANSFER_GAS
from tokenx_chain.transactions.tracked import Tracked
from tokenx_chain.transactions.tracker import Tracker
from tokenx_common.log import get_logger

log = get_logger(__name__)

FILL: Final = ".fill"
"""Behind the name of the intent whose nonce a filler takes."""

Spawn = Callable[[Coroutine[Any, Any, None], str], None]


@dataclass(eq=False)
class _Job:
    """kind: of the operation, for whoever approves. lost: the transaction that gets a new nonce by it. allowed: what policy counts it for."""

    asked: SignJob
    journaled: asyncio.Future[JournaledTransaction]
    kind: str = ""
    lost: Tracked | None = None
    allowed: Pass | None = None


class SlowLine:
    """The jobs of one address."""

    def __init__(self, *, address: str, key_ref: str, chain_id: int, nonces: Nonces, asker: Asker, journal: Journal, tracker: Tracker, spawn: Spawn,
                 on_change: Callable[[], None], give_back: Callable[[Pass], None]) -> None:  # fmt: skip
        self._address = address
        self._key_ref = key_ref
        self._chain_id = chain_id
        self._nonces = nonces
        self._asker = asker
        self._journal = journal
        self._tracker = tracker
        self._spawn = spawn
        self._on_change = on_change
        self._give_back = give_back
        self._jobs: dict[int, _Job] = {}
        self._released: dict[int, SignJob] = {}
        self._never_filled: set[int] = set()
        self._resumed: dict[str, asyncio.Future[JournaledTransaction]] = {}

    def __len__(self) -> int:
        return len(self._jobs)

    @property
    def nonces(self) -> set[int]:
        """Being signed for."""
        return set(self._jobs)

    @property
    def cost(self) -> int:
        """The most that what is being signed may take, in wei."""
        return sum(job.asked.cost for job in self._jobs.values())

    def taken_up(self, tx_id: str) -> asyncio.Future[JournaledTransaction] | None:
        """The end of a job that an earlier life of this process began."""
        return self._resumed.get(tx_id)

    @property
    def gap(self) -> int | None:
        """The lowest nonce of nobody's below one that is signed: nothing above it is mined before somebody takes it."""
        return min(self._below_signed(self._nonces.gaps - self._never_filled), default=None)

    @property
    def is_stuck(self) -> bool:
        """Whether such a nonce stays nobody's because even a transfer of nothing was refused for it. The next intent takes it."""
        return bool(self._below_signed(self._nonces.gaps & self._never_filled))

    def _below_signed(self, nonces: set[int]) -> set[int]:
        if not nonces:
            return nonces
        highest = max((tracked.active.nonce for tracked in self._tracker.in_flight(self._address)), default=-1)
        return {nonce for nonce in nonces if nonce < highest}

    def rebinds(self, tracked: Tracked) -> bool:
        """Whether a new nonce for a lost transaction is being signed already, since before a restart: it is the one that gets it."""
        job = next((job for job in self._jobs.values() if job.asked.tx_id == tracked.entry.tx_id and job.asked.kind == "rebind"), None)  # fmt: skip
        if job is None:
            return False
        job.lost = tracked
        return True

    # -- asking ---------------------------------------------------------------------------------------------------------------------

    async def ask(self, batch: Sequence[Queued], fees: Fees) -> None:
        """Bind a nonce to each, make that durable, and hand them over."""
        await self._start([self._job(item, fees) for item in batch])

    def _job(self, item: Queued, fees: Fees) -> _Job:
        intent, call = item.intent, item.intent.call
        number = item.lost.active.number + 1 if item.lost else 1
        unsigned = UnsignedTransaction(self._chain_id, self._nonces.take(), call.to, call.value, call.data, intent.gas, fees.max_fee, fees.max_tip)  # fmt: skip
        passed = item.allowed or Pass(None, 0)
        asked = SignJob(attempt_id(intent.tx_id, number), intent.tx_id, intent.operation_id, intent.step, number, "rebind" if item.lost else "initial",
                        self._address, self._key_ref, unsigned, deadline=intent.deadline, safe_to_rebind=intent.safe_to_rebind,
                        policy_id=passed.policy_id, policy_amount=passed.amount)  # fmt: skip
        return _Job(asked, item.journaled, intent.kind, item.lost, item.allowed)

    async def fill(self, nonce: int, fees: Fees) -> None:
        """Ask for a transfer of nothing to itself under a nonce that nobody wants."""
        before = self._released[nonce]
        self._nonces.gaps.discard(nonce)
        unsigned = UnsignedTransaction(
            self._chain_id, nonce, self._address, 0, b"", SELF_TRANSFER_GAS, fees.max_fee, fees.max_tip
        )
        tx_id = before.tx_id + FILL
        asked = SignJob(
            attempt_id(tx_id, 1),
            tx_id,
            before.operation_id,
            before.step + FILL,
            1,
            "fill",
            self._address,
            self._key_ref,
            unsigned,
        )
        log.info("sender.gap_filled", address=self._address, nonce=nonce, tx_id=tx_id)
        await self._start([_Job(asked, asyncio.get_running_loop().create_future(), "fill")])

    async def _start(self, jobs: list[_Job]) -> None:
        await self._journal.write([job.asked.record() for job in jobs])
        for job in jobs:
            self._carry_on(job)

    def take_up(self, found: SignJob) -> None:
        """What an earlier life of this process left: a job goes on, the nonce of a refused one is a gap."""
        if found.state != "open":
            self._released[found.unsigned.nonce] = found
            self._nonces.give_back([found.unsigned.nonce])
            return
        job = _Job(found, asyncio.get_running_loop().create_future())
        self._resumed[found.tx_id] = job.journaled
        self._carry_on(job)
        log.info("sender.signing_resumed", tx_id=found.tx_id, nonce=found.unsigned.nonce, job_id=found.job_id)

    def _carry_on(self, job: _Job) -> None:
        self._jobs[job.asked.unsigned.nonce] = job
        self._show_lowest()
        self._spawn(self._carry(job), f"signing:{job.asked.job_id}")

    # -- what becomes of it ---------------------------------------------------------------------------------------------------------

    async def _carry(self, job: _Job) -> None:
        what = job.asked
        facts = context_of(what.unsigned, operation=job.kind, step=what.step)
        try:
            done = await self._asker.signature(
                Asked(what.job_id, what.tx_id, what.unsigned, facts, what.deadline),
                lambda reason: self._held(job, reason),
            )
        except IntentRefused as refusal:
            await self._refused(job, refusal)
        else:
            await self._signed(job, done)
        self._on_change()

    async def _held(self, job: _Job, reason: str) -> None:
        if job.asked.kind != "rebind":
            await self._journal.write([_intent(job.asked, "signing", reason)])

    async def _signed(self, job: _Job, done: SignedTransaction) -> None:
        entry = job.asked.signed(done)
        await self._journal.write([_record(job, entry)])
        del self._jobs[entry.nonce]
        self._show_lowest()
        if not job.journaled.done():
            job.journaled.set_result(entry)
        if job.asked.kind != "rebind":
            await self._tracker.broadcast([entry])
        elif job.lost is not None:
            job.lost.add(_attempt(job, entry))
            await self._tracker.rebound(job.lost)

    async def _refused(self, job: _Job, refusal: IntentRefused) -> None:
        """There is proof that nothing is signed, so the nonce may serve another."""
        what = job.asked
        log.warning(
            "intent.refused", tx_id=what.tx_id, nonce=what.unsigned.nonce, code=refusal.code, detail=refusal.detail
        )
        ended = [] if what.kind == "rebind" else [_intent(what, "sign_rejected", refusal.code)]
        await self._journal.write([what.ended("released", refusal.code), *ended])
        del self._jobs[what.unsigned.nonce]
        self._released[what.unsigned.nonce] = what
        self._nonces.give_back([what.unsigned.nonce])
        if what.kind == "fill":
            # Not asked for again and again: the next intent takes the nonce, or people look.
            self._never_filled.add(what.unsigned.nonce)
            log.error("sender.gap_stays", address=self._address, nonce=what.unsigned.nonce, code=refusal.code)
        self._show_lowest()
        if job.allowed is not None:
            self._give_back(job.allowed)
        if job.lost is not None:
            self._tracker.give_up(job.lost)
        if not job.journaled.done():
            job.journaled.set_exception(refusal)
            job.journaled.exception()  # looked at here: whoever waits may be gone already

    def _show_lowest(self) -> None:
        """What is signed above a nonce that is not waits for it: sent earlier it could only lie in a pool, or be lost."""
        self._tracker.hold_above(self._address, min(self._jobs.keys() | self._nonces.gaps, default=None))


def _intent(what: SignJob, state: str, reason: str) -> Record:
    return {"op": "intent", "tx_id": what.tx_id, "operation_id": what.operation_id, "step": what.step, "from_address": what.from_address,
            "to_address": what.unsigned.to, "key_ref": what.key_ref, "state": state, "reason": reason}  # fmt: skip


def _attempt(job: _Job, entry: JournaledTransaction) -> Attempt:
    return Attempt(job.asked.attempt, "rebind", entry.nonce, entry.tx_hash, entry.raw, entry.max_fee, entry.max_tip)


def _record(job: _Job, entry: JournaledTransaction) -> Record:
    if job.asked.kind != "rebind":
        return entry.record()
    return _attempt(job, entry).record(entry.tx_id, entry.from_address)
