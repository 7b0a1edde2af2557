"""SQL of the chain schema: operations, the journal, contracts and the event stream."""

from typing import Any, LiteralString

from tokenx_api.db import ReadConn, Record, WriteConn
from tokenx_api.tokenization.models import (
    Checkpoint,
    ContractRecord,
    DeadLetterRecord,
    MonitoringRecord,
    OperationRecord,
    SignedRecord,
    TxStateRecord,
)

INSERT_OPERATION: LiteralString = """
    INSERT INTO chain.operations (operation_id, chain_id, kind, params, business_ref, correlation_id) VALUES ($1, $2, $3, $4, $5, $6)"""
LOCK_BUSINESS_REF: LiteralString = "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))"
SELECT_LIVE_OPERATION: LiteralString = """
    SELECT operation_id FROM chain.operations WHERE business_ref = $1 AND state <> 'failed' ORDER BY operation_id DESC LIMIT 1"""

UPDATE_OPERATION: LiteralString = """
    UPDATE chain.operations SET state = $2, result = coalesce($3, result), error_code = coalesce($4, error_code),
           error_detail = coalesce($5, error_detail), updated_at = now()
    WHERE operation_id = $1 AND state NOT IN ('final', 'failed')"""
INSERT_TRANSACTION: LiteralString = """
    INSERT INTO chain.transactions (tx_id, operation_id, step, chain_id, from_address, to_address, nonce, tx_hash, raw, epoch)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING RETURNING tx_id"""
SELECT_SAME_TRANSACTION: LiteralString = """
    SELECT 1 FROM chain.transactions
    WHERE tx_id = $1 AND operation_id = $2 AND chain_id = $3 AND from_address = $4 AND nonce = $5 AND tx_hash = $6"""
UPDATE_TRANSACTION: LiteralString = """
    UPDATE chain.transactions SET state = $3, block_number = $4, block_hash = $5, gas_used = coalesce($6, gas_used),
           revert_reason = coalesce($7, revert_reason), updated_at = now()
    WHERE tx_id = $1 AND chain_id = $2 AND (state NOT IN ('final', 'reverted') OR state = $3)"""
UPSERT_CONTRACT: LiteralString = """
    INSERT INTO chain.contracts (chain_id, name, address, detail) VALUES ($1, $2, $3, $4)
    ON CONFLICT (chain_id, name) DO UPDATE SET address = excluded.address, detail = excluded.detail"""
INSERT_DEAD_LETTER: LiteralString = """
    INSERT INTO chain.dead_letters (kind, ref_id, payload, error) VALUES ($1, $2, $3, $4) ON CONFLICT (ref_id) DO NOTHING"""
UPSERT_MONITORING: LiteralString = """
    INSERT INTO chain.monitoring (chain_id, status, head_number, head_hash, finalized_number, observed_at) VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (chain_id) DO UPDATE SET status = excluded.status, head_number = excluded.head_number, head_hash = excluded.head_hash,
           finalized_number = excluded.finalized_number, observed_at = excluded.observed_at
    WHERE chain.monitoring.observed_at < excluded.observed_at"""

SELECT_OPERATION: LiteralString = """
    SELECT operation_id, chain_id, kind, params, business_ref, state, correlation_id, result FROM chain.operations WHERE operation_id = $1"""
SELECT_OPERATIONS: LiteralString = """
    SELECT operation_id, chain_id, kind, params, business_ref, state, correlation_id, result FROM chain.operations
    WHERE chain_id = $1 AND state = ANY($2) ORDER BY created_at, operation_id LIMIT 5000"""
SELECT_TRANSACTIONS: LiteralString = """
    SELECT operation_id, tx_id, step, from_address, to_address, nonce, tx_hash, '0x' || encode(raw, 'hex') AS raw, state, epoch,
           block_number, block_hash, gas_used, revert_reason
    FROM chain.transactions WHERE operation_id = ANY($1) ORDER BY from_address, nonce LIMIT 50000"""
SELECT_CONTRACTS: LiteralString = (
    "SELECT name, address, detail FROM chain.contracts WHERE chain_id = $1 ORDER BY name LIMIT 5000"
)
SELECT_NONCES: LiteralString = """
    SELECT from_address, max(nonce) AS nonce FROM chain.transactions WHERE chain_id = $1
    GROUP BY from_address ORDER BY from_address LIMIT 100000"""

SELECT_STREAM: LiteralString = "SELECT seq, epoch, block_number, block_hash FROM chain.streams WHERE chain_id = $1"
SELECT_STREAMS: LiteralString = "SELECT chain_id, seq FROM chain.streams ORDER BY chain_id LIMIT 100"
OPEN_STREAM: LiteralString = "INSERT INTO chain.streams (chain_id) VALUES ($1) ON CONFLICT (chain_id) DO NOTHING"
ADVANCE_STREAM: LiteralString = """
    UPDATE chain.streams SET seq = $3, epoch = $4, block_number = $5, block_hash = $6 WHERE chain_id = $1 AND seq = $2 RETURNING seq"""
