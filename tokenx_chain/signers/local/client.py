"""LocalSigner: asks signerd. Calls share one connection and are told apart by id, so a burst needs no waiting in between."""

import asyncio
import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from tokenx_chain.signers.deadlines import expired, is_over
from tokenx_chain.signers.errors import BadAnswer, NotSupported, SignerRefused, SignerUnavailable, UnknownKey
from tokenx_chain.signers.jobs import (
    AnyRequest,
    Backend,
    Capabilities,
    ContractCallRequest,
    MessageRequest,
    Signature,
    SignerHealth,
    SignJob,
    SignRequest,
    SignState,
    TypedDataRequest,
    check_key_ref,
)
from tokenx_chain.signers.ledger import JobLedger
from tokenx_chain.signers.local.wire import (
    MAX_LINE_BYTES,
    AddressCall,
    Answer,
    HealthCall,
    MessageCall,
    TransactionCall,
    TransactionFields,
    TypedDataCall,
)
from tokenx_common.clock import Clock, SystemClock

TIMEOUT_S: Final = 5.0
MAX_INFLIGHT: Final = 64

Call = AddressCall | HealthCall | MessageCall | TransactionCall | TypedDataCall


class LocalSigner:
    """Signs at once. Holds no key, only the path of a socket."""

    def __init__(self, socket: Path, *, clock: Clock | None = None, timeout_s: float = TIMEOUT_S) -> None:
        self._line = _Line(socket, timeout_s)
        self._clock = clock or SystemClock()
        self._ledger = JobLedger()
        self._addresses: dict[str, str] = {}
        self._ids = itertools.count(1)

    @property
    def backend(self) -> Backend:
        return "local"

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(raw_digest=True, typed_data=True, contract_call=False, is_sync=True, deterministic=True,
                            max_inflight=MAX_INFLIGHT, webhooks=False)  # fmt: skip

    async def health(self) -> SignerHealth:
        try:
            answer = await self._line.ask(HealthCall(id=next(self._ids)))
        except SignerUnavailable as error:
            return SignerHealth(ok=False, detail=error.detail)
        return SignerHealth(ok=answer.error is None, detail=f"signerd: {answer.detail}")

    async def address(self, key_ref: str) -> str:
        known = self._addresses.get(key_ref)
        if known is None:
            check_key_ref(key_ref)
            answer = _good(await self._line.ask(AddressCall(id=next(self._ids), key_ref=key_ref)))
            if answer.address is None:
                raise BadAnswer("signerd answered no address")
            known = self._addresses[key_ref] = answer.address
        return known

    async def submit(self, request: SignRequest) -> SignJob:
        fields = _fields(request)
        return await self._sign(
            request, TransactionCall(id=next(self._ids), key_ref=request.key_ref, transaction=fields)
        )

    async def sign_typed_data(self, request: TypedDataRequest) -> SignJob:
        call = TypedDataCall(id=next(self._ids), key_ref=request.key_ref, typed_data=request.plain)
        return await self._sign(request, call)

    async def sign_message(self, request: MessageRequest) -> SignJob:
        call = MessageCall(id=next(self._ids), key_ref=request.key_ref, message=request.message.hex())
        return await self._sign(request, call)

    async def submit_contract_call(self, request: ContractCallRequest) -> SignJob:
        raise NotSupported("the local signer sends nothing")

    async def poll(self, job_id: str) -> SignJob:
        return self._ledger.get(job_id)

    async def on_webhook(self, headers: Mapping[str, str], raw: bytes) -> Sequence[SignJob]:
        raise NotSupported("the local signer sends no webhooks")

    async def cancel(self, job_id: str) -> SignJob:
        return self._ledger.get(job_id)

    async def close(self) -> None:
        await self._line.close()

    async def _sign(self, request: AnyRequest, call: Call) -> SignJob:
        known = self._ledger.find(request.job_id, digest=request.digest, key_ref=request.key_ref)
        if known is not None:
            return known
        if is_over(request, self._clock):
            job = expired(request.job_id)
        else:
            answer = _good(await self._line.ask(call))
            if answer.r is None or answer.s is None or answer.y_parity is None:
                raise BadAnswer("signerd answered no signature")
            signature = Signature(int(answer.r, 16), int(answer.s, 16), answer.y_parity)
            job = SignJob(request.job_id, SignState.SIGNED, signature)
        return self._ledger.keep(job, digest=request.digest, key_ref=request.key_ref)


class _Line:
    """The connection: opened when first needed and again after it broke."""

    def __init__(self, socket: Path, timeout_s: float) -> None:
        self._socket = socket
        self._timeout_s = timeout_s
        self._waiting: dict[int, asyncio.Future[Answer]] = {}
        self._writer: asyncio.StreamWriter | None = None
        self._reading: asyncio.Task[None] | None = None
        self._opening = asyncio.Lock()
        self._slots = asyncio.Semaphore(MAX_INFLIGHT)

    async def ask(self, call: Call) -> Answer:
        """Raises SignerUnavailable when no answer comes in time; signing again is safe, the same digest gives the same signature."""
        line = call.model_dump_json().encode() + b"\n"
        if len(line) > MAX_LINE_BYTES:
            raise SignerRefused(f"request of {len(line)} bytes, at most {MAX_LINE_BYTES}")
        try:
            async with self._slots, asyncio.timeout(self._timeout_s):
                return await self._exchange(call.id, line)
        except TimeoutError as error:
            await self.close()
            raise SignerUnavailable(f"signerd did not answer within {self._timeout_s} s") from error
        except OSError as error:
            raise SignerUnavailable(f"signerd is not reachable: {type(error).__name__}") from error

    async def _exchange(self, call_id: int, line: bytes) -> Answer:
        writer = await self._open()
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting[call_id] = answer
        try:
            writer.write(line)
            await writer.drain()
            return await answer
        finally:
            self._waiting.pop(call_id, None)

    async def _open(self) -> asyncio.StreamWriter:
        async with self._opening:
            if self._writer is None or self._writer.is_closing():
                reader, self._writer = await asyncio.open_unix_connection(str(self._socket), limit=MAX_LINE_BYTES)
                self._reading = asyncio.create_task(self._read(reader, self._writer), name="signerd-line")
            return self._writer

    async def _read(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Hand out answers until the connection ends; whoever still waits is told."""
        mine = self._waiting
        try:
            while line := await reader.readline():
                answer = Answer.model_validate_json(line)
                waiting = None if answer.id is None else mine.get(answer.id)
                if waiting is not None and not waiting.done():
                    waiting.set_result(answer)
        except (OSError, ValidationError, ValueError):
            pass  # A broken or nonsensical connection ends like a closed one.
        finally:
            writer.close()
            for waiting in list(mine.values()):
                if not waiting.done():
                    waiting.set_exception(ConnectionResetError("signerd went away"))

    async def close(self) -> None:
        reading, self._reading, self._writer = self._reading, None, None
        if reading is not None:
            reading.cancel()
            await asyncio.wait([reading])


def _fields(request: SignRequest) -> TransactionFields:
    try:
        return TransactionFields.of(request.transaction)
    except ValidationError as error:
        raise SignerRefused(f"transaction has impossible fields: {error.error_count()}") from error


def _good(answer: Answer) -> Answer:
    match answer.error:
        case None:
            return answer
        case "unknown_key":
            raise UnknownKey(answer.detail or "unknown key")
        case "refused" | "bad_request":
            raise SignerRefused(answer.detail or "refused")
