"""The unprivileged account PostgreSQL runs under when the operator is root, since it refuses to run as root."""

import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Account:
    """An existing account of this machine; none is ever created."""

    name: str
    uid: int
    gid: int

    def setpriv(self, *, death_signal: str = "INT") -> tuple[str, ...]:
        """The command prefix that becomes this account and dies with its starter. Raises FileNotFoundError without util-linux."""
        program = shutil.which("setpriv")
        if program is None:
            raise FileNotFoundError("setpriv (package util-linux) is needed to run PostgreSQL when you are root")
        return (
            program,
            f"--reuid={self.uid}",
            f"--regid={self.gid}",
            "--clear-groups",
            "--pdeathsig",
            death_signal,
            "--",
        )

    def can_run(self, program: Path) -> bool:
        """Whether this account can reach and run a program: tried, since ACLs and mounts have their own ideas."""
        return (
            subprocess.run(
                [*self.setpriv(), str(program), "--version"], capture_output=True, cwd="/", check=False
            ).returncode
            == 0
        )

    def can_enter(self, folder: Path) -> bool:
        """Whether this account can reach a folder."""
        return (
            subprocess.run(
                [*self.setpriv(), "test", "-x", str(folder)], capture_output=True, cwd="/", check=False
            ).returncode
            == 0
        )


def server_account() -> Account | None:
    """None for an ordinary user, who runs everything; for root `postgres`, else `nobody`."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name, entry.pw_uid, entry.pw_gid)
    raise LookupError("no unprivileged account (postgres or nobody) to run PostgreSQL under")
