"""The pool of endpoints against stubs that answer as told: rate limits, ranges, being left alone, who gets signed bytes."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from aiohttp import web

from tests.chain.test_units import settings
from tokenx_chain.networks import rpc as module
from tokenx_chain.networks.rpc import Endpoint, Rpc, RpcError, RpcUnavailable, TokenBucket
from tokenx_cli.runtime import ports
from tokenx_common.clock import utc_now

Entry = dict[str, Any]
FIRST, SECOND = 0x1, 0x2


@dataclass
class Stub:
    """An endpoint. error: what it answers to everything; limit: the answer 429 with this Retry-After. asked: methods in order."""

    name: int
    url: str = ""
    error: tuple[int, str] | None = None
    limit: str | None = None
    asked: list[str] = field(default_factory=list[str])

    async def serve(self, request: web.Request) -> web.Response:
        batch: list[Entry] = await request.json()
        self.asked += [entry["method"] for entry in batch]
        if self.limit is not None:
            return web.Response(status=429, headers={"Retry-After": self.limit})
        return web.json_response([{"jsonrpc": "2.0", "id": entry["id"], **self._answer()} for entry in batch])

    def _answer(self) -> Entry:
        if self.error is None:
            return {"result": hex(self.name)}
        return {"error": {"code": self.error[0], "message": self.error[1]}}


@asynccontextmanager
async def stubs(*names: int) -> AsyncGenerator[list[Stub]]:
    found, runners = [Stub(name) for name in names], list[web.AppRunner]()
    for stub in found:
        app = web.Application()
        app.router.add_post("/", stub.serve)
        runners.append(web.AppRunner(app, access_log=None, shutdown_timeout=0.1))
        await runners[-1].setup()
        port = ports.free_port()
        stub.url = f"http://127.0.0.1:{port}"
        await web.TCPSite(runners[-1], "127.0.0.1", port).start()
    try:
        yield found
    finally:
        for runner in runners:
            await runner.cleanup()


@asynccontextmanager
async def pool(found: list[Stub], **limits: Any) -> AsyncGenerator[Rpc]:
    rpc = Rpc([stub.url for stub in found], **limits)
    try:
        yield rpc
    finally:
        await rpc.close()


class Time:
    """A clock that stands still until it is moved, or slept on."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def moved(monkeypatch: pytest.MonkeyPatch) -> Time:
    time = Time()
    monkeypatch.setattr(module, "monotonic_s", time)
    return time


@pytest.mark.parametrize(
    ("message", "is_range"),
    [
        ("query returned more than 10000 results", True),
        ("eth_getLogs is limited to a 10,000 range", True),
        ("daily request count exceeded, request rate limited", False),
        ("your plan is limited to 25 requests per second", False),
        ("limit exceeded", False),
    ],
)
async def test_code_of_a_rate_limit_when_the_text_speaks_of_the_range_is_an_answer(message: str, is_range: bool) -> None:  # fmt: skip
    async with stubs(FIRST, SECOND) as found, pool(found) as rpc:
        found[0].error = (-32005, message)
        if is_range:
            with pytest.raises(RpcError, match=r"range|results"):
                await rpc.call("eth_getLogs")
            assert (rpc.endpoints[0].health.score, found[1].asked) == (1.0, [])
        else:
            assert await rpc.call("eth_getLogs") == hex(SECOND)
            assert rpc.endpoints[0].health.score < 1.0


@pytest.mark.parametrize("spelling", ["120", "date"])
async def test_endpoint_that_says_when_to_come_back_is_left_alone_until_then(moved: Time, spelling: str) -> None:
    async with stubs(FIRST) as found, pool(found) as rpc:
        found[0].limit = spelling if spelling == "120" else format_datetime(utc_now() + timedelta(seconds=121), usegmt=True)  # fmt: skip
        with pytest.raises(RpcUnavailable, match="too often"):
            await rpc.call("eth_chainId")
        found[0].limit = None
        for later_s in (0.0, 60.0, 50.0):  # 110 in all
            moved.now_s += later_s
            with pytest.raises(RpcUnavailable, match="left alone"):
                await rpc.call("eth_chainId")
        assert len(found[0].asked) == 1
        moved.now_s += 12
        assert await rpc.call("eth_chainId") == hex(FIRST)


