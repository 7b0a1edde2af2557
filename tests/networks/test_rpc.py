"""The pool of endpoints against stubs that answer as told: rate limits, ranges, being left alone, who gets signed bytes."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from tests.chain.test_units import settings
from tokenx_chain.contracts.artifacts import Artifacts
from tokenx_chain.contracts.calls import Call, Read
from tokenx_chain.networks import rpc as module
from tokenx_chain.networks.catalog import NETWORKS
from tokenx_chain.networks.evm import Block, EvmNode
from tokenx_chain.networks.rpc import Endpoint, Rpc, RpcError, RpcUnavailable, TokenBucket, UnexpectedAnswer
from tokenx_cli.runtime import ports
from tokenx_common.clock import utc_now

Entry = dict[str, Any]
ROOT = Path(__file__).resolve().parents[2]
BLOCK = Block(number=9, hash="0x", parent_hash="0x", timestamp=0, base_fee=0, is_empty=True)
CALL = Call(to=None, data=b"")
FIRST, SECOND = 0x1, 0x2


@dataclass
class Stub:
    """An endpoint. result or error: what it answers to everything; limit: the answer 429 with this Retry-After. asked: methods in order."""

    name: int
    url: str = ""
    result: Any = None
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
            return {"result": hex(self.name) if self.result is None else self.result}
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


UNREADABLE = [{}, [], "", "0xzz", 7, True, {"number": "0x1"}, {"number": None, "hash": 5}, [{"logIndex": "x"}]]
HASH = "0x" + "11" * 32


@pytest.mark.parametrize("answer", UNREADABLE, ids=str)
async def test_answer_in_no_known_form_is_none(answer: Any) -> None:
    """Whatever a node says, those who ask know two ways it can go wrong; anything else would end the service."""
    async with stubs(FIRST) as found, pool(found) as rpc:
        found[0].result = answer
        node = EvmNode(NETWORKS[10], rpc)
        whole: Read[int] = Read(
            HASH[:42], b"", lambda told: int.from_bytes(told, "big") if len(told) == 32 else int("x")
        )
        questions = [
            node.chain_id(), node.head(), node.finalized_number(BLOCK), node.safe_number(BLOCK), node.named_hashes(1), node.blocks([1]),
            node.logs([HASH], addresses=[], topics=[]), node.logs_again(HASH, addresses=[], topics=[]),
            node.logs_between(1, 2, addresses=[], topics=[], of=rpc.endpoints[0]), node.receipts([HASH]), node.agreed_receipts([HASH]),
            node.nonce(HASH[:42]), node.balance(HASH[:42]), node.account(HASH[:42]), node.l1_fee(b"", gas=1), node.read(whole),
            node.simulate(CALL, sender=HASH[:42]), node.estimate(CALL, sender=HASH[:42]), node.send_raw([b"raw"]), node.has_code(HASH[:42]),
        ]  # fmt: skip
        for ended in await asyncio.gather(*questions, return_exceptions=True):
            assert not isinstance(ended, BaseException) or isinstance(ended, RpcError | RpcUnavailable), repr(ended)


async def test_address_that_does_not_answer_as_the_interface_says_is_a_refusal() -> None:
    async with stubs(FIRST) as found, pool(found) as rpc:
        found[0].result = "0x"
        balance = Artifacts(ROOT / "contracts").abi("Token").read(HASH[:42], "balanceOf", HASH[:42], as_type=int)
        with pytest.raises(UnexpectedAnswer, match="does not answer as its interface says"):
            await EvmNode(NETWORKS[31337], rpc).read(balance)


def test_settings_say_how_a_chain_is_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAIN_31337_PRIVATE_RPC_URLS", "http://p, http://q")
    monkeypatch.setenv("CHAIN_31337_RPC_RATE_PER_S", "12.5")
    reach = settings().reach[31337]
    assert (reach.urls, reach.private_urls, reach.rate_per_s, reach.burst) == (("http://x",), ("http://p", "http://q"), 12.5, 200.0)  # fmt: skip
    monkeypatch.setenv("CHAIN_31337_RPC_BURST", "0")
    with pytest.raises(ValueError, match="CHAIN_31337_RPC_BURST must be a number above 0, was '0'"):
        settings()
