"""Both services together: what staff do through the public API reaches the chain, a change of the policy counts at once, and floods, nonsense and
oversize are refused in plain words without a trace in any table."""

import asyncio
import itertools
import random
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
from eth_utils.abi import function_signature_to_4byte_selector

from tests.chain.pair import Pair, running_pair
from tests.chain.rig import ask
from tests.chain.seeds import a_seed
from tests.support.servers import PostgresServer, ServiceKeys, ValkeyServer

pytestmark = pytest.mark.stack

LIMIT = 20
MINT = "40c10f19"
CANCEL = "0x" + function_signature_to_4byte_selector("cancel(bytes32)").hex()
NOBODY = "0x" + "ee" * 20
COUNTS = """SELECT (SELECT count(*) FROM chain.operations) AS operations, (SELECT count(*) FROM chain.transactions) AS transactions,
                   (SELECT count(*) FROM chain.policy_changes) AS changes, (SELECT count(*) FROM api.outbox) AS outbox"""
_keys = itertools.count(1)


@pytest.fixture(scope="module")
def pair(postgres: PostgresServer, valkey: ValkeyServer, service_keys: ServiceKeys) -> Iterator[Pair]:
    with running_pair(postgres, valkey, service_keys, extra={"CHAIN_INTENTS_PER_KEY": str(LIMIT)}) as running:
        yield running


@pytest.fixture(scope="module")
def people() -> dict[str, httpx.AsyncClient]:
    return {}


@pytest.fixture
async def world(pair: Pair, people: dict[str, httpx.AsyncClient]) -> AsyncIterator["World"]:
    if not people:
        people["agent"] = await pair.staff("agent", "tokenization_agent")
        people["officer"] = await pair.staff("officer", "compliance_officer")
        (await people["agent"].post("/v1/chain/platform:deploy")).raise_for_status()
        await pair.until("SELECT state FROM chain.operations WHERE kind = 'platform.deploy'", wanted="final")
    async with pair.as_service("api", to="chain") as chain:
        coin = (await pair.fetch("SELECT address FROM chain.contracts WHERE name = 'StableCoin'"))[0]["address"]
        yield World(pair, people["agent"], people["officer"], chain, coin)
    await ask(pair.anvil.url, "evm_setIntervalMining", 1)


class World:
    """Both services, two people, and a client of the chain service that is the api's."""

    def __init__(
        self, pair: Pair, agent: httpx.AsyncClient, officer: httpx.AsyncClient, chain: httpx.AsyncClient, coin: str
    ) -> None:
        self.pair, self.agent, self.officer, self.chain, self.coin = pair, agent, officer, chain, coin

    def mint(self, amount: int = 5) -> dict[str, Any]:
        return {
            "chain_id": 31337,
            "key_ref": "platform",
            "to": self.coin,
            "data": "0x" + MINT + NOBODY[2:].rjust(64, "0") + f"{amount:064x}",
        }

    async def send(self, body: Any, key: str | None = None, **more: Any) -> httpx.Response:
        return await self.chain.post(
            "/v1/transactions", json=body, headers={"Idempotency-Key": key or f"k-{next(_keys)}"}, **more
        )

    async def counts(self) -> Any:
        return (await self.pair.fetch(COUNTS))[0]

    async def still(self) -> None:
        """Nothing is mined but by order."""
        await ask(self.pair.anvil.url, "evm_setIntervalMining", 0)


async def ended(world: World, tx_id: str, state: str) -> Any:
    await world.pair.until("SELECT state FROM chain.transactions WHERE tx_id = $1", tx_id, wanted=state)
    return (await world.agent.get(f"/v1/chain/transactions/{tx_id}")).json()


async def test_staff_hurry_one_transaction_and_withdraw_another(world: World) -> None:
    await world.still()
    first, second = [(await world.send(world.mint(n))).json()["tx_id"] for n in (1, 2)]
    for tx_id in (first, second):
        await world.pair.until("SELECT state FROM chain.transactions WHERE tx_id = $1", tx_id, wanted="broadcast")
    why = {"reason": "asked by the desk"}
    faster = await world.agent.post(f"/v1/chain/transactions/{first}:speed-up", json=why)
    assert (faster.status_code, [a["kind"] for a in faster.json()["attempts"]]) == (200, ["initial", "bump"])
    gone = await world.agent.post(f"/v1/chain/transactions/{second}:cancel", json=why)
    assert (gone.status_code, gone.json()["state"]) == (200, "cancel_requested")
    assert (await world.officer.post(f"/v1/chain/transactions/{second}:cancel", json=why)).status_code == 403
    await ask(world.pair.anvil.url, "evm_setIntervalMining", 1)
    assert (await ended(world, first, "final"))["active_attempt"] == 2
    late = await world.agent.post(f"/v1/chain/transactions/{first}:cancel", json=why)
    assert (late.status_code, late.json()["code"][:16]) == (409, "transaction.not_")
    states = [entry["to_state"] for entry in (await ended(world, second, "cancelled"))["history"]]
    assert ("cancel_requested" in states, states[-1]) == (True, "cancelled")
    rows = await world.pair.fetch(
        "SELECT action FROM audit.events WHERE action LIKE 'transaction.%_requested' ORDER BY event_id"
    )
    assert [row["action"] for row in rows] == [
        "transaction.speed_up_requested",
        "transaction.cancel_requested",
        "transaction.cancel_requested",
    ]


