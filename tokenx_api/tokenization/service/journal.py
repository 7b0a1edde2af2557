"""The chain service's journal: one transaction a request, harmless to send again, refused from a stale epoch."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import asyncpg

from tokenx_api.audit import service as audit
from tokenx_api.db import ReadConn, Record, WriteConn
from tokenx_api.streams import service as streams
from tokenx_api.tokenization import queries
from tokenx_api.tokenization.errors import DeadLetterClosed, NonceTaken
from tokenx_api.tokenization.models import (
    AttemptRecord,
    Contract,
    ContractRecord,
    DeadLetterRecord,
    IntentRecord,
    JournalAnswer,
    JournalBody,
    JournaledAttempt,
    JournaledOperation,
    JournaledTransaction,
    LooseTransaction,
    MonitoringRecord,
    OperationRecord,
    Policy,
    PolicyRule,
    PolicyUse,
    RotationRecord,
    SignedRecord,
    SignEndedRecord,
    SigningRecord,
    SignJobs,
    SignJobView,
    TxStateRecord,
)
from tokenx_api.tokenization.models import Record as JournalRecord
from tokenx_api.tokenization.service.rotations import move_rotation
from tokenx_common.errors import NotFound

OPEN_STATES = ["queued", "running"]
CONSUMER = "api.chain"
"""Under which the api takes in chain events."""
HISTORY_DAYS = 30


@dataclass(frozen=True)
class DeadLetter:
    """attempts: how often it was set aside."""

    dead_letter_id: int
    kind: str
    ref_id: str
    payload: dict[str, Any]
    attempts: int


async def write_journal(conn: WriteConn, body: JournalBody) -> JournalAnswer:
    """All records or none. Raises StaleEpoch, NonceTaken, NotFound for a transaction of an unknown operation."""
    await streams.require_epoch(conn, resource=f"chain:{body.chain_id}", epoch=body.epoch)
    for run in _runs(body.records):
        await _write_run(conn, body, run)
    reports = any(isinstance(record, MonitoringRecord) for record in body.records)
    consumed_seq = await _consumed_seq(conn, body.chain_id) if reports else None
    version = await queries.select_policy_version(conn)
    return JournalAnswer(records=len(body.records), policy_version=version, consumed_seq=consumed_seq)


async def _consumed_seq(conn: ReadConn, chain_id: int) -> int:
    return await streams.cursor(conn, consumer=CONSUMER, stream=f"chain:{chain_id}")


def _runs(records: list[JournalRecord]) -> Iterator[list[JournalRecord]]:
    """Neighbours of one kind, each transaction once: what one statement may write without changing the order of things."""
    run: list[JournalRecord] = []
    seen: set[str] = set()
    for record in records:
        tx_id = record.tx_id if isinstance(record, SignedRecord | TxStateRecord) else ""
        if run and (type(record) is not type(run[0]) or tx_id in seen or not tx_id):
            yield run
            run, seen = [], set()
        run.append(record)
        seen.add(tx_id)
    if run:
        yield run


async def _write_run(conn: WriteConn, body: JournalBody, run: list[JournalRecord]) -> None:
    match run[0]:
        case SignedRecord():
            await _write_signed(conn, body, [record for record in run if isinstance(record, SignedRecord)])
        case TxStateRecord():
            states = [record for record in run if isinstance(record, TxStateRecord)]
            await queries.update_transactions(conn, chain_id=body.chain_id, records=states)
        case _:
            await _write_one(conn, body, run[0])


async def _write_one(conn: WriteConn, body: JournalBody, record: JournalRecord) -> None:
    match record:
        case OperationRecord():
            await queries.update_operation(conn, record)
            if record.state == "failed":
                await queries.end_rotation(conn, record.operation_id, detail=(record.error_detail or "")[:500])
        case RotationRecord():
            await move_rotation(conn, chain_id=body.chain_id, record=record)
        case AttemptRecord():
            await _write_attempts(conn, body, [record])
            await queries.activate_attempt(conn, chain_id=body.chain_id, record=record)
        case SigningRecord():
            await _write_signing(conn, body, record)
        case SignEndedRecord():
            await queries.end_sign_job(conn, chain_id=body.chain_id, record=record)
        case IntentRecord():
            await queries.upsert_intent(conn, chain_id=body.chain_id, epoch=body.epoch, record=record)
        case ContractRecord():
            await queries.upsert_contract(conn, chain_id=body.chain_id, record=record)
        case DeadLetterRecord():
            await queries.insert_dead_letter(conn, record)
        case MonitoringRecord():
            await _write_report(conn, body.chain_id, record)
        case SignedRecord() | TxStateRecord():
            raise AssertionError("written in runs")


async def _write_report(conn: WriteConn, chain_id: int, record: MonitoringRecord) -> None:
    """How things are, and now and then a row to look back on."""
    await queries.upsert_monitoring(conn, chain_id=chain_id, record=record)
    await queries.upsert_reports(conn, chain_id=chain_id, record=record)
    consumed_seq = await _consumed_seq(conn, chain_id)
    if await queries.insert_history(conn, chain_id=chain_id, record=record, consumed_seq=consumed_seq):
        await queries.prune_history(conn, chain_id=chain_id, now=record.observed_at, days=HISTORY_DAYS)


async def _write_signed(conn: WriteConn, body: JournalBody, records: list[SignedRecord]) -> None:
    try:
        await queries.upsert_signed(conn, chain_id=body.chain_id, epoch=body.epoch, records=records)
    except asyncpg.ForeignKeyViolationError:
        raise NotFound("operation") from None
    except asyncpg.UniqueViolationError as error:
        raise NonceTaken(f"bound to another transaction: {error.detail}") from None
    await _write_attempts(conn, body, [_first_attempt(record) for record in records])


async def _write_signing(conn: WriteConn, body: JournalBody, record: SigningRecord) -> None:
    """Raises NonceTaken, also when the job's name was used for something else."""
    try:
        is_written = await queries.insert_sign_job(conn, chain_id=body.chain_id, epoch=body.epoch, record=record)
    except asyncpg.ForeignKeyViolationError:
        raise NotFound("operation") from None
    except asyncpg.UniqueViolationError as error:
        raise NonceTaken(f"being signed for another transaction: {error.detail}") from None
    if not is_written:
        raise NonceTaken(
            f"{record.job_id}: nonce {record.nonce} is bound to another transaction, or the job is another"
        )


