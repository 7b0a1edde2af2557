"""kyt as a process: nothing lost and nothing doubled, whatever is announced twice, lost, or killed in between."""

import asyncio
import random
import signal
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.common.standin import until
from tests.kyt.builders import LISTED, trade_item, transfer, wallet
from tests.kyt.standin import KytApi, kyt_process
from tests.support.servers import ServiceKeys, ValkeyServer, valkey_server
from tokenx_common import stream
from tokenx_common.errors import EXIT_STALE_EPOCH, TokenxError
from tokenx_common.events import AlertItem, Announcement
from tokenx_common.http import ServiceClient
from tokenx_common.stream import Item

pytestmark = pytest.mark.stack

CHAIN = "chain:31337"


@pytest.fixture
def server() -> Iterator[ValkeyServer]:
    """A Valkey of its own: these tests listen to every stream."""
    with valkey_server() as running:
        yield running


@pytest.fixture
async def api(service_keys: ServiceKeys, server: ValkeyServer) -> AsyncGenerator[KytApi]:
    async with KytApi(service_keys, server.url("api")).running() as running:
        yield running


def to_listed(seq: int) -> Item:
    return transfer(seq, wallet(seq), LISTED, 5, minutes=seq)


def exactly_once(api: KytApi, transfers: int) -> None:
    assert [row["seq"] for row in api.scores] == list(range(1, transfers + 1))
    assert len({row["score_id"] for row in api.scores}) == transfers
    for rows in api.alerts.values():
        assert [row["seq"] for row in rows] == list(range(1, len(rows) + 1))
        assert len({row["alert_id"] for row in rows}) == len(rows)


async def test_transfers_are_scored_once_though_announced_twice_late_or_never(
    api: KytApi, service_keys: ServiceKeys, server: ValkeyServer, tmp_path: Path
) -> None:
    async with kyt_process(api, service_keys, server.url("kyt"), tmp_path):
        for seq in range(1, 20):
            items = api.put(CHAIN, to_listed(seq) if seq % 3 == 0 else transfer(seq, wallet(seq), wallet(seq + 1), 5))
            for _ in range(seq % 3):
                await stream.announce(api.bus, stream=CHAIN, epoch=1, items=items)
        await stream.announce(api.bus, stream=CHAIN, epoch=1, items=api.streams[CHAIN][4:6])
        await until(lambda: api.cursors.get(CHAIN) == 19, "all transfers scored")
        await asyncio.sleep(0.3)
        exactly_once(api, 19)
        assert [row["facts"]["event_id"] for row in api.alerts["alerts:kyt"]] == [
            to_listed(seq)["event_id"] for seq in range(3, 20, 3)
        ]


async def test_killed_between_scoring_and_commit_nothing_is_lost_or_doubled(
    api: KytApi, service_keys: ServiceKeys, server: ValkeyServer, tmp_path: Path
) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    rng = random.Random(seed)
    api.links = [{"a": 1, "b": 2, "confidence_pct": 95, "basis": "same device"}]
    async with kyt_process(api, service_keys, server.url("kyt"), tmp_path) as kyt:
        seq = 0
        for _ in range(3):
            api.lose_answers = rng.randint(0, 2)
            api.chain.forgetful = api.matcher.forgetful = rng.random() < 0.5
            for _ in range(rng.randint(20, 60)):
                seq += 1
                await api.announce(CHAIN, to_listed(seq))
                await api.announce("ev:off_a", trade_item(seq, 1 + seq % 7, 2 + seq % 7))
                await asyncio.sleep(rng.random() * 0.005)
            await asyncio.to_thread(kyt.kill)
            await asyncio.to_thread(kyt.restart)
        await until(lambda: api.cursors.get(CHAIN) == seq and api.cursors.get("ev:off_a") == seq, "both streams read")
        exactly_once(api, seq)
        assert len(api.alerts["alerts:kyt"]) == seq
        detectors = [row["detector"] for row in api.alerts["alerts:surveillance"]]
        assert detectors.count("S01_self_trade") == 1


async def test_surveillance_alerts_are_committed_and_announced(
    api: KytApi, service_keys: ServiceKeys, server: ValkeyServer, tmp_path: Path
) -> None:
    heard: list[Announcement] = []

    async def listen() -> None:
        async for message in api.bus.subscribe(["alerts:*"]):
            if message:
                heard.append(Announcement.model_validate_json(message[1]))

    listening = asyncio.create_task(listen())
    async with kyt_process(api, service_keys, server.url("kyt"), tmp_path):
        ring = [(1, 2), (2, 3), (3, 1)] * 3
        await api.announce("ev:off_a", *(trade_item(seq, *pair) for seq, pair in enumerate(ring, 1)))
        await until(lambda: bool(api.alerts["alerts:surveillance"]), "the ring is found")
        await until(lambda: bool(heard), "the alert is announced")
        (row,) = api.alerts["alerts:surveillance"]
        assert (row["detector"], row["from_seq"], row["to_seq"]) == ("S03_wash_ring", 1, 3)
        assert row["fill_ids"] == ["off_a:1", "off_a:2", "off_a:3"]
        item = AlertItem.model_validate(heard[0].items[0])
        assert (heard[0].stream, item.alert_id) == ("alerts:surveillance", row["alert_id"])
        client = ServiceClient("kyt", api.kyt_url, api.signer)
        page = await client.get("/internal/streams/alerts:surveillance", params={"after": 0})
        assert page["items"] == heard[0].items
        await client.close()
    listening.cancel()


async def test_superseded_kyt_exits_70(
    api: KytApi, service_keys: ServiceKeys, server: ValkeyServer, tmp_path: Path
) -> None:
    async with kyt_process(api, service_keys, server.url("kyt"), tmp_path) as kyt:
        kyt.signal(signal.SIGSTOP)
        api.leases.steal("kyt")
        kyt.signal(signal.SIGCONT)
        await api.announce(CHAIN, to_listed(1))
        assert await asyncio.to_thread(kyt.process.wait, 10) == EXIT_STALE_EPOCH
        assert api.scores == []


async def test_gate_answers_services_only(
    api: KytApi, service_keys: ServiceKeys, server: ValkeyServer, tmp_path: Path
) -> None:
    async with kyt_process(api, service_keys, server.url("kyt"), tmp_path):
        client = ServiceClient("kyt", api.kyt_url, api.signer)

        async def screened(address: str) -> dict[str, Any]:
            body = {"chain_id": 31337, "address": address, "role": "investor_wallet"}
            return dict(await client.post("/v1/screen", body))

        listed = await screened(LISTED.lower())
        assert (listed["level"], listed["score"], listed["list_as_of"]) == ("severe", 100, "2026-11-22")
        assert (await screened(wallet(1)))["level"] == "no_hit"
        assert (await screened("0x" + "66" * 20))["factors"][0]["category"] == "mixer"
        with pytest.raises(TokenxError) as refused:
            await screened("0x123")
        assert refused.value.code == "validation_failed"
        await client.close()
        async with httpx.AsyncClient(base_url=api.kyt_url) as stranger:
            assert (await stranger.post("/v1/screen", json={})).status_code == 401
            ready = (await stranger.get("/health/ready")).json()
            assert {"streams", "risk", "redis"} == set(ready["dependencies"])
