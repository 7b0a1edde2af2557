"""The chain service's memory lives in the api: what was decided is committed there before anything is done about it.

Writes wait for the api as long as it takes: an unreachable api pauses the service and never makes it guess."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal, NoReturn

from tokenx_chain.policy.rules import Rule, Used
from tokenx_chain.signers.base import SignedTransaction, UnsignedTransaction
from tokenx_common.clock import rfc3339
from tokenx_common.errors import DependencyUnavailable, TokenxError
from tokenx_common.http import ServiceClient
from tokenx_common.lease import Lease, stop_stale
from tokenx_common.log import get_logger

log = get_logger(__name__)

RETRY_S: Final = 0.2
BATCH_BYTES: Final = 400_000
"""Of signed bytes in hex, so that one request stays under the api's body limit."""
PAGE: Final = 1000

Record = dict[str, Any]


AttemptKind = Literal["initial", "bump", "cancel", "rebind"]
SignKind = Literal["initial", "bump", "cancel", "rebind", "fill"]


@dataclass(frozen=True)
class Attempt:
    """One set of signed bytes for an intent. Fees in wei per gas; None: journaled before fees were kept."""

    number: int
    kind: AttemptKind
    nonce: int
    tx_hash: str
    raw: bytes
    max_fee: int | None = None
    max_tip: int | None = None

    def record(self, tx_id: str, from_address: str) -> Record:
        """The journal record that makes it durable; for every attempt after the first."""
        return {"op": "attempt", "tx_id": tx_id, "attempt": self.number, "kind": self.kind, "from_address": from_address, "nonce": self.nonce,
                "tx_hash": self.tx_hash, "raw": "0x" + self.raw.hex(), "max_fee": self.max_fee, "max_tip": self.max_tip}  # fmt: skip


@dataclass(frozen=True)
class JournaledTransaction:
    """A transaction whose signed bytes are durable: its nonce is taken by this intent for ever.

    tx_hash and raw are those of the attempt that is out now; attempts holds all of them, none for one that was just signed.
    cost: the most it may take from its sender in wei, 0 when that has to be read from the bytes."""

    tx_id: str
    operation_id: str
    step: str
    from_address: str
    to_address: str | None
    nonce: int
    tx_hash: str
    raw: bytes
    state: str
    key_ref: str | None = None
    max_fee: int | None = None
    max_tip: int | None = None
    cost: int = 0
    safe_to_rebind: bool = False
    policy_id: str | None = None
    policy_amount: int = 0
    attempts: tuple[Attempt, ...] = ()

    def record(self) -> Record:
        """The journal record that makes it durable."""
        return {"op": "signed", "tx_id": self.tx_id, "operation_id": self.operation_id, "step": self.step, "from_address": self.from_address,
                "to_address": self.to_address, "nonce": self.nonce, "tx_hash": self.tx_hash, "raw": "0x" + self.raw.hex(),
                "key_ref": self.key_ref, "max_fee": self.max_fee, "max_tip": self.max_tip, "safe_to_rebind": self.safe_to_rebind,
                "policy_id": self.policy_id, "policy_amount": self.policy_amount}  # fmt: skip

    def all_attempts(self) -> list[Attempt]:
        """At least the one that is out."""
        first = Attempt(1, "initial", self.nonce, self.tx_hash, self.raw, self.max_fee, self.max_tip)
        return list(self.attempts) or [first]