INSERT_EVENTS: LiteralString = """
    INSERT INTO chain.events (chain_id, seq, event_id, type, body)
    SELECT $1, item.seq, item.event_id, item.type, item.body
    FROM unnest($2::bigint[], $3::text[], $4::text[], $5::jsonb[]) AS item (seq, event_id, type, body)"""
SELECT_EVENTS: LiteralString = """
    SELECT body FROM chain.events WHERE chain_id = $1 AND seq > $2 ORDER BY seq LIMIT $3"""

SELECT_OPERATION_VIEWS: LiteralString = """
    SELECT o.operation_id, o.chain_id, o.kind, o.business_ref, o.state, o.error_code, o.error_detail, o.correlation_id, o.created_at,
           o.updated_at, ARRAY(SELECT t.tx_hash FROM chain.transactions t WHERE t.operation_id = o.operation_id ORDER BY t.nonce) AS tx_hashes
    FROM chain.operations o
    WHERE ($1::text IS NULL OR o.state = $1) AND ($2::text IS NULL OR o.operation_id < $2) AND ($4::text IS NULL OR o.operation_id = $4)
    ORDER BY o.operation_id DESC LIMIT $3"""
SELECT_DEAD_LETTERS: LiteralString = """
    SELECT dead_letter_id, kind, ref_id, payload, error, status, created_at FROM chain.dead_letters
    WHERE ($1::text IS NULL OR status = $1) AND ($2::bigint IS NULL OR dead_letter_id < $2) ORDER BY dead_letter_id DESC LIMIT $3"""
LOCK_DEAD_LETTER: LiteralString = """
    SELECT kind, payload, status FROM chain.dead_letters WHERE dead_letter_id = $1 FOR UPDATE"""
CLOSE_DEAD_LETTER: LiteralString = "UPDATE chain.dead_letters SET status = $2 WHERE dead_letter_id = $1"
SELECT_STATUS: LiteralString = """
    SELECT m.status, m.head_number, m.finalized_number, m.observed_at,
           (SELECT count(*) FROM chain.operations WHERE chain_id = $1 AND state IN ('queued', 'running')) AS open_operations,
           (SELECT count(*) FROM chain.dead_letters WHERE status = 'open') AS dead_letters,
           (SELECT count(*) FROM chain.events WHERE chain_id = $1 AND type = 'transfer.final') AS final_transfers,
           (SELECT count(*) FROM kyt.tx_risk_scores WHERE chain_id = $1 AND event_id LIKE 'transfer.final:%') AS scored_transfers,
           (SELECT o.state FROM chain.operations o WHERE o.business_ref = $2 AND o.state <> 'failed' LIMIT 1) AS platform_state
    FROM (SELECT $1::bigint AS chain_id) c LEFT JOIN chain.monitoring m USING (chain_id)"""


async def insert_operation(
    conn: WriteConn,
    *,
    operation_id: str,
    chain_id: int,
    kind: str,
    params: dict[str, Any],
    business_ref: str,
    correlation_id: str,
) -> None:
    await conn.execute(INSERT_OPERATION, operation_id, chain_id, kind, params, business_ref, correlation_id)


async def lock_business_ref(conn: WriteConn, business_ref: str) -> None:
    """Held until the transaction ends: nobody else asks for an operation of this reference meanwhile."""
    await conn.execute(LOCK_BUSINESS_REF, business_ref)


async def select_live_operation(conn: ReadConn, business_ref: str) -> str | None:
    """The newest operation of the reference that has not failed."""
    return await conn.fetchval(SELECT_LIVE_OPERATION, business_ref)


async def update_operation(conn: WriteConn, record: OperationRecord) -> None:
    """A final or failed operation stays as it is."""
    await conn.execute(
        UPDATE_OPERATION, record.operation_id, record.state, record.result, record.error_code, record.error_detail
    )


async def insert_transaction(conn: WriteConn, *, chain_id: int, epoch: int, record: SignedRecord) -> bool:
    """Whether it is new. False: its id, its nonce or its hash is there already."""
    inserted = await conn.fetchval(
        INSERT_TRANSACTION,
        record.tx_id, record.operation_id, record.step, chain_id, record.from_address, record.to_address, record.nonce, record.tx_hash,
        bytes.fromhex(record.raw[2:]), epoch,
    )  # fmt: skip
    return inserted is not None


async def is_same_transaction(conn: ReadConn, *, chain_id: int, record: SignedRecord) -> bool:
    """Whether exactly this transaction is journaled."""
    found = await conn.fetchval(
        SELECT_SAME_TRANSACTION,
        record.tx_id, record.operation_id, chain_id, record.from_address, record.nonce, record.tx_hash,
    )  # fmt: skip
    return found is not None


