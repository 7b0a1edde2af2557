"""The workflow by itself: recorded histories replay, bugs end a run visibly, and time and bells do what they should."""

import asyncio
from collections import deque
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

import pytest
from temporalio import activity, workflow
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle, WorkflowHistory
from temporalio.exceptions import ApplicationError
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner, Worker

from tokenx_api.redemptions import workflow as module
from tokenx_api.redemptions.activities import RedemptionActivities
from tokenx_api.redemptions.models import Bell, StepCall, WorkflowInput, WorkflowResult
from tokenx_api.redemptions.workflow import RedemptionWorkflow
from tokenx_common.ids import new_id

pytestmark = pytest.mark.stack
HISTORIES = sorted((Path(__file__).parent / "histories").glob("redemption_*.json"))
Handle = WorkflowHandle[RedemptionWorkflow, WorkflowResult]


def history(path: Path) -> WorkflowHistory:
    return WorkflowHistory.from_json("redemption:red_1", path.read_text())


@pytest.mark.parametrize("path", HISTORIES, ids=lambda path: path.stem)
async def test_recorded_history_replays(path: Path) -> None:
    """A change that breaks this would break redemptions under way: use workflow.patched, or a new workflow."""
    await Replayer(workflows=[RedemptionWorkflow]).replay_workflow(history(path))


def test_histories_are_recorded() -> None:
    assert {path.stem for path in HISTORIES} >= {"redemption_closed", "redemption_rejected", "redemption_burn_failed"}


@workflow.defn(name="RedemptionWorkflow")
class Reordered(RedemptionWorkflow):
    """Pays before it burns: not the workflow that made the histories."""

    @workflow.run
    async def run(self, request: WorkflowInput) -> WorkflowResult:
        self._request = request
        await self._do(RedemptionActivities.pay_out, "payout:1")
        return WorkflowResult("closed")


async def test_replay_notices_a_changed_workflow() -> None:
    closed = next(path for path in HISTORIES if path.stem == "redemption_closed")
    replayer = Replayer(workflows=[Reordered], workflow_runner=UnsandboxedWorkflowRunner())
    with pytest.raises(workflow.NondeterminismError):
        await replayer.replay_workflow(history(closed))


class Script:
    """Activities that answer what they are told, the last answer for ever, and remember what was asked."""

    def __init__(self, **answers: Iterable[str]) -> None:
        self._answers = {name: deque(values) for name, values in answers.items()}
        self.keys: list[str] = []

    def _answer(self, name: str, call: StepCall) -> str:
        self.keys.append(call.key.rpartition(":red:")[2])
        answers = self._answers[name]
        answer = answers.popleft() if len(answers) > 1 else answers[0]
        if answer == "refused":
            raise ApplicationError("no", type="redemption.not_found", non_retryable=True)
        if answer == "bug":
            raise KeyError("phase")
        return answer

    @activity.defn(name="open_redemption")
    async def open(self, call: StepCall) -> str:
        return self._answer("open", call)

    @activity.defn(name="expire_redemption")
    async def expire(self, call: StepCall) -> str:
        return self._answer("expire", call)

    @activity.defn(name="burn_units")
    async def burn(self, call: StepCall) -> str:
        return self._answer("burn", call)

    @activity.defn(name="pay_out")
    async def pay(self, call: StepCall) -> str:
        return self._answer("pay", call)

    @activity.defn(name="close_redemption")
    async def close(self, call: StepCall) -> str:
        return self._answer("close", call)

    @activity.defn(name="look")
    async def look(self, call: StepCall) -> str:
        return self._answer("look", call)


@pytest.fixture
async def client(temporal: str) -> Client:
    return await Client.connect(temporal)


async def start(client: Client, task_queue: str, *bells: tuple[str, str]) -> Handle:
    handle = await client.start_workflow(
        RedemptionWorkflow.run, WorkflowInput("red", "cor_1"), id=f"{task_queue}:red", task_queue=task_queue
    )
    for signal, event_id in bells:
        await handle.signal(signal, Bell(event_id))
    return handle


