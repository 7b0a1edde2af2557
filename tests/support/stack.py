"""The whole product, started by its own supervisor as a separate process, for journeys and fault tests."""

import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from signal import SIGTERM

import pytest

from tests.support.servers import scratch_folder
from tokenx_cli.runtime import foreground
from tokenx_cli.runtime.environment import inherited_environment
from tokenx_cli.runtime.paths import project_root
from tokenx_cli.runtime.process import OK, Health, ProcessSpec
from tokenx_cli.runtime.secrets import PERSONA_LOGINS, Secrets, load_secrets
from tokenx_cli.runtime.waiting import wait_until
from tokenx_cli.stack import control
from tokenx_cli.stack.folder import StackState, StateFolder


@dataclass(frozen=True)
class Stack:
    """A running stack.
    urls: by part (api, chain, matcher, kyt, rpc, and web when started). logins: password by e-mail; email_of(persona) finds one."""

    folder: StateFolder
    urls: dict[str, str]
    secrets: Secrets

    @property
    def logins(self) -> dict[str, str]:
        return self.secrets.logins

    @property
    def env(self) -> dict[str, str]:
        """What `tokenx` needs to act on this stack."""
        return inherited_environment({"TOKENX_DATA": str(self.folder.root)})

    def email_of(self, persona: str) -> str:
        """The demo login of a persona."""
        return next(email for email, name in PERSONA_LOGINS.items() if name == persona)

    def state(self) -> StackState:
        """What the supervisor says now."""
        return control.require_running(self.folder)

    def kill(self, name: str) -> int:
        """kill -9 of one part, by the product's own fault hook. Returns the process id that was hit."""
        return control.fault(self.folder, "kill", name)

    def freeze(self, name: str) -> int:
        """SIGSTOP of one part."""
        return control.fault(self.folder, "stop", name)

    def thaw(self, name: str) -> int:
        """SIGCONT of one part."""
        return control.fault(self.folder, "cont", name)

    def wait_ready(self, name: str, *, after_pid: int | None = None, timeout_s: float = 30.0) -> None:
        """Wait until a part is ready (again): with another process than after_pid, when given. Raises TimeoutError with its state."""

        def ready() -> bool:
            unit = self.state().unit(name)
            return unit.state in ("ready", "degraded") and unit.pid != after_pid

        if not wait_until(ready, timeout_s):
            raise TimeoutError(f"{name}: {self.state().unit(name)}\n{self.log(name)}")

    def log(self, name: str, lines: int = 40) -> str:
        """The last lines a part printed."""
        return "\n".join((self.folder.logs / f"{name}.log").read_text(errors="replace").splitlines()[-lines:])


@contextmanager
def running_stack(*options: str) -> Generator[Stack]:
    """A stack on free ports with a fresh folder. options: further words for `tokenx up`, such as '--no-web'."""
    with scratch_folder("stack") as path:
        folder = StateFolder(path).create()
        with foreground.run(_supervisor(folder, options), path / "supervisor.log"):
            state = control.require_running(folder)
            yield Stack(folder, state.urls, load_secrets(folder.secrets))


def _supervisor(folder: StateFolder, options: tuple[str, ...]) -> ProcessSpec:
    """The supervisor as a program of its own: it dies with the test run, and its parts with it."""

    async def probe() -> Health:
        state = folder.read_state()
        return OK if state is not None and state.alive and state.state == "ready" else Health("down", str(state))

    command = (
        sys.executable,
        "-m",
        "tokenx_cli",
        "up",
        "--quiet",
        "--ports",
        "auto",
        "--data",
        str(folder.root),
        *options,
    )
    return ProcessSpec(
        name="supervisor", command=command, probe=probe, env=inherited_environment(), cwd=Path(project_root()),
        death_signal=SIGTERM, stop_timeout_s=45.0, start_timeout_s=90.0,
    )  # fmt: skip


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """The whole product without the web app, fresh for each module."""
    with running_stack("--no-web") as running:
        yield running


@pytest.fixture(scope="module")
def web_stack() -> Iterator[Stack]:
    """The whole product with the web app, fresh for each module. The web app must have been built (make web)."""
    with running_stack() as running:
        if "web" not in running.urls:
            raise LookupError("the web app is not built: make web")
        yield running
