"""`tokenx`: one command for the local stack and the operator's work. Heavier commands come from their own packages, when they are here."""

import importlib
import importlib.util
from typing import Final, Protocol, cast

import typer

from tokenx_cli.commands import doctor, openapi, stack, up

COMMAND_PACKAGES: Final = ("tokenx_cli.journey", "tokenx_cli.replay", "tokenx_cli.verify")
"""Packages that add commands: each has a module `commands` that fits Registers. One that is not here is left out."""


class Registers(Protocol):
    """What a command module offers: add its commands, as `app.command()(function)` or `app.add_typer(...)`."""

    def register(self, app: typer.Typer) -> None: ...


app: Final = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help="The local Token-x stack."
)


def register_all(target: typer.Typer) -> None:
    """Add every command there is."""
    for command in (
        up.up,
        stack.down,
        stack.status,
        stack.logs,
        stack.reset,
        stack.logins,
        stack.fault,
        doctor.doctor,
        openapi.openapi,
    ):
        target.command()(command)
    for package in COMMAND_PACKAGES:
        if importlib.util.find_spec(package) and importlib.util.find_spec(f"{package}.commands"):
            cast(Registers, importlib.import_module(f"{package}.commands")).register(target)


def main() -> None:
    """The entry point of the `tokenx` script."""
    app()


register_all(app)