def worker(client: Client, task_queue: str, script: Script) -> Worker:
    """Without the sandbox, so that a test can shorten the workflow's waits; and replaying every task from its history, so that
    anything that is not deterministic shows."""
    return Worker(
        client,
        task_queue=task_queue,
        workflows=[RedemptionWorkflow],
        activities=[script.open, script.expire, script.burn, script.pay, script.close, script.look],
        workflow_runner=UnsandboxedWorkflowRunner(),
        max_cached_workflows=0,
        max_concurrent_workflow_task_polls=1,
    )


async def outcome(client: Client, script: Script, *bells: tuple[str, str]) -> str:
    """The phase the run ended in. Raises WorkflowFailureError when it failed."""
    task_queue = new_id("ins")
    async with worker(client, task_queue, script):
        handle = await start(client, task_queue, *bells)
        async with asyncio.timeout(60):
            return (await handle.result()).phase


async def test_phase_nobody_knows_ends_the_run_visibly(client: Client) -> None:
    with pytest.raises(WorkflowFailureError) as failure:
        await outcome(client, Script(open=["a phase of the next release"]))
    assert "a phase of the next release" in str(failure.value.cause)


@pytest.mark.parametrize("answer", ["refused", "bug"])
async def test_refusal_or_bug_in_an_activity_ends_the_run_at_once(client: Client, answer: str) -> None:
    script = Script(open=[answer])
    with pytest.raises(WorkflowFailureError):
        await outcome(client, script)
    assert script.keys == ["open"]


async def test_bells_thrice_and_out_of_order_change_nothing(client: Client) -> None:
    script = Script(open=["awaiting_approval"], look=["awaiting_approval", "approved", "burned", "paid"], burn=["burning"],
                    pay=["paying"], close=["closed"])  # fmt: skip
    bells = [("chain_event", "burn"), ("decided", "approved"), ("chain_event", "payout")] * 3
    task_queue = new_id("ins")
    async with worker(client, task_queue, script):
        handle = await start(client, task_queue, *bells)
        waiting = asyncio.create_task(handle.result())
        while not waiting.done():  # whoever rings late rings again: a bell is only a reason to look
            await asyncio.wait({waiting}, timeout=0.5)
            if not waiting.done():
                await handle.signal(RedemptionWorkflow.chain_event, Bell("again"))
    assert (await waiting).phase == "closed"
    assert [key for key in script.keys if key != "look"] == ["open", "burn", "payout:1", "close"]


async def test_lost_bells_only_cost_time(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOK_FOR_DECISION", timedelta(milliseconds=200))
    monkeypatch.setattr(module, "LOOK_FOR_CHAIN", timedelta(milliseconds=200))
    script = Script(open=["awaiting_approval"], look=["approved", "burning", "burned", "paying", "paid"], burn=["burning"],
                    pay=["paying"], close=["closed"])  # fmt: skip
    assert await outcome(client, script) == "closed"


async def test_undecided_redemption_expires(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "DECISION_TIME", timedelta(seconds=1))
    script = Script(open=["awaiting_approval"], look=["awaiting_approval"], expire=["rejected"])
    assert await outcome(client, script) == "rejected"
    assert script.keys[-1] == "expire"


async def test_decision_at_the_last_moment_counts(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "DECISION_TIME", timedelta(seconds=1))
    script = Script(open=["awaiting_approval"], look=["awaiting_approval"], expire=["approved"], burn=["failed"])
    assert await outcome(client, script) == "failed"


async def test_payout_that_keeps_failing_ends_visibly(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAYOUT_PAUSE", timedelta(milliseconds=10))
    monkeypatch.setattr(module, "LOOK_FOR_CHAIN", timedelta(milliseconds=50))
    script = Script(open=["approved"], burn=["burned"], pay=["paying"], look=["burned"])
    with pytest.raises(WorkflowFailureError):
        await outcome(client, script)
    assert [key for key in script.keys if key.startswith("payout")] == [f"payout:{n}" for n in range(1, 6)]
