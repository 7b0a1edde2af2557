"""Appending to a chain's event stream: dense, by compare-and-set, and the operation's row closes with its last event."""

from typing import Any

import pytest

from tests.api.builders import CHAIN_ID
from tests.api.in_process import Api

Body = dict[str, Any]
STREAM = f"/internal/chain/streams/{CHAIN_ID}"


def item(seq: int, type_: str = "transfer.final", payload: Body | None = None, *, event_id: str | None = None) -> Body:
    return {
        "seq": seq, "event_id": event_id or f"{type_}:{seq}", "type": type_, "occurred_at": "2026-01-01T00:00:00Z", "correlation_id": "cor_1",
        "payload": payload or {},
    }  # fmt: skip


async def append(api: Api, *items: Body, prev_seq: int, block: int = 1, epoch: int = 1) -> Any:
    body = {
        "epoch": epoch, "chain_id": CHAIN_ID, "prev_seq": prev_seq, "checkpoint": {"block_number": block, "block_hash": f"0x{block}"},
        "items": list(items),
    }  # fmt: skip
    async with api.service("chain") as chain:
        return await chain.post("/internal/chain/events", json=body)


@pytest.fixture(autouse=True)
async def lease(api: Api) -> None:
    await api.seed.lease(f"chain:{CHAIN_ID}")


async def test_unknown_stream_starts_at_zero(api: Api) -> None:
    async with api.service("chain") as chain:
        assert (await chain.get(STREAM)).json() == {"seq": 0, "epoch": 0, "block_number": 0, "block_hash": ""}


async def test_appended_events_move_head_and_checkpoint(api: Api) -> None:
    assert (await append(api, item(1), item(2), prev_seq=0, block=4)).json() == {"head": 2}
    async with api.service("chain") as chain:
        assert (await chain.get(STREAM)).json() == {"seq": 2, "epoch": 1, "block_number": 4, "block_hash": "0x4"}
    assert await api.seed.value("SELECT body->>'event_id' FROM chain.events WHERE seq = 2") == "transfer.final:2"


async def test_append_without_items_moves_only_the_checkpoint(api: Api) -> None:
    await append(api, item(1), prev_seq=0)
    assert (await append(api, prev_seq=1, block=9)).json() == {"head": 1}
    assert await api.seed.value("SELECT block_number FROM chain.streams") == 9


async def test_wrong_prev_seq_is_refused_with_the_head(api: Api) -> None:
    await append(api, item(1), prev_seq=0)
    answer = await append(api, item(1), prev_seq=0)
    assert (answer.status_code, answer.json()["code"], answer.json()["head"]) == (409, "stream.conflict", 1)


async def test_same_event_twice_is_refused(api: Api) -> None:
    await append(api, item(1), prev_seq=0)
    answer = await append(api, item(2, event_id="transfer.final:1"), prev_seq=1)
    assert answer.json()["code"] == "stream.duplicate_event"
    assert await api.seed.value("SELECT seq FROM chain.streams") == 1


async def test_gap_in_the_items_is_invalid(api: Api) -> None:
    assert (await append(api, item(2), prev_seq=0)).status_code == 422


async def test_stale_epoch_appends_nothing(api: Api) -> None:
    assert (await append(api, item(1), prev_seq=0, epoch=0)).json()["code"] == "lease.stale_epoch"
    assert await api.seed.value("SELECT count(*) FROM chain.events") == 0


async def test_last_event_closes_the_operation(api: Api) -> None:
    done, broken = await api.seed.operation("investor:inv_1"), await api.seed.operation("investor:inv_2")
    final = item(1, "operation.final", {"operation_id": done, "kind": "token.mint", "result": {"a": 1}})
    failed = item(
        2, "operation.failed", {"operation_id": broken, "kind": "token.mint", "error_code": "x.y", "error_detail": "no"}
    )
    assert (await append(api, final, failed, prev_seq=0)).status_code == 200
    async with api.service("chain") as chain:
        assert (await chain.get(f"/internal/chain/operations/{done}")).json()["result"] == {"a": 1}
        assert (await chain.get(f"/internal/chain/operations/{broken}")).json()["state"] == "failed"
