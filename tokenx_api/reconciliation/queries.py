"""SQL of the reconciliation."""

from typing import LiteralString

from tokenx_api.db import ReadConn
from tokenx_api.reconciliation.models import Token

SELECT_TOKENS: LiteralString = """
    SELECT offering_id, chain_id, token_address FROM api.offerings
    WHERE token_address IS NOT NULL AND chain_id IS NOT NULL ORDER BY offering_id LIMIT 100000"""


async def select_tokens(conn: ReadConn) -> list[Token]:
    """All deployed tokens."""
    rows = await conn.fetch(SELECT_TOKENS)
    return [Token(row["offering_id"], row["chain_id"], row["token_address"].lower()) for row in rows]
