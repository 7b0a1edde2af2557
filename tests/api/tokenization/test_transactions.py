"""Transactions in the journal: attempts, states and history, intents once for each key, and the agreement of two people."""

from typing import Any

import pytest

from tests.api.builders import CHAIN_ID, address
from tests.api.in_process import Api

Body = dict[str, Any]


@pytest.fixture
async def operation_id(api: Api) -> str:
    await api.seed.lease(f"chain:{CHAIN_ID}", 3)
    return await api.seed.operation("subscription:sub_1")


def signed(operation_id: str, *, step: str = "send", nonce: int = 0, hash_byte: str = "ab") -> Body:
    return {
        "op": "signed", "tx_id": f"{operation_id}:{step}", "operation_id": operation_id, "step": step, "from_address": address(1),
        "to_address": address(2), "nonce": nonce, "tx_hash": "0x" + hash_byte * 32, "raw": "0x02f8", "key_ref": "platform", "max_fee": 10**21,
        "max_tip": 7, "policy_id": "p", "policy_amount": 5,
    }  # fmt: skip


def attempt(
    operation_id: str, number: int, *, kind: str = "bump", nonce: int = 0, hash_byte: str = "cd", step: str = "send"
) -> Body:
    return {
        "op": "attempt", "tx_id": f"{operation_id}:{step}", "attempt": number, "kind": kind, "from_address": address(1), "nonce": nonce,
        "tx_hash": "0x" + hash_byte * 32, "raw": "0x02f9", "max_fee": 2 * 10**21, "max_tip": 9,
    }  # fmt: skip


def state(operation_id: str, name: str, **members: Any) -> Body:
    return {"op": "tx_state", "tx_id": f"{operation_id}:send", "state": name, **members}


async def journal(api: Api, *records: Body) -> Any:
    async with api.service("chain") as chain:
        return await chain.post(
            "/internal/chain/journal", json={"epoch": 3, "chain_id": CHAIN_ID, "records": list(records)}
        )


async def get(api: Api, path: str) -> Any:
    async with api.service("chain") as chain:
        return await chain.get(f"/internal/chain/{path}")


async def test_whole_life_is_kept_in_order(api: Api, operation_id: str) -> None:
    waiting = {"op": "intent", "tx_id": f"{operation_id}:send", "operation_id": operation_id, "step": "send", "from_address": address(1),
               "to_address": address(2), "key_ref": "platform", "state": "paused", "reason": "insufficient_funds"}  # fmt: skip
    steps = [waiting, signed(operation_id), state(operation_id, "broadcast"), attempt(operation_id, 2), state(operation_id, "broadcast"),
             state(operation_id, "mined", block_number=5, block_hash="0x05", gas_used=21_000, effective_gas_price=3, l1_fee=None),
             state(operation_id, "reverted", block_number=5, block_hash="0x05", revert_code="wallet.frozen", revert_reason="wallet is frozen"),
             state(operation_id, "broadcast")]  # fmt: skip
    for _ in range(2):  # sending it all again changes nothing
        assert (await journal(api, *steps)).status_code == 200
    found = (await get(api, f"transactions/{operation_id}:send?chain_id={CHAIN_ID}")).json()
    assert [entry["to_state"] for entry in found["history"]][:7] == [
        "paused",
        "signed",
        "broadcast",
        "signed",
        "broadcast",
        "mined",
        "reverted",
    ]
    assert [(a["attempt"], a["kind"], a["max_fee_wei"]) for a in found["attempts"]] == [
        (1, "initial", str(10**21)),
        (2, "bump", str(2 * 10**21)),
    ]
    assert (found["state"], found["revert_code"], found["effective_gas_price_wei"]) == (
        "reverted",
        "wallet.frozen",
        "3",
    )
    assert found["tx_hash"] == "0x" + "cd" * 32


async def test_nonce_of_any_attempt_never_serves_another_intent(api: Api, operation_id: str) -> None:
    await journal(
        api, signed(operation_id), state(operation_id, "nonce_lost"), attempt(operation_id, 2, kind="rebind", nonce=4)
    )
    for record in (
        signed(operation_id, step="other", nonce=0, hash_byte="01"),
        signed(operation_id, step="other", nonce=4, hash_byte="02"),
    ):
        assert (await journal(api, record)).json()["code"] == "chain.nonce_taken"
    assert (await get(api, f"nonces?chain_id={CHAIN_ID}")).json() == {address(1): 4}
    await journal(api, signed(operation_id, step="other", nonce=1, hash_byte="03"))
    stolen = attempt(operation_id, 2, nonce=0, hash_byte="04", step="other")
    assert (await journal(api, stolen)).json()["code"] == "chain.nonce_taken"


