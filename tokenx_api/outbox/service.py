"""Work that must happen after the commit and outside the database: written in the business transaction, carried out by the relay, at least once."""

from typing import Any

from tokenx_api.db import ReadConn, WriteConn
from tokenx_api.outbox import queries
from tokenx_api.outbox.models import Kind
from tokenx_common.correlation import correlation_id


async def enqueue(conn: WriteConn, *, kind: Kind, dedupe_key: str, payload: dict[str, Any]) -> None:
    """Add one piece of work; a second one with the same dedupe_key is dropped."""
    await queries.insert(conn, kind=kind, dedupe_key=dedupe_key, payload=payload, correlation_id=correlation_id())


async def start_workflow(conn: WriteConn, *, workflow: str, workflow_id: str, argument: dict[str, Any]) -> None:
    """Start a workflow after the commit, once per workflow_id."""
    payload = {"workflow": workflow, "workflow_id": workflow_id, "argument": argument}
    await enqueue(conn, kind="workflow_start", dedupe_key=f"workflow_start:{workflow_id}", payload=payload)


async def signal_workflow(
    conn: WriteConn, *, workflow_id: str, signal: str, event_id: str, argument: dict[str, Any]
) -> None:
    """Signal a workflow after the commit; event_id makes the signal one of a kind. It may arrive more than once."""
    payload = {"workflow_id": workflow_id, "signal": signal, "argument": argument}
    await enqueue(conn, kind="workflow_signal", dedupe_key=f"workflow_signal:{workflow_id}:{event_id}", payload=payload)


async def backlog(conn: ReadConn) -> tuple[int, int]:
    """(entries waiting, age of the oldest in seconds)."""
    return await queries.select_backlog(conn)
