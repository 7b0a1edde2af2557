"""Try each statement as a role and see whether the database refuses it: the grants as they act, not as a catalogue lists them."""

from collections.abc import Iterable
from dataclasses import dataclass

import asyncpg

TABLES = """
SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p', 'v', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') ORDER BY 1
"""
FIRST_COLUMN = "SELECT attname FROM pg_attribute WHERE attrelid = $1::regclass AND attnum = 1"

STATEMENTS = {
    "select": "SELECT one FROM {table} one LIMIT 0",  # the whole row: needs every column
    "insert": "INSERT INTO {table} DEFAULT VALUES",
    "update": "UPDATE {table} SET {column} = DEFAULT WHERE false",
    "delete": "DELETE FROM {table} WHERE false",
    "truncate": "TRUNCATE {table}",
}
"""None of these reaches a row, so nothing but the privilege decides. A constraint that complains comes after the privilege check."""


@dataclass(frozen=True)
class Attempts:
    """What one role may do with one table."""

    table: str
    allowed: frozenset[str]

    @property
    def words(self) -> str:
        """'select insert', in the order of STATEMENTS; 'nothing'."""
        return " ".join(verb for verb in STATEMENTS if verb in self.allowed) or "nothing"


async def all_tables(superuser_url: str) -> dict[str, str]:
    """Every table and its first column."""
    connection = await asyncpg.connect(superuser_url)
    try:
        names = [row[0] for row in await connection.fetch(TABLES)]
        return {name: await connection.fetchval(FIRST_COLUMN, name) for name in names}
    finally:
        await connection.close()


async def try_all(url: str, tables: dict[str, str], verbs: Iterable[str] = tuple(STATEMENTS)) -> list[Attempts]:
    """Try every verb on every table in one transaction, each in a savepoint, and roll all of it back."""
    connection = await asyncpg.connect(url)
    transaction = connection.transaction(readonly=False)
    await transaction.start()
    try:
        # tokenx_ro starts read-only: that is a second lock, and here the first one is tried.
        await connection.execute("SET TRANSACTION READ WRITE")
        return [
            Attempts(t, frozenset([v for v in verbs if await _allowed(connection, v, t, c)])) for t, c in tables.items()
        ]
    finally:
        await transaction.rollback()
        await connection.close()


async def _allowed(connection: "asyncpg.Connection[asyncpg.Record]", verb: str, table: str, column: str) -> bool:
    savepoint = connection.transaction()
    await savepoint.start()
    try:
        await connection.execute(STATEMENTS[verb].format(table=table, column=column))
    except asyncpg.InsufficientPrivilegeError:
        return False
    except (asyncpg.IntegrityConstraintViolationError, asyncpg.FeatureNotSupportedError):
        return True  # passed the privilege check, stopped by a constraint
    finally:
        await savepoint.rollback()
    return True