async def test_key_is_replaced_once_a_second_person_agrees_and_both_addresses_are_shown(world: World) -> None:
    admin = await world.pair.staff("keeper", "admin")
    url, ask_for = "/v1/chain/signers/ats-submitter:rotate", {"reason": "its holder has left"}
    assert (await admin.post(url, json=ask_for)).status_code == 400
    assert (await world.agent.post(url, headers={"Idempotency-Key": "r-0"}, json=ask_for)).status_code == 403
    stays = await admin.post("/v1/chain/signers/platform:rotate", headers={"Idempotency-Key": "r-1"}, json=ask_for)
    assert (stays.status_code, stays.json()["code"]) == (409, "signer.role_not_movable")
    settlement = (await world.pair.fetch("SELECT address FROM chain.contracts WHERE name = 'Settlement'"))[0]["address"]
    called = {
        "chain_id": 31337,
        "key_ref": "ats-submitter",
        "to": settlement,
        "data": CANCEL + "11" * 32,
        "gas": 200_000,
    }
    await ended(world, (await world.send(called)).json()["tx_id"], "final")
    first, again = [(await admin.post(url, headers={"Idempotency-Key": "r-2"}, json=ask_for)).json() for _ in range(2)]
    assert first["operation_id"] == again["operation_id"]
    agreed = await world.officer.post(f"/v1/chain/operations/{first['operation_id']}:approve", json={"reason": "seen"})
    assert agreed.json()["approvals"] == 2
    await world.pair.until("SELECT phase FROM chain.rotations WHERE name = 'ats-submitter'", wanted="done")
    await ended(world, (await world.send(called | {"data": CANCEL + "22" * 32})).json()["tx_id"], "final")
    (shown,) = (await world.agent.get("/v1/chain/signers/ats-submitter/rotations")).json()["rotations"]
    assert (shown["phase"], shown["new_key"], shown["detail"]) == ("done", "ats-submitter@2", "")
    await world.pair.until("SELECT state FROM chain.operations WHERE kind = 'signer.rotate'", wanted="final")
    told = "SELECT e.seq FROM chain.events e WHERE e.event_id = 'operation.final:' || $1"
    taken_in = f"SELECT seq >= ({told}) FROM api.stream_cursors WHERE consumer = 'api.chain'"
    await world.pair.until(taken_in, first["operation_id"])
    assert (
        await world.pair.fetch(
            "SELECT error FROM chain.dead_letters WHERE ref_id LIKE '%' || $1", first["operation_id"]
        )
        == []
    )
    await world.pair.until(
        "SELECT count(*) = 2 FROM chain.signers WHERE key_ref = 'ats-submitter' AND status <> 'draining'"
    )
    rows = (await world.agent.get("/v1/chain/signers")).json()["data"]
    status = {row["address"]: (row["epoch"], row["status"]) for row in rows if row["key_ref"] == "ats-submitter"}
    assert status == {shown["old_address"]: (1, "retired"), shown["new_address"]: (2, "active")}


async def test_call_is_tried_out_with_its_policy(world: World) -> None:
    before = await world.counts()
    fine = (await world.agent.post("/v1/chain/transactions:simulate", json=world.mint())).json()
    assert (fine["ok"], fine["policy"], fine["policy_id"]) == (True, "allow", "default.cash")
    denied = (
        await world.agent.post("/v1/chain/transactions:simulate", json=world.mint() | {"key_ref": "treasury"})
    ).json()
    assert (denied["ok"], denied["policy"], denied["policy_code"]) == (False, "deny", "policy.not_allowed")
    assert await world.counts() == before


