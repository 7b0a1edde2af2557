"""Where the service brings what needs signing: hands it to the backend, waits for the job's end, checks and assembles.

Nothing leaves this class that has not been recovered to the expected address."""

import asyncio
import hashlib
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, Final

from prometheus_client import Counter, Gauge, Histogram

from tokenx_chain.signers.assembler import assemble_message, assemble_transaction
from tokenx_chain.signers.base import SignedTransaction, UnsignedTransaction
from tokenx_chain.signers.errors import (
    BadAnswer,
    NotDecided,
    SignerError,
    SignExpired,
    SignRejected,
    UnknownJob,
)
from tokenx_chain.signers.jobs import (
    AnyRequest,
    Backend,
    Capabilities,
    Context,
    MessageRequest,
    Signature,
    SignerHealth,
    SignJob,
    SignRequest,
    SignState,
    TypedDataRequest,
)
from tokenx_chain.signers.protocol import Signer
from tokenx_common.clock import monotonic_s
from tokenx_common.log import get_logger

log = get_logger(__name__)

JOBS: Final = Counter("tokenx_signer_jobs_total", "Signing jobs that came to an end", ["backend", "outcome"])
SECONDS: Final = Histogram("tokenx_signer_seconds", "From handing a job over to its signature", ["backend"],
                           buckets=(0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 120, 600))  # fmt: skip
WAITING: Final = Gauge("tokenx_signer_waiting", "Jobs handed over and not ended", ["backend"])

POLL_S: Final = 1.0
"""How often a pending job is asked after. A webhook wakes it earlier."""


