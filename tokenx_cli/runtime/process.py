"""One program of the stack: what to run, how to tell that it works, how to start and stop it so that nothing is left behind."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from tokenx_cli.runtime.account import Account

HealthStatus = Literal["ok", "degraded", "down"]
_SETPRIV: Final = shutil.which("setpriv")


@dataclass(frozen=True)
class Health:
    """What a probe saw. degraded: it answers, but something it wants is missing."""

    status: HealthStatus
    detail: str = ""


OK: Final = Health("ok")
Probe = Callable[[], Awaitable[Health]]


@dataclass(frozen=True, kw_only=True)
class ProcessSpec:
    """A program of the stack.
    env is the child's whole environment. prepare is blocking, repeatable work before each start (data folder, config file).
    settle_s is how long it must have lived before its probe's "ok" counts, for a program whose probe cannot see more than that it lives.
    death_signal is what the kernel sends the child when its starter dies, however it dies (Linux)."""

    name: str
    command: tuple[str, ...]
    probe: Probe
    port: int | None = None
    env: Mapping[str, str] = field(default_factory=dict[str, str])
    cwd: Path | None = None
    needs: tuple[str, ...] = ()
    required: bool = True
    prepare: Callable[[], None] | None = None
    run_as: Account | None = None
    death_signal: signal.Signals = signal.SIGKILL
    stop_signal: signal.Signals = signal.SIGTERM
    stop_timeout_s: float = 8.0
    start_timeout_s: float = 30.0
    settle_s: float = 0.0


class StartFailed(RuntimeError):
    """A program could not be started; the message says which and what it said last."""


def full_command(spec: ProcessSpec) -> list[str]:
    """The command line with `setpriv` in front, which execs it, so that the process id is the program's own.
    It must be setpriv that asks for the death signal: a change of user id clears one that was asked for earlier."""
    return [*_bound_to_starter(spec), *(spec.run_as.setpriv() if spec.run_as else ()), *spec.command]


def _bound_to_starter(spec: ProcessSpec) -> list[str]:
    if _SETPRIV is None or not sys.platform.startswith("linux") or spec.run_as is not None:
        return []
    return [_SETPRIV, "--pdeathsig", spec.death_signal.name.removeprefix("SIG"), "--"]


def popen(spec: ProcessSpec, output: int) -> subprocess.Popen[bytes]:
    """Start the program in its own session. output: descriptor for stdout and stderr.
    Call it on a thread that lives as long as the stack: the kernel's death signal follows the starting thread."""
    return subprocess.Popen(
        full_command(spec), stdin=subprocess.DEVNULL, stdout=output, stderr=output,
        env=dict(spec.env), cwd=spec.cwd, start_new_session=True,
    )  # fmt: skip


def signal_group(pid: int, number: signal.Signals) -> bool:
    """Signal a program and all its children. False when it is gone."""
    try:
        os.killpg(pid, number)
    except ProcessLookupError:
        return False
    return True
