"""Starts the parts of a stack in order, keeps them running, publishes what it sees, and stops them in reverse order."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from tokenx_cli.runtime.process import ProcessSpec
from tokenx_cli.stack.folder import StackState, StateFolder, UnitState
from tokenx_cli.stack.identity import own_identity
from tokenx_cli.stack.keeper import Keeper
from tokenx_cli.stack.output import Output, Watcher

GIVE_UP_AFTER: Final = 4
"""Ends in a row, before it was ever ready, after which a required program is taken to be broken and the start is given up."""
_PUBLISH_PAUSE_S: Final = 0.05


@dataclass(frozen=True)
class Step:
    """Work done once in the start order, such as migrations. A failed one ends the start; run raises RuntimeError or OSError."""

    name: str
    run: Callable[[], Awaitable[None]]
    needs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Plan:
    """Everything a stack is made of, in start order. others: parts that are not ours to run (external) or not here (absent)."""

    units: Sequence[ProcessSpec | Step]
    others: Sequence[UnitState] = ()
    urls: dict[str, str] | None = None


class StartGivenUp(RuntimeError):
    """A required part does not start; the message says which and why."""


class Supervisor:
    """Runs one plan. Make it and call run() inside one event loop, on the main thread (see process.popen)."""

    def __init__(self, plan: Plan, folder: StateFolder, watcher: Watcher | None = None) -> None:
        self._plan = plan
        self._folder = folder
        self._dirty = asyncio.Event()
        self._stack_state = "starting"
        self._keepers = {
            unit.name: Keeper(unit, Output(unit.name, folder.logs, watcher), self._dirty.set)
            for unit in plan.units
            if isinstance(unit, ProcessSpec)
        }
        self._steps = {unit.name: UnitState(unit.name, "waiting") for unit in plan.units if isinstance(unit, Step)}
        self._done = {unit.name: asyncio.Event() for unit in plan.units if isinstance(unit, Step)}

    async def run(self, stop: asyncio.Event, on_ready: Callable[[StackState], None]) -> int:
        """Run until `stop` is set. Returns the exit status: 0, or 1 when a required part was failing at the end.
        Raises StartGivenUp, after everything was stopped, when the stack cannot start."""
        trouble: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        works = [self._publish_changes(on_ready), *(self._bring_up(unit) for unit in self._plan.units)]
        tasks = [asyncio.create_task(work) for work in works]
        for task in tasks:
            task.add_done_callback(lambda done: _report(done, trouble))
        stopping = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait({stopping, trouble}, return_when=asyncio.FIRST_COMPLETED)
            if trouble.done():
                trouble.result()
            return 1 if self._failing() else 0
        finally:
            self._stack_state = "stopping"
            for task in (*tasks, stopping):
                task.cancel()
            await asyncio.wait(tasks)
            await self._stop_all()

    async def _bring_up(self, unit: ProcessSpec | Step) -> None:
        for name in unit.needs:
            await (self._keepers[name].first_ready if name in self._keepers else self._done[name]).wait()
        if isinstance(unit, ProcessSpec):
            await self._keepers[unit.name].keep()
        else:
            await self._do(unit)

    async def _do(self, step: Step) -> None:
        self._set_step(step.name, "starting")
        try:
            await step.run()
        except (RuntimeError, OSError) as error:
            self._set_step(step.name, "failed", str(error))
            raise StartGivenUp(f"{step.name}: {error}") from error
        self._set_step(step.name, "done")
        self._done[step.name].set()

    def _set_step(self, name: str, state: str, health: str = "") -> None:
        self._steps[name] = replace(self._steps[name], state=state, health=health)
        self._dirty.set()

    async def _publish_changes(self, on_ready: Callable[[StackState], None]) -> None:
        """Publish after each change, at most twenty times a second. Raises StartGivenUp for a required part that never starts."""
        announced = False
        while True:
            self._dirty.clear()
            self._stack_state = self._overall()
            state = self._publish()
            if self._stack_state == "ready" and not announced:
                announced = True
                on_ready(state)
            self._give_up_on_broken()
            await self._dirty.wait()
            await asyncio.sleep(_PUBLISH_PAUSE_S)

    def _give_up_on_broken(self) -> None:
        for keeper in self._keepers.values():
            if keeper.spec.required and keeper.failures >= GIVE_UP_AFTER:
                last_words = "\n".join(keeper.output.tail(15))
                raise StartGivenUp(f"{keeper.spec.name} does not start: {keeper.snapshot().health}\n{last_words}")

    def _overall(self) -> str:
        if self._failing():
            return "failing"
        programs_wait = any(
            not keeper.first_ready.is_set() and not self._without(name) for name, keeper in self._keepers.items()
        )
        return "starting" if programs_wait or not all(event.is_set() for event in self._done.values()) else "ready"

    def _without(self, name: str) -> bool:
        """Whether the stack counts as ready without a part: an optional one that failed, or that needs one such."""
        keeper = self._keepers.get(name)
        return (
            keeper is not None
            and not keeper.spec.required
            and (keeper.failures > 0 or any(self._without(need) for need in keeper.spec.needs))
        )

    def _failing(self) -> bool:
        snapshots = [*(keeper.snapshot() for keeper in self._keepers.values()), *self._steps.values()]
        return any(unit.required and unit.state in ("back-off", "failed") for unit in snapshots)

    def _publish(self) -> StackState:
        units = {**self._steps, **{name: keeper.snapshot() for name, keeper in self._keepers.items()}}
        ordered = (*(units[unit.name] for unit in self._plan.units), *self._plan.others)
        state = StackState(self._stack_state, *own_identity(), urls=dict(self._plan.urls or {}), units=ordered)
        self._folder.publish(state)
        return state

    async def _stop_all(self) -> None:
        """Level by level, what depends on others first; the parts of one level at once."""
        depth: dict[str, int] = {}
        for unit in self._plan.units:
            depth[unit.name] = 1 + max((depth[name] for name in unit.needs), default=0)
        for level in sorted(set(depth.values()), reverse=True):
            await asyncio.gather(*(keeper.stop() for name, keeper in self._keepers.items() if depth[name] == level))
            self._publish()
        self._stack_state = "stopped"
        self._publish()


def _report(task: asyncio.Task[None], trouble: asyncio.Future[None]) -> None:
    """Hand a task's failure to whoever waits for trouble."""
    if not task.cancelled() and (error := task.exception()) and not trouble.done():
        trouble.set_exception(error)
