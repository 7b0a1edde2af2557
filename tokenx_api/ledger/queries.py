"""SQL of the ledger."""

from collections.abc import Collection, Sequence
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
    WITH held AS (UPDATE api.ledger_accounts SET reserved = reserved + $3
                  WHERE owner = $1 AND asset = $2 AND balance - reserved >= $3 RETURNING account_id)
    INSERT INTO api.reservations (ref, account_id, amount) SELECT $4, account_id, $3 FROM held
    ON CONFLICT (ref, account_id) DO UPDATE SET amount = api.reservations.amount + excluded.amount RETURNING account_id"""
SHRINK_RESERVATION: LiteralString = """
    WITH held AS (SELECT ref, account_id, amount FROM api.reservations WHERE ref = $1 FOR UPDATE),
         shrunk AS (UPDATE api.reservations r SET amount = r.amount - least(h.amount, coalesce($2::bigint, h.amount))
                    FROM held h WHERE r.ref = h.ref AND r.account_id = h.account_id
                    RETURNING r.account_id, h.amount - r.amount AS freed)
    UPDATE api.ledger_accounts a SET reserved = a.reserved - s.freed FROM shrunk s WHERE a.account_id = s.account_id
    RETURNING s.freed"""
OPEN_ACCOUNTS: LiteralString = """
    INSERT INTO api.ledger_accounts (owner, asset) SELECT u.owner, u.asset FROM unnest($1::text[], $2::text[]) AS u (owner, asset)
    ON CONFLICT (owner, asset) DO NOTHING"""
LOCK_ACCOUNTS: LiteralString = """
    SELECT a.account_id, a.owner, a.asset FROM api.ledger_accounts a
    JOIN unnest($1::text[], $2::text[]) AS u (owner, asset) ON a.owner = u.owner AND a.asset = u.asset
    ORDER BY a.owner COLLATE "C", a.asset COLLATE "C" FOR NO KEY UPDATE OF a"""
INSERT_ENTRIES: LiteralString = """
    INSERT INTO api.ledger_entries (kind, ref) SELECT $1, u.ref FROM unnest($2::text[]) AS u (ref) RETURNING entry_id, ref"""
INSERT_POSTINGS: LiteralString = """
    INSERT INTO api.ledger_postings (entry_id, account_id, amount)
    SELECT u.entry_id, u.account_id, u.amount FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS u (entry_id, account_id, amount)"""
MOVE_ACCOUNTS: LiteralString = """
    UPDATE api.ledger_accounts a SET balance = a.balance + u.moved, reserved = a.reserved + u.held
    FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS u (account_id, moved, held) WHERE a.account_id = u.account_id"""
SET_RESERVATIONS: LiteralString = """
    UPDATE api.reservations r SET amount = u.amount FROM unnest($1::text[], $2::bigint[], $3::bigint[]) AS u (ref, account_id, amount)
    WHERE r.ref = u.ref AND r.account_id = u.account_id"""
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


async def hold(conn: WriteConn, account: AccountName, *, ref: str, amount: int) -> bool:
    """Reserve `amount` of the account for `ref` if that much is available. Takes the account's row lock."""
    return await conn.fetchval(HOLD, account.owner, account.asset, amount, ref) is not None


async def shrink_reservation(conn: WriteConn, *, ref: str, amount: int | None) -> int:
    """Free up to `amount` (None: all) of what `ref` holds; returns what was freed."""
    return await conn.fetchval(SHRINK_RESERVATION, ref, amount) or 0


async def select_reserved(conn: ReadConn, ref: str) -> int:
    return await conn.fetchval(SELECT_RESERVED, ref)


async def lock_accounts(conn: WriteConn, accounts: Collection[AccountName]) -> dict[AccountName, int]:
    """Account ids, with the rows locked in (owner, asset) order. Accounts that were never opened are opened."""
    names = [account.owner for account in accounts], [account.asset for account in accounts]
    rows = await conn.fetch(LOCK_ACCOUNTS, *names)
    if len(rows) < len(accounts):
        await conn.execute(OPEN_ACCOUNTS, *names)
        rows = await conn.fetch(LOCK_ACCOUNTS, *names)
    return {AccountName(row["owner"], row["asset"]): row["account_id"] for row in rows}


async def insert_entries(conn: WriteConn, kind: str, refs: Sequence[str]) -> dict[str, int]:
    """Entry ids by ref. Raises asyncpg.UniqueViolationError when one was posted before."""
    return {row["ref"]: row["entry_id"] for row in await conn.fetch(INSERT_ENTRIES, kind, refs)}


async def insert_postings(conn: WriteConn, rows: Sequence[tuple[int, int, int]]) -> None:
    """(entry_id, account_id, amount)."""
    await conn.execute(INSERT_POSTINGS, *(list(column) for column in zip(*rows, strict=True)))


async def move_accounts(conn: WriteConn, rows: Sequence[tuple[int, int, int]]) -> None:
    """(account_id, change of balance, change of reserved), one row per account."""
    await conn.execute(MOVE_ACCOUNTS, *(list(column) for column in zip(*rows, strict=True)))


async def set_reservations(conn: WriteConn, rows: Sequence[tuple[str, int, int]]) -> None:
    """(ref, account_id, amount held from now on)."""
    await conn.execute(SET_RESERVATIONS, *(list(column) for column in zip(*rows, strict=True)))
