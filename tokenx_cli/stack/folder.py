"""The state folder of one stack (.tokenx by default): its files, its lock, and the published state."""

import fcntl
import json
import os
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final, cast

from tokenx_cli.runtime.paths import private_folder
from tokenx_cli.stack.identity import is_same_process

MARKER: Final = "This folder belongs to a local Token-x stack; `tokenx reset` deletes it.\n"


class AlreadyRunning(RuntimeError):
    """Another supervisor holds this folder."""


@dataclass(frozen=True)
class UnitState:
    """What is known of one part. state: waiting, starting, ready, degraded, unhealthy, back-off, failed, done, stopped, external, absent.
    identity tells the process from a later one with the same pid; health is the last probe's sentence, empty when well."""

    name: str
    state: str
    required: bool = True
    pid: int | None = None
    identity: str | None = None
    port: int | None = None
    restarts: int = 0
    health: str = ""


@dataclass(frozen=True)
class StackState:
    """What the supervisor publishes. state: starting, ready, failing, stopping, stopped."""

    state: str
    supervisor_pid: int
    supervisor_identity: str | None
    urls: dict[str, str] = field(default_factory=dict[str, str])
    units: tuple[UnitState, ...] = ()

    @property
    def alive(self) -> bool:
        """Whether the supervisor that wrote this still runs."""
        return is_same_process(self.supervisor_pid, self.supervisor_identity)

    def unit(self, name: str) -> UnitState:
        """One part. Raises KeyError with the names there are."""
        for unit in self.units:
            if unit.name == name:
                return unit
        raise KeyError(f"no part called {name}; there are {', '.join(unit.name for unit in self.units)}")


class StateFolder:
    """Paths below the state folder. Making one does not touch the disk; `create` does."""

    def __init__(self, root: Path) -> None:
        self.root: Final = root.absolute()

    def create(self) -> "StateFolder":
        private_folder(self.root)
        (self.root / "README").write_text(MARKER, encoding="utf-8")
        private_folder(self.logs)
        return self

    def part(self, name: str) -> Path:
        """The folder of one part's data."""
        return self.root / name

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def secrets(self) -> Path:
        return self.root / "secrets.json"

    @property
    def signer_seed(self) -> Path:
        return self.root / "chain" / "signer.seed"

    @property
    def is_ours(self) -> bool:
        """Whether a stack made this folder, so that it may be deleted as one."""
        readme = self.root / "README"
        return readme.is_file() and readme.read_text(encoding="utf-8") == MARKER

    def read_state(self) -> StackState | None:
        """The last published state, of a living stack or not; None when there never was one."""
        try:
            raw = cast(dict[str, Any], json.loads((self.root / "stack.json").read_text(encoding="utf-8")))
        except FileNotFoundError:
            return None
        units = tuple(UnitState(**unit) for unit in raw.pop("units"))
        return StackState(**raw, units=units)

    def publish(self, state: StackState) -> None:
        """Replace the published state, whole."""
        partial = self.root / "stack.json.partial"
        partial.write_text(json.dumps(asdict(state), indent=1), encoding="utf-8")
        partial.replace(self.root / "stack.json")

    @contextmanager
    def lock(self) -> Generator[None]:
        """Hold the folder. Raises AlreadyRunning when someone else does; the kernel releases it however the holder ends."""
        with (self.root / "lock").open("a") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise AlreadyRunning(f"a stack is already running in {self.root}") from None
            os.set_inheritable(file.fileno(), False)
            yield
