"""Chain events take effect once and in order; one that cannot is set aside and never blocks the stream."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.api.builders import CHAIN_ID, address
from tests.api.in_process import Api
from tokenx_api import chain_events
from tokenx_api.captable.service import NOBODY
from tokenx_api.chain_events import CONSUMER, ChainEvents
from tokenx_api.db import WriteConn
from tokenx_api.ledger import models as accounts
from tokenx_api.ledger import service as ledger
from tokenx_common.errors import DependencyUnavailable
from tokenx_common.stream import Batch

Body = dict[str, Any]
STREAM = f"chain:{CHAIN_ID}"
TOKEN = address(0xAA)


def transfer(sender: str, receiver: str, amount: int) -> Body:
    payload = {"token": TOKEN, "token_name": "token:x", "from": sender, "to": receiver, "amount": str(amount)}
    return {"type": "transfer.final", "payload": payload}


def final(operation_id: str, result: Body | None = None) -> Body:
    return {"type": "operation.final", "payload": {"operation_id": operation_id, "kind": "x", "result": result or {}}}


async def append(api: Api, *events: Body) -> Batch:
    """Make events durable; returns them as a batch after the current head."""
    await api.seed.lease(STREAM)
    async with api.service("chain") as chain:
        head = (await chain.get(f"/internal/chain/streams/{CHAIN_ID}")).json()["seq"]
        items = [
            {"seq": seq, "event_id": f"e:{seq}", "occurred_at": "2026-01-01T00:00:00Z", "correlation_id": "cor_1", **event}
            for seq, event in zip(itertools.count(head + 1), events, strict=False)
        ]  # fmt: skip
        body = {
            "epoch": 1,
            "chain_id": CHAIN_ID,
            "prev_seq": head,
            "checkpoint": {"block_number": 1, "block_hash": "0x1"},
            "items": items,
        }
        answer = await chain.post("/internal/chain/events", json=body)
    assert answer.status_code == 200, answer.text
    return Batch(STREAM, 1, head, items)


async def balance(api: Api, holder: str) -> int:
    return int(await api.seed.value("SELECT amount FROM api.token_balances WHERE address = $1", holder) or 0)


async def cursor(api: Api) -> int:
    return await api.seed.value("SELECT seq FROM api.stream_cursors WHERE consumer = $1", CONSUMER)


async def test_batch_moves_balances_and_cursor_together(api: Api) -> None:
    batch = await append(api, transfer(NOBODY, address(1), 9), transfer(address(1), address(2), 4))
    assert await ChainEvents(api.context).commit(batch)
    assert (await balance(api, address(1)), await balance(api, address(2)), await cursor(api)) == (5, 4, 2)


async def test_events_before_finality_move_the_cursor_and_nothing_else(api: Api) -> None:
    move = transfer(NOBODY, address(1), 9)
    safe = {"type": "blocks.safe", "payload": {"from_block": 1, "to_block": 3, "block_hash": "0x3"}}
    batch = await append(api, move | {"type": "transfer.seen"}, safe, move | {"type": "transfer.reverted"})
    assert await ChainEvents(api.context).commit(batch)
    assert (await balance(api, address(1)), await cursor(api)) == (0, 3)
    assert await api.seed.value("SELECT count(*) FROM chain.dead_letters") == 0


async def test_same_batch_in_several_replicas_counts_once(api: Api) -> None:
    batch = await append(api, transfer(NOBODY, address(1), 9))
    replicas = [ChainEvents(api.context) for _ in range(4)]
    results = await asyncio.gather(*(replica.commit(batch) for replica in replicas))
    assert sorted(results) == [False, False, False, True]
    assert await balance(api, address(1)) == 9


async def test_event_that_cannot_be_processed_is_set_aside(api: Api) -> None:
    overdrawn = transfer(address(8), address(9), 1)
    batch = await append(api, transfer(NOBODY, address(1), 9), overdrawn, transfer(address(1), address(2), 4))
    assert await ChainEvents(api.context).commit(batch)
    assert (await balance(api, address(2)), await balance(api, address(9)), await cursor(api)) == (4, 0, 3)
    letter = await api.seed.rows.fetchrow("SELECT kind, ref_id, error FROM chain.dead_letters")
    assert letter is not None
    assert (letter["kind"], letter["ref_id"]) == ("event", f"{STREAM}:e:2")
    assert "UnknownHolding" in letter["error"]


async def ask_for(api: Api, verb: str, agent: Any) -> Any:
    letter = await api.seed.value("SELECT dead_letter_id FROM chain.dead_letters ORDER BY dead_letter_id LIMIT 1")
    async with api.as_actor(agent) as client:
        return await client.post(f"/v1/chain/dead-letters/{letter}:{verb}", json={"reason": "looked at it"})


async def settle_letter(api: Api, verb: str) -> Any:
    """Two people agree; the second one's answer."""
    first, second = await api.seed.user("tokenization_agent"), await api.seed.user("tokenization_agent")
    await ask_for(api, verb, first)
    return await ask_for(api, verb, second)