@dataclass(frozen=True)
class SignJob:
    """A signature that may take as long as people take. Durable before the key holder hears of it; job_id names it for ever.

    state open: asked for, not there. released: refused with proof, and nobody has its nonce. unused: signed too late to matter."""

    job_id: str
    tx_id: str
    operation_id: str
    step: str
    attempt: int
    kind: SignKind
    from_address: str
    key_ref: str
    unsigned: UnsignedTransaction
    deadline: datetime | None = None
    safe_to_rebind: bool = False
    policy_id: str | None = None
    policy_amount: int = 0
    state: str = "open"

    @property
    def cost(self) -> int:
        """The most it may take from its sender, in wei."""
        return self.unsigned.gas * self.unsigned.max_fee + self.unsigned.value

    def record(self) -> Record:
        """The journal record that makes it durable."""
        what = self.unsigned
        fields = {"to": what.to, "value": what.value, "data": "0x" + what.data.hex(), "gas": what.gas, "max_fee": what.max_fee, "max_tip": what.max_tip,
                  "safe_to_rebind": self.safe_to_rebind, "policy_id": self.policy_id, "policy_amount": self.policy_amount}  # fmt: skip
        return {"op": "signing", "job_id": self.job_id, "tx_id": self.tx_id, "operation_id": self.operation_id, "step": self.step,
                "attempt": self.attempt, "kind": self.kind, "from_address": self.from_address, "key_ref": self.key_ref, "nonce": what.nonce,
                "fields": fields, "deadline": rfc3339(self.deadline) if self.deadline else None}  # fmt: skip

    def ended(self, state: Literal["released", "unused"], reason: str) -> Record:
        """The journal record of its end without a signature that counts."""
        return {"op": "sign_ended", "job_id": self.job_id, "state": state, "reason": reason}

    def signed(self, done: SignedTransaction) -> JournaledTransaction:
        """The transaction its signature makes."""
        what = self.unsigned
        return JournaledTransaction(self.tx_id, self.operation_id, self.step, self.from_address, what.to, what.nonce, done.tx_hash, done.raw, "signed",
                                    key_ref=self.key_ref, max_fee=what.max_fee, max_tip=what.max_tip, cost=self.cost, safe_to_rebind=self.safe_to_rebind,
                                    policy_id=self.policy_id, policy_amount=self.policy_amount)  # fmt: skip


@dataclass(frozen=True)
class Unsigned:
    """What a restart takes up besides operations: jobs, and transactions whose operation is closed."""

    jobs: tuple[SignJob, ...]
    loose: tuple[JournaledTransaction, ...]


@dataclass(frozen=True)
class JournaledOperation:
    """An operation as the api holds it."""

    operation_id: str
    kind: str
    params: dict[str, Any]
    state: str
    correlation_id: str
    transactions: tuple[JournaledTransaction, ...]
    approvals: int = 0
    """People who agreed to it."""


@dataclass(frozen=True)
class StreamHead:
    """The last event of the chain's stream and the block up to which everything final is in it."""

    seq: int
    block_number: int
    block_hash: str


@dataclass(frozen=True)
class Policy:
    """rules None: nobody has set any, so the built-in ones count; an empty tuple: everything is denied. version counts approved changes."""

    rules: tuple[Rule, ...] | None
    used: dict[str, Used]
    version: int


@dataclass
class _Waiting:
    records: Sequence[Record]
    done: asyncio.Future[None]


