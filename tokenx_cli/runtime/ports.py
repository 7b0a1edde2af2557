"""Ports: free ones, and who holds one that is not."""

import os
import random
import socket
from collections.abc import Iterable
from pathlib import Path
from typing import Final

LOOPBACK: Final = "127.0.0.1"
_RANGE: Final = range(
    20_000, 32_000
)  # below the kernel's ephemeral range, so that no outgoing connection takes one in between
_random = random.SystemRandom()


def is_free(port: int) -> bool:
    """Whether a server could listen on it now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
            probe.listen(1)
        except OSError:
            return False
    return True


def free_port(taken: Iterable[int] = ()) -> int:
    """A port nobody listens on, other than those in `taken`. Raises OSError when 200 tries find none."""
    refused = set(taken)
    for _ in range(200):
        port = _random.choice(_RANGE)
        if port not in refused and is_free(port):
            return port
    raise OSError(f"no free port between {_RANGE.start} and {_RANGE.stop}")


def holder_of(port: int) -> str | None:
    """'pid 123 (python -m http.server)' for whoever listens on a port; None when the system does not tell (Linux only)."""
    inodes = _listening_inodes(port)
    if not inodes:
        return None
    for process in Path("/proc").glob("[0-9]*"):
        if _holds(process, inodes):
            return f"pid {process.name} ({_command_line(process)})"
    return None


def _listening_inodes(port: int) -> set[str]:
    found: set[str] = set()
    for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")):
        if not table.exists():
            continue
        for line in table.read_text().splitlines()[1:]:
            columns = line.split()
            if columns[3] == "0A" and int(columns[1].rsplit(":", 1)[1], 16) == port:  # 0A is LISTEN
                found.add(f"socket:[{columns[9]}]")
    return found


def _holds(process: Path, inodes: set[str]) -> bool:
    try:
        return any(os.readlink(descriptor) in inodes for descriptor in (process / "fd").iterdir())
    except OSError:  # gone in the meantime, or not ours to look into
        return False


def _command_line(process: Path) -> str:
    try:
        words = (process / "cmdline").read_bytes().split(b"\0")
    except OSError:
        return "unknown"
    return b" ".join(words).decode(errors="replace").strip()[:80] or "unknown"
