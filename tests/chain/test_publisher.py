"""The stream's writer alone: dense numbers, each event once, memory that says when it does not reach back."""

from collections.abc import Sequence
from typing import Any

import pytest

from tokenx_chain.journal import Record, StreamHead
from tokenx_chain.listener import publisher as module
from tokenx_chain.listener.publisher import Publisher, StreamTooOld
from tokenx_common.errors import Conflict


class MemoryJournal:
    """The part of Journal a publisher uses, in memory."""

    resource = "chain:31337"
    epoch = 4

    def __init__(self, durable: list[Record]) -> None:
        self.durable = durable
        self.checkpoint = (0, "")

    async def stream_head(self) -> StreamHead:
        return StreamHead(len(self.durable), *self.checkpoint)

    async def events_after(self, seq: int, limit: int = 1000) -> list[Record]:
        return self.durable[seq : seq + limit]

    async def append_events(self, *, prev_seq: int, checkpoint: tuple[int, str], items: Sequence[Record]) -> None:
        if prev_seq != len(self.durable):
            raise Conflict("not the head", code="stream.conflict")
        self.durable.extend(items)
        self.checkpoint = checkpoint


class SilentBus:
    """A bell nobody hears."""

    async def publish(self, channel: str, message: str) -> bool:
        return False


def event(name: str) -> Record:
    return {"event_id": name, "type": "transfer.final"}


async def loaded(journal: MemoryJournal) -> Publisher:
    stand_ins: Any = (journal, SilentBus())
    publisher = Publisher(*stand_ins)
    await publisher.load()
    return publisher


async def test_events_get_dense_numbers_and_each_id_only_once() -> None:
    journal = MemoryJournal([])
    publisher = await loaded(journal)
    await publisher.publish([event("a"), event("b")])
    await publisher.publish([event("b"), event("c")], (7, "0x7"))
    assert [(row["seq"], row["event_id"]) for row in journal.durable] == [(1, "a"), (2, "b"), (3, "c")]
    assert journal.checkpoint == (7, "0x7")


async def test_what_was_published_before_a_restart_is_not_published_again() -> None:
    journal = MemoryJournal([])
    await (await loaded(journal)).publish([event("a")])
    await (await loaded(journal)).publish([event("a"), event("b")])
    assert [row["event_id"] for row in journal.durable] == ["a", "b"]


async def test_checkpoint_moves_without_events_and_long_batches_are_split(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "APPEND", 2)
    journal = MemoryJournal([])
    publisher = await loaded(journal)
    await publisher.publish([], (5, "0x5"))
    assert journal.checkpoint == (5, "0x5")
    await publisher.publish([event(str(n)) for n in range(5)], (6, "0x6"))
    assert [row["seq"] for row in journal.durable] == [1, 2, 3, 4, 5]


async def test_replay_pages_and_says_410_below_its_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TAIL", 3)
    journal = MemoryJournal([{**event(str(n)), "seq": n} for n in range(1, 11)])
    publisher = await loaded(journal)
    assert [item["seq"] for item in publisher.replay(8, 10).items] == [9, 10]
    assert [item["seq"] for item in publisher.replay(7, 1).items] == [8]
    assert publisher.replay(10, 10).items == []
    with pytest.raises(StreamTooOld) as caught:
        publisher.replay(6, 10)
    assert (caught.value.status, caught.value.code) == (410, "stream.too_old")


async def test_memory_of_what_was_published_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOK_BACK", 3)
    journal = MemoryJournal([])
    publisher = await loaded(journal)
    for number in range(9):
        await publisher.publish([event(f"e{number}")])
    await publisher.publish([event("e6"), event("e8"), event("e9")])
    assert [item["event_id"] for item in journal.durable] == [f"e{number}" for number in range(10)]
    assert len(vars(publisher)["_published"]) == 3
