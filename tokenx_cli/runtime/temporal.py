"""The Temporal development server: found, or built once from its Go module into a cache outside the tree. Without one the stack still starts."""

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from tokenx_cli.runtime.environment import Environment, inherited_environment
from tokenx_cli.runtime.paths import cache_root, private_folder
from tokenx_cli.runtime.ports import LOOPBACK
from tokenx_cli.runtime.probes import temporal_probe
from tokenx_cli.runtime.process import ProcessSpec, StartFailed
from tokenx_cli.runtime.waiting import wait_until

VERSION: Final = "1.5.1"  # the newest whose module has no replace directive, which `go install` refuses
MODULE: Final = "github.com/temporalio/cli/cmd/temporal"


def cached_program() -> Path:
    """Where the built binary is kept; the version is part of the name, so that a new pin builds anew."""
    return cache_root() / f"temporal-{VERSION}" / "temporal"


def find_program() -> Path | None:
    """`temporal` on PATH, else the cached one, else None."""
    on_path = shutil.which("temporal")
    if on_path:
        return Path(on_path)
    return cached_program() if cached_program().exists() else None


def can_build() -> bool:
    """Whether a Go toolchain is here."""
    return shutil.which("go") is not None


def build(say: Callable[[str], None]) -> Path:
    """Build the pinned version into the cache (minutes; 1 GB of Go cache). `say` gets a line every ten seconds.
    Several may call it at once: one builds, the others wait. Raises StartFailed with the compiler's last words."""
    target = cached_program()
    target.parent.mkdir(parents=True, exist_ok=True)
    with (target.parent / "lock").open("w") as lock:
        while not target.exists() and not _locked(lock):
            _tell(say, "waiting for the build that is under way")
        if not target.exists():
            _compile(target, say)
    return target


def _compile(target: Path, say: Callable[[str], None]) -> None:
    """go install into a folder beside the target, then rename: a half-built binary never has the final name."""
    with tempfile.TemporaryDirectory(dir=target.parent) as folder, _log().open("wb") as log:
        environment = {**os.environ, "GOBIN": folder, "CGO_ENABLED": "0"}
        command = ["go", "install", "-v", "-trimpath", "-ldflags=-s -w", f"{MODULE}@v{VERSION}"]
        compiler = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment)
        while compiler.poll() is None:
            _tell(say, "building", lambda: compiler.poll() is not None)
        if compiler.returncode != 0:
            raise StartFailed(
                f"building Temporal {VERSION} failed: {_log().read_text(errors='replace').strip()[-800:]}"
            )
        Path(folder, "temporal").replace(target)


def _tell(say: Callable[[str], None], what: str, over: Callable[[], bool] = lambda: False) -> None:
    """One line of progress, then up to ten seconds of waiting."""
    steps = len(_log().read_bytes().splitlines()) if _log().exists() else 0
    say(f"Temporal {VERSION}: {what}, {steps} packages fetched or compiled (about 1,400 in all)")
    wait_until(over, 10.0, poll_s=0.2)


def _locked(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _log() -> Path:
    return cached_program().parent / "build.log"


@dataclass(frozen=True)
class Temporal:
    """One development server whose state survives in a database file."""

    home: Path
    port: int

    @property
    def address(self) -> str:
        """host:port of the frontend."""
        return f"{LOOPBACK}:{self.port}"

    def spec(self, needs: tuple[str, ...] = ()) -> ProcessSpec:
        """The process. Not required: without it workflows wait in the outbox. Raises FileNotFoundError when there is no program."""
        program = find_program()
        if program is None:
            raise FileNotFoundError(
                "no Temporal server: install Go and run `make demo`, put `temporal` on PATH, or set TEMPORAL_ADDRESS"
            )
        return ProcessSpec(
            name="temporal",
            command=(
                str(program), "server", "start-dev", "--headless", "--ip", LOOPBACK, "--port", str(self.port),
                "--db-filename", str(self.home / "temporal.db"), "--log-level", "warn",
            ),
            probe=temporal_probe(program, self.address),
            port=self.port,
            env=inherited_environment({"TEMPORAL_ENV": "", "HOME": str(self.home)}),
            cwd=private_folder(self.home),
            needs=needs,
            required=False,
            death_signal=signal.SIGTERM,
            start_timeout_s=60.0,
        )  # fmt: skip


def main() -> None:
    """python -m tokenx_cli.runtime.temporal: build the server unless there is one. Never fails: the stack can do without."""
    if find_program() or Environment().temporal_address:
        return
    if not can_build():
        sys.stderr.write(
            "no Temporal server and no Go to build one: the stack starts without it, workflows wait in the outbox\n"
        )
        return
    try:
        build(lambda line: print(line, file=sys.stderr))  # noqa: T201  a progress line of a command
    except StartFailed as error:
        sys.stderr.write(f"{error}\nthe stack starts without it, workflows wait in the outbox\n")


if __name__ == "__main__":
    main()
