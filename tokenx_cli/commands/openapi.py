"""`tokenx openapi`: write down the OpenAPI documents of the running services."""

import json
from pathlib import Path
from typing import Annotated, Final

import httpx
import typer

from tokenx_cli.commands.console import DEFAULT_DATA, DataOption, console, fail, state_folder
from tokenx_cli.runtime.paths import project_root
from tokenx_cli.stack.control import NotRunning, require_running
from tokenx_cli.stack.plan import SERVICES

_TIMEOUT_S: Final = 20


def openapi(
    data: DataOption = DEFAULT_DATA,
    out: Annotated[Path | None, typer.Option(help="Folder to write to; docs/openapi without it.")] = None,
) -> None:
    """Write one JSON file for each service, keys sorted, so that changes show as small differences."""
    try:
        urls = require_running(state_folder(data)).urls
    except NotRunning as error:
        fail(f"{error}: start it with `tokenx up -d`")
    folder = out or project_root() / "docs" / "openapi"
    folder.mkdir(parents=True, exist_ok=True)
    for service in SERVICES:
        document = httpx.get(f"{urls[service]}/openapi.json", timeout=_TIMEOUT_S).raise_for_status().json()
        target = folder / f"{service}.json"
        target.write_text(json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")
        console.print(f"{target}: {len(document['paths'])} paths")
