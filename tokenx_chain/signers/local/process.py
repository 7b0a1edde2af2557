"""Starts signerd and keeps it running. What it needs to know goes through a pipe: neither arguments nor environment say more than `serve`."""

import asyncio
import os
import stat
import subprocess
import sys
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final

from tokenx_chain.signers.errors import SignerConfigError, SignerUnavailable
from tokenx_chain.signers.local.wire import Opening
from tokenx_chain.signers.seed import MIN_SEED_BYTES
from tokenx_chain.signers.settings import SignerSettings
from tokenx_common.clock import monotonic_s
from tokenx_common.log import get_logger

log = get_logger(__name__)

START_TIMEOUT_S: Final = 60.0
"""Opening a keystore takes about a second for each file, by design of scrypt."""
STOP_TIMEOUT_S: Final = 5.0
POLL_S: Final = 0.02
FIRST_PAUSE_S: Final = 0.1
LONGEST_PAUSE_S: Final = 5.0
STABLE_AFTER_S: Final = 30.0
_EXIT_CONFIG: Final = 78
_PASSED_ON: Final = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "LANG", "ECC_BACKEND_CLASS")
"""Variables signerd gets: what Python needs to find itself, and nothing of ours."""


class SignerProcess:
    """One signerd, restarted whenever it ends. `running` gives one."""

    def __init__(self, opening: Opening) -> None:
        self._opening = opening
        self.socket = Path(opening.socket)
        self.pid = 0
        self.starts = 0
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Returns when it listens. Raises SignerConfigError when it refuses its configuration, SignerUnavailable when it does not come up."""
        self.socket.unlink(missing_ok=True)
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tokenx_chain.signers.local", "serve",
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.DEVNULL, env=_environment(), start_new_session=True,
        )  # fmt: skip
        self._process, self.pid = process, process.pid
        self.starts += 1
        assert process.stdin is not None
        # It may end before it has read: then its exit status says why.
        with suppress(ConnectionError):
            process.stdin.write(self._opening.model_dump_json().encode() + b"\n")
            await process.stdin.drain()
        await self._listening(process)
        log.info("signerd.started", pid=process.pid, starts=self.starts)

    async def _listening(self, process: asyncio.subprocess.Process) -> None:
        started = monotonic_s()
        while not self.socket.exists():
            if process.returncode == _EXIT_CONFIG:
                raise SignerConfigError("SIGNER_BACKEND: signerd refuses its configuration; its line is above")
            if process.returncode is not None:
                raise SignerUnavailable(f"signerd ended with status {process.returncode} while starting")
            if monotonic_s() - started > START_TIMEOUT_S:
                process.kill()
                raise SignerUnavailable(f"signerd did not listen within {START_TIMEOUT_S} s")
            await asyncio.sleep(POLL_S)

    async def keep(self) -> None:
        """Restart it for ever. Runs as a task that its owner cancels."""
        pause = FIRST_PAUSE_S
        while True:
            assert self._process is not None
            began = monotonic_s()
            status = await self._process.wait()
            pause = FIRST_PAUSE_S if monotonic_s() - began > STABLE_AFTER_S else min(2 * pause, LONGEST_PAUSE_S)
            log.error("signerd.ended", status=status, again_in_s=pause)
            await asyncio.sleep(pause)
            # A keystore that has become unreadable since: the service stays up and says so until someone repairs it.
            with suppress(SignerConfigError, SignerUnavailable):
                await self.start()

    async def stop(self) -> None:
        """End it: its standard input ends, and if that does not help it is killed."""
        process = self._process
        if process is None or process.returncode is not None:
            return
        assert process.stdin is not None
        process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), STOP_TIMEOUT_S)
        except TimeoutError:
            process.kill()
            await process.wait()


def check(settings: SignerSettings) -> None:
    """Whether signerd would start: it opens every key once, in a process that ends at once. Raises SignerConfigError with its line."""
    opening = opening_of(settings, Path("unused"))
    if _is_good_seed(settings):
        return
    try:
        done = subprocess.run(
            [sys.executable, "-m", "tokenx_chain.signers.local", "check"], input=opening.model_dump_json() + "\n", text=True,
            stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, env=_environment(), timeout=START_TIMEOUT_S, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise SignerConfigError(f"SIGNER_KEYSTORE does not open within {START_TIMEOUT_S} s") from None
    if done.returncode != 0:
        lines = [line for line in done.stderr.splitlines() if line.startswith("configuration: ")]
        raise SignerConfigError(lines[-1].removeprefix("configuration: ") if lines else f"SIGNER_BACKEND: signerd ends with status {done.returncode}")  # fmt: skip


def _is_good_seed(settings: SignerSettings) -> bool:
    """Whether the keys come from a seed file that looks right from outside: then there is nothing to open, and a second process not worth its start."""
    if settings.signer_seed_file is None or settings.signer_keystore is not None or settings.signer_private_key is not None:  # fmt: skip
        return False
    try:
        found = settings.signer_seed_file.stat()
    except OSError:
        return False
    # Without its line end; the seed itself is none of this process's business.
    return not stat.S_IMODE(found.st_mode) & 0o077 and found.st_size > MIN_SEED_BYTES and not settings.serves_main_network  # fmt: skip


def _environment() -> dict[str, str]:
    return {name: os.environ[name] for name in _PASSED_ON if name in os.environ}


@asynccontextmanager
async def running(settings: SignerSettings) -> AsyncGenerator[SignerProcess]:
    """A signerd while the block lasts. Raises SignerConfigError or SignerUnavailable before the block."""
    with tempfile.TemporaryDirectory(prefix="tokenx-signerd-", dir=settings.signer_socket_dir) as folder:
        process = SignerProcess(opening_of(settings, Path(folder) / "s"))
        keeper: asyncio.Task[None] | None = None
        try:
            await process.start()
            keeper = asyncio.create_task(process.keep(), name="signerd")
            yield process
        finally:
            if keeper is not None:
                keeper.cancel()
                await asyncio.wait([keeper])
            await process.stop()


def opening_of(settings: SignerSettings, socket: Path) -> Opening:
    """What signerd is told. Raises SignerConfigError for what can be seen without opening a key."""
    if len(str(socket)) > 100:
        raise SignerConfigError(f"SIGNER_SOCKET_DIR: {socket.parent} is too long for a Unix socket")
    is_dev = settings.tokenx_env == "dev"
    for variable, value in (("SIGNER_PRIVATE_KEY", settings.signer_private_key), ("SIGNER_SEED_FILE", settings.signer_seed_file)):  # fmt: skip
        if value is not None and not is_dev:
            raise SignerConfigError(f"{variable} is refused outside TOKENX_ENV=dev: use SIGNER_KEYSTORE")
    if settings.signer_keystore is not None and settings.signer_passphrase_file is None:
        raise SignerConfigError("SIGNER_PASSPHRASE_FILE is missing")
    return Opening(
        socket=str(socket), chain_ids=settings.chain_ids, is_dev=is_dev,
        keystore=_absolute(settings.signer_keystore), passphrase_file=_absolute(settings.signer_passphrase_file),
        seed_file=_absolute(settings.signer_seed_file),
        private_key=settings.signer_private_key.get_secret_value() if settings.signer_private_key else None,
        log_level=settings.log_level, log_format=settings.log_format,
    )  # fmt: skip


def _absolute(path: Path | None) -> str | None:
    return None if path is None else str(path.absolute())
