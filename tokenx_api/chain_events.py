"""Consumes the chain's event stream: balances, settlements and whatever waited for an operation, in one transaction with the cursor.

The durable rows are what counts; Redis and the wake-up only say that there are new ones. An event that cannot be processed is set aside
as a dead letter and never blocks the stream."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import asyncpg
import structlog

from tokenx_api.agency import service as agency
from tokenx_api.captable import service as captable
from tokenx_api.context import AppContext
from tokenx_api.db import WriteConn
from tokenx_api.investors import service as investors
from tokenx_api.offerings import service as offerings
from tokenx_api.payments import service as payments
from tokenx_api.redemptions import service as redemptions
from tokenx_api.settlement import service as settlement
from tokenx_api.streams import service as streams
from tokenx_api.subscriptions import service as subscriptions
from tokenx_api.tokenization import service as tokenization
from tokenx_api.tokenization.models import DeadLetterRecord
from tokenx_common.errors import DependencyUnavailable
from tokenx_common.events import ChainItem, ReplayPage
from tokenx_common.log import get_logger
from tokenx_common.stream import Batch, ConsumerGroup

log = get_logger(__name__)

CONSUMER: Final = "api.chain"
WAKEUP: Final = "chain_events"
LOOK_EVERY_S: Final = 5.0
"""How often the durable stream is looked at when neither Redis nor the wake-up says anything."""
BATCH_ITEMS: Final = 200
RETRY: Final = (
    asyncpg.PostgresConnectionError, asyncpg.InterfaceError, asyncpg.TransactionRollbackError, asyncpg.LockNotAvailableError,
    asyncpg.QueryCanceledError, asyncpg.InsufficientResourcesError, asyncpg.OperatorInterventionError, OSError,
)  # fmt: skip
"""The database's trouble, not the event's: the whole batch is tried again."""


@dataclass(frozen=True)
class Outcome:
    """How an operation ended. error_code and error_detail are None when it became final; step is what follows the id in its business_ref."""

    operation_id: str
    step: str
    result: dict[str, Any]
    error_code: str | None = None
    error_detail: str | None = None


OnOutcome = Callable[[WriteConn, str, Outcome], Awaitable[None]]


class UnknownBusinessRef(LookupError):
    """No domain waits for this operation."""


async def run(context: AppContext) -> None:
    """Consume every chain's stream for ever."""
    handler = ChainEvents(context)
    group = ConsumerGroup(CONSUMER, "chain:*", handler, context.bus, batch_items=BATCH_ITEMS)
    async with context.db.read() as conn:
        known = {context.settings.chain_id, *await tokenization.chain_heads(conn)}
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(group.run([f"chain:{chain_id}" for chain_id in known]))
        tasks.create_task(_look_often(context, group))


async def _look_often(context: AppContext, group: ConsumerGroup) -> None:
    while True:
        await context.wakeups.wait(WAKEUP, timeout_s=LOOK_EVERY_S)
        for consumer in group.consumers.values():
            consumer.heard(None)


class ChainEvents:
    """The handler of tokenx_common.stream for 'chain:<chain_id>'."""

    def __init__(self, context: AppContext) -> None:
        self._context = context

    async def cursor(self, stream: str) -> int:
        try:
            async with self._context.db.read() as conn:
                return await streams.cursor(conn, consumer=CONSUMER, stream=stream)
        except RETRY as error:
            raise DependencyUnavailable(f"database: {error}") from error

    async def pull(self, stream: str, after: int, limit: int) -> ReplayPage:
        try:
            return await self._durable(stream, after, limit)
        except RETRY as error:
            raise DependencyUnavailable(f"database: {error}") from error

    async def commit(self, batch: Batch) -> bool:
        durable = await self.pull(batch.stream, batch.prev_seq, len(batch.items))
        if len(durable.items) < len(batch.items):
            raise DependencyUnavailable(f"{batch.stream}: announced beyond the durable head {durable.head}")
        items = [ChainItem.model_validate(item) for item in durable.items]
        try:
            if not await self._apply(batch, items):
                return False
        except RETRY as error:
            raise DependencyUnavailable(f"database: {error}") from error
        self._ring(items)
        return True

    async def _durable(self, stream: str, after: int, limit: int) -> ReplayPage:
        chain_id = _chain_id(stream)
        async with self._context.db.read() as conn:
            head = await tokenization.stream_head(conn, chain_id)
            items = await tokenization.events_after(conn, chain_id=chain_id, after=after, limit=limit)
        last = items[-1]["seq"] if items else 0
        return ReplayPage(stream=stream, epoch=head.epoch, head=max(head.seq, last), items=items)

    async def _apply(self, batch: Batch, items: list[ChainItem]) -> bool:
        async with self._context.db.write() as conn:
            moved = await streams.move_cursor(
                conn, consumer=CONSUMER, stream=batch.stream, prev_seq=batch.prev_seq, seq=batch.seq
            )
            if not moved:
                return False
            for item in items:
                await self._apply_one(conn, _chain_id(batch.stream), item)
        return True

    async def _apply_one(self, conn: WriteConn, chain_id: int, item: ChainItem) -> None:
        with structlog.contextvars.bound_contextvars(correlation_id=item.correlation_id or item.event_id[:64]):
            try:
                async with conn.transaction():  # a savepoint: this event's effect only
                    await conn.execute("SET CONSTRAINTS ALL DEFERRED")
                    await dispatch(conn, chain_id, item)
                    # Checked here and not at the commit, where one bad ledger entry would take the whole batch with it.
                    await conn.execute("SET CONSTRAINTS ALL IMMEDIATE")
            except RETRY:
                raise
            except Exception as error:  # noqa: BLE001  # whatever is wrong with one event, the stream goes on; a human looks at the dead letter
                log.error("chain.event_set_aside", event_id=item.event_id, seq=item.seq, error=repr(error))
                await _set_aside(conn, chain_id, item, error)

    def _ring(self, items: list[ChainItem]) -> None:
        kinds = {item.type.partition(".")[0] for item in items}
        announcer = self._context.announcer
        announcer.ring("chain")
        if "settlement" in kinds:
            announcer.ring("settlements")
        if kinds & {"transfer", "operation", "settlement"}:
            announcer.ring("portfolio")
        self._context.wakeups.ring("outbox")
        for item in items:
            log.info("chain.event_applied", type=item.type, seq=item.seq, event_id=item.event_id)


