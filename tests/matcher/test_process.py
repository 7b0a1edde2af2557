"""The matcher as a process under faults: killed, superseded, cut off from Redis, and fed lost or forged announcements."""

import asyncio
import random
import signal
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path

import httpx
import pytest

from tests.common.standin import until
from tests.matcher.commandlog import CommandLog, add_random, random_log
from tests.matcher.standin import MatcherApi, matcher_process
from tests.support.servers import ServiceKeys, ValkeyServer, valkey_server
from tokenx_common.errors import EXIT_STALE_EPOCH
from tokenx_common.http import ServiceClient
from tokenx_matcher.engine import OfferingEngine, replay
from tokenx_matcher.recovery import EXIT_DIVERGED

pytestmark = pytest.mark.stack


@pytest.fixture
def server() -> Iterator[ValkeyServer]:
    """A Valkey of its own: these tests stop it and listen to every stream."""
    with valkey_server() as running:
        yield running


@pytest.fixture
async def api(service_keys: ServiceKeys, server: ValkeyServer) -> AsyncGenerator[MatcherApi]:
    async with MatcherApi(service_keys, server.url("api")).running() as running:
        yield running


async def caught_up(api: MatcherApi) -> None:
    """Every command has its executions in the stand-in's rows, and they are what a fresh replay gives."""
    expected = {offering_id: list(replay(log.items)) for offering_id, log in api.logs.items()}
    await until(
        lambda: all(len(api.executions[name]) >= len(items) for name, items in expected.items()),
        "all executions ingested",
    )
    assert api.executions == expected


async def feed(api: MatcherApi, seed: int, *, seconds: float, lost: float = 0.0) -> None:
    """Random commands on every offering for a while; some announcements never leave."""
    rng = random.Random(seed)
    entered: dict[str, list[tuple[int, int]]] = {name: [] for name in api.logs}
    deadline = asyncio.get_running_loop().time() + seconds
    while asyncio.get_running_loop().time() < deadline:
        for name, log in api.logs.items():
            before = log.head
            for _ in range(rng.randint(1, 6)):
                add_random(rng, log, entered[name])
            if rng.random() >= lost:
                await api.announce(name, log.items[before:])
        await asyncio.sleep(rng.random() * 0.01)


async def test_killed_under_load_nothing_is_lost_doubled_or_changed(
    api: MatcherApi, service_keys: ServiceKeys, server: ValkeyServer, tmp_path: Path
) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    rng = random.Random(seed)
    api.add("off_a")
    api.add("off_b")
    async with matcher_process(api, service_keys, server, tmp_path) as matcher:
        load = asyncio.create_task(feed(api, seed, seconds=7, lost=0.2))
        while not load.done():
            await asyncio.sleep(0.3 + rng.random())
            await asyncio.to_thread(matcher.kill)
            await asyncio.to_thread(matcher.restart)
        await load
        await caught_up(api)
        await same_state(api)
    assert list((tmp_path / "snapshots").glob("off_a-*.snap"))


async def same_state(api: MatcherApi) -> None:
    """The live books equal a replay's."""
    client = ServiceClient("matcher", api.matcher_url, api.signer)
    for name, log in api.logs.items():
        engine = OfferingEngine(name)
        engine.apply(log.items)
        state = await client.get(f"/internal/offerings/{name}/state")
        assert (state["cmd_seq"], state["exec_hash"]) == (log.head, engine.exec_hash.hex())
        assert state["book_hash"] == engine.state_hash()
        assert state["market_state"] == engine.market_state
    await client.close()


async def test_lost_announcements_are_pulled_and_new_offerings_are_found(
    api: MatcherApi, service_keys: ServiceKeys, server: ValkeyServer, tmp_path: Path
) -> None:
    async with matcher_process(api, service_keys, server, tmp_path):
        log = api.add("off_new")
        for order in range(30):
            log.order("buy", 100 + order % 3, 5, owner=order + 1)
            if order % 5 == 2:
                await api.announce("off_new", log.items[-2:])
        await caught_up(api)  # nothing told of the last commands but the heartbeat
        silent = api.add("off_silent")
        silent.order("buy", 100, 5)
        await caught_up(api)


