"""Work that must happen after the commit and outside the database: written in the business transaction, carried out by the relay, at least once."""

from typing import Any, Literal

from tokenx_api.db import WriteConn
from tokenx_api.outbox import queries
from tokenx_common.correlation import correlation_id

Kind = Literal["workflow_start", "workflow_signal", "chain_operation", "payment_instruction", "notification"]


async def enqueue(conn: WriteConn, *, kind: Kind, dedupe_key: str, payload: dict[str, Any]) -> None:
    """Add one piece of work; a second one with the same dedupe_key is dropped."""
    await queries.insert(conn, kind=kind, dedupe_key=dedupe_key, payload=payload, correlation_id=correlation_id())