async def test_letter_is_closed_only_by_a_second_person(api: Api) -> None:
    await ChainEvents(api.context).commit(await append(api, final("op_unheard_of")))
    first, second = await api.seed.user("tokenization_agent"), await api.seed.user("tokenization_agent")
    proposed = await ask_for(api, "discard", first)
    assert (proposed.status_code, proposed.json()["status"]) == (202, "proposed")
    assert (await ask_for(api, "discard", first)).json()["code"] == "approval.second_person_required"
    assert await api.seed.value("SELECT count(*) FROM chain.dead_letters WHERE status = 'open'") == 1
    assert (await ask_for(api, "discard", second)).json()["status"] == "discarded"


async def test_requeued_transfer_is_counted_with_all_the_others(api: Api) -> None:
    """Bob sent before the register knew he held anything; the mint that explains it came later in the stream."""
    late = [transfer(address(2), address(3), 5), transfer(NOBODY, address(3), 1), transfer(NOBODY, address(2), 9)]
    await ChainEvents(api.context).commit(await append(api, *late))
    assert (await balance(api, address(2)), await balance(api, address(3))) == (9, 1)
    assert (await settle_letter(api, "requeue")).json()["status"] == "requeued"
    assert (await balance(api, address(2)), await balance(api, address(3))) == (4, 6)
    assert (await settle_letter(api, "requeue")).json()["code"] == "dead_letter.closed"


async def test_requeued_letter_that_still_fails_stays_open(api: Api) -> None:
    await ChainEvents(api.context).commit(
        await append(api, transfer(address(2), address(3), 5), final("op_unheard_of"))
    )
    refused = await settle_letter(api, "requeue")
    assert (refused.status_code, refused.json()["code"]) == (409, "dead_letter.still_failing")
    assert await balance(api, address(3)) == 0
    assert (await settle_letter(api, "discard")).json()["status"] == "discarded"
    assert await api.seed.value("SELECT count(*) FROM chain.dead_letters WHERE status = 'open'") == 1


async def test_requeued_operation_reaches_whoever_waits(api: Api) -> None:
    investor = await api.seed.investor()
    await api.seed.rows.execute("UPDATE api.wallets SET status = 'registering'")
    operation_id = await api.seed.operation("nonsense:1", kind="investor.register")
    ended = final(operation_id, {"address": investor.address, "identity": address(0x1D)})
    await ChainEvents(api.context).commit(await append(api, ended))
    await api.seed.rows.execute("UPDATE chain.operations SET business_ref = $1", f"investor:{investor.investor_id}")
    assert (await settle_letter(api, "requeue")).status_code == 200
    assert await api.seed.value("SELECT status FROM api.wallets") == "registered"


async def test_operation_nobody_waits_for_is_set_aside(api: Api) -> None:
    batch = await append(api, final(await api.seed.operation("nonsense:1")), final("op_unheard_of"))
    assert await ChainEvents(api.context).commit(batch)
    assert await api.seed.value("SELECT count(*) FROM chain.dead_letters") == 2


Break = Callable[[WriteConn, str, chain_events.Outcome], Awaitable[None]]


async def unbalanced(conn: WriteConn, subject_id: str, _outcome: chain_events.Outcome) -> None:
    """Posts an entry that does not sum to zero: found only by the deferred check."""
    postings = [ledger.Posting(accounts.bank("USD"), -5)]
    await ledger.post(conn, kind="deposit", ref=subject_id, postings=postings)


async def test_unbalanced_ledger_entry_does_not_take_the_batch_with_it(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chain_events, "WAITING", {"payment": unbalanced})
    broken = final(await api.seed.operation("payment:pay_1"))
    batch = await append(api, broken, transfer(NOBODY, address(1), 9))
    assert await ChainEvents(api.context).commit(batch)
    assert await balance(api, address(1)) == 9
    assert await api.seed.value("SELECT count(*) FROM api.ledger_entries") == 0
    assert await api.seed.value("SELECT count(*) FROM chain.dead_letters") == 1


async def test_announced_but_not_durable_has_no_effect(api: Api) -> None:
    batch = await append(api, transfer(NOBODY, address(1), 9))
    invented = Batch(STREAM, 1, 0, [*batch.items, {"seq": 2, **transfer(NOBODY, address(1), 1000)}])
    with pytest.raises(DependencyUnavailable):
        await ChainEvents(api.context).commit(invented)
    assert await balance(api, address(1)) == 0


async def test_operation_result_reaches_the_investor(api: Api) -> None:
    investor = await api.seed.investor()
    await api.seed.rows.execute("UPDATE api.wallets SET status = 'registering'")
    operation_id = await api.seed.operation(f"investor:{investor.investor_id}", kind="investor.register")
    batch = await append(api, final(operation_id, {"address": investor.address, "identity": address(0x1D)}))
    assert await ChainEvents(api.context).commit(batch)
    assert await api.seed.value("SELECT status FROM api.wallets") == "registered"
    assert await api.seed.value("SELECT count(*) FROM chain.dead_letters") == 0


async def test_consumer_catches_up_and_follows_without_redis(api: Api) -> None:
    await append(api, transfer(NOBODY, address(1), 9))
    task = asyncio.create_task(chain_events.run(api.context))
    try:
        await until(lambda: balance(api, address(1)), 9)
        await append(api, transfer(address(1), address(2), 4))
        await until(lambda: balance(api, address(2)), 4)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(read: Callable[[], Awaitable[int]], expected: int) -> None:
    async with asyncio.timeout(4):
        while await read() != expected:
            await asyncio.sleep(0.02)
