"""SQL of orders, the command log, the execution log and fills.

Lock order, everywhere: matcher.orders, then ledger accounts by (owner, asset), then the sequencer row, last and for as short as possible."""

# ruff: noqa: S608  # statements are put together from LiteralString constants only; pyright proves that no input gets in

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString

from tokenx_api.db import ReadConn, Record, WriteConn
from tokenx_api.orders.models import AuditRow, Fill, Order, PlaceOrder, Size, Terms
from tokenx_api.orders.rules import OrderState
from tokenx_common.stream import Item

_terms_sql: LiteralString = """
    o.offering_id, o.symbol, o.currency, o.tick_size_minor, o.lot_size_units, o.max_units, o.collar_bps,
    coalesce((SELECT f.price_ticks * o.tick_size_minor FROM matcher.fills f WHERE f.offering_id = o.offering_id
              ORDER BY f.exec_seq DESC LIMIT 1), o.unit_price_minor) AS reference_minor"""
_order_sql: LiteralString = """
    m.order_id, m.offering_id, m.investor_id, m.client_order_id, m.body_sha256, m.book_order_id, i.owner_group, m.side, m.type,
    m.time_in_force, m.post_only, m.quantity_lots, m.price_ticks, m.filled_lots, m.remaining_lots, m.filled_notional_minor, m.status,
    m.status_reason, m.decision_id, m.revision, m.created_at, m.updated_at, m.closed_at, o.symbol, o.tick_size_minor, o.lot_size_units"""
_order_from_sql: LiteralString = """
    FROM matcher.orders m JOIN api.investors i USING (investor_id) JOIN api.offerings o ON o.offering_id = m.offering_id"""

SELECT_TERMS: LiteralString = f"SELECT {_terms_sql} FROM api.offerings o WHERE o.offering_id = $1"
SELECT_ENTRY: LiteralString = f"""
    SELECT {_terms_sql}, i.owner_group, x.order_id AS existing_id, x.body_sha256 AS existing_sha256
    FROM api.offerings o JOIN api.investors i ON i.investor_id = $2
    LEFT JOIN matcher.orders x ON x.investor_id = $2 AND x.client_order_id = $3 WHERE o.offering_id = $1"""

# The command's body carries its own number when it is a new order: prefix || cmd_seq || suffix. A null suffix means prefix is all of it.
_next_sql: LiteralString = """
    next AS (UPDATE matcher.sequencers SET cmd_seq = cmd_seq + 1,
                    cmd_hash = sha256(cmd_hash || convert_to($2::text || coalesce((cmd_seq + 1)::text || $3::text, ''), 'UTF8'))
             WHERE offering_id = $1 RETURNING cmd_seq, $2::text || coalesce(cmd_seq::text || $3::text, '') AS body, cmd_hash),
    logged AS (INSERT INTO matcher.commands (offering_id, cmd_seq, body, hash) SELECT $1, cmd_seq, body, cmd_hash FROM next)"""
APPEND_COMMAND: LiteralString = f"WITH {_next_sql} SELECT cmd_seq, body, cmd_hash FROM next"
INSERT_ORDER: LiteralString = f"""
    WITH {_next_sql},
    placed AS (INSERT INTO matcher.orders (order_id, offering_id, investor_id, client_order_id, body_sha256, book_order_id, side, type,
                      time_in_force, post_only, quantity_lots, price_ticks, remaining_lots, decision_id, correlation_id)
               SELECT $4, $1, $5, $6, $7, cmd_seq, $8, $9, $10, $11, $12, $13, $12, $14, $15 FROM next RETURNING created_at)
    SELECT n.cmd_seq, n.body, n.cmd_hash, p.created_at,
           audit.append($16, 'order.placed', 'order', $4, $15, jsonb_build_object('decision_id', $14::text, 'offering_id', $1::text, 'cmd_seq', n.cmd_seq))
    FROM next n, placed p"""
CREATE_SEQUENCER: LiteralString = """
    INSERT INTO matcher.sequencers (offering_id) VALUES ($1) ON CONFLICT (offering_id) DO NOTHING"""
LOCK_MARKET: LiteralString = """
    SELECT status, market_state, token_address FROM api.offerings WHERE offering_id = $1 FOR NO KEY UPDATE"""
