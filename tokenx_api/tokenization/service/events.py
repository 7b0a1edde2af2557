"""The durable event stream of each chain."""

from typing import Any

import asyncpg

from tokenx_api.db import ReadConn, WriteConn
from tokenx_api.streams import service as streams
from tokenx_api.tokenization import queries
from tokenx_api.tokenization.errors import DuplicateEvent, StreamConflict
from tokenx_api.tokenization.models import EventsBody, OperationRecord, StreamHead
from tokenx_common.events import ChainItem

CHECKPOINT_DAYS = 30


async def append_events(conn: WriteConn, body: EventsBody) -> int:
    """Append by compare-and-set and move the checkpoint; returns the new head. An operation's last event also closes its row, so that
    the two can never disagree. Raises StaleEpoch, StreamConflict (with head), DuplicateEvent."""
    await streams.require_epoch(conn, resource=f"chain:{body.chain_id}", epoch=body.epoch)
    seq = body.prev_seq + len(body.items)
    moved = await queries.advance_stream(
        conn,
        chain_id=body.chain_id,
        prev_seq=body.prev_seq,
        seq=seq,
        epoch=body.epoch,
        checkpoint=body.checkpoint,
    )
    if not moved:
        head = await stream_head(conn, body.chain_id)
        raise StreamConflict(f"the head is {head.seq}, not {body.prev_seq}", head=head.seq)
    try:
        await queries.insert_events(conn, chain_id=body.chain_id, bodies=[item.model_dump() for item in body.items])
    except asyncpg.UniqueViolationError as error:
        raise DuplicateEvent(error.detail or "an event_id is in the stream already") from None
    for item in body.items:
        await _close_operation(conn, item)
    await queries.keep_checkpoint(conn, chain_id=body.chain_id, days=CHECKPOINT_DAYS)
    return seq


async def _close_operation(conn: WriteConn, item: ChainItem) -> None:
    payload = item.payload
    if item.type == "operation.final":
        record = OperationRecord(
            op="operation", operation_id=payload["operation_id"], state="final", result=payload["result"]
        )
    elif item.type == "operation.failed":
        record = OperationRecord(
            op="operation",
            operation_id=payload["operation_id"],
            state="failed",
            error_code=payload["error_code"],
            error_detail=payload["error_detail"],
        )
    else:
        return
    await queries.update_operation(conn, record)


async def stream_head(conn: ReadConn, chain_id: int) -> StreamHead:
    """Zeros for a chain never heard of."""
    row = await queries.select_stream(conn, chain_id)
    return StreamHead(**dict(row)) if row else StreamHead()


async def chain_heads(conn: ReadConn) -> dict[int, int]:
    """Head of each chain's stream by chain id."""
    return {row["chain_id"]: row["seq"] for row in await queries.select_streams(conn)}


async def events_after(conn: ReadConn, *, chain_id: int, after: int, limit: int) -> list[dict[str, Any]]:
    """Durable events in order, dense from after + 1."""
    return await queries.select_events(conn, chain_id=chain_id, after=after, limit=limit)
