"""The supervisor over small stand-ins: order, restart, giving up, stopping, and what is left when it is killed."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from tests.support.servers import scratch_folder
from tests.support.stand_ins import stand_in
from tokenx_cli.runtime import ports
from tokenx_cli.runtime.probes import alive_probe
from tokenx_cli.runtime.waiting import wait_until
from tokenx_cli.stack import control
from tokenx_cli.stack.config import DEFAULT_PORTS, PortTaken, choose_ports, require_free
from tokenx_cli.stack.folder import AlreadyRunning, StackState, StateFolder, UnitState
from tokenx_cli.stack.identity import identity_of
from tokenx_cli.stack.supervisor import Plan, StartGivenUp, Step, Supervisor

pytestmark = pytest.mark.stack


@pytest.fixture
def folder() -> Iterator[StateFolder]:
    with scratch_folder("stack") as path:
        yield StateFolder(path).create()


@asynccontextmanager
async def running(folder: StateFolder, plan: Plan) -> AsyncGenerator[asyncio.Task[int]]:
    """The plan, ready; stopped at the end of the block."""
    stop, ready = asyncio.Event(), asyncio.Event()
    task = asyncio.create_task(Supervisor(plan, folder).run(stop, lambda _: ready.set()))
    waiting = asyncio.create_task(ready.wait())
    await asyncio.wait({task, waiting}, timeout=20, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    try:
        if not ready.is_set():
            await asyncio.wait_for(asyncio.shield(task), 1)
        yield task
    finally:
        stop.set()
        await asyncio.wait({task}, timeout=30)


def state_of(folder: StateFolder) -> StackState:
    state = folder.read_state()
    assert state is not None
    return state


async def eventually(condition: Callable[[], bool], timeout_s: float = 15) -> None:
    assert await asyncio.to_thread(wait_until, condition, timeout_s)


def pid_of(unit: UnitState) -> int:
    assert unit.pid is not None
    return unit.pid


async def test_parts_start_in_order_and_a_step_runs_between(folder: StateFolder) -> None:
    seen: list[str] = []
    first = stand_in("first")

    async def step() -> None:
        seen.append((await first.probe()).status)

    plan = Plan([first, Step("step", step, needs=("first",)), stand_in("second", needs=("step",))])
    async with running(folder, plan):
        state = state_of(folder)
        assert [(unit.name, unit.state) for unit in state.units] == [
            ("first", "ready"),
            ("step", "done"),
            ("second", "ready"),
        ]
        assert state.state == "ready"
    assert seen == ["ok"]
    assert {unit.state for unit in state_of(folder).units} == {"stopped", "done"}


async def test_killed_part_is_started_again_by_the_fault_hook(folder: StateFolder) -> None:
    async with running(folder, Plan([stand_in("api")])) as task:
        killed = await asyncio.to_thread(control.fault, folder, "kill", "api")
        await eventually(
            lambda: state_of(folder).unit("api").restarts == 1 and state_of(folder).unit("api").state == "ready"
        )
        assert state_of(folder).unit("api").pid != killed
    assert task.result() == 0


async def test_frozen_part_is_unhealthy_and_not_killed(folder: StateFolder) -> None:
    async with running(folder, Plan([stand_in("api")])):
        frozen = await asyncio.to_thread(control.fault, folder, "stop", "api")
        await eventually(lambda: state_of(folder).unit("api").state == "unhealthy")
        await asyncio.to_thread(control.fault, folder, "cont", "api")
        await eventually(lambda: state_of(folder).unit("api").state == "ready")
        assert state_of(folder).unit("api").pid == frozen


async def test_required_part_that_never_starts_ends_the_start_with_its_last_words(folder: StateFolder) -> None:
    with pytest.raises(StartGivenUp, match=r"broken does not start.*status 1[\s\S]*broken on purpose"):
        async with running(folder, Plan([stand_in("fine"), stand_in("broken", BROKEN="1")])):
            pass
    assert state_of(folder).unit("fine").state == "stopped"


async def test_optional_part_in_back_off_does_not_keep_the_stack_from_being_ready(folder: StateFolder) -> None:
    broken = stand_in("temporal", required=False, BROKEN="1")
    async with running(
        folder, Plan([stand_in("api"), broken, stand_in("worker", needs=("temporal",), required=False)])
    ) as task:
        assert state_of(folder).state == "ready"
        assert state_of(folder).unit("worker").state == "waiting"
    assert task.result() == 0


async def test_part_that_only_lives_counts_as_ready_after_it_settled(folder: StateFolder) -> None:
    fleeting = replace(stand_in("worker", required=False, BROKEN="1"), probe=alive_probe, settle_s=2.0)
    async with running(folder, Plan([stand_in("api"), fleeting])):
        worker = state_of(folder).unit("worker")
        assert worker.state in ("back-off", "starting")


async def test_exit_status_is_1_when_a_required_part_is_in_back_off(folder: StateFolder) -> None:
    switch = folder.root / "broken"
    async with running(folder, Plan([stand_in("api", BROKEN_BY_FILE=str(switch))])) as task:
        switch.touch()
        control.fault(folder, "kill", "api")
        await eventually(lambda: state_of(folder).unit("api").restarts >= 3 and state_of(folder).state == "failing")
        await eventually(lambda: state_of(folder).unit("api").state == "back-off")
    assert task.result() == 1


async def test_failed_step_ends_the_start(folder: StateFolder) -> None:
    async def broken() -> None:
        raise RuntimeError("no such schema")

    with pytest.raises(StartGivenUp, match="migrate: no such schema"):
        async with running(folder, Plan([Step("migrate", broken)])):
            pass


async def test_deaf_part_and_its_child_are_ended_all_the_same(folder: StateFolder) -> None:
    async with running(folder, Plan([stand_in("api", DEAF="1", CHILD="1", stop_timeout_s=0.3)])):
        pid = pid_of(state_of(folder).unit("api"))
        child = int((folder.logs / "api.log").read_text().split("child ")[1].split()[0])
    assert identity_of(pid) is None
    assert identity_of(child) is None


async def test_degraded_part_counts_as_ready(folder: StateFolder) -> None:
    async with running(folder, Plan([stand_in("api", STATUS="degraded")])):
        assert state_of(folder).unit("api").state == "degraded"
        assert state_of(folder).state == "ready"


def test_nothing_is_left_when_the_supervisor_is_killed(folder: StateFolder) -> None:
    supervisor = subprocess.Popen([sys.executable, "-m", "tests.support.stand_in_stack", str(folder.root)])
    assert wait_until(lambda: (state := folder.read_state()) is not None and state.state == "ready", 30)
    pids = [pid_of(unit) for unit in state_of(folder).units]
    assert len(pids) == 4
    os.kill(supervisor.pid, signal.SIGKILL)
    supervisor.wait()
    assert wait_until(lambda: all(identity_of(pid) is None for pid in pids), 15)


def test_second_supervisor_in_the_same_folder_is_refused(folder: StateFolder) -> None:
    with folder.lock(), pytest.raises(AlreadyRunning), folder.lock():
        pass


def test_taken_port_is_named_with_its_holder_and_the_way_out() -> None:
    with socket.socket() as squatter:
        squatter.bind(("127.0.0.1", 0))
        squatter.listen()
        port = squatter.getsockname()[1]
        with pytest.raises(PortTaken) as caught:
            require_free({"api": port})
    message = str(caught.value)
    assert f"port {port} (api) is in use by pid {os.getpid()}" in message
    assert "--port api=NUMBER" in message
    assert "--ports auto" in message


def test_automatic_ports_are_all_different_and_keep_the_chosen_one() -> None:
    wanted = ports.free_port()
    chosen = choose_ports({"api": wanted}, automatic=True)
    assert chosen["api"] == wanted
    assert chosen.keys() == DEFAULT_PORTS.keys()
    assert len(set(chosen.values())) == len(chosen)
