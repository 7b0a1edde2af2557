"""What the schema itself guarantees about the ledger: entries balance, balances never go below what is held."""

import asyncpg
import pytest

pytestmark = pytest.mark.stack

Connection = asyncpg.Connection


async def account(connection: Connection, owner: str, asset: str = "USD", balance: int = 0) -> int:
    sql = "INSERT INTO api.ledger_accounts (owner, asset, balance) VALUES ($1, $2, $3) RETURNING account_id"
    return await connection.fetchval(sql, owner, asset, balance)


async def post(connection: Connection, ref: str, *postings: tuple[int, int]) -> None:
    async with connection.transaction():
        entry = await connection.fetchval(
            "INSERT INTO api.ledger_entries (kind, ref) VALUES ('deposit', $1) RETURNING entry_id", ref
        )
        for account_id, amount in postings:
            await connection.execute(
                "INSERT INTO api.ledger_postings (entry_id, account_id, amount) VALUES ($1, $2, $3)",
                entry,
                account_id,
                amount,
            )


async def test_balanced_entry_is_kept(as_api: Connection) -> None:
    bank, investor = await account(as_api, "bank:USD"), await account(as_api, "investor:inv_1")
    await post(as_api, "pay_1", (bank, -500), (investor, 500))
    assert await as_api.fetchval("SELECT sum(amount) FROM api.ledger_postings") == 0


async def test_unbalanced_entry_is_refused_at_commit(as_api: Connection) -> None:
    bank, investor = await account(as_api, "bank:USD"), await account(as_api, "investor:inv_1")
    with pytest.raises(asyncpg.CheckViolationError, match="does not sum to zero"):
        await post(as_api, "pay_1", (bank, -500), (investor, 499))
    assert await as_api.fetchval("SELECT count(*) FROM api.ledger_entries") == 0


async def test_entry_must_balance_in_each_asset(as_api: Connection) -> None:
    cash, units = await account(as_api, "bank:USD"), await account(as_api, "issuance:off_1", "off_1")
    with pytest.raises(asyncpg.CheckViolationError, match="does not sum to zero"):
        await post(as_api, "pay_1", (cash, -500), (units, 500))


async def test_one_business_event_is_posted_once(as_api: Connection) -> None:
    bank, investor = await account(as_api, "bank:USD"), await account(as_api, "investor:inv_1")
    await post(as_api, "pay_1", (bank, -500), (investor, 500))
    with pytest.raises(asyncpg.UniqueViolationError):
        await post(as_api, "pay_1", (bank, -500), (investor, 500))


@pytest.mark.parametrize("change", ["balance = -1", "reserved = -1", "reserved = balance + 1"])
async def test_investor_account_never_goes_below_what_is_held(as_api: Connection, change: str) -> None:
    owner = await account(as_api, "investor:inv_1", balance=100)
    with pytest.raises(asyncpg.CheckViolationError):
        await as_api.execute(f"UPDATE api.ledger_accounts SET {change} WHERE account_id = $1", owner)


async def test_posting_cannot_be_changed_afterwards(as_api: Connection) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await as_api.execute("UPDATE api.ledger_postings SET amount = 1")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await as_api.execute("DELETE FROM api.ledger_postings")
