"""POST /v1/transactions and what belongs to it, on a running service: once for each key, refused in plain words, nothing queued by a refusal."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest

from tests.chain.harness import Stack, chain_stack
from tests.support.servers import ServiceKeys, ValkeyServer
from tokenx_common.service_auth import ServiceSigner

pytestmark = pytest.mark.stack

MINT = "40c10f19"
NOBODY = "0x" + "ee" * 20


@pytest.fixture(scope="module")
def running(service_keys: ServiceKeys, valkey: ValkeyServer) -> Iterator[Stack]:
    with chain_stack(service_keys, valkey, steered=True) as stack:
        yield stack


@pytest.fixture
async def http(running: Stack, service_keys: ServiceKeys) -> AsyncIterator[httpx.AsyncClient]:
    if "StableCoin" not in running.state.contracts:
        await running.run("platform.deploy")
    token = ServiceSigner("api", service_keys.private("api")).token("chain")
    async with httpx.AsyncClient(
        base_url=running.url, headers={"Authorization": f"Bearer {token}"}, timeout=20
    ) as client:
        yield client
    running.miner.hold.clear()
    await running.rpc("evm_setAutomine", True)


def word(value: int | str) -> str:
    return f"{value:064x}" if isinstance(value, int) else value.removeprefix("0x").rjust(64, "0")


def a_mint(stack: Stack, amount: int = 5, **changes: Any) -> dict[str, Any]:
    coin = stack.state.contracts["StableCoin"]["address"]
    return {
        "chain_id": 31337,
        "key_ref": "platform",
        "to": coin,
        "data": "0x" + MINT + word(NOBODY) + word(amount),
    } | changes


async def post(http: httpx.AsyncClient, body: dict[str, Any], key: str) -> httpx.Response:
    return await http.post("/v1/transactions", json=body, headers={"Idempotency-Key": key})


async def view(http: httpx.AsyncClient, tx_id: str) -> dict[str, Any]:
    return (await http.get(f"/v1/transactions/{tx_id}", params={"chain_id": 31337})).json()


async def until_state(http: httpx.AsyncClient, tx_id: str, *states: str) -> dict[str, Any]:
    for _ in range(1000):
        found = await view(http, tx_id)
        if found["state"] in states:
            return found
        await asyncio.sleep(0.02)
    raise AssertionError((states, await view(http, tx_id)))


async def test_intent_is_executed_once_for_each_key(running: Stack, http: httpx.AsyncClient) -> None:
    body = a_mint(running)
    answers = [await post(http, body, "once") for _ in range(2)] + list(
        await asyncio.gather(*(post(http, body, "once") for _ in range(5)))
    )
    assert [answer.status_code for answer in answers] == [202] + [200] * 6
    assert len({answer.json()["tx_id"] for answer in answers}) == 1
    tx_id = answers[0].json()["tx_id"]
    assert len((await until_state(http, tx_id, "final"))["attempts"]) == 1
    other = await post(http, a_mint(running, amount=6), "once")
    assert (other.status_code, other.json()["code"]) == (409, "transaction.key_reused")
    (event,) = [
        e
        for e in running.state.of_type("operation.final")
        if e["payload"]["operation_id"] == answers[0].json()["operation_id"]
    ]
    assert event["payload"]["kind"] == "transaction.send"
    assert (await post(http, body, "once")).json()["state"] == "final"


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"to": "0x1234"}, 422, "validation_failed"),
        ({"data": "0xzz"}, 422, "validation_failed"),
        ({"data": "0x" + "00" * 100_001}, 422, "validation_failed"),
        ({"value": 5}, 422, "validation_failed"),
        ({"value": "-5"}, 422, "validation_failed"),
        ({"gas": 1}, 422, "validation_failed"),
        ({"nonsense": 1}, 422, "validation_failed"),
        ({"chain_id": 4711}, 404, "chain.not_found"),
        ({"to": NOBODY}, 403, "policy.not_allowed"),
        ({"key_ref": "treasury"}, 403, "policy.not_allowed"),
        ({"data": "0xdeadbeef"}, 403, "policy.not_allowed"),
    ],
)
async def test_bad_request_is_refused_in_plain_words_and_leaves_nothing(running: Stack, http: httpx.AsyncClient, changes: dict[str, Any], status: int, code: str) -> None:  # fmt: skip
    before = len(running.state.operations)
    answer = await post(http, a_mint(running) | changes, "bad")
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert len(running.state.operations) == before


async def test_key_and_service_token_are_required(running: Stack, http: httpx.AsyncClient) -> None:
    assert (await http.post("/v1/transactions", json=a_mint(running))).json()["code"] == "transaction.key_required"
    async with httpx.AsyncClient(base_url=running.url) as stranger:
        assert (await post(stranger, a_mint(running), "k")).status_code == 401


async def test_t28_call_that_would_revert_ends_without_a_nonce(running: Stack, http: httpx.AsyncClient) -> None:
    coin = running.state.contracts["StableCoin"]["address"]
    transfer = a_mint(running, to=coin, data="0xa9059cbb" + word(NOBODY) + word(10**30))
    trial = (await http.post("/v1/transactions:simulate", json=transfer)).json()
    assert (trial["ok"], trial["gas"]) == (False, 0)
    nonce = (await http.get("/v1/signers/platform/nonce", params={"chain_id": 31337})).json()
    tx_id = (await post(http, transfer, "reverts")).json()["tx_id"]
    found = await until_state(http, tx_id, "failed_presubmit")
    assert (found["nonce"], found["reason"]) == (None, trial["reason_code"])
    assert (await http.get("/v1/signers/platform/nonce", params={"chain_id": 31337})).json()["next"] == nonce["next"]


async def test_trial_tells_the_gas(running: Stack, http: httpx.AsyncClient) -> None:
    trial = (await http.post("/v1/transactions:simulate", json=a_mint(running))).json()
    assert trial["ok"]
    assert 21_000 < trial["gas"] < 200_000


async def test_cancel_and_speed_up_of_what_is_out(running: Stack, http: httpx.AsyncClient) -> None:
    running.miner.hold.set()
    await running.rpc("evm_setAutomine", False)
    first, second = [(await post(http, a_mint(running, amount=n), f"out-{n}")).json()["tx_id"] for n in (1, 2)]
    for tx_id in (first, second):
        await until_state(http, tx_id, "broadcast")
    cancelled = await http.post(f"/v1/transactions/{first}/cancel", params={"chain_id": 31337})
    assert (cancelled.status_code, cancelled.json()["state"]) == (200, "cancel_requested")
    faster = await http.post(f"/v1/transactions/{second}/speed-up", params={"chain_id": 31337})
    assert [a["kind"] for a in faster.json()["attempts"]] == ["initial", "bump"]
    nonce = (await http.get("/v1/signers/platform/nonce", params={"chain_id": 31337})).json()
    assert (nonce["in_flight"], nonce["gaps"], nonce["next"]) == (2, [], nonce["latest"] + 2)
    await running.rpc("evm_setAutomine", True)
    running.miner.hold.clear()
    assert (await until_state(http, first, "cancelled"))["state"] == "cancelled"
    mined = await until_state(http, second, "final")
    operation = running.state.operations[second.partition(":")[0]]
    await running.until(lambda: operation["state"] == "final", "the operation")
    assert operation["result"]["tx_hash"] == mined["tx_hash"] == mined["attempts"][1]["tx_hash"]
    failed = running.state.operations[first.partition(":")[0]]
    await running.until(lambda: failed["state"] == "failed", "the cancelled operation")
    assert failed["error_code"] == "transaction.cancelled"
    late = await http.post(f"/v1/transactions/{second}/cancel", params={"chain_id": 31337})
    assert late.json()["code"] in ("transaction.not_under_way", "transaction.not_replaceable")
    missing = await http.post("/v1/transactions/op_none:send/cancel", params={"chain_id": 31337})
    assert missing.json()["code"] == "transaction.not_found"


async def test_status_tells_endpoints_and_pauses(http: httpx.AsyncClient) -> None:
    status = (await http.get("/v1/chains/31337/status")).json()
    assert status["detail"]["endpoints"][0]["score"]
    assert status["detail"]["senders_paused"] == {}


async def test_amount_above_the_threshold_waits_for_two_people(running: Stack, http: httpx.AsyncClient) -> None:
    """The rules are read at the start; others' operations go on while one waits."""
    running.state.policies = [
        {
            "policy_id": "mint",
            "contract": "StableCoin",
            "function": "mint",
            "key_ref": "platform",
            "approval_above": 100,
            "daily_count": 3,
        }
    ]
    running.kill()
    await running.restart()
    try:
        big = (await post(http, a_mint(running, amount=101), "big")).json()["tx_id"]
        await until_state(http, big, "paused")
        small = (await post(http, a_mint(running, amount=100), "small")).json()["tx_id"]
        await until_state(http, small, "final")
        assert (await view(http, big))["reason"] == "approval_required"
        running.state.operations[big.partition(":")[0]]["approvals"] = 2
        await until_state(http, big, "final")
        third = (await post(http, a_mint(running, amount=1), "third")).json()["tx_id"]
        await until_state(http, third, "final")
        fourth = (await post(http, a_mint(running, amount=1), "fourth")).json()["tx_id"]
        assert (await until_state(http, fourth, "rejected_policy"))["reason"] == "policy.daily_count"
    finally:
        running.state.policies = []
        running.kill()
        await running.restart()
