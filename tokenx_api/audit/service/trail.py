"""The audit trail: one row per state change, in the transaction that makes the change."""

from typing import Any

from tokenx_api.audit import queries
from tokenx_api.audit.models import AuditEvent
from tokenx_api.db import ReadConn, WriteConn
from tokenx_common.correlation import correlation_id


async def record(
    conn: WriteConn, *, actor: str, action: str, subject_type: str, subject_id: str, **detail: Any
) -> None:
    """actor: user id or 'service:<name>'. action: past tense noun.verb, e.g. 'order.accepted'. detail: references and codes, no personal data."""
    await queries.append(
        conn,
        actor=actor,
        action=action,
        subject=(subject_type, subject_id),
        correlation_id=correlation_id(),
        detail=detail,
    )


async def page(conn: ReadConn, *, subject_id: str | None, before: int | None, limit: int) -> list[AuditEvent]:
    """Newest first; of one subject, or of all when None."""
    return await queries.select_page(conn, subject_id=subject_id, before=before, limit=limit)