async def test_other_bytes_under_the_same_number_are_refused(api: Api, operation_id: str) -> None:
    await journal(api, signed(operation_id), attempt(operation_id, 2))
    answer = await journal(api, attempt(operation_id, 2, hash_byte="ef"))
    assert answer.json()["code"] == "chain.nonce_taken"


async def test_open_operation_comes_back_with_all_attempts(api: Api, operation_id: str) -> None:
    await journal(api, signed(operation_id), attempt(operation_id, 2, kind="cancel"))
    (operation,) = (await get(api, f"operations?chain_id={CHAIN_ID}&state=open")).json()["operations"]
    (row,) = operation["transactions"]
    assert (row["state"], row["key_ref"], row["raw"]) == ("cancel_requested", "platform", "0x02f9")
    assert [entry["kind"] for entry in row["attempts"]] == ["initial", "cancel"]


def intent(operation_id: str, **changes: Any) -> Body:
    usual = {"chain_id": CHAIN_ID, "operation_id": operation_id, "idempotency_key": "k-1", "params": {"to": address(2), "value": "0"},
             "key_ref": "platform", "from_address": address(1), "to_address": address(2), "requested_by": "api", "correlation_id": "cor"}  # fmt: skip
    return usual | changes


async def ask(api: Api, body: Body) -> Any:
    async with api.service("chain") as chain:
        return await chain.post("/internal/chain/intents", json=body)


async def test_intent_is_recorded_once_for_each_key(api: Api) -> None:
    assert (await ask(api, intent("op_a"))).json() == {"operation_id": "op_a", "is_new": True}
    assert (await ask(api, intent("op_b"))).json() == {"operation_id": "op_a", "is_new": False}
    refused = await ask(api, intent("op_c", params={"to": address(3), "value": "0"}))
    assert (refused.status_code, refused.json()["code"]) == (409, "transaction.key_reused")
    found = (await get(api, f"transactions/op_a:send?chain_id={CHAIN_ID}")).json()
    assert (found["state"], found["nonce"], found["attempts"]) == ("queued", None, [])


async def test_transactions_come_in_pages_newest_first(api: Api) -> None:
    for n in range(5):
        await ask(api, intent(f"op_{n}", idempotency_key=f"k-{n}"))
    first = (await get(api, f"transactions?chain_id={CHAIN_ID}&limit=3&state=queued")).json()
    rest = (await get(api, f"transactions?chain_id={CHAIN_ID}&limit=3&cursor={first['next_cursor']}")).json()
    assert [row["tx_id"] for row in first["data"] + rest["data"]] == [f"op_{n}:send" for n in (4, 3, 2, 1, 0)]
    assert rest["next_cursor"] is None
    assert (await get(api, f"transactions?chain_id={CHAIN_ID}&state=nonsense")).status_code == 422


async def test_two_people_must_agree_and_nobody_counts_twice(api: Api, operation_id: str) -> None:
    agents = [await api.seed.user("transfer_agent") for _ in range(2)]
    answers: list[Any] = []
    for agent in (agents[0], agents[0], agents[1]):
        async with api.as_actor(agent) as client:
            answers.append(
                await client.post(f"/v1/chain/operations/{operation_id}:approve", json={"reason": "looked at it"})
            )
    assert [answer.status_code for answer in answers] == [200, 409, 200]
    assert answers[1].json()["code"] == "approval.second_person_required"
    assert (await get(api, f"operations/{operation_id}")).json()["approvals"] == 2


async def test_policy_rules_and_their_use_today(api: Api, operation_id: str) -> None:
    assert (await get(api, f"policy?chain_id={CHAIN_ID}")).json() == {
        "rules": [],
        "used": [],
        "is_set": False,
        "version": 0,
    }
    await api.seed.rows.execute(
        "INSERT INTO chain.policies (policy_id, contract, function, max_amount) VALUES ('p', 'token:*', 'mint', 100)"
    )
    await journal(api, signed(operation_id))
    policy = (await get(api, f"policy?chain_id={CHAIN_ID}")).json()
    assert (policy["rules"][0]["max_amount"], policy["used"]) == (100, [{"policy_id": "p", "amount": 5, "count": 1}])
