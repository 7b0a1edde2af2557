"""What kyt reports: scores, alerts and its cursor in one transaction, refused from a stale epoch."""

from collections.abc import Sequence
from typing import Final

from tokenx_api.db import ReadConn, WriteConn
from tokenx_api.streams import service as streams
from tokenx_api.streams.errors import CursorMoved
from tokenx_api.surveillance import queries
from tokenx_api.surveillance.errors import DuplicateAlert, NotDense
from tokenx_api.surveillance.models import (
    Batch,
    BatchAnswer,
    Book,
    KytAlert,
    KytBatch,
    SurveillanceAlert,
    SurveillanceBatch,
)

CONSUMER: Final = "kyt"


async def take_kyt_batch(conn: WriteConn, batch: KytBatch) -> BatchAnswer:
    """Raises StaleEpoch, CursorMoved (with head), NotDense, DuplicateAlert."""
    await _begin(conn, batch)
    head = await _require_dense(conn, "kyt", batch.alerts)
    await queries.insert_scores(conn, batch.scores)
    await queries.insert_kyt_alerts(conn, batch.alerts)
    return BatchAnswer(stream=batch.stream, seq=batch.seq, alerts_head=head)


async def take_surveillance_batch(conn: WriteConn, batch: SurveillanceBatch) -> BatchAnswer:
    """Raises StaleEpoch, CursorMoved (with head), NotDense, DuplicateAlert."""
    await _begin(conn, batch)
    head = await _require_dense(conn, "surveillance", batch.alerts)
    await queries.insert_surveillance_alerts(conn, batch.alerts)
    return BatchAnswer(stream=batch.stream, seq=batch.seq, alerts_head=head)


async def heads(conn: ReadConn) -> dict[str, int]:
    """Last alert number of each alert stream."""
    return {
        "alerts:kyt": await queries.select_head(conn, "kyt"),
        "alerts:surveillance": await queries.select_head(conn, "surveillance"),
    }


async def _begin(conn: WriteConn, batch: Batch) -> None:
    await streams.require_epoch(conn, resource="kyt", epoch=batch.epoch)
    moved = await streams.move_cursor(
        conn, consumer=CONSUMER, stream=batch.stream, prev_seq=batch.prev_seq, seq=batch.seq
    )
    if not moved:
        head = await streams.cursor(conn, consumer=CONSUMER, stream=batch.stream)
        raise CursorMoved(f"{batch.stream}: the cursor is {head}, not {batch.prev_seq}", head=head)


async def _require_dense(conn: WriteConn, book: Book, alerts: Sequence[KytAlert | SurveillanceAlert]) -> int:
    """The head after these alerts."""
    await queries.lock_alerts(conn, book)
    head = await queries.select_head(conn, book)
    if not alerts:
        return head
    keys = [alert.dedupe_key for alert in alerts]
    duplicates = await queries.select_duplicates(conn, book, keys) or sorted({k for k in keys if keys.count(k) > 1})
    if duplicates:
        raise DuplicateAlert("raised before: leave these out", duplicates=duplicates, head=head)
    if [alert.seq for alert in alerts] != list(range(head + 1, head + 1 + len(alerts))):
        raise NotDense(f"alerts must be numbered from {head + 1} on", head=head)
    return head + len(alerts)
