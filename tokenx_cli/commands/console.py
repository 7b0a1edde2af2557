"""Where commands print, and the options they share."""

from pathlib import Path
from typing import Annotated, Final, NoReturn

import typer
from rich.console import Console

from tokenx_cli.runtime.paths import DEFAULT_STATE
from tokenx_cli.stack.folder import StateFolder

console: Final = Console(highlight=False, soft_wrap=True)
complaints: Final = Console(highlight=False, soft_wrap=True, stderr=True)

DataOption = Annotated[Path, typer.Option("--data", help="State folder of the stack.", envvar="TOKENX_DATA")]
DEFAULT_DATA: Final = Path(DEFAULT_STATE)

EXIT_NOT_RUNNING: Final = 3


def fail(message: str, status: int = 1) -> NoReturn:
    """Print one plain message on stderr and end with a status."""
    complaints.print(message, markup=False)
    raise typer.Exit(status)


def state_folder(data: Path) -> StateFolder:
    """The folder named by --data."""
    return StateFolder(data)