SET_MARKET_STATE: LiteralString = "UPDATE api.offerings SET market_state = $2 WHERE offering_id = $1"
LOCK_SEQUENCER: LiteralString = "SELECT 1 FROM matcher.sequencers WHERE offering_id = $1 FOR NO KEY UPDATE"
# Commands whose outcome is not ingested yet, and that could trade with an order of side $2 at price $3, or are that order's own.
SELECT_FILL_POSSIBLE: LiteralString = """
    SELECT EXISTS (
        SELECT 1 FROM matcher.sequencers s
        JOIN matcher.commands c ON c.offering_id = s.offering_id AND c.cmd_seq > s.exec_cmd_seq
        CROSS JOIN LATERAL (SELECT c.body::jsonb AS body) b
        JOIN matcher.orders m ON m.order_id = b.body ->> 'order_id'
        WHERE s.offering_id = $1 AND b.body ->> 'type' IN ('order.new', 'order.replace')
          AND (m.order_id = $4 OR m.side <> $2 AND CASE $2 WHEN 'buy' THEN (b.body ->> 'price_ticks')::bigint <= $3
                                                           ELSE (b.body ->> 'price_ticks')::bigint >= $3 END))"""

SELECT_ORDER: LiteralString = f"""
    SELECT {_order_sql} {_order_from_sql} WHERE m.order_id = $1 AND ($2::text IS NULL OR m.investor_id = $2)"""
LOCK_ORDER: LiteralString = f"""
    SELECT {_order_sql} {_order_from_sql} WHERE m.order_id = $1 AND ($2::text IS NULL OR m.investor_id = $2) FOR NO KEY UPDATE OF m"""
SELECT_BY_CLIENT_ID: LiteralString = (
    f"SELECT {_order_sql} {_order_from_sql} WHERE m.investor_id = $1 AND m.client_order_id = $2"
)
SELECT_ORDERS: LiteralString = f"""
    SELECT {_order_sql} {_order_from_sql}
    WHERE ($1::text IS NULL OR m.investor_id = $1) AND ($2::text IS NULL OR m.offering_id = $2)
      AND ($3::text IS NULL OR CASE $3 WHEN 'open' THEN m.closed_at IS NULL WHEN 'closed' THEN m.closed_at IS NOT NULL ELSE m.status = $3 END)
      AND ($4::text IS NULL OR m.order_id < $4)
    ORDER BY m.order_id DESC LIMIT $5"""
SET_PENDING: LiteralString = """
    UPDATE matcher.orders SET status = $2, decision_id = coalesce($3, decision_id), updated_at = clock_timestamp() WHERE order_id = $1"""
SELECT_TO_REVOKE: LiteralString = """
    SELECT m.order_id FROM matcher.orders m JOIN api.investors i USING (investor_id)
    LEFT JOIN api.holding_freezes h USING (offering_id, investor_id)
    WHERE m.closed_at IS NULL AND m.status <> 'pending_cancel' AND (i.frozen OR i.revoked_at IS NOT NULL OR h.wallet_frozen) ORDER BY m.order_id LIMIT $1"""
SELECT_TO_EXPIRE: LiteralString = """
    SELECT order_id FROM matcher.orders
    WHERE closed_at IS NULL AND status <> 'pending_cancel' AND time_in_force = 'day' AND created_at < $2 ORDER BY order_id LIMIT $1"""

# --- ingestion ---
LOCK_INGESTION: LiteralString = "SELECT pg_advisory_xact_lock(hashtextextended('executions:' || $1, 0))"
SELECT_LOG_HEAD: LiteralString = f"""
    SELECT {_terms_sql}, s.exec_seq, s.exec_cmd_seq, s.exec_hash, greatest(s.epoch, coalesce(l.epoch, 0)) AS epoch
    FROM matcher.sequencers s JOIN api.offerings o USING (offering_id) LEFT JOIN api.leases l ON l.resource = 'matcher'
    WHERE s.offering_id = $1"""
MOVE_LOG_HEAD: LiteralString = """
    UPDATE matcher.sequencers SET exec_seq = $3, exec_cmd_seq = $4, exec_hash = $5, epoch = $6
    WHERE offering_id = $1 AND exec_seq = $2 AND epoch <= $6"""
LOCK_ORDERS: LiteralString = """
    SELECT order_id FROM matcher.orders WHERE order_id = ANY($1::text[]) ORDER BY order_id FOR NO KEY UPDATE"""
