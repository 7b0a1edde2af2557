"""The Temporal development server: found, or built once from its Go module into a cache outside the tree. Without one the stack still starts."""

import os
import shutil
import signal
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tokenx_cli.runtime.environment import inherited_environment
from tokenx_cli.runtime.paths import cache_root, private_folder
from tokenx_cli.runtime.ports import LOOPBACK
from tokenx_cli.runtime.probes import temporal_probe
from tokenx_cli.runtime.process import ProcessSpec, StartFailed

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


def build() -> Path:
    """Build the pinned version into the cache (minutes, about 2 GB of Go cache). Raises StartFailed with the compiler's last words."""
    target = cached_program()
    if target.exists():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        # GOFLAGS: -p bounds the parallel compilers, since this runs beside the rest of the set-up.
        environment = {
            **os.environ,
            "GOBIN": folder,
            "GOFLAGS": f"{os.environ.get('GOFLAGS', '')} -p=2".strip(),
            "CGO_ENABLED": "0",
        }
        done = subprocess.run(
            ["go", "install", "-trimpath", "-ldflags=-s -w", f"{MODULE}@v{VERSION}"],
            capture_output=True,
            text=True,
            env=environment,
            check=False,
        )
        if done.returncode != 0:
            raise StartFailed(f"building Temporal {VERSION} failed: {done.stderr.strip()[-800:]}")
        Path(folder, "temporal").replace(target)
    return target


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
