"""What the chain service reports about itself, and what staff see of it: signers, endpoints, checkpoints, history, transactions."""

from typing import Any

import pytest

from tests.api.builders import CHAIN_ID, address
from tests.api.in_process import Api
from tests.api.tokenization.test_transactions import intent, journal, signed

Body = dict[str, Any]


def signer(number: int = 1, **changes: Any) -> Body:
    usual: Body = {"key_ref": "platform", "address": address(number), "backend": "local", "status": "active", "reason": None, "latest_nonce": 4,
                   "next_nonce": 7, "in_flight": 3, "queued": 2, "gaps": []}  # fmt: skip
    return usual | changes


def report(second: int, **changes: Any) -> Body:
    usual: Body = {
        "op": "monitoring", "status": "ok", "head_number": 100 + second, "head_hash": "0x01", "finalized_number": 90, "detail": {},
        "observed_at": f"2026-01-01T00:{second // 60:02}:{second % 60:02}Z", "finality_lag_s": 20, "oldest_unmined_s": 5, "signers": [signer()],
        "endpoints": [{"endpoint": "node.example:443", "score": "0.90", "latency_ms": 12, "is_cooling": False}],
    }  # fmt: skip
    return usual | changes


@pytest.fixture
async def leased(api: Api) -> Api:
    await api.seed.lease(f"chain:{CHAIN_ID}", 3)
    return api


async def seen(api: Api, path: str, expect: int = 200) -> Any:
    async with api.as_actor(await api.seed.user("admin")) as client:
        answer = await client.get(f"/v1/chain/{path}")
    assert answer.status_code == expect, answer.text
    return answer.json()


async def test_signers_are_shown_with_nonces_and_gaps(leased: Api) -> None:
    paused = signer(2, key_ref="ats-operator", status="paused", reason="insufficient_funds", gaps=[5, 6])
    answer = await journal(leased, report(0, signers=[signer(), paused]))
    assert answer.json() == {"records": 1, "policy_version": 0, "consumed_seq": 0}
    rows = (await seen(leased, "signers"))["data"]
    assert [(row["key_ref"], row["epoch"], row["status"], row["nonce_lag"], row["gaps"]) for row in rows] == [
        ("ats-operator", 1, "paused", 3, [5, 6]),
        ("platform", 1, "active", 3, []),
    ]
    assert [row["key_ref"] for row in (await seen(leased, "signers?status=paused"))["data"]] == ["ats-operator"]
    first = await seen(leased, "signers?limit=1")
    rest = await seen(leased, f"signers?limit=1&cursor={first['next_cursor']}")
    assert [row["key_ref"] for row in first["data"] + rest["data"]] == ["ats-operator", "platform"]


async def test_new_address_of_a_key_begins_its_next_epoch_and_the_old_one_drains_then_retires(leased: Api) -> None:
    async def states() -> list[tuple[str, int, str]]:
        rows = (await seen(leased, "signers"))["data"]
        return [(row["address"], row["epoch"], row["status"]) for row in rows]

    await journal(leased, report(0))
    await journal(leased, report(5, signers=[signer(1), signer(9)]))
    assert await states() == [(address(1), 1, "draining"), (address(9), 2, "active")]
    await journal(leased, report(10, signers=[signer(1, in_flight=0, queued=0), signer(9)]))
    assert await states() == [(address(1), 1, "retired"), (address(9), 2, "active")]
    await journal(leased, report(15, signers=[signer(1)]))
    assert (await states())[0][2] == "retired"


async def test_older_report_never_replaces_a_newer_one(leased: Api) -> None:
    await journal(leased, report(10, signers=[signer(next_nonce=9)]))
    await journal(leased, report(5))
    assert (await seen(leased, "signers"))["data"][0]["next_nonce"] == 9


async def test_endpoint_with_a_path_is_refused_because_it_may_hold_a_key(leased: Api) -> None:
    leaky = {"endpoint": "node.example/v2/secret", "score": "1.00", "latency_ms": 1, "is_cooling": False}
    assert (await journal(leased, report(0, endpoints=[leaky]))).status_code == 422
    await journal(leased, report(0))
    (row,) = (await seen(leased, "endpoints"))["endpoints"]
    assert (row["endpoint"], row["score"]) == ("node.example:443", "0.90")
    await journal(leased, report(600, endpoints=[{**row_of("other.example"), "score": "1.00"}]))
    assert [row["endpoint"] for row in (await seen(leased, "endpoints"))["endpoints"]] == ["other.example"]


def row_of(name: str) -> Body:
    return {"endpoint": name, "score": "0.90", "latency_ms": 12, "is_cooling": False}


