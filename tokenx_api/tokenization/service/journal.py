"""The chain service's journal: one transaction a request, harmless to send again, refused from a stale epoch."""

from typing import Any, Literal

import asyncpg

from tokenx_api.audit import service as audit
from tokenx_api.db import ReadConn, Record, WriteConn
from tokenx_api.streams import service as streams
from tokenx_api.tokenization import queries
from tokenx_api.tokenization.errors import DeadLetterClosed, NonceTaken
from tokenx_api.tokenization.models import (
    Contract,
    ContractRecord,
    DeadLetterRecord,
    JournalBody,
    JournaledOperation,
    JournaledTransaction,
    MonitoringRecord,
    OperationRecord,
    SignedRecord,
    TxStateRecord,
)
from tokenx_api.tokenization.models import Record as JournalRecord
from tokenx_common.errors import NotFound

OPEN_STATES = ["queued", "running"]


async def write_journal(conn: WriteConn, body: JournalBody) -> None:
    """All records or none. Raises StaleEpoch, NonceTaken, NotFound for a transaction of an unknown operation."""
    await streams.require_epoch(conn, resource=f"chain:{body.chain_id}", epoch=body.epoch)
    for record in body.records:
        await _write(conn, body, record)


async def _write(conn: WriteConn, body: JournalBody, record: JournalRecord) -> None:
    match record:
        case OperationRecord():
            await queries.update_operation(conn, record)
        case SignedRecord():
            await _write_signed(conn, body, record)
        case TxStateRecord():
            await queries.update_transaction(conn, chain_id=body.chain_id, record=record)
        case ContractRecord():
            await queries.upsert_contract(conn, chain_id=body.chain_id, record=record)
        case DeadLetterRecord():
            await queries.insert_dead_letter(conn, record)
        case MonitoringRecord():
            await queries.upsert_monitoring(conn, chain_id=body.chain_id, record=record)


async def _write_signed(conn: WriteConn, body: JournalBody, record: SignedRecord) -> None:
    try:
        is_new = await queries.insert_transaction(conn, chain_id=body.chain_id, epoch=body.epoch, record=record)
    except asyncpg.ForeignKeyViolationError:
        raise NotFound("operation") from None
    if not is_new and not await queries.is_same_transaction(conn, chain_id=body.chain_id, record=record):
        raise NonceTaken(
            f"{record.tx_id}: nonce {record.nonce} of {record.from_address} is bound to another transaction",
            tx_id=record.tx_id,
            nonce=record.nonce,
        )


async def dead_letter(conn: WriteConn, record: DeadLetterRecord) -> None:
    """Set something aside for a human, once per ref_id."""
    await queries.insert_dead_letter(conn, record)


async def open_dead_letter(conn: WriteConn, dead_letter_id: int) -> tuple[str, dict[str, Any]]:
    """(kind, payload) of an open dead letter, whose row is the caller's until the transaction ends. Raises NotFound, DeadLetterClosed."""
    row = await queries.lock_dead_letter(conn, dead_letter_id)
    if row is None:
        raise NotFound("dead_letter")
    if row["status"] != "open":
        raise DeadLetterClosed(f"the dead letter was {row['status']}")
    return row["kind"], row["payload"]


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


async def open_operations(conn: ReadConn, chain_id: int) -> list[JournaledOperation]:
    """What is queued or running, oldest first, with its transactions."""
    return await _with_transactions(conn, await queries.select_operations(conn, chain_id=chain_id, states=OPEN_STATES))


async def _with_transactions(conn: ReadConn, rows: list[Record]) -> list[JournaledOperation]:
    found: dict[str, list[JournaledTransaction]] = {row["operation_id"]: [] for row in rows}
    for row in await queries.select_transactions(conn, list(found)):
        values = dict(row)
        found[values.pop("operation_id")].append(JournaledTransaction(**values))
    return [JournaledOperation(**dict(row), transactions=found[row["operation_id"]]) for row in rows]


async def contracts(conn: ReadConn, chain_id: int) -> list[Contract]:
    """By name."""
    return [Contract(**dict(row)) for row in await queries.select_contracts(conn, chain_id)]


async def nonces(conn: ReadConn, chain_id: int) -> dict[str, int]:
    """Highest journaled nonce by address."""
    return await queries.select_nonces(conn, chain_id)