class Journal:
    """Reads and writes /internal/chain/* for one chain under its lease.

    Concurrent writes share a request; they reach the api in the order they were made."""

    def __init__(self, api: ServiceClient, lease: Lease, chain_id: int) -> None:
        self._api = api
        self._lease = lease
        self._chain_id = chain_id
        self._waiting: list[_Waiting] = []
        self._flushing = asyncio.Lock()
        self.policy_version = 0
        """What the api said last."""
        self.consumed_seq = 0
        """How far the api has taken in our events, as it said last."""
        self.answered = asyncio.Event()
        """Set with each answer to a write."""

    @property
    def resource(self) -> str:
        return f"chain:{self._chain_id}"

    @property
    def epoch(self) -> int:
        return self._lease.epoch

    async def write(self, records: Sequence[Record]) -> None:
        """Returns when the records are committed. Raises TokenxError when the api refuses them; waits when it is away."""
        entry = _Waiting(records, asyncio.get_running_loop().create_future())
        self._waiting.append(entry)
        async with self._flushing:
            if not entry.done.done():
                await self._flush()
        await entry.done

    async def _flush(self) -> None:
        group = self._take_group()
        try:
            await self._post([record for entry in group for record in entry.records])
        except TokenxError as error:
            if len(group) == 1:
                group[0].done.set_exception(error)
                return
            for entry in group:  # one bad record must not fail its neighbours
                await self._write_alone(entry)
            return
        for entry in group:
            entry.done.set_result(None)

    async def _write_alone(self, entry: _Waiting) -> None:
        try:
            await self._post(entry.records)
        except TokenxError as error:
            entry.done.set_exception(error)
        else:
            entry.done.set_result(None)

    def _take_group(self) -> list[_Waiting]:
        size, count = 0, 0
        for entry in self._waiting:
            size += sum(_size(record) for record in entry.records)
            if count and size > BATCH_BYTES:
                break
            count += 1
        group, self._waiting = self._waiting[:count], self._waiting[count:]
        return group

    async def _post(self, records: Sequence[Record]) -> None:
        answer: Record = await self._patiently("POST", "/internal/chain/journal", {"epoch": self.epoch, "chain_id": self._chain_id, "records": list(records)})  # fmt: skip
        self.policy_version = int(answer.get("policy_version") or 0)
        if answer.get("consumed_seq") is not None:
            self.consumed_seq = int(answer["consumed_seq"])
        self.answered.set()

    async def append_events(self, *, prev_seq: int, checkpoint: tuple[int, str], items: Sequence[Record]) -> None:
        """Append to the chain's stream by compare-and-set. Raises TokenxError 'stream.conflict' when prev_seq is not the head."""
        block_number, block_hash = checkpoint
        await self._patiently("POST", "/internal/chain/events", {"epoch": self.epoch, "chain_id": self._chain_id, "prev_seq": prev_seq,
                              "checkpoint": {"block_number": block_number, "block_hash": block_hash}, "items": list(items)})  # fmt: skip

    async def stream_head(self) -> StreamHead:
        answer = await self._patiently("GET", f"/internal/chain/streams/{self._chain_id}")
        return StreamHead(int(answer["seq"]), int(answer["block_number"]), str(answer["block_hash"]))

    async def events_after(self, seq: int, limit: int = PAGE) -> list[Record]:
        """Durable events of this chain's stream after a seq, at most `limit`."""
        answer = await self._patiently("GET", f"/internal/streams/{self.resource}", {"after": seq, "limit": limit})
        return list(answer["items"])

    async def open_operations(self) -> list[JournaledOperation]:
        answer = await self._patiently("GET", "/internal/chain/operations", {"chain_id": self._chain_id, "state": "open"})  # fmt: skip
        return [_operation(row) for row in answer["operations"]]

    async def operation(self, operation_id: str) -> JournaledOperation:
        """One operation. Raises TokenxError: not found, or DependencyUnavailable at once (the caller is asked to come again)."""
        answer = await self._api.get(f"/internal/chain/operations/{operation_id}")
        return _operation(answer["operations"][0] if "operations" in answer else answer)

    async def contracts(self) -> dict[str, tuple[str, dict[str, Any]]]:
        """Address and detail of each recorded contract by name."""
        answer = await self._patiently("GET", "/internal/chain/contracts", {"chain_id": self._chain_id})
        return {row["name"]: (row["address"], row.get("detail") or {}) for row in answer["contracts"]}

    async def nonces(self) -> dict[str, int]:
        """Highest journaled nonce per address."""
        answer: dict[str, Any] = await self._patiently("GET", "/internal/chain/nonces", {"chain_id": self._chain_id})
        rows: dict[str, Any] = answer.get("nonces", answer)
        return {address.lower(): int(nonce) for address, nonce in rows.items()}

    async def unsigned(self) -> Unsigned:
        """Signatures that were asked for and are not there, and what goes on without an operation."""
        answer = await self._patiently("GET", "/internal/chain/sign-jobs", {"chain_id": self._chain_id})
        loose = tuple(_transaction(row["operation_id"], row) for row in answer["loose"])
        return Unsigned(tuple(sign_job(row, self._chain_id) for row in answer["jobs"]), loose)

    async def request_intent(self, body: Record) -> tuple[str, bool]:
        """(operation id, whether it is new). Raises TokenxError: 'transaction.key_reused', or DependencyUnavailable at once."""
        answer = await self._api.post("/internal/chain/intents", {"chain_id": self._chain_id, **body})
        return str(answer["operation_id"]), bool(answer["is_new"])

    async def key_switches(self) -> list[tuple[str, str, int]]:
        """(name, key, epoch) of every rotation that has switched, so that a name stands for its newest key."""
        answer = await self._patiently("GET", "/internal/chain/rotations", {"chain_id": self._chain_id})
        return [(row["name"], row["new_key"], int(row["from_epoch"]) + 1) for row in answer["rotations"] if row["switched_at"]]  # fmt: skip

    async def rotations(self) -> list[Record]:
        """Every rotation of this chain as the api holds it, newest first. Raises DependencyUnavailable at once."""
        answer = await self._api.get("/internal/chain/rotations", params={"chain_id": self._chain_id})
        return list(answer["rotations"])

    async def request_rotation(self, body: Record) -> tuple[str, bool]:
        """(operation id, whether it is new). Raises TokenxError: 'signer.rotation_under_way', or DependencyUnavailable at once."""
        answer = await self._api.post("/internal/chain/rotations", {"chain_id": self._chain_id, **body})
        return str(answer["operation_id"]), bool(answer["is_new"])

    async def transaction(self, tx_id: str) -> Record:
        """One transaction as the api shows it. Raises TokenxError."""
        return await self._api.get(f"/internal/chain/transactions/{tx_id}", params={"chain_id": self._chain_id})

    async def transactions(self, query: dict[str, Any]) -> Record:
        """One page of transactions as the api shows it. Raises TokenxError."""
        return await self._api.get("/internal/chain/transactions", params={"chain_id": self._chain_id, **query})

    async def policy(self) -> Policy:
        """The rules an operator has set for this chain, and what each let pass today."""
        answer = await self._patiently("GET", "/internal/chain/policy", {"chain_id": self._chain_id})
        rules = tuple(Rule(**row) for row in answer["rules"])
        used = {row["policy_id"]: Used(int(row["amount"]), int(row["count"])) for row in answer["used"]}
        return Policy(rules if answer.get("is_set", bool(rules)) else None, used, int(answer.get("version") or 0))

    async def approvals(self, operation_id: str) -> int:
        """How many people have agreed to an operation."""
        answer = await self._patiently("GET", f"/internal/chain/operations/{operation_id}")
        return _operation(answer["operations"][0] if "operations" in answer else answer).approvals

    async def _patiently(self, method: str, path: str, content: dict[str, Any] | None = None) -> Any:
        """The answer, however long the api is away. A stale epoch ends the process."""
        warned = False
        while True:
            try:
                return await (
                    self._api.post(path, content) if method == "POST" else self._api.get(path, params=content)
                )
            except DependencyUnavailable as error:
                if not warned:
                    log.warning("journal.waiting", path=path, reason=error.detail)
                    warned = True
                await asyncio.sleep(RETRY_S)
            except TokenxError as error:
                if error.code == "lease.stale_epoch":
                    self._stop()
                raise

    def _stop(self) -> NoReturn:
        stop_stale(self.resource)
        raise SystemExit  # stop_stale does not return; this tells the type checker


