"""What staff see of chain work."""

from typing import Any, Literal

from tokenx_api.db import ReadConn, Record
from tokenx_api.paging import cut, decode_cursor, decode_number_cursor
from tokenx_api.streams import service as streams
from tokenx_api.tokenization import queries
from tokenx_api.tokenization.models import (
    ChainStatus,
    Contract,
    DeadLetterPage,
    DeadLetterView,
    OperationPage,
    OperationView,
)
from tokenx_api.tokenization.service.events import stream_head
from tokenx_api.tokenization.service.journal import CONSUMER
from tokenx_common.clock import rfc3339
from tokenx_common.errors import NotFound

_PLATFORM: dict[str | None, Literal["absent", "deploying", "deployed"]] = {
    None: "absent",
    "queued": "deploying",
    "running": "deploying",
    "final": "deployed",
}


async def operation_page(conn: ReadConn, *, state: str | None, cursor: str | None, limit: int) -> OperationPage:
    """Newest first."""
    rows = await queries.select_operation_views(conn, state=state, before=decode_cursor(cursor), limit=limit + 1)
    page, next_cursor = cut(rows, limit, lambda row: row["operation_id"])
    return OperationPage(data=[OperationView(**_with_times(row)) for row in page], next_cursor=next_cursor)


async def operation_view(conn: ReadConn, operation_id: str) -> OperationView:
    """One operation. Raises NotFound."""
    rows = await queries.select_operation_views(conn, operation_id=operation_id)
    if not rows:
        raise NotFound("operation")
    return OperationView(**_with_times(rows[0]))


async def dead_letter_page(conn: ReadConn, *, status: str | None, cursor: str | None, limit: int) -> DeadLetterPage:
    """Newest first."""
    rows = await queries.select_dead_letters(conn, status=status, before=decode_number_cursor(cursor), limit=limit + 1)
    page, next_cursor = cut(rows, limit, lambda row: str(row["dead_letter_id"]))
    return DeadLetterPage(data=[DeadLetterView(**_with_times(row)) for row in page], next_cursor=next_cursor)


async def chain_status(conn: ReadConn, chain_id: int) -> ChainStatus:
    """The chain as last reported, and how far its events were taken in."""
    row = await queries.select_status(conn, chain_id=chain_id, business_ref=f"platform:{chain_id}")
    head = await stream_head(conn, chain_id)
    return ChainStatus(
        chain_id=chain_id,
        status=row["status"] or "unknown",
        head_number=row["head_number"],
        finalized_number=row["finalized_number"],
        observed_at=rfc3339(row["observed_at"]) if row["observed_at"] else None,
        platform=_PLATFORM[row["platform_state"]],
        event_seq=head.seq,
        consumed_seq=await streams.cursor(conn, consumer=CONSUMER, stream=f"chain:{chain_id}"),
        checkpoint_block=head.block_number,
        open_operations=row["open_operations"],
        dead_letters=row["dead_letters"],
        final_transfers=row["final_transfers"],
        scored_transfers=row["scored_transfers"],
        contracts=[Contract(**dict(contract)) for contract in await queries.select_contracts(conn, chain_id)],
    )


def _with_times(row: Record) -> dict[str, Any]:
    return {key: rfc3339(value) if key.endswith("_at") else value for key, value in row.items()}
