"""SQL of the audit trail."""

from typing import Any, LiteralString

from tokenx_api.db import WriteConn

APPEND: LiteralString = "SELECT audit.append($1, $2, $3, $4, $5, $6)"


async def append(
    conn: WriteConn, *, actor: str, action: str, subject: tuple[str, str], correlation_id: str, detail: dict[str, Any]
) -> int:
    """Adds one row through the only door there is; returns its event_id."""
    return await conn.fetchval(APPEND, actor, action, subject[0], subject[1], correlation_id, detail)