SELECT_STATES: LiteralString = """
    SELECT m.order_id, m.investor_id, m.side, m.status, m.status_reason, m.quantity_lots, m.price_ticks, m.filled_lots, m.remaining_lots,
           m.filled_notional_minor, m.revision, m.last_exec_seq, m.correlation_id, coalesce(r.amount, 0) AS held
    FROM matcher.orders m LEFT JOIN api.reservations r ON r.ref = m.order_id
    WHERE m.order_id = ANY($1::text[]) ORDER BY m.order_id LIMIT 100000"""
INSERT_EXECUTIONS: LiteralString = """
    INSERT INTO matcher.executions (offering_id, exec_seq, cmd_seq, body, hash)
    SELECT $1, u.exec_seq, u.cmd_seq, u.body, u.hash FROM unnest($2::bigint[], $3::bigint[], $4::text[], $5::bytea[]) AS u (exec_seq, cmd_seq, body, hash)"""
UPDATE_STATES: LiteralString = """
    UPDATE matcher.orders m SET status = u.status, status_reason = u.reason, quantity_lots = u.quantity, price_ticks = u.price,
           filled_lots = u.filled, remaining_lots = u.remaining, filled_notional_minor = u.notional, revision = u.revision,
           last_exec_seq = u.exec_seq, updated_at = clock_timestamp(), closed_at = CASE WHEN u.closed THEN clock_timestamp() END
    FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[], $9::int[], $10::bigint[],
                $11::bool[]) AS u (order_id, status, reason, quantity, price, filled, remaining, notional, revision, exec_seq, closed)
    WHERE m.order_id = u.order_id"""
INSERT_FILLS: LiteralString = """
    INSERT INTO matcher.fills (fill_id, offering_id, exec_seq, cmd_seq, maker_order_id, taker_order_id, buy_order_id, sell_order_id,
                               price_ticks, quantity_lots, notional_minor, executed_at)
    SELECT u.fill_id, $1, u.exec_seq, u.cmd_seq, u.maker, u.taker, u.buy, u.sell, u.price, u.lots, u.notional, clock_timestamp()
    FROM unnest($2::text[], $3::bigint[], $4::bigint[], $5::text[], $6::text[], $7::text[], $8::text[], $9::bigint[], $10::bigint[], $11::bigint[])
         AS u (fill_id, exec_seq, cmd_seq, maker, taker, buy, sell, price, lots, notional)"""
INSERT_SETTLEMENTS: LiteralString = """
    INSERT INTO api.settlements (settlement_id, fill_id, offering_id, buyer_id, seller_id, units, amount_minor)
    SELECT u.settlement_id, u.fill_id, $1, u.buyer, u.seller, u.units, u.amount
    FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::bigint[])
         AS u (settlement_id, fill_id, buyer, seller, units, amount)"""
AUDIT_EXECUTIONS: LiteralString = """
    SELECT count(audit.append($1, u.action, u.subject_type, u.subject_id, u.correlation_id, u.detail))
    FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::jsonb[]) AS u (action, subject_type, subject_id, correlation_id, detail)"""

SELECT_EXECUTIONS: LiteralString = """
    SELECT f.exec_seq, f.fill_id, m.order_id, f.offering_id, o.symbol, m.side, f.price_ticks * o.tick_size_minor AS price_minor,
           f.quantity_lots * o.lot_size_units AS units, f.notional_minor,
           CASE WHEN f.maker_order_id = m.order_id THEN 'maker' ELSE 'taker' END AS liquidity, f.executed_at
    FROM matcher.fills f JOIN matcher.orders m ON m.order_id IN (f.maker_order_id, f.taker_order_id)
    JOIN api.offerings o ON o.offering_id = f.offering_id
    WHERE ($1::text IS NULL OR m.investor_id = $1) AND ($2::text IS NULL OR f.offering_id = $2) AND f.exec_seq > $3
    ORDER BY f.exec_seq, f.offering_id, m.order_id LIMIT $4"""


@dataclass(frozen=True)
class Entry:
    """What a new order starts from. existing_*: the order that already has this client_order_id."""

    terms: Terms
    owner_group: int
    existing_id: str | None
    existing_sha256: bytes | None


@dataclass(frozen=True)
class LogHead:
    """Where the execution log ends. epoch: no older matcher may extend it."""

    terms: Terms
    exec_seq: int
    exec_cmd_seq: int
    exec_hash: bytes
    epoch: int