async def test_signers_endpoints_and_metrics_tell_how_the_chain_stands(world: World) -> None:
    await world.pair.until("SELECT count(*) > 0 FROM chain.signers WHERE key_ref = 'platform' AND next_nonce > 10")
    rows = (await world.agent.get("/v1/chain/signers")).json()["data"]
    (platform,) = [row for row in rows if row["key_ref"] == "platform"]
    assert (platform["backend"], platform["epoch"], platform["gaps"]) == ("local", 1, [])
    (endpoint,) = (await world.agent.get("/v1/chain/endpoints")).json()["endpoints"]
    assert endpoint["endpoint"].startswith("127.0.0.1:")
    assert (await world.agent.get("/v1/chain/status/history")).json()["data"][0]["status"] in ("ok", "degraded", "down")
    assert (await world.agent.get("/v1/chain/checkpoints")).json()["now"][0]["block_number"] > 0
    text = (await httpx.AsyncClient().get(f"{world.pair.url}/metrics")).text
    for name in (
        "nonce_lag",
        "oldest_unmined_seconds",
        "finality_lag_seconds",
        "event_seq_lag",
        "senders_paused",
        "nonce_gaps",
    ):
        assert f'tokenx_chain_{name}{{chain="31337"' in text, name
    assert 'tokenx_chain_nonce_gaps{chain="31337"} 0.0' in text


async def test_change_of_the_policy_counts_at_once_and_without_a_restart(world: World) -> None:
    rule = {
        "policy_id": "default.cash",
        "kind": "cash.*",
        "key_ref": "platform",
        "contract": "StableCoin",
        "function": "mint|burn",
    }
    body = {"rules": [rule], "keep_built_in": True, "reason": "no single calls to the coin"}
    change = (await world.officer.post("/v1/chain/policies/changes", json=body)).json()
    assert (await world.send(world.mint())).status_code == 202, "not yet"
    own = await world.officer.post(f"/v1/chain/policies/changes/{change['change_id']}:approve", json={"reason": "mine"})
    assert own.json()["code"] == "approval.second_person_required"
    approved = await world.agent.post(
        f"/v1/chain/policies/changes/{change['change_id']}:approve", json={"reason": "agreed"}
    )
    assert (approved.status_code, approved.json()["in_effect"]) == (200, True), approved.text
    refused = await world.send(world.mint())
    assert (refused.status_code, refused.json()["code"]) == (403, "policy.not_allowed")
    back = {"rules": [rule | {"kind": "*"}], "reason": "single calls again"}
    change = (await world.agent.post("/v1/chain/policies/changes", json=back)).json()
    (
        await world.officer.post(f"/v1/chain/policies/changes/{change['change_id']}:approve", json={"reason": "agreed"})
    ).raise_for_status()
    assert (await world.send(world.mint())).status_code == 202
    shown = (await world.agent.get("/v1/chain/policies")).json()
    assert (shown["is_built_in"], shown["version"], shown["in_effect"]) == (False, 2, True)


async def test_change_whose_call_was_lost_is_taken_over_with_the_next_write(world: World) -> None:
    """Approved past the route, so that nobody tells the chain service: the journal's next answer does."""
    params = {"chain_id": 31337}
    before = (await world.chain.get("/v1/policies", params=params)).json()["version"]
    await world.pair.fetch(
        """
        WITH people AS (SELECT min(user_id) AS one, max(user_id) AS other FROM api.users)
        INSERT INTO chain.policy_changes (chain_id, rules, disabled, warnings, reason, status, proposed_by, decided_by, decided_at, version)
        SELECT 31337, '[]', '{}', '[]', 'lost', 'approved', one, other, now(), $1 FROM people""",
        before + 1,
    )
    assert (await world.send(world.mint())).status_code == 202
    for _ in range(500):
        if (await world.chain.get("/v1/policies", params=params)).json()["version"] == before + 1:
            return
        await asyncio.sleep(0.02)
    raise AssertionError("the change was never taken over")


def nonsense(world: World, rng: random.Random) -> tuple[Any, int, str]:
    """A request that must be refused, and how."""
    bad_address = rng.choice(["", "0x", "0x1234", "0x" + "zz" * 20, NOBODY + "00", 7, None, "x" * 300])
    strange_chain = rng.choice([1, 10, 4711, 2**31, 2**52])
    return rng.choice([
        (world.mint() | {"to": bad_address}, 422, "validation_failed"),
        (world.mint() | {"chain_id": strange_chain}, 404, "chain.not_found"),
        (world.mint() | {"chain_id": rng.choice([0, -1, "x", None, 1.5])}, 422, "validation_failed"),
        (world.mint() | {"data": "0x" + "ab" * rng.randrange(100_001, 150_000)}, 422, "validation_failed"),
        (world.mint() | {"data": rng.choice(["0xabc", "ab", "0xgg", 5])}, 422, "validation_failed"),
        (world.mint() | {"to": f"0x{rng.getrandbits(160):040x}"}, 403, "policy.not_allowed"),
        (world.mint() | {"data": f"0x{rng.getrandbits(32):08x}"}, 403, "policy.not_allowed"),
        (world.mint() | {"value": rng.choice(["-1", "1e3", "0x1", 5, "9" * 100])}, 422, "validation_failed"),
        (world.mint() | {"key_ref": rng.choice(["", "k" * 101, 7])}, 422, "validation_failed"),
        ([world.mint()], 422, "validation_failed"),
    ])  # fmt: skip


