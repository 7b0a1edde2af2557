"""SQL of chain operations."""

from typing import Any, LiteralString

from tokenx_api.db import WriteConn

INSERT_OPERATION: LiteralString = """
    INSERT INTO chain.operations (operation_id, chain_id, kind, params, business_ref, correlation_id) VALUES ($1, $2, $3, $4, $5, $6)"""


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