async def select_terms(conn: ReadConn, offering_id: str) -> Terms | None:
    row = await conn.fetchrow(SELECT_TERMS, offering_id)
    return _terms(row) if row else None


async def select_entry(conn: ReadConn, *, offering_id: str, investor_id: str, client_order_id: str) -> Entry | None:
    """None when there is no such offering."""
    row = await conn.fetchrow(SELECT_ENTRY, offering_id, investor_id, client_order_id)
    return Entry(_terms(row), row["owner_group"], row["existing_id"], row["existing_sha256"]) if row else None


async def append_command(conn: WriteConn, *, offering_id: str, body: str) -> Item | None:
    """The command at the end of the offering's log; None when the offering has no log. Holds the sequencer row until the commit."""
    row = await conn.fetchrow(APPEND_COMMAND, offering_id, body, None)
    return _item(row) if row else None


async def insert_order(
    conn: WriteConn, *, order_id: str, investor_id: str, request: PlaceOrder, size: Size, body_sha256: bytes, decision_id: str,
    body: tuple[str, str], correlation_id: str, actor: str,
) -> tuple[Item, datetime] | None:  # fmt: skip
    """The order, its command, numbered, and its audit row in one statement; None when the offering has no log. body: the text before and after the command's
    own number. Holds the sequencer row until the commit. Raises asyncpg.UniqueViolationError for a client_order_id in use."""
    row = await conn.fetchrow(
        INSERT_ORDER, request.offering_id, body[0], body[1], order_id, investor_id, request.client_order_id, body_sha256, request.side,
        request.type, request.time_in_force, request.post_only, size.quantity_lots, size.price_ticks, decision_id, correlation_id, actor,
    )  # fmt: skip
    return (_item(row), row["created_at"]) if row else None


async def create_sequencer(conn: WriteConn, offering_id: str) -> None:
    await conn.execute(CREATE_SEQUENCER, offering_id)


async def lock_market(conn: WriteConn, offering_id: str) -> Record | None:
    """status, market_state, token_address; locks the offering."""
    return await conn.fetchrow(LOCK_MARKET, offering_id)


async def set_market_state(conn: WriteConn, offering_id: str, state: str) -> None:
    await conn.execute(SET_MARKET_STATE, offering_id, state)


async def fill_possible(conn: WriteConn, order: Order) -> bool:
    """Whether a command that the matcher may have seen, but whose executions are not ingested, could fill the order. Locks the sequencer, so
    that nothing is appended or ingested until the commit; two statements, so that what is read is of after the wait."""
    await conn.execute(LOCK_SEQUENCER, order.offering_id)
    return await conn.fetchval(SELECT_FILL_POSSIBLE, order.offering_id, order.side, order.price_ticks, order.order_id)


async def select_order(conn: ReadConn, order_id: str, *, investor_id: str | None) -> Order | None:
    """investor_id None: anybody's."""
    row = await conn.fetchrow(SELECT_ORDER, order_id, investor_id)
    return _order(row) if row else None


async def lock_order(conn: WriteConn, order_id: str, *, investor_id: str | None) -> Order | None:
    """As select_order, with the order's row lock."""
    row = await conn.fetchrow(LOCK_ORDER, order_id, investor_id)
    return _order(row) if row else None


async def select_by_client_id(conn: ReadConn, *, investor_id: str, client_order_id: str) -> Order | None:
    row = await conn.fetchrow(SELECT_BY_CLIENT_ID, investor_id, client_order_id)
    return _order(row) if row else None


async def select_orders(
    conn: ReadConn, *, investor_id: str | None, offering_id: str | None, status: str | None, before: str | None, limit: int
) -> list[Order]:  # fmt: skip
    """Newest first."""
    return [_order(row) for row in await conn.fetch(SELECT_ORDERS, investor_id, offering_id, status, before, limit)]


async def set_pending(conn: WriteConn, order_id: str, status: str, *, decision_id: str | None = None) -> None:
    """decision_id None: keep the order's decision."""
    await conn.execute(SET_PENDING, order_id, status, decision_id)


async def select_to_revoke(conn: ReadConn, limit: int) -> list[str]:
    """Open orders of frozen investors."""
    return [row["order_id"] for row in await conn.fetch(SELECT_TO_REVOKE, limit)]


