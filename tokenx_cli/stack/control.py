"""What can be done to a stack from outside: start it in the background, stop it, break a part on purpose, delete it."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable
from contextlib import suppress
from typing import Final

from tokenx_cli.runtime.account import server_account
from tokenx_cli.runtime.paths import project_root
from tokenx_cli.runtime.postgres import server_home
from tokenx_cli.runtime.process import signal_group
from tokenx_cli.runtime.waiting import wait_until
from tokenx_cli.stack.folder import StackState, StateFolder
from tokenx_cli.stack.identity import is_same_process

STOP_TIMEOUT_S: Final = 60.0
START_TIMEOUT_S: Final = 180.0
FAULTS: Final = {"kill": signal.SIGKILL, "stop": signal.SIGSTOP, "cont": signal.SIGCONT, "term": signal.SIGTERM}


class NotRunning(RuntimeError):
    """There is no living stack in the folder."""


class StartRefused(RuntimeError):
    """The background supervisor ended before the stack was ready; the message is what it said."""


def require_running(folder: StateFolder) -> StackState:
    """The state of a living stack. Raises NotRunning."""
    state = folder.read_state()
    if state is None or not state.alive:
        raise NotRunning(f"no stack is running in {folder.root}")
    return state


def start_in_background(folder: StateFolder, options: Iterable[str]) -> StackState:
    """Start a supervisor that outlives this process and wait until its stack is ready. options: further words for `tokenx up`.
    Raises StartRefused."""
    folder.create()
    log = folder.logs / "supervisor.log"
    with log.open("wb") as output:
        command = [sys.executable, "-m", "tokenx_cli", "up", "--data", str(folder.root), *options]
        supervisor = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=project_root(), start_new_session=True
        )

    try:
        return wait_ready(folder, supervisor)
    except StartRefused:
        supervisor.terminate()
        raise StartRefused(log.read_text(encoding="utf-8", errors="replace").strip() or "not ready in time") from None


def wait_ready(folder: StateFolder, supervisor: "subprocess.Popen[bytes] | None" = None) -> StackState:
    """Wait until the stack of a folder is ready: the one of this supervisor, when given. Raises StartRefused when it ends or takes too long."""

    def mine() -> StackState | None:
        state = folder.read_state()
        return state if state is not None and (supervisor is None or state.supervisor_pid == supervisor.pid) else None

    def settled() -> bool:
        state = mine()
        gone = (state is None or not state.alive) if supervisor is None else supervisor.poll() is not None
        return gone or (state is not None and state.state == "ready")

    wait_until(settled, START_TIMEOUT_S)
    state = mine()
    if state is None or not state.alive or state.state != "ready":
        raise StartRefused(f"the stack in {folder.root} is {state.state if state else 'not there'}")
    return state


def stop(folder: StateFolder) -> bool:
    """Stop the stack and whatever an earlier, killed supervisor left behind. False when nothing ran."""
    state = folder.read_state()
    if state is None:
        return False
    was_alive = state.alive
    if was_alive:
        with suppress(ProcessLookupError):
            os.kill(state.supervisor_pid, signal.SIGTERM)
        wait_until(lambda: not state.alive, STOP_TIMEOUT_S)
        if state.alive:
            os.kill(state.supervisor_pid, signal.SIGKILL)
    return end_leftovers(folder) or was_alive


def end_leftovers(folder: StateFolder) -> bool:
    """End processes of a stack whose supervisor is gone. The kernel does it on Linux; this is for the rest, and for certainty."""
    state = folder.read_state()
    if state is None or state.alive:
        return False
    alive = [unit for unit in state.units if is_same_process(unit.pid, unit.identity)]
    for unit in alive:
        signal_group(unit.pid or 0, signal.SIGINT if unit.name == "postgres" else signal.SIGTERM)
    wait_until(lambda: not any(is_same_process(unit.pid, unit.identity) for unit in alive), 15.0)
    for unit in alive:
        if is_same_process(unit.pid, unit.identity):
            signal_group(unit.pid or 0, signal.SIGKILL)
    return bool(alive)


def fault(folder: StateFolder, kind: str, name: str) -> int:
    """Break one part on purpose: kill (-9), stop (freeze), cont (thaw) or term. Returns the process id that was hit.
    Raises NotRunning, or KeyError for an unknown part."""
    unit = require_running(folder).unit(name)
    if unit.pid is None or not is_same_process(unit.pid, unit.identity):
        raise NotRunning(f"{name} is not running now ({unit.state})")
    signal_group(unit.pid, FAULTS[kind])
    return unit.pid


def delete(folder: StateFolder) -> None:
    """Stop the stack and delete its data. Raises PermissionError for a folder that no stack made."""
    if not folder.is_ours:
        raise PermissionError(f"{folder.root} was not made by a stack: not deleted")
    stop(folder)
    home = server_home(folder.part("postgres"), server_account())
    shutil.rmtree(home)
    shutil.rmtree(folder.root)