async def dispatch(conn: WriteConn, chain_id: int, item: ChainItem) -> None:
    """Hand one event to the domain that waits for it. Raises whatever that domain raises, UnknownBusinessRef when there is none."""
    match item.type:
        case "transfer.final":
            await captable.on_transfer_final(conn, chain_id, item.seq, item.payload)
            await agency.on_transfer_final(conn, chain_id=chain_id, event_id=item.event_id, tx_hash=item.tx_hash, payload=item.payload)  # fmt: skip
        case "settlement.final":
            await settlement.on_settlement_final(conn, item.payload, item.tx_hash)
        case "settlement.failed":
            await settlement.on_settlement_failed(conn, item.payload)
        case "operation.final" | "operation.failed":
            await _operation_ended(conn, item.payload)
        case "transfer.seen" | "transfer.reverted" | "blocks.safe":
            return  # nothing counts before it is final


async def _operation_ended(conn: WriteConn, payload: dict[str, Any]) -> None:
    operation = await tokenization.operation(conn, payload["operation_id"])
    noun, _, rest = operation.business_ref.partition(":")
    on_outcome = WAITING.get(noun)
    if on_outcome is None:
        raise UnknownBusinessRef(operation.business_ref)
    subject_id, _, step = rest.partition(":")
    outcome = Outcome(
        operation_id=operation.operation_id,
        step=step,
        result=payload.get("result") or {},
        error_code=payload.get("error_code"),
        error_detail=payload.get("error_detail"),
    )
    await on_outcome(conn, subject_id, outcome)


def _domain(domain: Any) -> OnOutcome:
    """The two functions every waiting domain has. Any: a module is no Protocol to the type checker when its functions live in a package."""

    async def on_outcome(conn: WriteConn, subject_id: str, outcome: Outcome) -> None:
        if outcome.error_code is None:
            await domain.on_operation_final(conn, subject_id, outcome.operation_id, outcome.result)
        else:
            await domain.on_operation_failed(
                conn, subject_id, outcome.operation_id, outcome.error_code, outcome.error_detail or ""
            )

    return on_outcome


async def _redemption(conn: WriteConn, redemption_id: str, outcome: Outcome) -> None:
    if outcome.error_code is None:
        await redemptions.on_operation_final(conn, redemption_id, outcome.step, outcome.operation_id, outcome.result)
    else:
        await redemptions.on_operation_failed(
            conn, redemption_id, outcome.step, outcome.operation_id, outcome.error_code, outcome.error_detail or ""
        )


async def _nobody_waits(_conn: WriteConn, _subject_id: str, _outcome: Outcome) -> None:
    """The operation's own row tells all there is to tell."""


WAITING: Final[Mapping[str, OnOutcome]] = {
    "investor": _domain(investors),
    "offering": _domain(offerings),
    "payment": _domain(payments),
    "subscription": _domain(subscriptions),
    "settlement": _domain(settlement),
    "act": _domain(agency),
    "redemption": _redemption,
    "platform": _nobody_waits,
    "intent": _nobody_waits,
    "signer": _nobody_waits,
}
"""Who waits for an operation, by the noun its business_ref begins with."""


async def _set_aside(conn: WriteConn, chain_id: int, item: ChainItem, error: Exception) -> None:
    record = DeadLetterRecord(
        op="dead_letter",
        kind="event",
        ref_id=f"chain:{chain_id}:{item.event_id}",
        payload=item.model_dump(),
        error=repr(error)[:1000],
    )
    await tokenization.dead_letter(conn, record)


def _chain_id(stream: str) -> int:
    return int(stream.partition(":")[2])
