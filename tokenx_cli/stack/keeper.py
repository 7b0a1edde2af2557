"""Keeps one program running: start, wait until its probe is content, watch it, start it again with growing pauses, stop it."""

import asyncio
import signal
from asyncio.subprocess import Process
from collections.abc import Callable
from typing import Final

from tokenx_cli.runtime.process import Health, ProcessSpec, full_command, signal_group
from tokenx_cli.stack.folder import UnitState
from tokenx_cli.stack.identity import identity_of
from tokenx_cli.stack.output import Output
from tokenx_common.clock import monotonic_s

PAUSES_S: Final = (0.1, 0.3, 1.0, 2.0, 5.0, 10.0)
"""Pause before the n-th restart in a row; a program that stayed ready for STEADY_S starts from the first again."""
STEADY_S: Final = 20.0
WATCH_INTERVAL_S: Final = 2.0
_START_POLL_S: Final = 0.05


class Keeper:
    """One supervised program. first_ready is set when it was ready once; failures counts the ends before that."""

    def __init__(self, spec: ProcessSpec, output: Output, changed: Callable[[], None]) -> None:
        self.spec: Final = spec
        self.output: Final = output
        self.first_ready: Final = asyncio.Event()
        self.failures = 0
        self._changed = changed
        self._process: Process | None = None
        self._drain: asyncio.Task[None] | None = None
        self._state = "waiting"
        self._health = Health("down")
        self._restarts = 0

    def snapshot(self) -> UnitState:
        """What is known of it now."""
        pid = self._process.pid if self._process and self._process.returncode is None else None
        return UnitState(
            name=self.spec.name, state=self._state, required=self.spec.required, pid=pid,
            identity=identity_of(pid) if pid else None, port=self.spec.port, restarts=self._restarts, health=self._health.detail,
        )  # fmt: skip

    async def keep(self) -> None:
        """Run it for ever. Cancel to end the keeping; then call stop()."""
        in_a_row = 0
        while True:
            started_at = monotonic_s()
            await self._run_once()
            in_a_row = 0 if monotonic_s() - started_at > STEADY_S else in_a_row
            self.failures += 0 if self.first_ready.is_set() else 1
            pause = PAUSES_S[min(in_a_row, len(PAUSES_S) - 1)]
            self._become("back-off", Health("down", f"{self._health.detail}; next start in {pause:g} s"))
            await asyncio.sleep(pause)
            in_a_row += 1
            self._restarts += 1

    async def stop(self) -> None:
        """Ask the program to stop, insist after its stop timeout, and leave no child of it behind."""
        process = self._process
        if process is not None and process.returncode is None:
            self._become("stopping", Health("down"))
            signal_group(process.pid, self.spec.stop_signal)
            signal_group(process.pid, signal.SIGCONT)  # one that a fault test froze could not hear us
            await asyncio.wait({asyncio.ensure_future(process.wait())}, timeout=self.spec.stop_timeout_s)
        await self._clean_up()
        self._become("stopped", Health("down"))
        self.output.close()

    async def _run_once(self) -> None:
        """From start to end of one process."""
        try:
            self._become("starting", Health("down", "starting"))
            if self.spec.prepare:
                await asyncio.to_thread(self.spec.prepare)
            self._process = await self._spawn()
        except (OSError, RuntimeError) as error:
            self.output.write(f"cannot start: {error}")
            self._become("starting", Health("down", str(error)))
            return
        self._changed()
        await self._watch(self._process)

    async def _spawn(self) -> Process:
        process = await asyncio.create_subprocess_exec(
            *full_command(self.spec), stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
            env=dict(self.spec.env), cwd=self.spec.cwd, start_new_session=True,
        )  # fmt: skip
        assert process.stdout is not None
        self._drain = asyncio.create_task(self.output.drain(process.stdout))
        return process

    async def _watch(self, process: Process) -> None:
        """Probe it until it ends: often until it is ready, then at leisure. One that never gets ready in time is ended.
        When the keeping is cancelled the process is left to stop(), which ends it gently."""
        started_at = monotonic_s()
        ended = asyncio.ensure_future(process.wait())
        was_ready = False
        while not ended.done():
            health = await self._probe(ended)
            lived_s = monotonic_s() - started_at
            was_ready = was_ready or (health.status != "down" and lived_s >= self.spec.settle_s)
            self._judge(health, was_ready)
            if not was_ready and lived_s > self.spec.start_timeout_s:
                break
            await asyncio.wait({ended}, timeout=WATCH_INTERVAL_S if was_ready else _START_POLL_S)
        why = f"ended with status {process.returncode}" if ended.done() else f"not ready in time: {self._health.detail}"
        self._become("starting", Health("down", why))
        await self._clean_up()

    async def _probe(self, ended: asyncio.Future[int]) -> Health:
        """The probe's answer, or 'down' as soon as the process ends."""
        probe = asyncio.ensure_future(self.spec.probe())
        await asyncio.wait({ended, probe}, return_when=asyncio.FIRST_COMPLETED)
        if probe.done():
            return probe.result()
        probe.cancel()
        return Health("down", "ended")

    def _judge(self, health: Health, was_ready: bool) -> None:
        if not was_ready:
            self._become("starting", health)
            return
        self._become({"ok": "ready", "degraded": "degraded", "down": "unhealthy"}[health.status], health)
        self.first_ready.set()

    async def _clean_up(self) -> None:
        """End what is left of the process group and take in its last words."""
        if self._process is None:
            return
        signal_group(self._process.pid, signal.SIGKILL)
        await self._process.wait()
        if self._drain:
            await asyncio.wait({self._drain}, timeout=2.0)

    def _become(self, state: str, health: Health) -> None:
        if (state, health) == (self._state, self._health):
            return
        self._state, self._health = state, health
        self._changed()