@pytest.mark.parametrize("unreadable", ["soon", "", "-5", "Sun, 22 Nov 2026 08:00:00"])
async def test_unreadable_time_to_come_back_bars_nobody(unreadable: str) -> None:
    async with stubs(FIRST) as found, pool(found) as rpc:
        found[0].limit = unreadable
        with pytest.raises(RpcUnavailable, match="too often"):
            await rpc.call("eth_chainId")
        found[0].limit = None
        assert await rpc.call("eth_chainId") == hex(FIRST)  # it only cools off, and there is no other


def test_bucket_lets_a_burst_pass_and_then_its_rate(moved: Time) -> None:
    bucket = TokenBucket(10, burst=5)
    assert [bucket.take(1) for _ in range(5)] == [0.0] * 5
    assert bucket.is_empty
    assert bucket.take(1) == pytest.approx(0.1)
    assert bucket.take(20) == pytest.approx(2.1)  # larger than the burst: it waits, but is not refused
    moved.now_s += 2.1 + 0.5
    assert not bucket.is_empty
    moved.now_s += 100
    assert [bucket.take(1) for _ in range(6)][-1] == pytest.approx(0.1)
    assert not TokenBucket(None, burst=1).is_empty


async def test_endpoint_whose_bucket_is_empty_leaves_the_question_to_another_and_alone_waits(
    moved: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[float] = []
    really: Callable[[float], Any] = asyncio.sleep

    async def sleep(delay_s: float) -> None:
        waited.append(delay_s)
        moved.now_s += delay_s
        await really(0)

    async with stubs(FIRST, SECOND) as found, pool(found, rate_per_s=2, burst=3) as rpc:
        for _ in range(6):
            await rpc.call("eth_chainId")
        assert [len(stub.asked) for stub in found] == [3, 3]
        monkeypatch.setattr(module.asyncio, "sleep", sleep)
        await rpc.call("eth_chainId")
        assert waited == [pytest.approx(0.5)]


async def test_signed_bytes_go_to_private_endpoints_only_and_nothing_else_does() -> None:
    async with stubs(FIRST, SECOND) as found, pool(found[:1], private_urls=[found[1].url]) as rpc:
        assert await rpc.broadcast(["0x02"]) == [()]
        await rpc.call("eth_chainId")
        await rpc.quorum([("eth_blockNumber", [])])
        assert [stub.asked for stub in found] == [["eth_chainId", "eth_blockNumber"], ["eth_sendRawTransaction"]]
        assert [row["private"] for row in rpc.report()] == [False, True]
        found[1].limit = "100"
        with pytest.raises(RpcUnavailable):  # they never leak to the public ones instead
            await rpc.broadcast(["0x02"])
        assert "eth_sendRawTransaction" not in found[0].asked


async def test_question_to_one_endpoint_is_not_answered_by_another() -> None:
    async with stubs(FIRST, SECOND) as found, pool(found) as rpc:
        second: Endpoint = rpc.endpoints[1]
        assert await rpc.call_at(second, "eth_getLogs") == hex(SECOND)
        found[1].limit = "1"
        with pytest.raises(RpcUnavailable):
            await rpc.call_at(second, "eth_getLogs")
        assert found[0].asked == []


def test_settings_say_how_a_chain_is_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAIN_31337_PRIVATE_RPC_URLS", "http://p, http://q")
    monkeypatch.setenv("CHAIN_31337_RPC_RATE_PER_S", "12.5")
    reach = settings().reach[31337]
    assert (reach.urls, reach.private_urls, reach.rate_per_s, reach.burst) == (("http://x",), ("http://p", "http://q"), 12.5, 200.0)  # fmt: skip
    monkeypatch.setenv("CHAIN_31337_RPC_BURST", "0")
    with pytest.raises(ValueError, match="CHAIN_31337_RPC_BURST must be a number above 0, was '0'"):
        settings()
