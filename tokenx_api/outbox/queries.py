"""SQL of the outbox."""

from typing import Any, LiteralString

from tokenx_api.db import WriteConn

INSERT: LiteralString = """
    INSERT INTO api.outbox (kind, dedupe_key, payload, correlation_id) VALUES ($1, $2, $3, $4) ON CONFLICT (dedupe_key) DO NOTHING"""


async def insert(conn: WriteConn, *, kind: str, dedupe_key: str, payload: dict[str, Any], correlation_id: str) -> None:
    await conn.execute(INSERT, kind, dedupe_key, payload, correlation_id)
