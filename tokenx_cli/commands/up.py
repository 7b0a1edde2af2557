"""`tokenx up`: start the stack, in the foreground or behind."""

import asyncio
import signal
from typing import Annotated, Final

import typer
from rich.text import Text

from tokenx_cli.commands.console import DEFAULT_DATA, DataOption, console, fail, state_folder
from tokenx_cli.commands.show import print_banner
from tokenx_cli.runtime.environment import Environment
from tokenx_cli.stack import control
from tokenx_cli.stack.config import PortTaken, StackConfig, choose_ports, require_free
from tokenx_cli.stack.folder import AlreadyRunning, StackState, StateFolder
from tokenx_cli.stack.plan import make_plan, ports_needed
from tokenx_cli.stack.supervisor import StartGivenUp, Supervisor

_COLOURS: Final = (
    "cyan",
    "green",
    "magenta",
    "yellow",
    "blue",
    "bright_cyan",
    "bright_green",
    "bright_magenta",
    "bright_yellow",
)


def up(
    data: DataOption = DEFAULT_DATA,
    detach: Annotated[
        bool, typer.Option("--detach", "-d", help="Return when the stack is ready and leave it running.")
    ] = False,
    no_web: Annotated[bool, typer.Option("--no-web", help="Without the web app.")] = False,
    ports: Annotated[str, typer.Option(help="'default' for the usual ports, 'auto' for free ones.")] = "default",
    port: Annotated[list[str] | None, typer.Option(help="One port, as api=8110. May be repeated.")] = None,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Do not print the parts' output; `tokenx logs` has it.")
    ] = False,
) -> None:
    """Start the whole stack. In the foreground Ctrl-C stops it; the exit status is 1 when a required part is failing."""
    folder = state_folder(data)
    if detach:
        print_banner(_start_behind(folder, no_web, ports, port or []))
        return
    try:
        with folder.create().lock():
            raise typer.Exit(_run(folder, _configuration(folder, no_web, ports, port or []), quiet))
    except AlreadyRunning as error:
        fail(f"{error}: `tokenx status` shows it, `tokenx down` stops it")
    except (PortTaken, StartGivenUp, FileNotFoundError) as error:
        fail(str(error))


def _start_behind(folder: StateFolder, no_web: bool, ports: str, port: list[str]) -> StackState:
    """A living stack is taken as it is, once it is ready; otherwise a new one is started."""
    state = folder.read_state()
    words = [
        *(["--no-web"] if no_web else []),
        "--ports",
        ports,
        *(word for chosen in port for word in ("--port", chosen)),
        "--quiet",
    ]
    try:
        return (
            control.wait_ready(folder)
            if state is not None and state.alive
            else control.start_in_background(folder, words)
        )
    except control.StartRefused as error:
        fail(str(error))


def _configuration(folder: StateFolder, no_web: bool, ports: str, port: list[str]) -> StackConfig:
    if ports not in ("default", "auto"):
        fail("--ports is 'default' or 'auto'", 2)
    try:
        chosen = {name: int(number) for name, _, number in (word.partition("=") for word in port)}
        numbers = choose_ports(chosen, automatic=ports == "auto")
    except (ValueError, KeyError) as error:
        fail(f"--port takes NAME=NUMBER: {error.args[0]}", 2)
    return StackConfig(folder, numbers, Environment(), web=not no_web)


def _run(folder: StateFolder, config: StackConfig, quiet: bool) -> int:
    control.end_leftovers(folder)
    plan = make_plan(config)
    require_free(ports_needed(plan))
    names = [unit.name for unit in plan.units]
    width = max(len(name) for name in names)

    def watch(name: str, line: str) -> None:
        console.print(
            Text(f"{name:>{width}} | ", style=_COLOURS[names.index(name) % len(_COLOURS)]) + Text.from_ansi(line)
        )

    async def body() -> int:
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        return await Supervisor(plan, folder, None if quiet else watch).run(stop, print_banner)

    return asyncio.run(body())
