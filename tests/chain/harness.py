"""A chain service process on a real node, with the journal stand-in as its api."""

import asyncio
import sys
import threading
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.chain.fault_proxy import FaultProxy
from tests.chain.journal_stand_in import JournalServer, JournalState, Row
from tests.support.servers import AnvilServer, ServiceKeys, ValkeyServer, anvil_server, scratch_folder
from tokenx_cli.runtime import foreground, ports
from tokenx_cli.runtime.foreground import Running
from tokenx_cli.runtime.probes import service_probe
from tokenx_cli.runtime.process import ProcessSpec
from tokenx_common.clock import monotonic_s
from tokenx_common.http import ServiceClient
from tokenx_common.service_auth import ServiceSigner

ROOT = Path(__file__).resolve().parents[2]
SEED = b"5eed" * 16
PATIENCE_S = 40.0
POLL_S = 0.02
FAST_BLOCKS_S: Any = 0.2
"""The node accepts a fraction of a second; the local stack only ever asks for whole ones, hence Any."""


class Miner:
    """Mines an empty block every so often, faster than real time, unless told to hold: finality comes when the test wants it."""

    EVERY_S = 0.15

    def __init__(self, url: str) -> None:
        self._url = url
        self._stop = threading.Event()
        self.hold = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(10)

    def _run(self) -> None:
        with httpx.Client(timeout=30) as http:
            while not self._stop.wait(self.EVERY_S):
                if not self.hold.is_set():
                    http.post(self._url, json={"jsonrpc": "2.0", "id": 1, "method": "evm_mine", "params": []})


@dataclass
class Stack:
    """Everything a test needs to play the api towards a chain service."""

    anvil: AnvilServer
    miner: Miner
    proxy: FaultProxy
    state: JournalState
    service: Running
    client: ServiceClient
    url: str

    async def submit(self, kind: str, **params: Any) -> str:
        """Record an operation and hand it over; returns its id."""
        operation_id = self.state.request(kind, params)
        await self.hand_over(operation_id)
        return operation_id

    async def hand_over(self, operation_id: str) -> Row:
        """What the api's relay does, as often as it likes."""
        row = self.state.operations[operation_id]
        body = {key: row[key] for key in ("operation_id", "kind", "chain_id", "params", "correlation_id")}
        return await self.client.post("/v1/operations", body)

    async def closed(self, operation_id: str) -> Row:
        """The operation once it is final or failed."""
        row = self.state.operations[operation_id]
        await self.until(lambda: row["state"] in ("final", "failed"), f"{row['kind']} to close")
        return row

    async def run(self, kind: str, **params: Any) -> Row:
        """Submit and wait; the result of a final operation."""
        row = await self.closed(await self.submit(kind, **params))
        assert row["state"] == "final", row
        return row["result"]

    async def refused(self, kind: str, **params: Any) -> str:
        """Submit and wait; the error code of a failed operation."""
        row = await self.closed(await self.submit(kind, **params))
        assert row["state"] == "failed", row
        return row["error_code"]

    async def address(self, key_ref: str) -> str:
        return (await self.client.post("/v1/wallets", {"key_ref": key_ref}))["address"]

    async def balance(self, token: str, address: str) -> int:
        """At the finalized block."""
        answer = await self.client.get("/v1/balances", params={"chain_id": 31337, "token": token, "address": address})
        return int(answer["amount"])

    async def rpc(self, method: str, *params: Any) -> Any:
        """Straight to the node, past the proxy."""
        async with httpx.AsyncClient(timeout=30) as http:
            answer = (await http.post(self.anvil.url, json={"jsonrpc": "2.0", "id": 1, "method": method, "params": params})).json()  # fmt: skip
        assert "error" not in answer, (method, answer["error"])
        return answer["result"]

    async def until(self, condition: Any, what: str) -> None:
        """Poll a condition. Fails with the service's log."""
        started = monotonic_s()
        while not condition():
            if monotonic_s() - started > PATIENCE_S:
                raise AssertionError(f"waited for {what}\n{self.service.log.read_text()[-4000:]}")
            await asyncio.sleep(POLL_S)

    def kill(self) -> None:
        """kill -9, and the lease runs out."""
        self.service.kill()
        self.state.holder = ""

    async def restart(self) -> None:
        """Start it again with the same journal and the same node."""
        await asyncio.to_thread(self.service.restart)

    def transfers_of(self, tx_hash: str, kind: str = "transfer.final") -> list[Row]:
        return [event for event in self.state.of_type(kind) if event["tx_hash"] == tx_hash]


@contextmanager
def chain_stack(keys: ServiceKeys, valkey: ValkeyServer, *, steered: bool = False, module: str = "tokenx_chain",
                extra: dict[str, str] | None = None) -> Generator[Stack]:  # fmt: skip
    """A node, a fault proxy before it, the journal stand-in and a chain service.

    The node mines as the local stack's does, only faster. steered: empty blocks come from `miner`, so that a test can hold them."""
    with ExitStack() as stack:
        folder = stack.enter_context(scratch_folder("chain"))
        anvil = stack.enter_context(anvil_server(None if steered else FAST_BLOCKS_S))
        miner, proxy, journal = (
            Miner(anvil.url),
            FaultProxy(anvil.url, ports.free_port()),
            JournalServer(keys, ports.free_port()),
        )
        for server in (proxy, journal, *((miner,) if steered else ())):
            server.start()
            stack.callback(server.stop)
        spec = service_spec(
            keys, valkey, folder, rpc_url=proxy.url, api_url=journal.url, module=module, extra=extra or {}
        )
        service = stack.enter_context(foreground.run(spec, folder / "chain.log"))
        url = f"http://127.0.0.1:{spec.port}"
        client = ServiceClient("chain", url, ServiceSigner("api", keys.private("api")))
        yield Stack(anvil, miner, proxy, journal.state, service, client, url)


def service_spec(keys: ServiceKeys, valkey: ValkeyServer, folder: Path, *, rpc_url: str, api_url: str, module: str,
                     extra: dict[str, str]) -> ProcessSpec:  # fmt: skip
    """A chain service on a free port, with the seed of these tests."""
    seed, port = folder / "seed", ports.free_port()
    seed.write_bytes(SEED)
    seed.chmod(0o600)
    environment = {
        "PORT": str(port), "REDIS_URL": valkey.url("chain"), "API_URL": api_url, "CHAIN_IDS": "31337", "CHAIN_31337_RPC_URLS": rpc_url,
        "SIGNER_BACKEND": "local", "SIGNER_SEED_FILE": str(seed), "CONTRACTS_DIR": str(ROOT / "contracts"), "LOG_FORMAT": "json",
        "PATH": "/usr/bin:/bin",
    }  # fmt: skip
    return ProcessSpec(name="chain", command=(sys.executable, "-m", module), probe=service_probe(f"http://127.0.0.1:{port}"), port=port,
                       env=environment | keys.env("chain") | extra, cwd=ROOT)  # fmt: skip
