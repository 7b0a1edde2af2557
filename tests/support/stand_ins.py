"""Specs of stand-in services for tests of the supervisor."""

import sys
from pathlib import Path

from tokenx_cli.runtime import ports
from tokenx_cli.runtime.environment import inherited_environment
from tokenx_cli.runtime.probes import service_probe
from tokenx_cli.runtime.process import ProcessSpec

_PROGRAM = Path(__file__).with_name("stand_in.py")


def stand_in(
    name: str, *, needs: tuple[str, ...] = (), required: bool = True, stop_timeout_s: float = 3.0, **switches: str
) -> ProcessSpec:
    """A stand-in on a free port. switches: BROKEN, BROKEN_BY_FILE, DEAF, CHILD, STATUS (see stand_in.py)."""
    port = ports.free_port()
    return ProcessSpec(
        name=name, command=(sys.executable, str(_PROGRAM)), probe=service_probe(f"http://127.0.0.1:{port}"), port=port,
        env=inherited_environment({"PORT": str(port), "NAME": name, **switches}), needs=needs, required=required, stop_timeout_s=stop_timeout_s,
    )  # fmt: skip
