"""The event stream: bells of one's own topics, over a real socket and a real Redis."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

from tests.api.harness import Api, Client
from tests.support.servers import ValkeyServer
from tokenx_common.bus import Bus


@asynccontextmanager
async def listening(client: Client, topics: str) -> AsyncGenerator[AsyncIterator[str]]:
    """The lines of a stream that is known to listen."""
    headers = client.headers
    async with client.http.stream("GET", f"/v1/stream?topics={topics}", headers=headers, timeout=20) as answer:
        assert answer.status_code == 200, await answer.aread()
        assert answer.headers["cache-control"] == "no-cache, no-transform"
        assert answer.headers["content-type"].startswith("text/event-stream")
        lines = answer.aiter_lines()
        async for line in lines:
            if line == ": listening":
                break
        yield lines


async def next_bell(lines: AsyncIterator[str]) -> tuple[str, Any]:
    """(event, data) of the next bell."""
    name = ""
    async with asyncio.timeout(10):
        async for line in lines:
            if line.startswith("event: "):
                name = line.removeprefix("event: ")
            elif line.startswith("data: "):
                return name, json.loads(line.removeprefix("data: "))
    raise AssertionError("the stream ended")


async def test_staff_hear_what_changed(api: Api) -> None:
    async with listening(await api.user("ats_operator"), "orders,book:off_1") as lines:
        api.context.announcer.ring("book:off_2")
        bell: tuple[str, Any] = ("", None)
        for _ in range(5):
            api.context.announcer.ring("orders", ["ord_1", "ord_2"])
            bell = await next_bell(lines)
            if bell[1]["ids"]:  # without ids: the hub subscribed only now and says "look at everything"
                break
        assert bell == ("orders", {"topic": "orders", "ids": ["ord_1", "ord_2"]})


async def test_investors_hear_that_something_changed_not_what(api: Api) -> None:
    async with listening(await api.user("investor"), "orders") as lines:
        api.context.announcer.ring("orders", ["ord_of_somebody_else"])
        assert await next_bell(lines) == ("orders", {"topic": "orders", "ids": []})


async def test_bell_of_another_replica_rings_here_too(api: Api, valkey: ValkeyServer) -> None:
    other = Bus(valkey.url("api"))
    async with listening(await api.user("investor"), "trades:off_1") as lines:
        await other.publish("ui", "not json")
        await other.publish("ui", json.dumps({"topic": "trades:off_1", "ids": []}))
        assert (await next_bell(lines))[0] == "trades:off_1"
    await other.close()


async def test_alerts_are_for_staff(api: Api) -> None:
    refused = await (await api.user("investor")).get("/v1/stream?topics=alerts,orders", expect=403)
    assert refused["code"] == "auth.permission_denied"
    async with listening(await api.user("compliance_officer"), "alerts") as lines:
        api.context.announcer.ring("alerts")
        assert (await next_bell(lines))[0] == "alerts"


async def test_unknown_topics_are_named(api: Api) -> None:
    refused = await (await api.user("investor")).get("/v1/stream?topics=orders,gossip", expect=422)
    assert "gossip" in refused["detail"]


async def test_strangers_hear_nothing(api: Api) -> None:
    async with httpx.AsyncClient(base_url=api.url) as client:
        assert (await client.get("/v1/stream?topics=orders")).status_code == 401
