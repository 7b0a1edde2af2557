"""Leases with epochs, cursors moved by compare-and-set, and the durable part of every stream.

Whoever commits something a producer reported calls `require_epoch` or moves a cursor first, in the same transaction."""

from typing import Any, Final

from tokenx_api.db import ReadConn, WriteConn
from tokenx_api.streams import queries
from tokenx_api.streams.errors import LeaseHeld
from tokenx_api.streams.models import Head, Lease, MatcherOffering
from tokenx_common.errors import NotFound, StaleEpoch
from tokenx_common.events import ReplayPage

COMMAND_EPOCH: Final = 0
"""The api's own streams have no single producer to fence: any replica may append, under the sequencer's row lock."""


async def take_lease(conn: WriteConn, *, resource: str, holder: str, ttl_s: float) -> Lease:
    """Take or renew. The same holder keeps its epoch; a new one gets the next when the old one's time is up. Raises LeaseHeld."""
    lease = await queries.take_lease(conn, resource=resource, holder=holder, ttl_s=ttl_s)
    if lease is None:
        rest_s = await queries.lease_rest_s(conn, resource)
        raise LeaseHeld(f"{resource} is held by another instance", retry_after_s=round(rest_s, 3))
    return lease


async def release_lease(conn: WriteConn, *, resource: str, epoch: int, holder: str | None) -> bool:
    """Give a lease back early; the epoch stays taken. False when it was no longer the caller's: nothing to do then."""
    return await queries.release_lease(conn, resource=resource, epoch=epoch, holder=holder)


async def require_epoch(conn: WriteConn, *, resource: str, epoch: int) -> None:
    """Refuse a producer that is not the lease's latest holder. Keeps the lease from changing hands until this transaction ends. Raises StaleEpoch."""
    current = await queries.share_epoch(conn, resource)
    if current != epoch:
        raise StaleEpoch(f"{resource}: epoch {epoch} is not the current one", epoch=current)


async def current_epoch(conn: ReadConn, resource: str) -> int:
    """The latest epoch handed out; 0 before the first."""
    return await queries.select_epoch(conn, resource) or 0


async def cursor(conn: ReadConn, *, consumer: str, stream: str) -> int:
    """Last seq whose effect the consumer has committed; 0 at the start."""
    return await queries.select_cursor(conn, consumer=consumer, stream=stream)


async def cursors(conn: ReadConn, consumer: str) -> dict[str, int]:
    """All cursors of a consumer by stream."""
    return await queries.select_cursors(conn, consumer)


async def move_cursor(conn: WriteConn, *, consumer: str, stream: str, prev_seq: int, seq: int) -> bool:
    """Compare-and-set. False: another replica was first, and the caller must roll back."""
    return await queries.move_cursor(conn, consumer=consumer, stream=stream, prev_seq=prev_seq, seq=seq)


async def matcher_offerings(conn: ReadConn) -> list[MatcherOffering]:
    """Every offering with a command log, and how far the api has ingested its executions."""
    return await queries.matcher_offerings(conn)


async def command_heads(conn: ReadConn) -> list[tuple[str, int, int]]:
    """(stream, epoch, head) of each command stream, as tokenx_common.stream.beat wants them."""
    heads = await queries.command_heads(conn)
    return [(f"cmd:{offering_id}", COMMAND_EPOCH, seq) for offering_id, seq in heads.items()]


async def page(conn: ReadConn, *, stream: str, after: int, limit: int) -> ReplayPage:
    """The durable items after a seq. Raises NotFound for a stream nobody produces."""
    kind, _, key = stream.partition(":")
    match kind, key:
        case "cmd", _:
            head = await _head(conn, stream, queries.COMMAND_HEAD, key)
            items = await queries.commands(conn, key, after, limit)
        case "ev", _:
            head = await _head(conn, stream, queries.EXECUTION_HEAD, key)
            items = await queries.executions(conn, key, after, limit)
        case "chain", _ if key.isdecimal() and len(key) < 19:
            head = await _head(conn, stream, queries.CHAIN_HEAD, int(key))
            items = await queries.chain_events(conn, int(key), after, limit)
        case "alerts", "kyt":
            head = await _head(conn, stream, queries.KYT_ALERT_HEAD)
            items = await queries.kyt_alerts(conn, after, limit)
        case "alerts", "surveillance":
            head = await _head(conn, stream, queries.SURVEILLANCE_ALERT_HEAD)
            items = await queries.surveillance_alerts(conn, after, limit)
        case _:
            raise NotFound("stream")
    return _page(head, items)


async def _head(conn: ReadConn, stream: str, sql: Any, *key: Any) -> Head:
    head = await queries.head(conn, stream=stream, sql=sql, key=key)
    if head is None:
        raise NotFound("stream")
    return head


def _page(head: Head, items: list[dict[str, Any]]) -> ReplayPage:
    # The items were read after the head, so they may already go beyond it.
    last = max(head.seq, items[-1]["seq"] if items else 0)
    return ReplayPage(stream=head.stream, epoch=head.epoch, head=last, items=items)