def _operation(row: dict[str, Any]) -> JournaledOperation:
    return JournaledOperation(
        operation_id=row["operation_id"],
        kind=row["kind"],
        params=row["params"],
        state=row["state"],
        correlation_id=row.get("correlation_id") or "",
        transactions=tuple(_transaction(row["operation_id"], entry) for entry in row.get("transactions", ())),
        approvals=int(row.get("approvals") or 0),
    )


def _transaction(operation_id: str, row: dict[str, Any]) -> JournaledTransaction:
    return JournaledTransaction(
        tx_id=row["tx_id"],
        operation_id=operation_id,
        step=row["step"],
        from_address=row["from_address"].lower(),
        to_address=row["to_address"],
        nonce=int(row["nonce"]),
        tx_hash=row["tx_hash"],
        raw=_bytes(row["raw"]),
        state=row["state"],
        key_ref=row.get("key_ref"),
        safe_to_rebind=bool(row.get("safe_to_rebind")),
        attempts=tuple(_attempt(entry) for entry in row.get("attempts", ())),
    )


def sign_job(row: dict[str, Any], chain_id: int) -> SignJob:
    """A job as the api holds it."""
    fields = row["fields"]
    unsigned = UnsignedTransaction(chain_id, int(row["nonce"]), fields["to"], int(fields["value"]), _bytes(fields["data"]), int(fields["gas"]),
                                   int(fields["max_fee"]), int(fields["max_tip"]))  # fmt: skip
    deadline = row.get("deadline")
    return SignJob(
        row["job_id"], row["tx_id"], row["operation_id"], row["step"], int(row["attempt"]), row["kind"], row["from_address"].lower(), row["key_ref"],
        unsigned, deadline=datetime.fromisoformat(deadline) if deadline else None, safe_to_rebind=bool(fields.get("safe_to_rebind")),
        policy_id=fields.get("policy_id"), policy_amount=int(fields.get("policy_amount") or 0), state=row["state"],
    )  # fmt: skip


def _size(record: Record) -> int:
    fields: Record = record.get("fields") or {}
    return len(record.get("raw") or "") + len(fields.get("data") or "") + 500


def _attempt(row: dict[str, Any]) -> Attempt:
    return Attempt(int(row["attempt"]), row["kind"], int(row["nonce"]), row["tx_hash"], _bytes(row["raw"]), row["max_fee"], row["max_tip"])  # fmt: skip


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x").removeprefix("\\x"))
