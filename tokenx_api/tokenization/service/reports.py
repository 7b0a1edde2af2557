"""What the chain service reports about itself, for staff: signers, endpoints, checkpoints, and how a chain was over time."""

from datetime import datetime
from typing import Any

from tokenx_api.db import ReadConn, Record
from tokenx_api.paging import cut, decode_cursor
from tokenx_api.tokenization import queries
from tokenx_api.tokenization.models import (
    CheckpointList,
    CheckpointView,
    EndpointList,
    EndpointView,
    SignerPage,
    SignerView,
    StatusHistoryPage,
    StatusHistoryView,
)
from tokenx_common.clock import rfc3339
from tokenx_common.errors import Invalid


async def signer_page(
    conn: ReadConn, *, chain_id: int, status: str | None, cursor: str | None, limit: int
) -> SignerPage:
    """By name of the key."""
    key = decode_cursor(cursor)
    after = None if key is None else (key.rpartition(" ")[0], key.rpartition(" ")[2])
    rows = await queries.select_signers(conn, chain_id=chain_id, status=status, after=after, limit=limit + 1)
    page, next_cursor = cut(rows, limit, lambda row: f"{row['key_ref']} {row['address']}")
    return SignerPage(data=[SignerView(**_with_times(row)) for row in page], next_cursor=next_cursor)


async def endpoints(conn: ReadConn, chain_id: int) -> EndpointList:
    """Best first."""
    return EndpointList(
        endpoints=[EndpointView(**_with_times(row)) for row in await queries.select_endpoints(conn, chain_id)]
    )


async def checkpoints(conn: ReadConn, chain_id: int) -> CheckpointList:
    """Where every chain's listener is, and where this one's was."""
    now = [CheckpointView(**_with_times(row)) for row in await queries.select_places(conn)]
    return CheckpointList(
        now=now,
        earlier=[CheckpointView(**_with_times(row)) for row in await queries.select_checkpoints(conn, chain_id)],
    )


async def status_history(conn: ReadConn, *, chain_id: int, cursor: str | None, limit: int) -> StatusHistoryPage:
    """Newest first."""
    before = _moment(decode_cursor(cursor))
    rows = await queries.select_status_history(conn, chain_id=chain_id, before=before, limit=limit + 1)
    page, next_cursor = cut(rows, limit, lambda row: row["observed_at"].isoformat())
    return StatusHistoryPage(data=[StatusHistoryView(**_with_times(row)) for row in page], next_cursor=next_cursor)


def _moment(key: str | None) -> datetime | None:
    if key is None:
        return None
    try:
        moment = datetime.fromisoformat(key)
    except ValueError:
        raise Invalid("the cursor is not one of ours") from None
    if moment.tzinfo is None:
        raise Invalid("the cursor is not one of ours")
    return moment


def _with_times(row: Record) -> dict[str, Any]:
    return {key: rfc3339(value) if key.endswith("_at") else value for key, value in row.items()}
