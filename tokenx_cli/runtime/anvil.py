"""anvil, the local EVM node, from its npm package. Its state is written every second; a kill may lose the last one, as a node does."""

import platform
import shutil
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tokenx_cli.runtime.environment import inherited_environment
from tokenx_cli.runtime.paths import private_folder, project_root
from tokenx_cli.runtime.ports import LOOPBACK
from tokenx_cli.runtime.probes import chain_probe
from tokenx_cli.runtime.process import ProcessSpec

CHAIN_ID: Final = 31337
_MACHINES: Final = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


def find_program() -> Path:
    """The platform package's binary in contracts/node_modules, else `anvil` on PATH. Raises FileNotFoundError.
    The binary is run directly: npm's wrapper script only looks for it."""
    package = f"anvil-{platform.system().lower()}-{_MACHINES.get(platform.machine().lower(), platform.machine())}"
    packaged = project_root() / "contracts" / "node_modules" / "@foundry-rs" / package / "bin" / "anvil"
    on_path = shutil.which("anvil")
    if packaged.exists():
        return packaged
    if on_path:
        return Path(on_path)
    raise FileNotFoundError("no anvil: run `npm ci` in contracts/ (make demo does), or set CHAIN_31337_RPC_URLS")


@dataclass(frozen=True)
class Anvil:
    """One node. block_time_s None: a block for each transaction and none in between."""

    home: Path
    port: int
    block_time_s: int | None = 1

    @property
    def url(self) -> str:
        """The JSON-RPC address."""
        return f"http://{LOOPBACK}:{self.port}"

    def spec(self, needs: tuple[str, ...] = ()) -> ProcessSpec:
        """The process: blocks come at once with a transaction and every block_time_s without, and become final two deep."""
        pace = ("--mixed-mining", "--block-time", str(self.block_time_s)) if self.block_time_s else ()
        return ProcessSpec(
            name="anvil",
            command=(
                str(find_program()), *pace, "--slots-in-an-epoch", "1", "--chain-id", str(CHAIN_ID), "--accounts", "10",
                "--host", LOOPBACK, "--port", str(self.port), "--state", str(self.home / "state.json"), "--state-interval", "1",
                "--cache-path", str(self._old_states), "--quiet",
            ),
            probe=chain_probe(self.url, CHAIN_ID),
            port=self.port,
            env=inherited_environment(),
            cwd=private_folder(self.home),
            needs=needs,
            prepare=self._clear_up,
            death_signal=signal.SIGTERM,
        )  # fmt: skip

    @property
    def _old_states(self) -> Path:
        """Where states of old blocks are put aside. By default that is the user's own folder, which a killed node leaves full for ever."""
        return self.home / "old-states"

    def _clear_up(self) -> None:
        """What a kill leaves behind: old states nobody reads any more, and an empty state file, on which anvil refuses to start."""
        shutil.rmtree(self._old_states, ignore_errors=True)
        state = self.home / "state.json"
        if state.exists() and state.stat().st_size == 0:
            state.unlink()
