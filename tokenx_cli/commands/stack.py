"""`tokenx down | status | logs | reset | logins | fault`: look at a stack and act on it."""

import subprocess
from typing import Annotated

import typer
from rich import box
from rich.table import Table

from tokenx_cli.commands.console import DEFAULT_DATA, EXIT_NOT_RUNNING, DataOption, console, fail, state_folder
from tokenx_cli.commands.show import print_status, print_status_json
from tokenx_cli.runtime.secrets import PERSONA_LOGINS, load_secrets
from tokenx_cli.stack import control


def down(data: DataOption = DEFAULT_DATA) -> None:
    """Stop the stack. Its data stays."""
    console.print("stopped" if control.stop(state_folder(data)) else "nothing was running")


def status(
    data: DataOption = DEFAULT_DATA,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Each part's state. Exit status 0: ready; 1: something required is not; 3: not running."""
    state = state_folder(data).read_state()
    if as_json:
        print_status_json(state)
    if state is None or not state.alive:
        if as_json:
            raise typer.Exit(EXIT_NOT_RUNNING)
        fail(f"no stack is running in {data}", EXIT_NOT_RUNNING)
    if not as_json:
        print_status(state)
    raise typer.Exit(0 if state.state == "ready" else 1)


def logs(
    part: Annotated[str | None, typer.Argument(help="One part; all of them without it.")] = None,
    data: DataOption = DEFAULT_DATA,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on printing.")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", help="How many of the last lines.")] = 50,
) -> None:
    """What the parts printed."""
    folder = state_folder(data).logs
    files = sorted(folder.glob(f"{part or '*'}.log"))
    if not files:
        known = ", ".join(file.stem for file in sorted(folder.glob("*.log"))) or "none yet"
        fail(f"no log of {part or 'any part'}; there are: {known}")
    words = ["tail", "-n", str(lines), *(["-F"] if follow else []), *map(str, files)]
    try:
        raise typer.Exit(subprocess.run(words, check=False).returncode)
    except KeyboardInterrupt:
        raise typer.Exit(0) from None


def reset(
    data: DataOption = DEFAULT_DATA,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Stop the stack and delete all its data and secrets."""
    folder = state_folder(data)
    if not folder.root.exists():
        console.print("nothing to delete")
        return
    if not yes:
        typer.confirm(f"Delete the database, the chain and all secrets in {folder.root}?", abort=True)
    try:
        control.delete(folder)
    except PermissionError as error:
        fail(str(error))
    console.print(f"deleted {folder.root}")


def logins(data: DataOption = DEFAULT_DATA) -> None:
    """The demo users and their random passwords."""
    try:
        passwords = load_secrets(state_folder(data).secrets).logins
    except FileNotFoundError:
        fail(f"no stack in {data} yet: `tokenx up` makes one", EXIT_NOT_RUNNING)
    table = Table("persona", "e-mail", "password", box=box.SIMPLE_HEAD)
    for email, persona in PERSONA_LOGINS.items():
        table.add_row(persona, email, passwords[email])
    console.print(table)


def fault(
    kind: Annotated[str, typer.Argument(help=f"One of {', '.join(control.FAULTS)}.")],
    part: Annotated[str, typer.Argument(help="The part to hit, as `tokenx status` names it.")],
    data: DataOption = DEFAULT_DATA,
) -> None:
    """Break one part on purpose, to see that the rest copes: kill -9 it, freeze (stop) and thaw (cont) it."""
    if kind not in control.FAULTS:
        fail(f"no fault called {kind}; there are {', '.join(control.FAULTS)}", 2)
    try:
        console.print(f"{kind} {part}: pid {control.fault(state_folder(data), kind, part)}")
    except (control.NotRunning, KeyError) as error:
        fail(str(error.args[0]), EXIT_NOT_RUNNING)
