"""What a stack is started with: folder, ports, replacements from the environment."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from tokenx_cli.runtime import ports
from tokenx_cli.runtime.environment import Environment
from tokenx_cli.stack.folder import StateFolder

DEFAULT_PORTS: Final = {
    "postgres": 5433, "valkey": 6390, "anvil": 8545, "temporal": 7233,
    "api": 8100, "chain": 8101, "matcher": 8200, "kyt": 8300, "web": 3100,
}  # fmt: skip


@dataclass(frozen=True)
class StackConfig:
    """ports: by part. web: whether to start the web app when it is built."""

    folder: StateFolder
    ports: Mapping[str, int]
    environment: Environment
    web: bool = True

    def url(self, part: str) -> str:
        """The loopback HTTP address of a part."""
        return f"http://{ports.LOOPBACK}:{self.ports[part]}"


class PortTaken(RuntimeError):
    """Ports the stack needs are in use; the message names each, its holder and the way out."""


def choose_ports(chosen: Mapping[str, int], *, automatic: bool) -> dict[str, int]:
    """A port for each part: the chosen one, else a free or the usual one. Raises KeyError for a part that does not exist."""
    for name in chosen:
        if name not in DEFAULT_PORTS:
            raise KeyError(f"no part called {name}; there are {', '.join(DEFAULT_PORTS)}")
    result: dict[str, int] = dict(chosen)
    for name, usual in DEFAULT_PORTS.items():
        if name not in result:
            result[name] = ports.free_port(result.values()) if automatic else usual
    return result


def require_free(wanted: Mapping[str, int]) -> None:
    """Raises PortTaken with one line for each port that is in use."""
    lines = [_taken(name, port) for name, port in wanted.items() if not ports.is_free(port)]
    if lines:
        raise PortTaken("\n".join(lines))


def _taken(name: str, port: int) -> str:
    holder = ports.holder_of(port) or "another process"
    return f"port {port} ({name}) is in use by {holder}: stop it, or choose another with --port {name}=NUMBER, or all with --ports auto"
