"""The database itself proves who may write what: every table, role and statement is tried, and the audit trail cannot be changed by anyone."""

from pathlib import Path

import asyncpg
import pytest
import yaml

from tests.db.attempts import STATEMENTS, all_tables, try_all
from tokenx_cli.runtime.migrate import DatabaseUrls

pytestmark = pytest.mark.stack

MATRIX: dict[str, dict[str, str]] = yaml.safe_load(Path(__file__).with_name("grants.yaml").read_text())
Connection = asyncpg.Connection


@pytest.mark.parametrize("role", ["tokenx_api", "tokenx_ro"])
async def test_role_may_do_exactly_what_the_matrix_says(database: DatabaseUrls, role: str) -> None:
    url = {"tokenx_api": database.api_url, "tokenx_ro": database.ro_url}[role]
    tried = await try_all(url, await all_tables(database.superuser_url))
    assert {attempt.table: attempt.words for attempt in tried} == {table: row[role] for table, row in MATRIX.items()}


async def test_owner_may_do_everything_but_empty_the_audit_trail(database: DatabaseUrls) -> None:
    tried = await try_all(database.migrator_url, await all_tables(database.superuser_url))
    short = {
        attempt.table: set(STATEMENTS) - attempt.allowed
        for attempt in tried
        if attempt.allowed != frozenset(STATEMENTS)
    }
    assert short == {"audit.events": {"truncate"}, "audit.seals": {"truncate"}}


async def test_reader_sees_users_without_their_password_hash(database: DatabaseUrls) -> None:
    reader = await asyncpg.connect(database.ro_url)
    await reader.fetch("SELECT user_id, email, display_name, personas, status, created_at FROM api.users")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await reader.fetch("SELECT password_hash FROM api.users")
    await reader.close()


async def test_reader_cannot_write_even_where_a_grant_would_slip_in(database: DatabaseUrls) -> None:
    reader = await asyncpg.connect(database.ro_url)
    with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
        await reader.execute("INSERT INTO api.leases DEFAULT VALUES")
    await reader.close()


@pytest.mark.parametrize("statement", ["CREATE TABLE api.x (n int)", "CREATE TABLE public.x (n int)", "CREATE SCHEMA x", "DROP TABLE api.users",
                                       "ALTER TABLE api.users ADD COLUMN x int", "CREATE ROLE x", "ALTER TABLE audit.events DISABLE TRIGGER ALL",
                                       "SET session_replication_role = replica", "SET ROLE tokenx_owner"])  # fmt: skip
async def test_api_role_cannot_change_schema_roles_or_triggers(as_api: Connection, statement: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await as_api.execute(statement)


APPEND = "SELECT audit.append('service:api', 'order.accepted', 'order', 'ord_1', 'cor_1', '{\"a\": 1}')"
CHANGES = [
    "UPDATE audit.events SET actor = 'nobody'", "DELETE FROM audit.events", "TRUNCATE audit.events", "TRUNCATE audit.events CASCADE",
    "UPDATE audit.seals SET root = prev_hash", "DELETE FROM audit.seals", "TRUNCATE audit.seals",
]  # fmt: skip


@pytest.mark.parametrize("replica", [False, True], ids=["normally", "as a replica"])
@pytest.mark.parametrize("statement", CHANGES)
async def test_audit_trail_refuses_change_even_by_the_superuser(
    as_superuser: Connection, statement: str, replica: bool
) -> None:
    await as_superuser.execute(APPEND)
    seal = "INSERT INTO audit.seals (event_ids, root, prev_hash, hash) VALUES ('{1}', sha256('a'), sha256('b'), sha256('c'))"
    await as_superuser.execute(seal)
    if replica:  # switches ordinary triggers off
        await as_superuser.execute("SET session_replication_role = replica")
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
        await as_superuser.execute(statement)
    assert await as_superuser.fetchval("SELECT count(*) FROM audit.events") == 1


async def test_api_role_appends_through_the_function_only(as_api: Connection) -> None:
    assert await as_api.fetchval(APPEND) == 1
    leaf = await as_api.fetchval(
        "SELECT leaf = audit.leaf_hash(actor, action, subject_type, subject_id, correlation_id, detail, occurred_at) FROM audit.events"
    )
    assert leaf is True
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await as_api.execute(
            "INSERT INTO audit.events (actor, action, subject_type, subject_id, correlation_id, leaf) VALUES ('a','b','c','d','e', sha256('x'))"
        )


async def test_reader_cannot_append_to_the_audit_trail(database: DatabaseUrls) -> None:
    reader = await asyncpg.connect(database.ro_url)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await reader.execute(APPEND)
    await reader.close()


async def test_a_stranger_role_cannot_connect(database: DatabaseUrls, as_superuser: Connection) -> None:
    await as_superuser.execute("CREATE ROLE stranger LOGIN PASSWORD 'stranger'")
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await asyncpg.connect(
                database.superuser_url.replace("postgres:", "stranger:", 1), user="stranger", password="stranger"
            )
    finally:
        await as_superuser.execute("DROP ROLE stranger")