async def test_history_keeps_a_row_a_minute_and_each_change_and_forgets_the_old(leased: Api) -> None:
    for second in (0, 5, 59, 61, 66):
        await journal(leased, report(second))
    await journal(leased, report(70, status="degraded"))
    await journal(leased, report(75))
    rows = (await seen(leased, "status/history"))["data"]
    assert [(row["observed_at"][14:19], row["status"]) for row in rows] == [
        ("01:15", "ok"),
        ("01:10", "degraded"),
        ("01:01", "ok"),
        ("00:00", "ok"),
    ]
    assert (rows[0]["nonce_gaps"], rows[0]["in_flight"], rows[0]["endpoints_up"], rows[0]["seq_lag"]) == (0, 3, 1, 0)
    first = await seen(leased, "status/history?limit=3")
    rest = await seen(leased, f"status/history?limit=3&cursor={first['next_cursor']}")
    assert [row["observed_at"] for row in first["data"] + rest["data"]] == [row["observed_at"] for row in rows]
    await journal(leased, report(0, observed_at="2026-03-01T00:00:00Z"))
    assert len((await seen(leased, "status/history"))["data"]) == 1


async def test_checkpoint_is_where_the_stream_stands(leased: Api) -> None:
    async with leased.service("chain") as chain:
        await chain.post("/internal/chain/events", json={"epoch": 3, "chain_id": CHAIN_ID, "prev_seq": 0,
                                                         "checkpoint": {"block_number": 42, "block_hash": "0x2a"}, "items": []})  # fmt: skip
    found = await seen(leased, "checkpoints")
    for (row,) in (found["now"], found["earlier"]):
        assert (row["chain_id"], row["block_number"], row["seq"], row["epoch"]) == (CHAIN_ID, 42, 0, 3)


async def test_transactions_are_found_by_what_staff_know(leased: Api) -> None:
    operation_id = await leased.seed.operation("subscription:sub_1")
    await journal(leased, signed(operation_id))
    async with leased.service("chain") as chain:
        for n in range(3):
            await chain.post("/internal/chain/intents", json=intent(f"op_{n}", idempotency_key=f"k-{n}", key_ref=f"investor:{n}"))  # fmt: skip
    mine = f"{operation_id}:send"
    assert [row["tx_id"] for row in (await seen(leased, f"transactions?operation_id={operation_id}"))["data"]] == [mine]
    assert [row["tx_id"] for row in (await seen(leased, "transactions?key_ref=investor:1"))["data"]] == ["op_1:send"]
    assert len((await seen(leased, f"transactions?from_address={address(1).upper().replace('X', 'x')}"))["data"]) == 4
    assert [row["tx_id"] for row in (await seen(leased, "transactions?state=signed&is_open=true"))["data"]] == [mine]
    first = await seen(leased, "transactions?limit=3")
    rest = await seen(leased, f"transactions?limit=3&cursor={first['next_cursor']}")
    assert len({row["tx_id"] for row in first["data"] + rest["data"]}) == 4
    detail = await seen(leased, f"transactions/{mine}")
    assert ([a["kind"] for a in detail["attempts"]], [h["to_state"] for h in detail["history"]]) == (["initial"], ["signed"])  # fmt: skip
    assert (await seen(leased, "transactions/op_none:send", expect=404))["code"] == "transaction.not_found"


@pytest.mark.parametrize("path", ["signers", "endpoints", "checkpoints", "status/history", "transactions", "transactions/op_1:send"])  # fmt: skip
async def test_only_staff_may_look(leased: Api, path: str) -> None:
    async with leased.as_actor(await leased.seed.user("investor")) as client:
        assert (await client.get(f"/v1/chain/{path}")).status_code == 403


@pytest.mark.parametrize("query", ["transactions?state=nonsense", "transactions?limit=1000", "transactions?cursor=!!", "transactions?from_address=0x12",
                                   "transactions?chain_id=-1", "transactions/op 1", "signers?status=x", "status/history?cursor=YWJj"])  # fmt: skip
async def test_bad_questions_are_refused_in_plain_words(leased: Api, query: str) -> None:
    assert (await seen(leased, query, expect=422))["code"] == "validation_failed"


@pytest.mark.parametrize(("persona", "status"), [("investor", 403), ("admin", 403), ("compliance_officer", 403), ("transfer_agent", 503)])  # fmt: skip
@pytest.mark.parametrize("verb", ["cancel", "speed-up"])
async def test_only_operators_may_withdraw_or_hurry_and_it_is_audited_before_it_is_tried(leased: Api, persona: Any, status: int, verb: str) -> None:  # fmt: skip
    """503: the chain service does not answer here; who asked and why is on record all the same."""
    operation_id = await leased.seed.operation("subscription:sub_1")
    await journal(leased, signed(operation_id))
    actor = await leased.seed.user(persona)
    async with leased.as_actor(actor) as client:
        answer = await client.post(
            f"/v1/chain/transactions/{operation_id}:send:{verb}", json={"reason": "asked by desk"}
        )
    assert answer.status_code == status, answer.text
    rows = await leased.seed.rows.fetch("SELECT actor, detail FROM audit.events WHERE action LIKE 'transaction.%_requested'")  # fmt: skip
    assert [row["actor"] for row in rows] == ([actor.user_id] if status == 503 else [])
