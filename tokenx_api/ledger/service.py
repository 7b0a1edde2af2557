"""Double-entry bookkeeping: balances, reservations, entries that sum to zero per asset.

Accounts are locked in (owner, asset) order, so two use cases never wait for each other in a circle."""

from collections import Counter
from collections.abc import Mapping, Sequence

from tokenx_api.db import ReadConn, WriteConn
from tokenx_api.ledger import queries
from tokenx_api.ledger.errors import InsufficientBalance
from tokenx_api.ledger.models import AccountName, Balance, EntryKind, Hold, Posting


async def balance(conn: ReadConn, account: AccountName) -> Balance:
    """What the account holds and how much of it is reserved."""
    return await queries.select_balance(conn, account)


async def reserve(conn: WriteConn, *, ref: str, account: AccountName, amount: int) -> None:
    """Hold `amount` for an order, subscription or redemption. Raises InsufficientBalance when less is available."""
    if not await queries.hold(conn, account, ref=ref, amount=amount):
        raise InsufficientBalance("not enough available", asset=account.asset, needed=str(amount))


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


async def post_many(
    conn: WriteConn, *, kind: EntryKind, entries: Mapping[str, Sequence[Posting]], holds: Sequence[Hold] = ()
) -> None:
    """Many entries (postings by ref) and changes of what is held, in a handful of statements whatever their number.

    For callers that already know that each ref is new: a second one is an error, asyncpg.UniqueViolationError. Otherwise as `post`."""
    postings = [posting for group in entries.values() for posting in group]
    accounts = {posting.account for posting in postings} | {hold.account for hold in holds}
    if not accounts:
        return
    ids = await queries.lock_accounts(conn, accounts)
    if postings:
        entry_ids = await queries.insert_entries(conn, kind, list(entries))
        rows = [(entry_ids[ref], ids[item.account], item.amount) for ref, group in entries.items() for item in group]
        await queries.insert_postings(conn, rows)
    await queries.move_accounts(conn, _changes(ids, postings, holds))
    if holds:
        await queries.set_reservations(conn, [(hold.ref, ids[hold.account], hold.after) for hold in holds])


def _changes(
    ids: Mapping[AccountName, int], postings: Sequence[Posting], holds: Sequence[Hold]
) -> list[tuple[int, int, int]]:
    moved: Counter[AccountName] = Counter()
    held: Counter[AccountName] = Counter()
    for posting in postings:
        moved[posting.account] += posting.amount
    for hold in holds:
        held[hold.account] += hold.after - hold.before
    return [(account_id, moved[account], held[account]) for account, account_id in ids.items()]
