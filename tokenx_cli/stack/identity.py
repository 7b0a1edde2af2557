"""Telling a process from a later one that happens to get the same number."""

import os
import subprocess
from pathlib import Path


def identity_of(pid: int) -> str | None:
    """When the process started, as the system counts; None when there is no such process (a zombie counts as none)."""
    stat = Path(f"/proc/{pid}/stat")
    if Path("/proc/self/stat").exists():
        try:
            fields = stat.read_text().rsplit(")", 1)[1].split()
        except (FileNotFoundError, ProcessLookupError):
            return None
        return None if fields[0] == "Z" else fields[19]
    done = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return done.stdout.strip() or None


def is_same_process(pid: int | None, identity: str | None) -> bool:
    """Whether the process seen earlier still lives."""
    return pid is not None and identity is not None and identity_of(pid) == identity


def own_identity() -> tuple[int, str | None]:
    """This process."""
    return os.getpid(), identity_of(os.getpid())
