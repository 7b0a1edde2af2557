"""SQL of the ledger."""

from typing import LiteralString

from tokenx_api.db import ReadConn, WriteConn
from tokenx_api.ledger.models import AccountName, Balance

OPEN_ACCOUNT: LiteralString = """
    INSERT INTO api.ledger_accounts (owner, asset) VALUES ($1, $2)
    ON CONFLICT (owner, asset) DO UPDATE SET asset = excluded.asset RETURNING account_id"""
SELECT_BALANCE: LiteralString = "SELECT balance, reserved FROM api.ledger_accounts WHERE owner = $1 AND asset = $2"
INSERT_ENTRY: LiteralString = """
    INSERT INTO api.ledger_entries (kind, ref) VALUES ($1, $2) ON CONFLICT (kind, ref) DO NOTHING RETURNING entry_id"""
INSERT_POSTING: LiteralString = "INSERT INTO api.ledger_postings (entry_id, account_id, amount) VALUES ($1, $2, $3)"
MOVE_BALANCE: LiteralString = "UPDATE api.ledger_accounts SET balance = balance + $2 WHERE account_id = $1"
HOLD: LiteralString = """
    UPDATE api.ledger_accounts SET reserved = reserved + $3
    WHERE owner = $1 AND asset = $2 AND balance - reserved >= $3 RETURNING account_id"""
INSERT_RESERVATION: LiteralString = """
    INSERT INTO api.reservations (ref, account_id, amount) VALUES ($1, $2, $3)
    ON CONFLICT (ref, account_id) DO UPDATE SET amount = api.reservations.amount + excluded.amount"""
SHRINK_RESERVATION: LiteralString = """
    WITH held AS (SELECT ref, account_id, amount FROM api.reservations WHERE ref = $1 FOR UPDATE),
         shrunk AS (UPDATE api.reservations r SET amount = r.amount - least(h.amount, coalesce($2::bigint, h.amount))
                    FROM held h WHERE r.ref = h.ref AND r.account_id = h.account_id
                    RETURNING r.account_id, h.amount - r.amount AS freed)
    UPDATE api.ledger_accounts a SET reserved = a.reserved - s.freed FROM shrunk s WHERE a.account_id = s.account_id
    RETURNING s.freed"""
SELECT_RESERVED: LiteralString = "SELECT coalesce(sum(amount), 0)::bigint FROM api.reservations WHERE ref = $1"


async def open_account(conn: WriteConn, account: AccountName) -> int:
    """The account's id; opens it when it is new. Takes the account's row lock."""
    return await conn.fetchval(OPEN_ACCOUNT, account.owner, account.asset)


async def select_balance(conn: ReadConn, account: AccountName) -> Balance:
    """Zero for an account that was never opened."""
    row = await conn.fetchrow(SELECT_BALANCE, account.owner, account.asset)
    return Balance(row["balance"], row["reserved"]) if row else Balance(0, 0)


async def insert_entry(conn: WriteConn, kind: str, ref: str) -> int | None:
    """The new entry's id; None when this business event was posted before."""
    return await conn.fetchval(INSERT_ENTRY, kind, ref)


async def insert_posting(conn: WriteConn, *, entry_id: int, account_id: int, amount: int) -> None:
    await conn.execute(INSERT_POSTING, entry_id, account_id, amount)


async def move_balance(conn: WriteConn, *, account_id: int, amount: int) -> None:
    await conn.execute(MOVE_BALANCE, account_id, amount)


async def hold(conn: WriteConn, account: AccountName, amount: int) -> int | None:
    """Raise the account's reserved part if that much is available; its id, or None when it is not. Takes the row lock."""
    return await conn.fetchval(HOLD, account.owner, account.asset, amount)


async def insert_reservation(conn: WriteConn, *, ref: str, account_id: int, amount: int) -> None:
    await conn.execute(INSERT_RESERVATION, ref, account_id, amount)


async def shrink_reservation(conn: WriteConn, *, ref: str, amount: int | None) -> int:
    """Free up to `amount` (None: all) of what `ref` holds; returns what was freed."""
    return await conn.fetchval(SHRINK_RESERVATION, ref, amount) or 0


async def select_reserved(conn: ReadConn, ref: str) -> int:
    return await conn.fetchval(SELECT_RESERVED, ref)