async def select_to_expire(conn: ReadConn, *, opened_before: datetime, limit: int) -> list[str]:
    """Open day orders of earlier days."""
    return [row["order_id"] for row in await conn.fetch(SELECT_TO_EXPIRE, limit, opened_before)]


async def lock_ingestion(conn: WriteConn, offering_id: str) -> None:
    """One ingester per offering at a time, across replicas, until the commit. A statement of its own: what is read next is fresh."""
    await conn.execute(LOCK_INGESTION, offering_id)


async def select_log_head(conn: ReadConn, offering_id: str) -> LogHead | None:
    row = await conn.fetchrow(SELECT_LOG_HEAD, offering_id)
    return LogHead(_terms(row), row["exec_seq"], row["exec_cmd_seq"], row["exec_hash"], row["epoch"]) if row else None


async def move_log_head(
    conn: WriteConn, *, offering_id: str, prev_seq: int, seq: int, cmd_seq: int, digest: bytes, epoch: int
) -> bool:
    """Compare-and-set; False when the cursor is elsewhere or a newer epoch has written."""
    return await conn.execute(MOVE_LOG_HEAD, offering_id, prev_seq, seq, cmd_seq, digest, epoch) == "UPDATE 1"


async def lock_states(conn: WriteConn, order_ids: Sequence[str]) -> dict[str, OrderState]:
    """Row locks in order of id, then the states. Two statements on purpose: one that waits for a lock sees the order's new row, but what it
    joins is of before the wait, so it would read the reservation that a replace has just raised as it was."""
    await conn.execute(LOCK_ORDERS, order_ids)
    return {row["order_id"]: OrderState(**row) for row in await conn.fetch(SELECT_STATES, order_ids)}


async def insert_executions(conn: WriteConn, offering_id: str, items: Sequence[tuple[int, int, str, bytes]]) -> None:
    """items: (exec_seq, cmd_seq, body, hash)."""
    await conn.execute(INSERT_EXECUTIONS, offering_id, *_columns(items))


async def update_states(conn: WriteConn, states: Sequence[OrderState]) -> None:
    rows = [(state.order_id, state.status, state.status_reason, state.quantity_lots, state.price_ticks, state.filled_lots, state.remaining_lots,
             state.filled_notional_minor, state.revision, state.last_exec_seq, state.is_closed) for state in states]  # fmt: skip
    await conn.execute(UPDATE_STATES, *_columns(rows))


async def insert_fills(conn: WriteConn, offering_id: str, fills: Sequence[Fill]) -> None:
    rows = [(fill.fill_id, fill.exec_seq, fill.cmd_seq, fill.maker_order_id, fill.taker_order_id, fill.buy_order_id, fill.sell_order_id,
             fill.price_ticks, fill.quantity_lots, fill.notional_minor) for fill in fills]  # fmt: skip
    await conn.execute(INSERT_FILLS, offering_id, *_columns(rows))


async def insert_settlements(conn: WriteConn, offering_id: str, settlements: Sequence[tuple[str, Fill]]) -> None:
    """(settlement_id, fill)."""
    rows = [(settlement_id, fill.fill_id, fill.buyer_id, fill.seller_id, fill.units, fill.notional_minor) for settlement_id, fill in settlements]  # fmt: skip
    await conn.execute(INSERT_SETTLEMENTS, offering_id, *_columns(rows))


async def audit_executions(conn: WriteConn, actor: str, rows: Sequence[AuditRow]) -> None:
    """One audit row per execution, in one round trip."""
    columns = _columns([(row.action, row.subject_type, row.subject_id, row.correlation_id, row.detail) for row in rows])
    await conn.execute(AUDIT_EXECUTIONS, actor, *columns)


async def select_executions(
    conn: ReadConn, *, investor_id: str | None, offering_id: str | None, after_seq: int, limit: int
) -> Sequence[Record]:
    return await conn.fetch(SELECT_EXECUTIONS, investor_id, offering_id, after_seq, limit)


def _columns(rows: Sequence[tuple[Any, ...]]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]


def _terms(row: Record) -> Terms:
    return Terms(row["offering_id"], row["symbol"], row["currency"], row["tick_size_minor"], row["lot_size_units"], row["max_units"],
                 row["collar_bps"], row["reference_minor"])  # fmt: skip


def _order(row: Record) -> Order:
    return Order(**row)


def _item(row: Record) -> Item:
    return {"seq": row["cmd_seq"], "body": row["body"], "hash": row["cmd_hash"].hex()}