def _first_attempt(record: SignedRecord) -> AttemptRecord:
    return AttemptRecord.model_construct(
        op="attempt", tx_id=record.tx_id, attempt=1, kind="initial", from_address=record.from_address, nonce=record.nonce,
        tx_hash=record.tx_hash, raw=record.raw, max_fee=record.max_fee, max_tip=record.max_tip,
    )  # fmt: skip


async def _write_attempts(conn: WriteConn, body: JournalBody, records: list[AttemptRecord]) -> None:
    """Raises NonceTaken, also when an intent is journaled with other bytes under the same number."""
    try:
        await queries.insert_attempts(conn, chain_id=body.chain_id, epoch=body.epoch, records=records)
    except asyncpg.ForeignKeyViolationError:
        raise NotFound("transaction") from None
    except asyncpg.UniqueViolationError as error:
        raise NonceTaken(f"bound to another transaction: {error.detail}") from None
    missing = await queries.select_missing_attempt(conn, chain_id=body.chain_id, records=records)
    if missing is not None:
        raise NonceTaken(
            f"{missing['tx_id']}: nonce {missing['nonce']} is bound to another transaction",
            tx_id=missing["tx_id"],
            nonce=missing["nonce"],
        )
    await queries.close_sign_jobs(conn, chain_id=body.chain_id, records=records)


async def dead_letter(conn: WriteConn, record: DeadLetterRecord) -> None:
    """Set something aside for a human, once per ref_id."""
    await queries.insert_dead_letter(conn, record)


async def open_dead_letter(conn: WriteConn, dead_letter_id: int) -> DeadLetter:
    """An open dead letter, whose row is the caller's until the transaction ends. Raises NotFound, DeadLetterClosed."""
    row = await queries.lock_dead_letter(conn, dead_letter_id)
    if row is None:
        raise NotFound("dead_letter")
    if row["status"] != "open":
        raise DeadLetterClosed(f"the dead letter was {row['status']}")
    return DeadLetter(dead_letter_id, row["kind"], row["ref_id"], row["payload"], row["attempts"])


