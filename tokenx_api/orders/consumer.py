"""Follows the execution streams of all offerings and ingests them. Safe in several replicas: an offering has one ingester at a time."""

import json
from collections.abc import Iterable
from typing import Any, Final

import asyncpg

from tokenx_api.context import AppContext
from tokenx_api.orders.service.ingest import Ingested, ingest
from tokenx_api.streams import service as streams
from tokenx_common.errors import DependencyUnavailable, NotFound
from tokenx_common.events import ReplayPage
from tokenx_common.log import get_logger
from tokenx_common.stream import Batch, ConsumerGroup

log = get_logger(__name__)

PATTERN: Final = "ev:*"
CONSUMER: Final = "api.executions"


class ExecutionHandler:
    """Cursor, pull and commit for tokenx_common.stream. A stream is 'ev:<offering_id>'."""

    def __init__(self, context: AppContext) -> None:
        self._context = context

    async def cursor(self, stream: str) -> int:
        """The committed exec_seq. Raises NotFound for an offering that never traded here."""
        try:
            async with self._context.db.read() as conn:
                offerings = {offering.offering_id: offering.exec_seq for offering in await streams.matcher_offerings(conn)}  # fmt: skip
        except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise DependencyUnavailable(f"postgresql: {error}") from error
        offering_id = offering_of(stream)
        if offering_id not in offerings:
            raise NotFound("stream")
        return offerings[offering_id]

    async def pull(self, stream: str, after: int, limit: int) -> ReplayPage:
        """From the matcher, which holds everything beyond our cursor."""
        answer = await self._context.matcher.get(f"/internal/streams/{stream}", params={"after": after, "limit": limit})
        return ReplayPage.model_validate(answer)

    async def commit(self, batch: Batch) -> bool:
        """Ingest in one transaction, then wake whoever waits. A database error leaves this stream waiting, not the others."""
        try:
            async with self._context.db.write() as conn:
                ingested = await ingest(conn, offering_of(batch.stream), batch)
        except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            log.error("executions.not_ingested", stream=batch.stream, prev_seq=batch.prev_seq, error=f"{type(error).__name__}: {error}")  # fmt: skip
            raise DependencyUnavailable(f"postgresql: {error}") from error
        if ingested is None:  # another replica has committed it; requests that wait in this one wait for it too
            self._wake(_named_orders(batch))
            return False
        self._wake(ingested.order_ids)
        self._ring(ingested)
        return True

    def _wake(self, order_ids: Iterable[str]) -> None:
        for order_id in order_ids:
            self._context.wakeups.ring(f"order:{order_id}")

    def _ring(self, ingested: Ingested) -> None:
        self._context.announcer.ring(f"book:{ingested.offering_id}")
        self._context.announcer.ring("orders", ingested.order_ids)
        if ingested.trades:
            self._context.announcer.ring(f"trades:{ingested.offering_id}")
            self._context.announcer.ring("settlements")
            self._context.wakeups.ring("settlements")


def offering_of(stream: str) -> str:
    """'ev:off_1' -> 'off_1'."""
    return stream.partition(":")[2]


def _named_orders(batch: Batch) -> set[str]:
    bodies: list[dict[str, Any]] = [json.loads(item["body"]) for item in batch.items]
    names = ("order_id", "maker_order_id", "taker_order_id")
    return {body[name] for body in bodies for name in names if name in body}


async def run(context: AppContext) -> None:
    """Follow every offering for ever. Offerings that start trading later are found by their first heartbeat."""
    handler = ExecutionHandler(context)
    async with context.db.read() as conn:
        known = [f"ev:{offering.offering_id}" for offering in await streams.matcher_offerings(conn)]
    await ConsumerGroup(CONSUMER, PATTERN, handler, context.bus).run(known)
