"""How the state of a stack is printed: the ready banner, the table of `tokenx status`, and its JSON."""

import json
from dataclasses import asdict
from typing import Any, Final

from rich import box
from rich.table import Table

from tokenx_cli.commands.console import console
from tokenx_cli.stack.folder import StackState

_STYLES: Final = {
    "ready": "green", "done": "green", "external": "green", "degraded": "yellow", "starting": "yellow", "waiting": "dim",
    "absent": "dim", "stopped": "dim", "unhealthy": "red", "back-off": "red", "failed": "red", "failing": "red",
}  # fmt: skip


def print_banner(state: StackState) -> None:
    """What a person needs once the stack is ready: addresses, what is missing, and the next commands."""
    console.print("\n[bold green]Token-x is ready[/]")
    for name, url in state.urls.items():
        console.print(f"  {name:<8} {url}")
    for unit in state.units:
        if unit.state in ("absent", "back-off", "unhealthy"):
            console.print(f"  [yellow]{unit.name:<8} {unit.state}[/]: {unit.health}")
    console.print(
        "  next: [bold]tokenx logins[/] (demo users), [bold]tokenx status[/], [bold]tokenx logs -f[/], [bold]tokenx down[/]\n"
    )


def print_status(state: StackState) -> None:
    """One line for each part."""
    table = Table(box=box.SIMPLE_HEAD, title=None)
    for column in ("part", "state", "pid", "port", "restarts", "health"):
        table.add_column(column, justify="right" if column in ("pid", "port", "restarts") else "left")
    for unit in state.units:
        style = _STYLES.get(unit.state, "")
        table.add_row(
            unit.name,
            f"[{style}]{unit.state}[/]" if style else unit.state,
            str(unit.pid or ""),
            str(unit.port or ""),
            str(unit.restarts),
            unit.health,
        )
    console.print(table)
    console.print(f"stack: {state.state} (supervisor pid {state.supervisor_pid})")


def print_status_json(state: StackState | None) -> None:
    """The published state as JSON; {"state": "stopped"} when nothing runs."""
    stopped: dict[str, Any] = {"state": "stopped", "units": [], "urls": {}}
    document = asdict(state) if state is not None and state.alive else stopped
    console.print_json(json.dumps(document))