async def close_dead_letter(
    conn: WriteConn, dead_letter_id: int, *, actor: str, status: Literal["requeued", "discarded"], reason: str
) -> None:
    """Nobody need look at it any more."""
    await queries.close_dead_letter(conn, dead_letter_id=dead_letter_id, status=status)
    await audit.record(conn, actor=actor, action=f"dead_letter.{status}", subject_type="dead_letter",
                       subject_id=str(dead_letter_id), reason=reason)  # fmt: skip


async def operation(conn: ReadConn, operation_id: str) -> JournaledOperation:
    """One operation with its transactions. Raises NotFound."""
    row = await queries.select_operation(conn, operation_id)
    if row is None:
        raise NotFound("operation")
    return (await _with_transactions(conn, [row]))[0]


async def business_ref_of(conn: ReadConn, *, chain_id: int, tx_hash: str) -> str | None:
    """What waits for the operation that sent a transaction; None for one that is not ours."""
    return await queries.select_business_ref(conn, chain_id=chain_id, tx_hash=tx_hash)


async def results(conn: ReadConn, *, business_ref: str, kind: str) -> list[dict[str, Any]]:
    """What the final operations of a kind reported, oldest first."""
    return await queries.select_results(conn, business_ref=business_ref, kind=kind)


async def waiting_transaction(conn: ReadConn, operation_id: str) -> str | None:
    """The transaction of an operation under way that nothing was signed for yet, for example because a second person has to agree."""
    return await queries.select_waiting(conn, operation_id)


async def open_operations(conn: ReadConn, chain_id: int) -> list[JournaledOperation]:
    """What is queued or running, oldest first, with its transactions."""
    return await _with_transactions(conn, await queries.select_operations(conn, chain_id=chain_id, states=OPEN_STATES))


async def _with_transactions(conn: ReadConn, rows: list[Record]) -> list[JournaledOperation]:
    found: dict[str, list[JournaledTransaction]] = {row["operation_id"]: [] for row in rows}
    sent = await queries.select_transactions(conn, list(found))
    attempts = await _attempts(conn, sent)
    for row in sent:
        values = dict(row)
        found[values.pop("operation_id")].append(JournaledTransaction(**values, attempts=attempts[row["tx_id"]]))
    return [JournaledOperation(**dict(row), transactions=found[row["operation_id"]]) for row in rows]


async def _attempts(conn: ReadConn, sent: list[Record]) -> dict[str, list[JournaledAttempt]]:
    """By transaction, in order."""
    attempts: dict[str, list[JournaledAttempt]] = {row["tx_id"]: [] for row in sent}
    for row in await queries.select_attempts(conn, list(attempts)):
        values = dict(row)
        attempts[values.pop("tx_id")].append(JournaledAttempt(**values))
    return attempts


async def sign_jobs(conn: ReadConn, chain_id: int) -> SignJobs:
    """Signatures that were asked for and are not there, and transactions that outlive their operation."""
    loose = await queries.select_loose(conn, chain_id)
    attempts = await _attempts(conn, loose)
    return SignJobs(
        jobs=[SignJobView(**dict(row)) for row in await queries.select_sign_jobs(conn, chain_id)],
        loose=[LooseTransaction(**dict(row), attempts=attempts[row["tx_id"]]) for row in loose],
    )


async def contracts(conn: ReadConn, chain_id: int) -> list[Contract]:
    """By name."""
    return [Contract(**dict(row)) for row in await queries.select_contracts(conn, chain_id)]


async def nonces(conn: ReadConn, chain_id: int) -> dict[str, int]:
    """Highest journaled nonce by address."""
    return await queries.select_nonces(conn, chain_id)


async def policy(conn: ReadConn, chain_id: int) -> Policy:
    """The rules of a chain and what they let pass today."""
    return Policy(
        rules=[PolicyRule(**dict(row)) for row in await queries.select_policies(conn, chain_id)],
        used=[PolicyUse(**dict(row)) for row in await queries.select_policy_use(conn, chain_id)],
        is_set=await queries.select_policy_is_set(conn, chain_id),
        version=await queries.select_policy_version(conn),
    )
