"""`tokenx verify`."""

import asyncio
import json
from typing import Annotated, Any

import asyncpg
import typer

from tokenx_cli.commands.console import DEFAULT_DATA, DataOption, complaints, console, fail, state_folder
from tokenx_cli.runtime.migrate import database_urls
from tokenx_cli.runtime.postgres import Postgres
from tokenx_cli.runtime.secrets import Secrets, load_secrets
from tokenx_cli.stack.control import NotRunning, require_running
from tokenx_cli.stack.folder import StackState, StateFolder
from tokenx_cli.verify.checks import INVARIANTS, Target
from tokenx_common.http import ServiceClient
from tokenx_common.service_auth import ServiceSigner


def register(app: typer.Typer) -> None:
    app.command()(verify)


def verify(
    data: DataOption = DEFAULT_DATA,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON list.")] = False,
    database_url: Annotated[
        str | None, typer.Option(help="Read-only connection, where the stack uses DATABASE_URL.")
    ] = None,
) -> None:
    """Check the invariants I1 to I12 against a running stack. Exit status 1 when one is broken, with a plain line for each."""
    folder = state_folder(data)
    try:
        require_running(folder)
    except NotRunning as error:
        fail(f"{error}: start it with `tokenx up -d`", 3)
    results = asyncio.run(verify_folder(folder, database_url))
    if as_json:
        typer.echo(json.dumps(results, indent=1))
    else:
        _print(results)
    if any(result["broken"] for result in results):
        raise typer.Exit(1)


def _print(results: list[dict[str, Any]]) -> None:
    for result in results:
        console.print(
            f"{'broken' if result['broken'] else 'ok':>6}  {result['name']:<4} {result['says']}", markup=False
        )
        for line in result["broken"]:
            complaints.print(f"        {result['name']}: {line}", markup=False)


async def verify_folder(folder: StateFolder, database_url: str | None = None) -> list[dict[str, Any]]:
    """Every invariant of the stack in a folder: [{name, says, broken: [line]}]."""
    state = require_running(folder)
    secrets = load_secrets(folder.secrets)
    signer = ServiceSigner("cli", secrets.service_keys["cli"])
    matcher = ServiceClient("matcher", state.urls["matcher"], signer, timeout_s=20)
    try:
        return await verify_target(database_url or read_only_url(folder, state, secrets), matcher)
    finally:
        await matcher.close()


def read_only_url(folder: StateFolder, state: StackState, secrets: Secrets) -> str:
    """The stack's own database as the read-only role. Ends with a plain line when the database is somebody else's."""
    port = state.unit("postgres").port
    if port is None:
        fail("the stack uses DATABASE_URL: name a read-only connection with --database-url")
    cluster = Postgres(folder.part("postgres"), port, secrets.database["postgres"])
    return database_urls(cluster, secrets.database).ro_url


async def verify_target(ro_url: str, matcher: ServiceClient | None) -> list[dict[str, Any]]:
    """Every invariant, over one repeatable-read snapshot of the database."""
    connection = await asyncpg.connect(ro_url)
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            target = Target(connection, matcher)
            return [
                {
                    "name": invariant.name,
                    "says": invariant.says,
                    "broken": [line async for line in invariant.check(target)],
                }
                for invariant in INVARIANTS
            ]
    finally:
        await connection.close()
