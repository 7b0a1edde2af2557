"""Start one program from synchronous code and wait until it works: for test fixtures and one-off commands."""

import asyncio
import subprocess
import threading
from collections.abc import Coroutine, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from signal import SIGKILL, Signals
from typing import Any, Final, TypeVar

from tokenx_cli.runtime.process import Health, ProcessSpec, StartFailed, popen, signal_group
from tokenx_common.clock import monotonic_s

Result = TypeVar("Result")
_POLL_S: Final = 0.03


def run_sync(work: Coroutine[Any, Any, Result]) -> Result:
    """Run a coroutine to its end on a thread of its own, so that it works with and without a running event loop."""
    outcome: list[Result] = []
    failure: list[BaseException] = []

    def body() -> None:
        try:
            outcome.append(asyncio.run(work))
        except BaseException as error:  # noqa: BLE001  nothing is swallowed: it is raised again in the caller below
            failure.append(error)

    thread = threading.Thread(target=body)
    thread.start()
    thread.join()
    if failure:
        raise failure[0]
    return outcome[0]


@dataclass
class Running:
    """A started program; its output goes to `log`."""

    spec: ProcessSpec
    log: Path
    process: subprocess.Popen[bytes]

    def kill(self) -> None:
        """kill -9 of the program and its children, as a crash would end it."""
        signal_group(self.process.pid, SIGKILL)
        self.process.wait()

    def signal(self, number: Signals) -> None:
        """Send a signal to the program and its children."""
        signal_group(self.process.pid, number)

    def stop(self) -> None:
        """Ask it to stop; insist after its stop timeout."""
        signal_group(self.process.pid, self.spec.stop_signal)
        try:
            self.process.wait(self.spec.stop_timeout_s)
        except subprocess.TimeoutExpired:
            self.kill()
        signal_group(self.process.pid, SIGKILL)  # children it may have left

    def restart(self) -> None:
        """Start it again after kill() or stop()."""
        self.process = start(self.spec, self.log).process


def start(spec: ProcessSpec, log: Path) -> Running:
    """Prepare, start and wait until the probe is content. Raises StartFailed with the last words of the log."""
    if spec.prepare:
        spec.prepare()
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        running = Running(spec, log, popen(spec, output.fileno()))
    try:
        run_sync(_until_ready(running))
    except BaseException:
        running.kill()
        raise
    return running


@contextmanager
def run(spec: ProcessSpec, log: Path) -> Generator[Running]:
    """A program for the length of a block."""
    running = start(spec, log)
    try:
        yield running
    finally:
        running.stop()


async def _until_ready(running: Running) -> None:
    spec, deadline = running.spec, monotonic_s() + running.spec.start_timeout_s
    health = Health("down", "not asked yet")
    while monotonic_s() < deadline:
        if running.process.poll() is not None:
            raise StartFailed(f"{spec.name} ended with status {running.process.returncode}: {_last_words(running.log)}")
        health = await spec.probe()
        if health.status != "down":
            return
        await asyncio.sleep(_POLL_S)
    raise StartFailed(
        f"{spec.name} is not ready after {spec.start_timeout_s:.0f} s: {health.detail}: {_last_words(running.log)}"
    )


def _last_words(log: Path) -> str:
    return log.read_text(errors="replace").strip()[-800:]