class SigningDesk:
    """Implements base.Signer on a protocol.Signer."""

    def __init__(self, signer: Signer, *, patience_s: float = 30.0, poll_s: float = POLL_S) -> None:
        self._signer = signer
        self._patience_s = patience_s
        self._poll_s = poll_s
        self._slots = asyncio.Semaphore(signer.capabilities.max_inflight)
        self._wake: dict[str, asyncio.Event] = {}

    @property
    def backend(self) -> Backend:
        """Who holds the keys."""
        return self._signer.backend

    @property
    def capabilities(self) -> Capabilities:
        """What the backend can do."""
        return self._signer.capabilities

    async def health(self) -> SignerHealth:
        """For the health page."""
        return await self._signer.health()

    async def address(self, key_ref: str) -> str:
        """Lower case. Raises UnknownKey, SignerUnavailable."""
        return await self._signer.address(key_ref)

    async def sign_transaction(self, key_ref: str, transaction: UnsignedTransaction, *, attempt_id: str | None = None, intent_id: str = "",
                               policy_context: Context = (), deadline: datetime | None = None) -> SignedTransaction:  # fmt: skip
        """The bytes to journal and send. attempt_id names the attempt; without one its digest does.

        Raises SignerUnavailable or its NotDecided (call again with the same arguments), SignRejected and SignExpired (proof that nothing is signed),
        SignerRefused, UnknownKey, JobConflict, WrongSignature, BadAnswer."""
        address = await self._signer.address(key_ref)
        draft = SignRequest(job_id=attempt_id or "tx", key_ref=key_ref, transaction=transaction, intent_id=intent_id,
                            policy_context=policy_context, deadline=deadline)  # fmt: skip
        request = draft if attempt_id else _named(draft, "tx")
        return assemble_transaction(transaction, await self._signature(request), address=address)

    async def sign_message(self, key_ref: str, message: bytes) -> bytes:
        """65 bytes r, s, v over the EIP-191 personal message. Raises as sign_transaction."""
        address = await self._signer.address(key_ref)
        request = _named(MessageRequest(job_id="msg", key_ref=key_ref, message=message), "msg")
        return assemble_message(request.digest, await self._signature(request), address=address)

    async def sign_typed_data(self, key_ref: str, typed_data: Mapping[str, Any], *, attempt_id: str | None = None, intent_id: str = "",
                              policy_context: Context = (), deadline: datetime | None = None) -> bytes:  # fmt: skip
        """65 bytes r, s, v over EIP-712 data. Raises as sign_transaction."""
        address = await self._signer.address(key_ref)
        draft = TypedDataRequest(job_id=attempt_id or "typed", key_ref=key_ref, typed_data=typed_data, intent_id=intent_id,
                                 policy_context=policy_context, deadline=deadline)  # fmt: skip
        request = draft if attempt_id else _named(draft, "typed")
        return assemble_message(request.digest, await self._signature(request), address=address)

    async def on_webhook(self, headers: Mapping[str, str], raw: bytes) -> int:
        """Wake whoever waits for the jobs a webhook speaks of; how many jobs it named. Raises ForgedWebhook, NotSupported."""
        jobs = await self._signer.on_webhook(headers, raw)
        for job in jobs:
            event = self._wake.get(job.job_id)
            if event is not None:
                event.set()
        return len(jobs)

    async def _signature(self, request: AnyRequest) -> Signature:
        backend = self._signer.backend
        started = monotonic_s()
        async with self._slots:
            with WAITING.labels(backend).track_inprogress():
                try:
                    job = await self._finish(request)
                except SignerError as error:
                    JOBS.labels(backend, error.code).inc()
                    raise
        JOBS.labels(backend, job.state.value).inc()
        if job.state is SignState.REJECTED:
            raise SignRejected(f"job {job.job_id}: {job.reason}", backend_ref=job.backend_ref)
        if job.state is SignState.EXPIRED:
            raise SignExpired(f"job {job.job_id}: {job.reason}", backend_ref=job.backend_ref)
        if job.signature is None:
            raise BadAnswer(f"job {job.job_id} is signed without a signature")
        SECONDS.labels(backend).observe(monotonic_s() - started)
        return job.signature

    async def _finish(self, request: AnyRequest) -> SignJob:
        """The job once it has ended. Raises NotDecided when patience runs out first; the job itself goes on."""
        job = await self._hand_over(request)
        if job.state is not SignState.PENDING:
            return job
        log.info("signer.waiting", job_id=job.job_id, backend_ref=job.backend_ref)
        ends = monotonic_s() + self._patience_s
        async with self._waker(job.job_id) as event:
            while (left := ends - monotonic_s()) > 0:
                await self._pause(event, min(self._poll_s, left))
                job = await self._look(request)
                if job.state is not SignState.PENDING:
                    return job
        raise NotDecided(f"job {job.job_id} is not decided yet", backend_ref=job.backend_ref)

    async def _look(self, request: AnyRequest) -> SignJob:
        try:
            return await self._signer.poll(request.job_id)
        except UnknownJob:
            return await self._hand_over(request)

    async def _hand_over(self, request: AnyRequest) -> SignJob:
        match request:
            case SignRequest():
                return await self._signer.submit(request)
            case TypedDataRequest():
                return await self._signer.sign_typed_data(request)
            case MessageRequest():
                return await self._signer.sign_message(request)

    @asynccontextmanager
    async def _waker(self, job_id: str) -> AsyncGenerator[asyncio.Event]:
        event = self._wake.setdefault(job_id, asyncio.Event())
        try:
            yield event
        finally:
            self._wake.pop(job_id, None)

    @staticmethod
    async def _pause(event: asyncio.Event, seconds: float) -> None:
        try:
            await asyncio.wait_for(event.wait(), seconds)
        except TimeoutError:
            return
        event.clear()


def _named(draft: Any, kind: str) -> Any:
    """The request under the name its content gives it: the same thing asked twice is one job."""
    key = hashlib.sha256(draft.key_ref.encode()).hexdigest()[:16]
    return type(draft)(**{**vars_of(draft), "job_id": f"{kind}:{draft.digest.hex()}:{key}"})


def vars_of(request: AnyRequest) -> dict[str, Any]:
    """The fields a request was made of."""
    return {name: getattr(request, name) for name in type(request).__dataclass_fields__}
