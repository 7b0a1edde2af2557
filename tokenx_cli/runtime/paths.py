"""Where things are: the checkout, the state folder and the cache outside the tree."""

import os
from pathlib import Path
from typing import Final

from tokenx_cli.runtime.environment import Environment

DEFAULT_STATE: Final = ".tokenx"


def project_root(environment: Environment | None = None) -> Path:
    """The checkout that holds migrations/, contracts/ and frontend/. TOKENX_HOME wins over the package's own place."""
    environment = environment or Environment()
    return environment.tokenx_home or Path(__file__).resolve().parents[2]


def cache_root(environment: Environment | None = None) -> Path:
    """Programs that are costly to get and safe to share between checkouts. TOKENX_CACHE replaces it."""
    environment = environment or Environment()
    return environment.tokenx_cache or Path.home() / ".cache" / "tokenx"


def private_folder(path: Path) -> Path:
    """Make a folder that only its owner reads. As root it stays passable, since PostgreSQL runs as another account below it."""
    path.mkdir(parents=True, exist_ok=True)
    path.chmod(0o711 if os.geteuid() == 0 else 0o700)
    return path


def write_secret(path: Path, text: str) -> None:
    """Write a file that only its owner can read, whole or not at all."""
    partial = path.with_name(path.name + ".partial")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        os.fchmod(file.fileno(), 0o600)
        file.write(text)
    partial.replace(path)
