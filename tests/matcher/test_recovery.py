"""Opening an offering from snapshots and the command log, and what is refused."""

from pathlib import Path
from typing import Any, cast

import pytest

from tests.matcher.commandlog import CommandLog, random_log
from tokenx_common.canonical import ZERO_HASH
from tokenx_common.events import ReplayPage
from tokenx_matcher.engine import OfferingEngine, replay
from tokenx_matcher.executions import ExecutionLog, StreamTooOld
from tokenx_matcher.journal import Journal, OfferingHead
from tokenx_matcher.recovery import Diverged, open_desk
from tokenx_matcher.snapshots import SnapshotStore


class LogJournal:
    """The api's command log, in small pages."""

    def __init__(self, log: CommandLog) -> None:
        self.log = log
        self.pulled_after: list[int] = []

    async def commands(self, offering_id: str, *, after: int, limit: int) -> ReplayPage:
        self.pulled_after.append(after)
        items = self.log.items[after : after + min(limit, 37)]
        return ReplayPage(stream=f"cmd:{offering_id}", epoch=1, head=self.log.head, items=items)


def head(log: CommandLog, ingested: int) -> OfferingHead:
    """The api's view when it has ingested that many executions."""
    rows: list[dict[str, Any]] = list(replay(log.items))[:ingested]
    last: dict[str, Any] = rows[-1] if rows else {"seq": 0, "cmd_seq": 0, "hash": ZERO_HASH.hex()}
    return OfferingHead(offering_id="off_a", cmd_seq=log.head, exec_seq=last["seq"], exec_cmd_seq=last["cmd_seq"],
                        exec_hash=last["hash"], market_state="continuous")  # fmt: skip


async def opened(log: CommandLog, at: OfferingHead, folder: Path) -> tuple[Any, LogJournal]:
    journal = LogJournal(log)
    return await open_desk(at, cast(Journal, journal), SnapshotStore(folder)), journal


@pytest.mark.parametrize("ingested", [0, 1, 50, 130])
async def test_whatever_the_api_has_ingested_the_rest_is_held(tmp_path: Path, ingested: int) -> None:
    log = random_log(9, 100)
    desk, _ = await opened(log, head(log, ingested), tmp_path)
    assert desk.page(after=ingested, limit=1000) == list(replay(log.items))[ingested:]
    assert desk.cmd_seq == log.head


async def test_newest_usable_snapshot_shortens_the_replay(tmp_path: Path) -> None:
    log = random_log(9, 100)
    engine = OfferingEngine("off_a")
    for commands in (20, 40, 90):
        engine.apply(log.items[engine.cmd_seq : commands])
        SnapshotStore(tmp_path).save(engine.image())
    ingested = next(item["seq"] for item in replay(log.items) if item["cmd_seq"] == 60)
    desk, journal = await opened(log, head(log, ingested), tmp_path)
    assert journal.pulled_after[0] == 40
    assert desk.state().book_hash == reference_hash(log)


def reference_hash(log: CommandLog) -> str:
    engine = OfferingEngine("off_a")
    engine.apply(log.items)
    return engine.state_hash()


async def test_snapshot_of_another_history_is_dropped(tmp_path: Path) -> None:
    other = OfferingEngine("off_a")
    other.apply(random_log(10, 30).items)
    SnapshotStore(tmp_path).save(other.image())
    log = random_log(9, 100)
    desk, journal = await opened(log, head(log, 90), tmp_path)
    assert journal.pulled_after[:2] == [30, 0]
    assert desk.state().book_hash == reference_hash(log)


@pytest.mark.parametrize("change", [{"exec_hash": "11" * 32}, {"exec_seq": 10**6}])
async def test_executions_that_the_commands_do_not_give_are_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    log = random_log(9, 100)
    with pytest.raises(Diverged):
        await opened(log, head(log, 50).model_copy(update=change), tmp_path)


def items(first: int, last: int) -> list[dict[str, Any]]:
    return [{"seq": seq} for seq in range(first, last + 1)]


def test_held_executions_forget_only_what_the_api_holds() -> None:
    log = ExecutionLog(after=0)
    log.extend(items(1, 10_000))
    log.trim(ingested=6000, keep=100)
    assert log.page(after=6000, limit=2) == items(6001, 6002)
    with pytest.raises(StreamTooOld):
        log.page(after=5999, limit=2)
    log.trim(ingested=10_000, keep=3000)
    assert log.page(after=7000, limit=1) == items(7001, 7001)
    assert (log.head, log.page(after=10_000, limit=5)) == (10_000, [])
