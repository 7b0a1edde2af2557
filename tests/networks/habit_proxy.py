"""A JSON-RPC proxy, HTTP and WebSocket, that has the habits of a public chain's endpoint while a local node stands behind it."""

import asyncio
import json
import random
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

import aiohttp
from aiohttp import web
from eth_account import Account

from tokenx_chain.networks.base import Network
from tokenx_chain.transactions.codec import unsigned_of
from tokenx_cli.runtime import ports

Entry = dict[str, Any]
NO_HASH = "0x" + "00" * 32


def hedera_range(limit: int) -> str:
    """How the relay refuses a range."""
    return f"Exceeded maximum block range: {limit}"


@dataclass
class Habits:
    """All off by default.

    lag: blocks this endpoint is behind. unfinalized: error text for a block above its tip instead of null. finality_at: where the `finalized` tag stands
    still; safe_at: the same of `safe`. range_limit, range_text, range_code: how eth_getLogs over more blocks is refused. forgets_logs: answers to eth_getLogs still to be empty.
    has_receipts: whether eth_getBlockReceipts exists. loses_future: a future nonce gets a hash and is forgotten. tip_floor, value_unit: what the pool
    refuses. suggested_tip: what it proposes; 'node': what the node does; None: the method does not exist. frozen: headers by number that this endpoint goes on telling. away: answers 502. heads_closed: refuses WebSockets and cuts open ones.
    heads_repeat: tells each head so often. heads_shuffled: tells heads late and in another order."""

    lag: int = 0
    unfinalized: str | None = None
    finality_at: int | None = None
    safe_at: int | None = None
    range_limit: int | None = None
    range_text: Callable[[int], str] = hedera_range
    range_code: int = -32000
    forgets_logs: int = 0
    has_receipts: bool = True
    loses_future: bool = False
    tip_floor: int = 0
    value_unit: int = 1
    suggested_tip: int | Literal["node"] | None = "node"
    frozen: dict[int, Entry] | None = None
    away: bool = False
    heads_closed: bool = False
    heads_repeat: int = 1
    heads_shuffled: random.Random | None = None
    methods: list[str] = field(default_factory=list[str])
    ranges: list[int] = field(default_factory=list[int])
    told_logs: dict[str, list[Entry]] = field(default_factory=dict[str, list[Entry]])


def habits_of(network: Network) -> Habits:
    """What the endpoints of a network do on an ordinary day."""
    floor = network.min_tip_wei if network.family == "polygon" else 0
    return Habits(
        unfinalized=network.not_yet[0] if network.not_yet else None,
        range_limit=network.logs.limit or network.logs.most,
        loses_future=network.in_flight == 1,
        tip_floor=floor,
        value_unit=network.value_unit_wei,
    )


