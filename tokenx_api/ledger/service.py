"""Double-entry bookkeeping: balances, reservations, entries that sum to zero per asset.

Accounts are locked in (owner, asset) order, so two use cases never wait for each other in a circle."""

from collections.abc import Sequence

from tokenx_api.db import ReadConn, WriteConn
from tokenx_api.ledger import queries
from tokenx_api.ledger.errors import InsufficientBalance
from tokenx_api.ledger.models import AccountName, Balance, EntryKind, Posting


async def balance(conn: ReadConn, account: AccountName) -> Balance:
    """What the account holds and how much of it is reserved."""
    return await queries.select_balance(conn, account)


async def reserve(conn: WriteConn, *, ref: str, account: AccountName, amount: int) -> None:
    """Hold `amount` for an order, subscription or redemption. Raises InsufficientBalance when less is available."""
    account_id = await queries.hold(conn, account, amount)
    if account_id is None:
        raise InsufficientBalance("not enough available", asset=account.asset, needed=str(amount))
    await queries.insert_reservation(conn, ref=ref, account_id=account_id, amount=amount)


async def release(conn: WriteConn, *, ref: str, amount: int | None = None) -> int:
    """Free up to `amount` of what `ref` holds, all of it when None; returns what was freed. Freeing nothing is fine."""
    return await queries.shrink_reservation(conn, ref=ref, amount=amount)


async def reserved(conn: ReadConn, ref: str) -> int:
    """What `ref` still holds."""
    return await queries.select_reserved(conn, ref)


async def post(conn: WriteConn, *, kind: EntryKind, ref: str, postings: Sequence[Posting]) -> bool:
    """Post one entry. False, and nothing changed, when (kind, ref) was posted before: the effect happens once.

    Release reservations first: a balance never falls below what is reserved. Raises asyncpg.CheckViolationError at commit when the entry
    does not sum to zero per asset, and at once when an account would go below zero: both are our bugs."""
    entry_id = await queries.insert_entry(conn, kind, ref)
    if entry_id is None:
        return False
    for posting in sorted(postings, key=lambda item: (item.account.owner, item.account.asset)):
        if posting.amount:
            account_id = await queries.open_account(conn, posting.account)
            await queries.insert_posting(conn, entry_id=entry_id, account_id=account_id, amount=posting.amount)
            await queries.move_balance(conn, account_id=account_id, amount=posting.amount)
    return True
