"""Every kind of operation on a real node: what the walkthrough of the standard shows, done through our own service."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest

from tests.chain.harness import Stack, chain_stack
from tests.chain.journal_stand_in import Row
from tests.support.servers import ServiceKeys, ValkeyServer
from tokenx_common.bus import Bus
from tokenx_common.clock import monotonic_s
from tokenx_common.events import Announcement

pytestmark = pytest.mark.stack

INVESTORS = [f"inv_{n:02d}" for n in range(12)]


@dataclass
class World:
    """A deployed platform with one token (Iran blocked) and twelve registered investors, the last one in Iran."""

    stack: Stack
    coin: str
    token: str
    wallets: dict[str, str]
    seconds: dict[str, float]


@pytest.fixture(scope="module")
def stack(service_keys: ServiceKeys, valkey: ValkeyServer) -> Iterator[Stack]:
    with chain_stack(service_keys, valkey) as running:
        yield running


_worlds: dict[int, World] = {}


@pytest.fixture
async def world(stack: Stack) -> World:
    if id(stack) not in _worlds:
        _worlds[id(stack)] = await _build(stack)
    return _worlds[id(stack)]


async def _build(stack: Stack) -> World:
    seconds: dict[str, float] = {}
    started = monotonic_s()
    platform = await stack.run("platform.deploy")
    seconds["platform.deploy"] = monotonic_s() - started
    started = monotonic_s()
    offering = await stack.run("offering.deploy", offering_id="off_a", name="Acme A", symbol="ACMEA", blocked_countries=["IR"])  # fmt: skip
    seconds["offering.deploy"] = monotonic_s() - started
    started = monotonic_s()
    results = await asyncio.gather(
        *(stack.run("investor.register", investor_id=name, key_ref=f"investor:{name}", country="IR" if name == INVESTORS[-1] else "US") for name in INVESTORS)
    )  # fmt: skip
    seconds["investor.register x12"] = monotonic_s() - started
    print({name: round(value, 2) for name, value in seconds.items()})
    wallets = {name: result["address"] for name, result in zip(INVESTORS, results, strict=True)}
    return World(stack, platform["contracts"]["StableCoin"], offering["token"], wallets, seconds)


def key(name: str) -> str:
    return f"investor:{name}"


async def test_platform_deploy_when_repeated_answers_the_same_contracts(world: World) -> None:
    sent = len(world.stack.state.transactions)
    again = await world.stack.run("platform.deploy")
    assert again["contracts"]["StableCoin"] == world.coin
    assert {"TREXFactory", "IdFactory", "TREXImplementationAuthority", "ClaimIssuer", "IdentityRegistry", "IdentityRegistryStorage",
            "Settlement"} <= set(again["contracts"])  # fmt: skip
    assert len(world.stack.state.transactions) == sent


async def test_platform_deploy_fills_the_treasury_where_the_register_sees_it(world: World) -> None:
    treasury = await world.stack.address("treasury")
    moved = [event["payload"] for event in world.stack.state.events if event["type"] == "transfer.final"]
    assert [one["amount"] for one in moved if one["to"] == treasury and one["token"] == world.coin] == [
        "10000000000000"
    ]


async def test_offering_deploy_when_repeated_finds_the_first_token(world: World) -> None:
    again = await world.stack.run("offering.deploy", offering_id="off_a", name="Acme A", symbol="ACMEA")
    assert again["token"] == world.token
    assert world.stack.state.contracts["token:off_a"]["address"] == world.token


async def test_wallet_addresses_are_deterministic_and_distinct(world: World) -> None:
    assert len(set(world.wallets.values())) == len(INVESTORS)
    assert await world.stack.address(key(INVESTORS[0])) == world.wallets[INVESTORS[0]]


async def test_mint_transfer_burn_move_final_balances_and_events(world: World) -> None:
    stack, (a, b) = world.stack, INVESTORS[:2]
    await stack.run("token.mint", token=world.token, to=world.wallets[a], units="800")
    await stack.run("token.transfer", token=world.token, from_key_ref=key(a), to=world.wallets[b], units="300")
    await stack.run("token.burn", token=world.token, **{"from": world.wallets[b]}, units="100")
    assert await stack.balance(world.token, world.wallets[a]) == 500
    assert await stack.balance(world.token, world.wallets[b]) == 200
    finals = [e["payload"] for e in stack.state.of_type("transfer.final") if e["payload"]["token"] == world.token]
    assert [p["amount"] for p in finals][:3] == ["800", "300", "100"]
    assert finals[0]["token_name"] == "token:off_a"


async def test_transfer_to_an_unverified_wallet_is_refused_with_the_reason(world: World) -> None:
    stack, a = world.stack, INVESTORS[2]
    await stack.run("token.mint", token=world.token, to=world.wallets[a], units="10")
    stranger = await stack.address("investor:stranger")
    params = {"token": world.token, "from_key_ref": key(a), "to": stranger, "units": "1"}
    assert await stack.refused("token.transfer", **params) == "identity.not_verified"
    preview = await stack.client.post("/v1/simulate", {"chain_id": 31337, "kind": "token.transfer", "params": params})
    assert (preview["ok"], preview["reason_code"]) == (False, "identity.not_verified")


async def test_transfer_into_a_blocked_country_names_the_rule(world: World) -> None:
    stack, a = world.stack, INVESTORS[3]
    await stack.run("token.mint", token=world.token, to=world.wallets[a], units="10")
    to = world.wallets[INVESTORS[-1]]
    code = await stack.refused("token.transfer", token=world.token, from_key_ref=key(a), to=to, units="1")
    assert code == "compliance.country_blocked"
    assert await stack.refused("token.mint", token=world.token, to=to, units="1") == "compliance.country_blocked"


async def test_frozen_wallet_can_neither_send_nor_receive_until_unfrozen(world: World) -> None:
    stack, (a, b) = world.stack, INVESTORS[4:6]
    await stack.run("token.mint", token=world.token, to=world.wallets[a], units="10")
    await stack.run("token.freeze", token=world.token, address=world.wallets[a], frozen=True)
    transfer: Row = {"token": world.token, "from_key_ref": key(a), "to": world.wallets[b], "units": "1"}
    assert await stack.refused("token.transfer", **transfer) == "wallet.frozen"
    await stack.run("token.freeze", token=world.token, address=world.wallets[a], frozen=False)
    await stack.run("token.transfer", **transfer)


async def test_subscription_moves_cash_then_units_and_none_when_the_mint_is_refused(world: World) -> None:
    stack, a = world.stack, INVESTORS[6]
    issuer = await stack.address("issuer:iss_a")
    await stack.run("cash.mint", to=world.wallets[a], amount="5000000")
    subscribe: Row = {
        "token": world.token,
        "to_key_ref": key(a),
        "units": "5",
        "cash_from_key_ref": key(a),
        "cash_to_key_ref": "issuer:iss_a",
    }
    await stack.run("subscription.issue", subscription_id="sub_1", cash_amount="3000000", **subscribe)
    assert await stack.balance(world.coin, issuer) == 3_000_000
    assert await stack.balance(world.token, world.wallets[a]) == 5
    blocked = {**subscribe, "to_key_ref": key(INVESTORS[-1])}
    assert await stack.refused("subscription.issue", subscription_id="sub_2", cash_amount="1000000", **blocked) == "compliance.country_blocked"  # fmt: skip
    assert await stack.balance(world.coin, issuer) == 3_000_000


async def test_settlement_batch_with_one_bad_fill_settles_the_others(world: World) -> None:
    stack, (seller, buyer, poor) = world.stack, INVESTORS[7:10]
    await asyncio.gather(
        stack.run("token.mint", token=world.token, to=world.wallets[seller], units="100"),
        stack.run("cash.mint", to=world.wallets[buyer], amount="9000000"),
    )
    fill: Row = {"token": world.token, "seller_key_ref": key(seller), "buyer_key_ref": key(buyer), "units": "10", "cash_amount": "1000000"}  # fmt: skip
    fills = [{**fill, "settlement_id": "set_1"}, {**fill, "settlement_id": "set_2", "buyer_key_ref": key(poor)}, {**fill, "settlement_id": "set_3"}]  # fmt: skip
    result = await stack.run("settlement.batch", fills=fills)
    assert result["settled"] == ["set_1", "set_3"]
    assert result["failed"] == [{"settlement_id": "set_2", "reason": "cash.insufficient"}]
    assert await stack.balance(world.token, world.wallets[buyer]) == 20
    assert await stack.balance(world.coin, world.wallets[seller]) == 2_000_000
    assert await stack.balance(world.token, world.wallets[poor]) == 0
    events = [e["payload"] for e in stack.state.of_type("settlement.final", "settlement.failed")]
    assert [(e["settlement_id"], e.get("reason")) for e in events] == [("set_1", None), ("set_2", "cash.insufficient"), ("set_3", None)]  # fmt: skip
    again = await stack.run("settlement.batch", fills=[fills[0]])
    assert again["settled"] == ["set_1"]
    assert await stack.balance(world.token, world.wallets[buyer]) == 20


async def test_redemption_is_paid_from_the_treasury(world: World) -> None:
    stack, a = world.stack, INVESTORS[10]
    await stack.run("redemption.payout", redemption_id="red_1", to_key_ref=key(a), amount="700000")
    assert await stack.balance(world.coin, world.wallets[a]) == 700_000


async def test_unregister_is_refused_while_tokens_are_held_and_then_ends_verification(world: World) -> None:
    stack, a = world.stack, INVESTORS[10]
    await stack.run("token.mint", token=world.token, to=world.wallets[a], units="1")
    leaving: Row = {"investor_id": a, "key_ref": key(a)}
    assert await stack.refused("investor.unregister", **leaving) == "identity.holds_tokens"
    await stack.run("token.burn", token=world.token, **{"from": world.wallets[a]}, units="1")
    await stack.run("investor.unregister", **leaving)
    assert (
        await stack.refused("token.mint", token=world.token, to=world.wallets[a], units="1") == "identity.not_verified"
    )


async def test_malformed_and_unknown_operations_fail_with_a_stable_code(world: World) -> None:
    assert await world.stack.refused("cash.mint", to="nowhere", amount="1") == "chain.bad_params"
    assert await world.stack.refused("cash.print", amount="1") == "chain.unknown_kind"


async def test_events_are_dense_unique_and_operation_final_comes_after_its_transfers(world: World) -> None:
    state = world.stack.state
    assert [event["seq"] for event in state.events] == list(range(1, len(state.events) + 1))
    assert len({event["event_id"] for event in state.events}) == len(state.events)
    last: dict[str, int] = {}
    for event in state.of_type("transfer.final"):
        operation = next(
            (r["operation_id"] for r in state.transactions.values() if r["tx_hash"] == event["tx_hash"]), ""
        )
        last[operation] = event["seq"]
    for event in state.of_type("operation.final"):
        assert event["seq"] > last.get(event["payload"]["operation_id"], 0)


async def test_replay_answers_from_memory_and_410_never_while_it_holds_all(world: World) -> None:
    head = len(world.stack.state.events)
    page = await world.stack.client.get("/internal/streams/chain:31337", params={"after": 3, "limit": 5})
    assert [item["seq"] for item in page["items"]] == [4, 5, 6, 7, 8]
    assert page["items"][0]["event_id"] == world.stack.state.events[3]["event_id"]
    assert page["head"] >= head


async def test_events_are_announced_and_the_head_is_beaten(world: World, valkey: ValkeyServer) -> None:
    bus, heard = Bus(valkey.url("kyt")), asyncio.Queue[tuple[str, str]]()

    async def listen() -> None:
        async for message in bus.subscribe(["chain:*", "hb:chain:*"]):
            if message is not None:
                heard.put_nowait(message)

    listener = asyncio.create_task(listen())
    await asyncio.wait_for(heard.get(), 10)  # the heartbeat: the subscription stands
    head = len(world.stack.state.events)
    await world.stack.run("cash.mint", to=world.wallets[INVESTORS[0]], amount="1")
    items: list[int] = []
    while len(items) < len(world.stack.state.events) - head:
        channel, text = await asyncio.wait_for(heard.get(), 10)
        if channel == "chain:31337":
            announcement = Announcement.model_validate_json(text)
            assert announcement.prev_seq == head + len(items)
            items += [item["seq"] for item in announcement.items]
    assert items == list(range(head + 1, len(world.stack.state.events) + 1))
    listener.cancel()
    await bus.close()


async def test_routes_are_closed_without_a_service_token(world: World) -> None:
    async with httpx.AsyncClient(base_url=world.stack.url) as stranger:
        answers = [
            await stranger.post("/v1/operations", json={}),
            await stranger.post("/v1/wallets", json={"key_ref": "platform"}),
            await stranger.get("/v1/chains/31337/status"),
            await stranger.get("/internal/streams/chain:31337", params={"after": 0}),
        ]
    assert [answer.status_code for answer in answers] == [401, 401, 401, 401]


async def test_gas_per_operation_stays_within_its_budget(world: World) -> None:
    """The numbers are the product's cost on a real chain; a jump must be seen."""
    state = world.stack.state
    used: dict[str, list[int]] = {}
    for row in state.transactions.values():
        operation = state.operations[row["operation_id"]]
        used.setdefault(f"{operation['kind']}:{row['step'].split(':')[0]}", []).append(int(row.get("gas_used") or 0))
    for name, values in sorted(used.items()):
        print(f"{name}: {max(values):,} gas (max of {len(values)})")
    for kind in ("platform.deploy", "offering.deploy", "investor.register"):
        operation_ids = [key for key, row in state.operations.items() if row["kind"] == kind]
        totals = [
            sum(int(r.get("gas_used") or 0) for r in state.transactions.values() if r["operation_id"] == key)
            for key in operation_ids
        ]
        print(f"{kind}: {max(totals):,} gas in all")
    register = sum(max(used[f"investor.register:{step}"]) for step in ("gas", "identity", "claim", "register"))
    assert register < 1_100_000
    assert max(used["settlement.batch:settle"]) < 900_000