async def test_forged_announcement_is_replaced_by_what_is_stored(
    api: MatcherApi, service_keys: ServiceKeys, server: ValkeyServer, tmp_path: Path
) -> None:
    log = api.add("off_a")
    log.order("buy", 100, 5)
    async with matcher_process(api, service_keys, server, tmp_path):
        await caught_up(api)
        forged = CommandLog()
        forged.items = list(log.items)
        forged.order("sell", 100, 5, owner=9)
        await api.announce("off_a", forged.items[1:])
        await asyncio.sleep(0.2)
        log.order("sell", 100, 2, owner=2)
        log.order("sell", 100, 1, owner=2)
        await api.announce("off_a", log.items[1:])
        await caught_up(api)
        await same_state(api)


async def test_redis_restart_costs_latency_only(
    api: MatcherApi, service_keys: ServiceKeys, server: ValkeyServer, tmp_path: Path
) -> None:
    log = api.add("off_a")
    async with matcher_process(api, service_keys, server, tmp_path):
        load = asyncio.create_task(feed(api, 11, seconds=3))
        for _ in range(2):
            await asyncio.sleep(0.6)
            await asyncio.to_thread(server.running.kill)
            await asyncio.sleep(0.3)
            await asyncio.to_thread(server.running.restart)
        await load
        assert log.head > 100
        await caught_up(api)


async def test_superseded_matcher_exits_70(
    api: MatcherApi, service_keys: ServiceKeys, server: ValkeyServer, tmp_path: Path
) -> None:
    api.add("off_a").order("buy", 100, 5)
    async with matcher_process(api, service_keys, server, tmp_path) as matcher:
        matcher.signal(signal.SIGSTOP)
        api.leases.steal("matcher")
        matcher.signal(signal.SIGCONT)
        assert await asyncio.to_thread(matcher.process.wait, 10) == EXIT_STALE_EPOCH


async def test_matcher_refuses_to_start_on_a_log_it_cannot_reproduce(
    api: MatcherApi, service_keys: ServiceKeys, server: ValkeyServer, tmp_path: Path
) -> None:
    log = api.add("off_a")
    log.items = random_log(3, 50).items
    api.executions["off_a"] = list(replay(log.items))[:20]
    api.executions["off_a"][-1] = api.executions["off_a"][-1] | {"hash": "11" * 32}
    with pytest.raises(Exception, match=f"(?s)status {EXIT_DIVERGED}.*differ at or before 20"):
        async with matcher_process(api, service_keys, server, tmp_path):
            pass


async def test_graceful_stop_leaves_a_snapshot_and_gives_the_lease_back(
    api: MatcherApi, service_keys: ServiceKeys, server: ValkeyServer, tmp_path: Path
) -> None:
    log = api.add("off_a")
    log.items = random_log(3, 200).items
    async with matcher_process(api, service_keys, server, tmp_path) as matcher:
        await caught_up(api)
        await asyncio.to_thread(matcher.stop)
        assert (
            matcher.process.returncode == -signal.SIGTERM
        )  # uvicorn stops gracefully, then lets the signal end the process
        assert api.leases.take("matcher", "next", 3) == 2
        api.leases.release("matcher", "next")
        await asyncio.to_thread(matcher.restart)
        assert f'"snapshot_cmd_seq": {log.head}' in matcher.log.read_text()
        await same_state(api)


async def test_routes_answer_services_only(
    api: MatcherApi, service_keys: ServiceKeys, server: ValkeyServer, tmp_path: Path
) -> None:
    log = api.add("off_a")
    log.order("buy", 99, 5)
    log.order("buy", 99, 2)
    log.order("sell", 101, 3, owner=2)
    async with matcher_process(api, service_keys, server, tmp_path):
        await caught_up(api)
        client = ServiceClient("matcher", api.matcher_url, api.signer)
        book = await client.get("/v1/books/off_a", params={"depth": 5})
        assert book == {
            "offering_id": "off_a",
            "exec_seq": 3,
            "bids": [{"price_ticks": 99, "quantity_lots": 7, "orders": 2}],
            "asks": [{"price_ticks": 101, "quantity_lots": 3, "orders": 1}],
        }
        page = await client.get("/internal/streams/ev:off_a", params={"after": 1, "limit": 1})
        assert page == {"stream": "ev:off_a", "epoch": 1, "head": 3, "items": list(replay(log.items))[1:2]}
        await client.close()
        async with httpx.AsyncClient(base_url=api.matcher_url) as stranger:
            assert (await stranger.get("/v1/books/off_a")).status_code == 401
            assert (await stranger.get("/health/ready")).json()["status"] == "ok"
            assert "tokenx_matcher_match_seconds" in (await stranger.get("/metrics")).text
