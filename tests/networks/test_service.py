"""One service process with two public chains, each on a node of its own: what happens to one is no business of the other, and /status tells it."""

import asyncio
import json
import re
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

from tests.chain.harness import service_spec
from tests.chain.journal_stand_in import JournalState, Row, make_app
from tests.networks.habit_proxy import HabitProxy, Habits, habit_proxy
from tests.networks.world import node_of
from tests.support.servers import ServiceKeys, ValkeyServer, scratch_folder
from tokenx_chain.networks.catalog import NETWORKS
from tokenx_cli.runtime import foreground, ports
from tokenx_cli.runtime.probes import Health
from tokenx_common.service_auth import ServiceSigner

pytestmark = pytest.mark.stack

POLYGON, BASE = 137, 8453
RICH = hex(10**24)
NOBODY = "0x" + "ee" * 20
FREE = "0x600060005260206000f3"
"""A GasPriceOracle that asks for nothing."""
PATIENCE_S = 40.0


class Journals:
    """The journal stand-in once for each chain, on one port: each request says in its path, query or body which chain it is about."""

    def __init__(self, keys: ServiceKeys, chain_ids: tuple[int, ...]) -> None:
        self.states = {number: JournalState() for number in chain_ids}
        self._apps = {number: make_app(state, keys) for number, state in self.states.items()}
        port = ports.free_port()
        self.url = f"http://127.0.0.1:{port}"
        self._server = uvicorn.Server(uvicorn.Config(self._serve, host="127.0.0.1", port=port, log_level="error", lifespan="off", interface="asgi3"))  # fmt: skip
        self._thread = threading.Thread(target=self._server.run, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(10)

    async def _serve(self, scope: Any, receive: Any, send: Any) -> None:
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        number = self._chain_of(scope["path"], scope["query_string"].decode(), body)

        async def again() -> Row:
            return {"type": "http.request", "body": body, "more_body": False}

        await self._apps[number](scope, again, send)

    def _chain_of(self, path: str, query: str, body: bytes) -> int:
        if found := re.search(r"chain:(\d+)|/streams/(\d+)|chain_id=(\d+)", f"{path}?{query}"):
            return int(next(part for part in found.groups() if part))
        if body and "chain_id" in (content := json.loads(body)):
            return int(content["chain_id"])
        operation_id = path.rsplit("/", 1)[-1]
        return next(number for number, state in self.states.items() if operation_id in state.operations)


@dataclass
class Payment:
    """A transaction as its journal has it now."""

    journal: JournalState
    tx_id: str

    def __getitem__(self, name: str) -> Any:
        return self.journal.transactions[self.tx_id][name]


@dataclass
class Two:
    """Both chains and the service between them."""

    proxies: dict[int, HabitProxy]
    journals: Journals
    http: httpx.AsyncClient
    log: Path
    sent: int = 0

    def habits(self, chain_id: int) -> Habits:
        return self.proxies[chain_id].habits

    async def platform(self) -> str:
        """Address of the platform's key, once the service answers."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                try:
                    return (await self.http.post("/v1/wallets", json={"key_ref": "platform"})).json()["address"]
                except httpx.ConnectError:
                    await asyncio.sleep(0.1)

    async def status(self, chain_id: int) -> Row:
        return (await self.http.get(f"/v1/chains/{chain_id}/status")).json()

    async def until_status(self, chain_id: int, wanted: str) -> Row:
        async with asyncio.timeout(PATIENCE_S):
            while (found := await self.status(chain_id))["status"] != wanted:
                await asyncio.sleep(0.05)
        return found

    async def pay(self, chain_id: int) -> "Payment":
        """Ask for a payment of one wei."""
        self.sent += 1
        body = {"chain_id": chain_id, "key_ref": "platform", "to": NOBODY, "value": "1"}
        answer = await self.http.post("/v1/transactions", json=body, headers={"Idempotency-Key": f"pay-{self.sent}"})
        assert answer.status_code == 202, answer.text
        return Payment(self.journals.states[chain_id], answer.json()["tx_id"])

    async def until(self, condition: Callable[[], bool], what: str) -> None:
        """Poll a condition, with blocks coming in."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                while not condition():
                    for proxy in self.proxies.values():
                        await proxy.ask("anvil_mine", "0x1")
                    await asyncio.sleep(0.1)
        except TimeoutError:
            states = [list(state.transactions.values()) for state in self.journals.states.values()]
            raise AssertionError(f"waited for {what}: {states}\n{self.log.read_text()[-4000:]}") from None


async def _started() -> Health:
    return Health("ok", "waited for by the fixture")


async def started(keys: ServiceKeys, valkey: ValkeyServer) -> AsyncGenerator[Two]:
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(scratch_folder("two-chains"))
        proxies: dict[int, HabitProxy] = {}
        for number in (POLYGON, BASE):
            url = stack.enter_context(node_of(NETWORKS[number]))
            proxies[number] = await stack.enter_async_context(habit_proxy(url))
        journals = Journals(keys, (POLYGON, BASE))
        journals.start()
        stack.callback(journals.stop)
        reach = {f"CHAIN_{number}_RPC_URLS": proxy.url for number, proxy in proxies.items()}
        extra = reach | {"CHAIN_IDS": f"{POLYGON},{BASE}"}
        spec = service_spec(keys, valkey, folder, rpc_url="", api_url=journals.url, module="tokenx_chain", extra=extra)
        # Not waited for here: the proxies live in this loop, so it must go on.
        stack.enter_context(foreground.run(replace(spec, probe=_started), folder / "chain.log"))
        token = ServiceSigner("api", keys.private("api")).token("chain")
        http = httpx.AsyncClient(base_url=f"http://127.0.0.1:{spec.port}", headers={"Authorization": f"Bearer {token}"}, timeout=20)  # fmt: skip
        two = Two(proxies, journals, await stack.enter_async_context(http), folder / "chain.log")
        await proxies[BASE].ask("anvil_setCode", NETWORKS[BASE].l1_oracle, FREE)
        address = await two.platform()
        for number, proxy in proxies.items():
            await proxy.ask("anvil_setBalance", address, RICH)
            await two.until_status(number, "ok")
        yield two


@pytest.fixture(scope="module")
async def two(service_keys: ServiceKeys, valkey: ValkeyServer) -> AsyncIterator[Two]:
    async for running in started(service_keys, valkey):
        yield running


async def test_two_chains_work_side_by_side_with_streams_and_nonces_of_their_own(two: Two) -> None:
    paid = [await two.pay(chain_id) for chain_id in (POLYGON, BASE, POLYGON)]
    await two.until(lambda: all(one["state"] == "final" for one in paid), "finality on both chains")
    assert [one["nonce"] for one in paid] == [0, 0, 1]
    await two.until(lambda: [len(state.events) for state in two.journals.states.values()] == [2, 1], "the events")
    for state in two.journals.states.values():
        assert [event["seq"] for event in state.events] == list(range(1, len(state.events) + 1))
        assert {event["type"] for event in state.events} == {"operation.final"}


async def test_outage_of_one_chain_leaves_the_other_working_and_loses_nothing(two: Two) -> None:
    two.habits(BASE).away = True
    waiting = await two.pay(BASE)
    gone = await two.until_status(BASE, "degraded")
    assert gone["detail"]["listener"]["reason"].startswith("the chain cannot be seen")
    going = await two.pay(POLYGON)
    await two.until(lambda: going["state"] == "final", "finality on the chain that is there")
    assert (await two.status(POLYGON))["status"] == "ok"
    assert waiting["nonce"] is None
    two.habits(BASE).away = False
    await two.until(lambda: waiting["state"] == "final", "finality after the outage")
    assert (await two.until_status(BASE, "ok"))["detail"]["listener"]["reason"] == ""


async def test_t32_finality_that_stands_still_is_told_by_the_status_and_settles_what_lies_deep_enough(two: Two) -> None:
    """Polygon, September 2025: degraded from 64 blocks on, and the 256 blocks of the network's rule in place of the tag."""
    rule = NETWORKS[POLYGON].finality
    assert rule.stalled_after is not None
    assert rule.fallback_depth is not None
    two.habits(POLYGON).finality_at = (await two.status(POLYGON))["finalized_number"]
    stuck = await two.pay(POLYGON)
    await two.until(lambda: stuck["state"] == "mined", "the block")
    await two.proxies[POLYGON].ask("anvil_mine", hex(rule.stalled_after + 5))
    told = await two.until_status(POLYGON, "degraded")
    assert told["detail"]["listener"]["reason"].startswith("finality stands at")
    assert stuck["state"] == "mined"
    assert (await two.status(BASE))["status"] == "ok"
    await two.proxies[POLYGON].ask("anvil_mine", hex(rule.fallback_depth))
    await two.until(lambda: stuck["state"] == "final", "the depth that counts instead")
    assert (await two.status(POLYGON))["status"] == "degraded"
    two.habits(POLYGON).finality_at = None
    await two.until_status(POLYGON, "ok")


async def test_reorganisation_past_finality_halts_its_own_chain_only(two: Two) -> None:
    """T13 through the status route. Last: a halt is kept."""
    await two.proxies[BASE].ask("anvil_mine", "0x8")
    await two.until_status(BASE, "ok")
    final = (await two.status(BASE))["finalized_number"]
    head = int(await two.proxies[BASE].ask("eth_blockNumber"), 16)
    await two.proxies[BASE].ask("anvil_reorg", head - final + 3, [])
    await two.until_status(BASE, "halted")
    going = await two.pay(POLYGON)
    await two.until(lambda: going["state"] == "final", "finality on the other chain")
    assert (await two.status(POLYGON))["status"] == "ok"
