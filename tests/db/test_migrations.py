"""Migrations go up, all the way down, and up again to the very same schema; several at once apply each one once."""

import subprocess
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import asyncpg
import pytest

from tests.support.servers import PostgresServer
from tokenx_cli.runtime import migrate
from tokenx_cli.runtime.environment import inherited_environment
from tokenx_cli.runtime.migrate import DatabaseUrls
from tokenx_cli.runtime.paths import project_root
from tokenx_cli.runtime.postgres import find_programs

pytestmark = pytest.mark.stack

LEFT_OVER = """
SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') AND c.relkind IN ('r', 'v', 'S', 'm')
UNION ALL SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname NOT IN ('information_schema', 'public')
UNION ALL SELECT p.oid::regprocedure::text FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname !~ '^(pg_|information_schema)'
ORDER BY 1
"""


def schema_of(url: str) -> list[str]:
    """The schema as SQL, without what pg_dump makes up anew each time."""
    parts = urlsplit(url)
    command = [
        str(find_programs() / "pg_dump"),
        "--schema-only",
        "-h",
        parts.hostname or "",
        "-p",
        str(parts.port),
        "-U",
        parts.username or "",
        parts.path[1:],
    ]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=True,
        env=inherited_environment({"PGPASSWORD": parts.password or ""}),
    )
    return [line for line in done.stdout.splitlines() if not line.startswith(("--", "\\restrict", "\\unrestrict"))]


def migration_files() -> list[str]:
    return sorted(path.name for path in (project_root() / "migrations").glob("[0-9]*.sql"))


async def test_down_leaves_nothing_and_up_again_gives_the_same_schema(database: DatabaseUrls) -> None:
    before = schema_of(database.superuser_url)
    assert any("CREATE TABLE matcher.commands" in line for line in before)
    for _ in migration_files():
        migrate.roll_back(database.migrator_url)
    connection = await asyncpg.connect(database.superuser_url)
    left = [row[0] for row in await connection.fetch(LEFT_OVER)]
    await connection.close()
    assert left == ["public.schema_migrations"]
    migrate.migrate(database.migrator_url)
    assert schema_of(database.superuser_url) == before


def test_every_migration_is_undone_and_redone_alone(database: DatabaseUrls) -> None:
    after = schema_of(database.superuser_url)
    migrate.roll_back(database.migrator_url)
    migrate.migrate(database.migrator_url)
    assert schema_of(database.superuser_url) == after
    assert "Pending: 0" in migrate.migration_status(database.migrator_url)


def test_four_at_once_apply_each_migration_once(postgres: PostgresServer) -> None:
    name = "four_at_once"
    migrate.create_database(postgres.cluster.url(), name)
    try:
        url = migrate.database_urls(postgres.cluster, postgres.passwords, name).migrator_url
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(migrate.migrate, [url] * 4))
        assert f"Applied: {len(migration_files())}" in migrate.migration_status(url)
    finally:
        migrate.drop_database(postgres.cluster.url(), name)


def test_roles_script_can_be_run_again(postgres: PostgresServer) -> None:
    migrate.create_roles(postgres.cluster.url(), postgres.passwords)


def test_failed_dbmate_says_what_the_database_said(postgres: PostgresServer) -> None:
    urls = migrate.database_urls(postgres.cluster, postgres.passwords, "nowhere")
    with pytest.raises(migrate.MigrationFailed, match="nowhere"):
        migrate.roll_back(urls.migrator_url)
