"""Bring a database to the current schema: roles once per cluster, the database, then dbmate with the migrator's role."""

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

import asyncpg

from tokenx_cli.runtime import queries
from tokenx_cli.runtime.environment import inherited_environment
from tokenx_cli.runtime.foreground import run_sync
from tokenx_cli.runtime.paths import project_root
from tokenx_cli.runtime.postgres import Postgres, find_programs

DATABASE: Final = "tokenx"


class MigrationFailed(RuntimeError):
    """What psql or dbmate said."""


@dataclass(frozen=True)
class DatabaseUrls:
    """One database as each role sees it."""

    superuser_url: str
    migrator_url: str
    api_url: str
    ro_url: str


def database_urls(cluster: Postgres, passwords: Mapping[str, str], database: str = DATABASE) -> DatabaseUrls:
    """The four URLs of a database of the cluster."""
    return DatabaseUrls(
        superuser_url=cluster.url(database=database),
        migrator_url=cluster.url("tokenx_migrator", passwords["tokenx_migrator"], database),
        api_url=cluster.url("tokenx_api", passwords["tokenx_api"], database),
        ro_url=cluster.url("tokenx_ro", passwords["tokenx_ro"], database),
    )


def prepare_database(cluster: Postgres, passwords: Mapping[str, str], database: str = DATABASE) -> DatabaseUrls:
    """Roles, database, schema: safe to repeat, and safe when several do it at once."""
    urls = database_urls(cluster, passwords, database)
    create_roles(cluster.url(), passwords)
    create_database(cluster.url(), database)
    migrate(urls.migrator_url)
    return urls


def create_roles(admin_url: str, passwords: Mapping[str, str]) -> None:
    """Run roles.sql. The passwords go in through stdin, since anyone can read a command line."""
    variables = {"migrator_password": "tokenx_migrator", "api_password": "tokenx_api", "ro_password": "tokenx_ro"}
    lines = [f"\\set {variable} '{_plain(passwords[role])}'" for variable, role in variables.items()]
    _psql(admin_url, "\n".join([*lines, f"\\i '{_migrations() / 'bootstrap' / 'roles.sql'}'", ""]))


def create_database(admin_url: str, database: str, template: str = "template0") -> None:
    """Create it, owned by tokenx_owner and closed to everyone without a role here. Nothing happens when it exists."""
    _psql(admin_url, f"\\set name '{_plain(database)}'\n\\set template '{_plain(template)}'\n{queries.CREATE_DATABASE}")


def drop_database(admin_url: str, database: str) -> None:
    """Drop it, whoever is connected."""
    _psql(admin_url, f"\\set name '{_plain(database)}'\n{queries.DROP_DATABASE}")


def migrate(migrator_url: str) -> None:
    """Apply what is missing, one caller at a time: several dbmates at once on an empty database trip over its version table."""
    run_sync(_migrate_alone(migrator_url))


async def _migrate_alone(migrator_url: str) -> None:
    connection = await asyncpg.connect(migrator_url, timeout=10)
    try:
        await connection.execute(queries.MIGRATION_LOCK)  # held until the connection closes
        await asyncio.to_thread(_dbmate, migrator_url, "migrate")
    finally:
        await connection.close()


def roll_back(migrator_url: str) -> None:
    """Undo the newest migration."""
    _dbmate(migrator_url, "rollback")


def migration_status(migrator_url: str) -> str:
    """dbmate's list of applied and pending migrations."""
    return _dbmate(migrator_url, "status")


def _migrations() -> Path:
    folder = project_root() / "migrations"
    if not folder.is_dir():
        raise FileNotFoundError(f"no migrations in {folder}: run from a checkout, or set TOKENX_HOME to one")
    return folder


def _plain(word: str) -> str:
    """A word that needs no quoting. Raises ValueError otherwise."""
    if not word.replace("_", "").replace("-", "").isalnum():
        raise ValueError("only letters, digits, - and _ are allowed in names and passwords here")
    return word


def _psql(url: str, script: str) -> None:
    """Run a script as the role of the URL. The URL is taken apart into the environment: it holds a password."""
    command = [str(find_programs() / "psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", "-"]
    parts = urlsplit(url)
    environment = {
        "PGHOST": parts.hostname or "", "PGPORT": str(parts.port or 5432), "PGUSER": unquote(parts.username or ""),
        "PGPASSWORD": unquote(parts.password or ""), "PGDATABASE": parts.path.removeprefix("/"), "PGCONNECT_TIMEOUT": "10",
    }  # fmt: skip
    _run(command, script, inherited_environment(environment))


def _dbmate(url: str, verb: str) -> str:
    beside_python = Path(sys.executable).parent / "dbmate"
    program = str(beside_python) if beside_python.exists() else shutil.which("dbmate")
    if program is None:
        raise FileNotFoundError("no dbmate: install the cli extra (pip install 'tokenx[cli]')")
    command = [program, "--migrations-dir", str(_migrations()), "--no-dump-schema", verb]
    return _run(command, "", inherited_environment({"DATABASE_URL": url}))


def _run(command: list[str], script: str, environment: Mapping[str, str]) -> str:
    done = subprocess.run(
        command,
        input=script,
        capture_output=True,
        text=True,
        env=dict(environment),
        cwd=os.sep,
        timeout=300,
        check=False,
    )
    if done.returncode != 0:
        raise MigrationFailed((done.stderr or done.stdout).strip()[-1500:])
    return done.stdout