class HabitProxy:
    """One endpoint. url is HTTP; the same address takes WebSockets."""

    def __init__(self, target: str, habits: Habits) -> None:
        self.habits = habits
        self.port = ports.free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._target = target
        self._session = aiohttp.ClientSession()
        self._sockets: set[web.WebSocketResponse] = set()

    async def ask(self, method: str, *params: Any) -> Any:
        """Straight to the node."""
        async with asyncio.timeout(20):  # a node that hangs shows up in the test that asked
            (answer,) = await self._forward([{"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}])
        assert "error" not in answer, (method, answer["error"])
        return answer["result"]

    async def freeze(self) -> None:
        """Go on telling the chain as it is now."""
        head = int(await self.ask("eth_blockNumber"), 16)
        headers = [await self.ask("eth_getBlockByNumber", hex(number), False) for number in range(head + 1)]
        self.habits.frozen = dict(enumerate(headers))

    async def close_heads(self) -> None:
        """Cut every subscription, and take no new one."""
        self.habits.heads_closed = True
        for socket in list(self._sockets):
            await socket.close()

    async def stop(self) -> None:
        await self.close_heads()
        await self._session.close()

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """One HTTP request or one WebSocket."""
        if request.method == "GET":
            return await self._heads(request)
        if self.habits.away:
            return web.Response(status=502)
        content: Any = await request.json()
        batch: list[Entry] = content if isinstance(content, list) else [content]  # pyright: ignore[reportUnknownVariableType]  # JSON
        self.habits.methods += [entry["method"] for entry in batch]
        answers = await self._answers(batch)
        return web.json_response(answers if isinstance(content, list) else answers[0])

    async def _answers(self, batch: list[Entry]) -> list[Entry]:
        head = max(0, int(await self.ask("eth_blockNumber"), 16) - self.habits.lag)
        own = {entry["id"]: answer for entry in batch if (answer := await self._own_answer(entry, head)) is not None}
        rest = [self._lagging(entry, head) for entry in batch if entry["id"] not in own]
        told = {answer["id"]: answer for answer in (await self._forward(rest) if rest else [])}
        return [self._after(entry, own.get(entry["id"]) or told[entry["id"]], head) for entry in batch]

    async def _forward(self, batch: list[Entry]) -> list[Entry]:
        async with self._session.post(self._target, json=batch) as response:
            return json.loads(await response.read())

    async def _own_answer(self, entry: Entry, head: int) -> Entry | None:
        """What this endpoint says without asking the node."""
        habits, method, params = self.habits, entry["method"], entry["params"]
        if method == "eth_sendRawTransaction":
            return await self._pool(entry)
        if method == "eth_getBlockReceipts" and not habits.has_receipts:
            return _error(entry, -32601, "the method does not exist")
        if method == "eth_maxPriorityFeePerGas" and habits.suggested_tip != "node":
            tip = habits.suggested_tip
            return _error(entry, -32601, "the method does not exist") if tip is None else _result(entry, hex(tip))
        if method == "eth_getLogs":
            return self._logs(entry, head)
        if method == "eth_getBlockByNumber":
            number = params[0]
            if number == "finalized" and habits.finality_at is not None:
                params[0] = number = hex(habits.finality_at)
            if number == "safe" and habits.safe_at is not None:
                params[0] = number = hex(habits.safe_at)
            if habits.frozen is not None:
                at = max(habits.frozen) if number == "latest" else int(number, 16) if number.startswith("0x") else None
                return None if at is None else _result(entry, habits.frozen.get(at))
            if number.startswith("0x") and int(number, 16) > head:
                return _error(entry, -32000, habits.unfinalized) if habits.unfinalized else _result(entry, None)
        return None

    def _logs(self, entry: Entry, head: int) -> Entry | None:
        habits, question = self.habits, entry["params"][0]
        if "fromBlock" in question:
            asked = int(question["toBlock"], 16) - int(question["fromBlock"], 16) + 1
            habits.ranges.append(asked)
            if habits.range_limit is not None and asked > habits.range_limit:
                return _error(entry, habits.range_code, habits.range_text(habits.range_limit))
            if habits.unfinalized and int(question["toBlock"], 16) > head:
                return _error(entry, -32000, habits.unfinalized)
        if habits.forgets_logs > 0:
            habits.forgets_logs -= 1
            return _result(entry, [])
        if habits.frozen is not None and question.get("blockHash") in habits.told_logs:
            return _result(entry, habits.told_logs[question["blockHash"]])
        return None

    async def _pool(self, entry: Entry) -> Entry | None:
        habits, raw = self.habits, entry["params"][0]
        fields = unsigned_of(bytes.fromhex(raw[2:]))
        if fields.max_tip < habits.tip_floor:
            return _error(
                entry,
                -32000,
                f"transaction underpriced: gas tip cap {fields.max_tip}, minimum needed {habits.tip_floor}",
            )
        if fields.value % habits.value_unit:
            return _error(entry, -32602, "Value can't be non-zero and less than 10_000_000_000 wei which is 1 tinybar")
        if habits.loses_future and fields.nonce > int(
            await self.ask("eth_getTransactionCount", Account.recover_transaction(raw), "latest"), 16
        ):
            return _result(entry, NO_HASH)
        return None

    def _lagging(self, entry: Entry, head: int) -> Entry:
        if not self.habits.lag:
            return entry
        return {**entry, "params": [hex(head) if value == "latest" else value for value in entry["params"]]}

    def _after(self, entry: Entry, answer: Entry, head: int) -> Entry:
        """What lies above this endpoint's head does not exist for it."""
        result: Any = answer.get("result")
        if entry["method"] == "eth_getLogs" and "blockHash" in entry["params"][0] and isinstance(result, list):
            self.habits.told_logs[entry["params"][0]["blockHash"]] = result
        is_above = isinstance(result, dict) and int(str(result.get("blockNumber") or "0x0"), 16) > head  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]  # JSON
        return _result(entry, None) if self.habits.lag and is_above else answer

    async def _heads(self, request: web.Request) -> web.StreamResponse:
        if self.habits.heads_closed:
            return web.Response(status=503)
        client = web.WebSocketResponse()
        await client.prepare(request)
        self._sockets.add(client)
        async with self._session.ws_connect(self._target.replace("http", "ws", 1)) as node:
            up = asyncio.create_task(_pipe(client, node))
            try:
                await self._tell(node, client)
            finally:
                up.cancel()
                self._sockets.discard(client)
        return client

    async def _tell(self, node: aiohttp.ClientWebSocketResponse, client: web.WebSocketResponse) -> None:
        late: list[str] = []
        async for message in node:
            if client.closed:
                return
            texts = [message.data] * (self.habits.heads_repeat if "eth_subscription" in message.data else 1)
            if self.habits.heads_shuffled is not None and "eth_subscription" in message.data:
                late += texts
                if len(late) < 4:
                    continue
                self.habits.heads_shuffled.shuffle(late)
                texts, late = late, []
            for text in texts:
                await client.send_str(text)


async def _pipe(client: web.WebSocketResponse, node: aiohttp.ClientWebSocketResponse) -> None:
    async for message in client:
        await node.send_str(message.data)
    await node.close()


def _result(entry: Entry, result: Any) -> Entry:
    return {"jsonrpc": "2.0", "id": entry["id"], "result": result}


def _error(entry: Entry, code: int, message: str | None) -> Entry:
    return {"jsonrpc": "2.0", "id": entry["id"], "error": {"code": code, "message": message}}


@asynccontextmanager
async def habit_proxy(target: str, habits: Habits | None = None) -> AsyncGenerator[HabitProxy]:
    """A running one."""
    proxy = HabitProxy(target, habits or Habits())
    app = web.Application(client_max_size=10**8)
    app.router.add_route("*", "/{rest:.*}", proxy.serve)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", proxy.port).start()
    try:
        yield proxy
    finally:
        await proxy.stop()
        await runner.cleanup()