async def test_flood_of_nonsense_at_the_chain_service_leaves_no_trace(world: World) -> None:
    rng = random.Random(a_seed())
    await quiet(world)
    before = await world.counts()
    for _ in range(8):
        wrong = [nonsense(world, rng) for _ in range(20)]
        answers = await asyncio.gather(*(world.send(body) for body, _, _ in wrong))
        for answer, (body, status, code) in zip(answers, wrong, strict=True):
            assert (answer.status_code, answer.json()["code"]) == (status, code), (str(body)[:300], answer.text)
            assert answer.headers["content-type"] == "application/problem+json"
    assert await world.counts() == before


async def test_flood_of_nonsense_at_the_public_api_leaves_no_trace(world: World) -> None:
    rng = random.Random(a_seed())
    await quiet(world)
    before = await world.counts()
    for _ in range(8):
        wrong = [nonsense(world, rng) for _ in range(10)]
        answers = await asyncio.gather(
            *(world.agent.post("/v1/chain/transactions:simulate", json=body) for body, _, _ in wrong),
            *(world.agent.post(f"/v1/chain/transactions/{tx}:cancel", json={"reason": "none such"}) for tx in ("op_x:send", "x", "a:b:c:d", "%00:send")),
            world.agent.post("/v1/chain/operations/op_none:approve", json={"reason": "none such"}),
            world.agent.post("/v1/chain/dead-letters/999999:requeue", json={"reason": "none such"}),
            world.officer.post("/v1/chain/policies/changes", json={"rules": [{"policy_id": "x", "contract": "*", "function": "*"}], "reason": "all"}),
        )  # fmt: skip
        for answer in answers:
            is_trial = answer.request.url.path.endswith(":simulate") and answer.status_code == 200
            assert is_trial or answer.status_code in (404, 422), answer.text
            assert is_trial or answer.headers["content-type"] == "application/problem+json"
    assert await world.counts() == before


@pytest.mark.parametrize("chunked", [False, True], ids=["with a length", "without a length"])
async def test_body_beyond_the_limit_is_refused_by_both(world: World, chunked: bool) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b" " * 65_536

    before = await world.counts()
    for client, path in ((world.chain, "/v1/transactions"), (world.agent, "/v1/chain/transactions:simulate")):
        headers = {"Idempotency-Key": "huge", "Content-Type": "application/json"}
        answer = await client.post(path, content=pieces() if chunked else b" " * 1_100_000, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (413, "request.too_large"), answer.text
    assert await world.counts() == before


async def test_flood_of_good_requests_stops_at_the_limit_of_the_key(world: World) -> None:
    """No more than the limit are taken, the others are told when to come back and leave nothing; all that were taken end once."""
    await quiet(world)
    await world.still()
    before = (await world.counts())["operations"]
    answers = await asyncio.gather(*(world.send(world.mint(), f"flood-{n}") for n in range(3 * LIMIT)))
    taken = [answer for answer in answers if answer.status_code == 202]
    refused = [answer for answer in answers if answer.status_code != 202]
    assert len(taken) == LIMIT
    for answer in refused:
        assert (answer.status_code, answer.json()["code"]) == (429, "transaction.too_many")
        assert int(answer.headers["Retry-After"]) > 0
    assert (await world.counts())["operations"] == before + LIMIT
    await ask(world.pair.anvil.url, "evm_setIntervalMining", 1)
    await quiet(world)
    assert (await world.send(world.mint(), "flood-after")).status_code == 202
    sent = await world.pair.fetch(
        "SELECT nonce FROM chain.tx_attempts WHERE attempt = 1 AND from_address = (SELECT address FROM chain.signers WHERE key_ref = 'platform')"
    )
    assert sorted(row["nonce"] for row in sent) == list(range(len(sent)))


async def quiet(world: World) -> None:
    """Nothing is under way."""
    await world.pair.until("SELECT count(*) FROM chain.operations WHERE state NOT IN ('final', 'failed')", wanted=0)
    await world.pair.until("SELECT count(*) FROM api.outbox WHERE sent_at IS NULL", wanted=0)
