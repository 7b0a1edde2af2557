"""`tokenx doctor`: is everything here that the stack needs, and if not, what to do. One line each."""

import importlib.util
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import typer

from tokenx_cli.commands.console import console
from tokenx_cli.runtime import anvil, node, postgres, temporal, valkey
from tokenx_cli.runtime.account import server_account
from tokenx_cli.runtime.environment import Environment
from tokenx_cli.runtime.paths import project_root

CHROMIUM_NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


@dataclass(frozen=True)
class Check:
    """One need. look returns what was found; it raises FileNotFoundError or LookupError with what to do."""

    name: str
    look: Callable[[], str]
    required: bool = True


@dataclass(frozen=True)
class Finding:
    """What a check came to."""

    name: str
    ok: bool
    required: bool
    detail: str

    @property
    def word(self) -> str:
        """ok, missing, or 'optional' for something missing that the stack can do without."""
        return "ok" if self.ok else "missing" if self.required else "optional"


def examine(check: Check) -> Finding:
    """Do one check."""
    try:
        return Finding(check.name, True, check.required, check.look())
    except (OSError, LookupError) as error:
        return Finding(check.name, False, check.required, str(error))


def doctor() -> None:
    """Check the machine. Exit status 1 when something required is missing."""
    findings = [examine(check) for check in checks()]
    for finding in findings:
        style = {"ok": "green", "missing": "red", "optional": "yellow"}[finding.word]
        console.print(f"[{style}]{finding.word:<9}[/]{finding.name:<14}", end="")
        console.print(finding.detail, markup=False)
    raise typer.Exit(0 if all(finding.ok or not finding.required for finding in findings) else 1)


def checks() -> list[Check]:
    """What is looked at, in the order it is printed."""
    return [
        Check("python", _python),
        Check("compiler", _compiler),
        Check("order book", _extension),
        Check("postgres", _postgres),
        Check("valkey", _valkey),
        Check("anvil", _anvil),
        Check("contracts", lambda: _built("contracts/out", "make contracts")),
        Check("node", _node),
        Check("npm packages", _npm_packages),
        Check("web app", lambda: _built("frontend/.next/standalone/server.js", "make web"), required=False),
        Check("temporal", _temporal, required=False),
        Check("chromium", _chromium, required=False),
    ]


def _python() -> str:
    """That this runs at all shows that it is recent enough: the package refuses to install on an older one."""
    return f"{'.'.join(map(str, sys.version_info[:3]))} ({sys.executable})"


def _compiler() -> str:
    found = next(filter(None, map(shutil.which, ("cc", "gcc", "clang"))), None)
    if found is None:
        raise FileNotFoundError("install a C compiler: apt install gcc, dnf install gcc, or xcode-select --install")
    return found


def _extension() -> str:
    spec = importlib.util.find_spec("matcher_core.book")
    if spec is None or spec.origin is None or not spec.origin.endswith((".so", ".pyd")):
        raise FileNotFoundError("the compiled order book is not built: make setup")
    return spec.origin


def _postgres() -> str:
    if Environment().database_url:
        return "DATABASE_URL"
    programs = postgres.find_programs()
    account = server_account()
    version = subprocess.run(
        [str(programs / "postgres"), "--version"], capture_output=True, text=True, check=True
    ).stdout.strip()
    return f"{version} ({programs}{f', runs as {account.name}' if account else ''})"


def _valkey() -> str:
    return "REDIS_URL" if Environment().redis_url else str(valkey.find_program())


def _anvil() -> str:
    return "CHAIN_31337_RPC_URLS" if Environment().rpc_urls else str(anvil.find_program())


def _node() -> str:
    found = node.find_node()
    return f"{'.'.join(map(str, found.version))} ({found.program})"


def _npm_packages() -> str:
    missing = [name for name in ("contracts", "frontend") if not (project_root() / name / "node_modules").is_dir()]
    if missing:
        raise FileNotFoundError(f"not installed in {' and '.join(missing)}: make npm")
    return "contracts, frontend"


def _built(path: str, command: str) -> str:
    target: Path = project_root() / path
    if not target.exists():
        raise FileNotFoundError(f"not built: {command}")
    return path


def _temporal() -> str:
    address = Environment().temporal_address
    found = temporal.find_program()
    if address or found:
        return f"TEMPORAL_ADDRESS={address}" if address else str(found)
    how = (
        "make temporal builds it with the Go here"
        if temporal.can_build()
        else "install Go and run make temporal, or set TEMPORAL_ADDRESS"
    )
    raise FileNotFoundError(f"{how}; until then workflows wait in the outbox")


def _chromium() -> str:
    found = next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
    if found is None:
        raise FileNotFoundError("only the browser tests need it: apt install chromium")
    return found