async def update_transaction(conn: WriteConn, *, chain_id: int, record: TxStateRecord) -> None:
    """A final or reverted transaction stays as it is."""
    await conn.execute(
        UPDATE_TRANSACTION,
        record.tx_id, chain_id, record.state, record.block_number, record.block_hash, record.gas_used, record.revert_reason,
    )  # fmt: skip


async def upsert_contract(conn: WriteConn, *, chain_id: int, record: ContractRecord) -> None:
    await conn.execute(UPSERT_CONTRACT, chain_id, record.name, record.address, record.detail)


async def insert_dead_letter(conn: WriteConn, record: DeadLetterRecord) -> None:
    """Once per ref_id."""
    await conn.execute(INSERT_DEAD_LETTER, record.kind, record.ref_id, record.payload, record.error)


async def upsert_monitoring(conn: WriteConn, *, chain_id: int, record: MonitoringRecord) -> None:
    """An older observation never replaces a newer one."""
    await conn.execute(
        UPSERT_MONITORING,
        chain_id, record.status, record.head_number, record.head_hash, record.finalized_number, record.observed_at,
    )  # fmt: skip


async def select_operation(conn: ReadConn, operation_id: str) -> Record | None:
    return await conn.fetchrow(SELECT_OPERATION, operation_id)


async def select_operations(conn: ReadConn, *, chain_id: int, states: list[str]) -> list[Record]:
    """Oldest first."""
    return await conn.fetch(SELECT_OPERATIONS, chain_id, states)


async def select_transactions(conn: ReadConn, operation_ids: list[str]) -> list[Record]:
    """By sender and nonce."""
    return await conn.fetch(SELECT_TRANSACTIONS, operation_ids)


async def select_contracts(conn: ReadConn, chain_id: int) -> list[Record]:
    return await conn.fetch(SELECT_CONTRACTS, chain_id)


async def select_nonces(conn: ReadConn, chain_id: int) -> dict[str, int]:
    """Highest journaled nonce by address."""
    return {row["from_address"]: row["nonce"] for row in await conn.fetch(SELECT_NONCES, chain_id)}


async def select_stream(conn: ReadConn, chain_id: int) -> Record | None:
    return await conn.fetchrow(SELECT_STREAM, chain_id)


async def select_streams(conn: ReadConn) -> list[Record]:
    return await conn.fetch(SELECT_STREAMS)


async def advance_stream(
    conn: WriteConn, *, chain_id: int, prev_seq: int, seq: int, epoch: int, checkpoint: Checkpoint
) -> bool:
    """Move the head by compare-and-set; takes the row lock. False: prev_seq is not the head."""
    await conn.execute(OPEN_STREAM, chain_id)
    moved = await conn.fetchval(
        ADVANCE_STREAM, chain_id, prev_seq, seq, epoch, checkpoint.block_number, checkpoint.block_hash
    )
    return moved is not None


async def insert_events(conn: WriteConn, *, chain_id: int, bodies: list[dict[str, Any]]) -> None:
    """Raises asyncpg.UniqueViolationError when an event_id is in the stream already."""
    await conn.execute(
        INSERT_EVENTS,
        chain_id, [body["seq"] for body in bodies], [body["event_id"] for body in bodies], [body["type"] for body in bodies], bodies,
    )  # fmt: skip


async def select_events(conn: ReadConn, *, chain_id: int, after: int, limit: int) -> list[dict[str, Any]]:
    """Event bodies in order, dense from after + 1."""
    return [row["body"] for row in await conn.fetch(SELECT_EVENTS, chain_id, after, limit)]


async def select_operation_views(
    conn: ReadConn,
    *,
    state: str | None = None,
    before: str | None = None,
    limit: int = 1,
    operation_id: str | None = None,
) -> list[Record]:
    """Newest first; before: the last operation_id of the previous page. None: no such filter."""
    return await conn.fetch(SELECT_OPERATION_VIEWS, state, before, limit, operation_id)


async def select_dead_letters(conn: ReadConn, *, status: str | None, before: int | None, limit: int) -> list[Record]:
    """Newest first; before: the last dead_letter_id of the previous page."""
    return await conn.fetch(SELECT_DEAD_LETTERS, status, before, limit)


async def lock_dead_letter(conn: WriteConn, dead_letter_id: int) -> Record | None:
    """Takes the row lock."""
    return await conn.fetchrow(LOCK_DEAD_LETTER, dead_letter_id)


async def close_dead_letter(conn: WriteConn, *, dead_letter_id: int, status: str) -> None:
    await conn.execute(CLOSE_DEAD_LETTER, dead_letter_id, status)


async def select_status(conn: ReadConn, *, chain_id: int, business_ref: str) -> Record:
    row = await conn.fetchrow(SELECT_STATUS, chain_id, business_ref)
    assert row is not None, "the subselect always has a row"
    return row
