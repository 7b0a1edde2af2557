"""Transactions of one signer, 1 s blocks, every nonce, byte and state journaled through the real api into a durable PostgreSQL, next to what
everybody writes first: ask for the nonce, sign, send, wait for the receipt. Both in the same run, on the same node.

    python -m benchmarks.bench_chain [--seconds 60] [--rate 400] [--naive-seconds 10] [--json FILE]

Two measurements of ours: as fast as it goes (open loop at --rate, mined transactions counted from the chain), and accept to broadcast at 100
a second (from handing an intent to the sender to the node's answer to its bytes; latency counts from the moment it was due)."""

import argparse
import asyncio
import json
import os
import platform
import subprocess
import sys
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import asyncpg
from eth_account import Account
from web3 import Web3

from tests.chain.rig import ask
from tests.support.servers import ServiceKeys, anvil_server, postgres_server, scratch_folder, valkey_server
from tokenx_chain.contracts.calls import Call
from tokenx_chain.journal import Journal
from tokenx_chain.networks.catalog import NETWORKS
from tokenx_chain.networks.evm import EvmNode
from tokenx_chain.networks.rpc import Rpc, RpcError
from tokenx_chain.signers.base import Signer
from tokenx_chain.signers.factory import open_desk
from tokenx_chain.signers.seed import derive_key
from tokenx_chain.signers.settings import SignerSettings
from tokenx_chain.transactions.sender import Intent, Senders
from tokenx_chain.transactions.tracker import Tracker
from tokenx_cli.runtime import foreground, ports
from tokenx_cli.runtime.environment import inherited_environment
from tokenx_cli.runtime.paths import project_root
from tokenx_cli.runtime.probes import service_probe
from tokenx_cli.runtime.process import ProcessSpec
from tokenx_common.clock import monotonic_s
from tokenx_common.http import ServiceClient
from tokenx_common.lease import Lease
from tokenx_common.service_auth import ServiceSigner

CHAIN: Final = 31337
SEED: Final = b"be" * 16
TO: Final = "0x" + "ab" * 20
GAS: Final = 21_000
LATENCY_RATE: Final = 100
LATENCY_SECONDS: Final = 20
WARM_UP: Final = 50


@dataclass(frozen=True)
class Result:
    """Rates in mined transactions per second. Latencies from accept to broadcast at LATENCY_RATE."""

    mined_tx_s: int
    mined: int
    seconds: int
    naive_tx_s: str
    ratio: int
    accept_to_broadcast_p50_ms: str
    accept_to_broadcast_p99_ms: str
    duplicates: int
    gaps: int


class Watched(EvmNode):
    """Notes when the node answered to which bytes."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.answered: dict[bytes, float] = {}

    async def send_raw(self, raws: Any) -> list[tuple[RpcError, ...]]:
        answers = await super().send_raw(raws)
        now_s = monotonic_s()
        for raw in raws:
            self.answered.setdefault(raw, now_s)
        return answers


@dataclass
class Bench:
    """The sending half of the service in this process; node, api and database in theirs."""

    url: str
    node: Watched
    senders: Senders
    tracker: Tracker
    database: str
    operation_id: str
    key: str
    steps: int = 0

    def intent(self) -> Intent:
        self.steps += 1
        return Intent(self.operation_id, str(self.steps), Call(TO, b"", GAS, 1), GAS)


@asynccontextmanager
async def bench() -> AsyncGenerator[Bench]:
    """Everything started, a lease held, a funded key."""
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(scratch_folder("bench-chain"))
        postgres = stack.enter_context(postgres_server(durable=True))
        database = stack.enter_context(postgres.new_database())
        valkey = stack.enter_context(valkey_server())
        anvil = stack.enter_context(anvil_server(None))
        await ask(anvil.url, "evm_setAutomine", False)
        await ask(anvil.url, "evm_setIntervalMining", 1)
        keys = ServiceKeys()
        api_url = (
            f"http://127.0.0.1:{stack.enter_context(_api(database.api_url, valkey.url('api'), keys, folder)).spec.port}"
        )
        client = ServiceClient("api", api_url, ServiceSigner("chain", keys.private("chain")))
        lease = Lease(client, f"chain:{CHAIN}")
        await lease.acquire()
        journal = Journal(client, lease, CHAIN)
        rpc = Rpc([anvil.url])
        stack.push_async_callback(rpc.close)
        node, signer = Watched(NETWORKS[CHAIN], rpc), await stack.enter_async_context(_signer(folder))
        operation_id = "op_bench"
        connection = await asyncpg.connect(database.superuser_url)
        await connection.execute(_OPERATION, operation_id, CHAIN)
        await connection.close()
        await ask(anvil.url, "anvil_setBalance", await signer.address("bench"), hex(10**24))
        tracker = Tracker(node, journal)
        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(work) for work in (lease.keep(), tracker.run(), _follow(node, tracker))]
            senders = Senders(node=node, signer=signer, journal=journal, tracker=tracker, tasks=tasks, journaled_nonces={})  # fmt: skip
            sender = await senders.of("bench")
            yield Bench(anvil.url, node, senders, tracker, database.superuser_url, operation_id, sender.key_ref)
            for task in [*running, *(t for t in asyncio.all_tasks() if t.get_name().startswith("sender:"))]:
                task.cancel()


_OPERATION: Final = """INSERT INTO chain.operations (operation_id, chain_id, kind, params, business_ref, correlation_id)
                       VALUES ($1, $2, 'bench', '{}', 'bench', 'bench')"""


def _signer(folder: Path) -> AbstractAsyncContextManager[Signer]:
    """As the service signs: through signerd, in a process of its own."""
    seed = folder / "seed"
    seed.write_bytes(SEED)
    seed.chmod(0o600)
    return open_desk(SignerSettings(signer_seed_file=seed, chain_ids=(CHAIN,)))


def _api(database_url: str, redis_url: str, keys: ServiceKeys, folder: Path) -> Any:
    port = ports.free_port()
    url = f"http://127.0.0.1:{port}"
    environment = inherited_environment({
        "HOST": "127.0.0.1", "PORT": str(port), "TOKENX_ENV": "dev", "LOG_LEVEL": "warning", "LOG_FORMAT": "json", "REDIS_URL": redis_url,
        "API_URL": url, "CHAIN_URL": url, "MATCHER_URL": url, "KYT_URL": url, "DATABASE_URL": database_url, "TEMPORAL_ADDRESS": "",
        "WEB_ORIGIN": url, "CHAIN_ID": str(CHAIN), "KYC_BACKEND": "sandbox", "PAYMENT_BACKEND": "sandbox", "EMAIL_BACKEND": "sandbox",
        **keys.env("api"),
    })  # fmt: skip
    spec = ProcessSpec(name="api", command=(sys.executable, "-m", "tokenx_api"), probe=service_probe(url), port=port, env=environment,
                       cwd=project_root())  # fmt: skip
    return foreground.run(spec, folder / "api.log")


async def _follow(node: EvmNode, tracker: Tracker) -> None:
    """As much of the listener as the tracker needs."""
    while True:
        await asyncio.sleep(0.3)
        await tracker.finalize((await node.head()).number - NETWORKS[CHAIN].finality.depth)


async def naive(url: str, seconds: float) -> tuple[int, float]:
    """(transactions, seconds) of nonce, sign, send, wait with web3.py, one after the other."""

    def work() -> tuple[int, float]:
        web3 = Web3(Web3.HTTPProvider(url))
        account = Account.from_key(derive_key(SEED, "naive"))
        count, started = 0, monotonic_s()
        while monotonic_s() - started < seconds:
            fields: Any = {"type": 2, "chainId": CHAIN, "nonce": web3.eth.get_transaction_count(account.address), "to": Web3.to_checksum_address(TO),
                           "value": 1, "gas": GAS, "maxFeePerGas": 10**11, "maxPriorityFeePerGas": 10**9}  # fmt: skip
            tx_hash = web3.eth.send_raw_transaction(account.sign_transaction(fields).raw_transaction)
            web3.eth.wait_for_transaction_receipt(tx_hash, poll_latency=0.05)
            count += 1
        return count, monotonic_s() - started

    await ask(url, "anvil_setBalance", Account.from_key(derive_key(SEED, "naive")).address, hex(10**24))
    return await asyncio.to_thread(work)


async def at_rate(b: Bench, rate: int, seconds: float) -> list[float]:
    """Hand intents over at a fixed rate; latencies in ms from the moment each was due to the answer to its bytes. Waits until all are out."""
    sender = await b.senders.of(b.key)
    started = monotonic_s()
    due: list[tuple[float, Any]] = []
    for n in range(int(rate * seconds)):
        at_s = started + n / rate
        if (wait_s := at_s - monotonic_s()) > 0:
            await asyncio.sleep(wait_s)
        due.append((at_s, sender.enqueue(b.intent())))
    entries = await asyncio.gather(*(future for _, future in due))
    while any(entry.raw not in b.node.answered for entry in entries):
        await asyncio.sleep(0.05)
    return [(b.node.answered[entry.raw] - at_s) * 1000 for (at_s, _), entry in zip(due, entries, strict=True)]


async def all_mined(b: Bench) -> None:
    address = (await b.senders.of(b.key)).address
    while b.tracker.in_flight(address):
        await asyncio.sleep(0.1)


async def measure(seconds: int, rate: int, naive_seconds: float) -> Result:
    async with bench() as b:
        await at_rate(b, WARM_UP, 1)
        await all_mined(b)
        latencies = sorted(await at_rate(b, LATENCY_RATE, LATENCY_SECONDS))
        await all_mined(b)
        count, naive_s = await naive(b.url, naive_seconds)
        address = (await b.senders.of(b.key)).address
        before = int(await ask(b.url, "eth_getTransactionCount", address, "latest"), 16)
        load = asyncio.create_task(at_rate(b, rate, seconds))
        started = monotonic_s()
        await asyncio.sleep(seconds)
        mined = int(await ask(b.url, "eth_getTransactionCount", address, "latest"), 16) - before
        took_s = monotonic_s() - started
        await load
        await all_mined(b)
        nonces = await _nonces(b)
        return Result(
            mined_tx_s=round(mined / took_s),
            mined=mined,
            seconds=round(took_s),
            naive_tx_s=f"{count / naive_s:.2f}",
            ratio=round(mined / took_s / (count / naive_s)),
            accept_to_broadcast_p50_ms=f"{latencies[len(latencies) // 2]:.1f}",
            accept_to_broadcast_p99_ms=f"{latencies[len(latencies) * 99 // 100]:.1f}",
            duplicates=len(nonces) - len(set(nonces)),
            gaps=max(nonces) + 1 - len(set(nonces)),
        )


async def _nonces(b: Bench) -> list[int]:
    connection = await asyncpg.connect(b.database)
    try:
        return [row["nonce"] for row in await connection.fetch("SELECT nonce FROM chain.tx_attempts ORDER BY nonce")]
    finally:
        await connection.close()


def _machine() -> dict[str, str]:
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=project_root(), capture_output=True, text=True, check=False
    )
    load = os.getloadavg()
    return {"machine": platform.machine(), "cores": str(os.cpu_count()), "python": platform.python_version(), "commit": commit.stdout.strip(),
            "load_before": f"{load[0]:.1f}"}  # fmt: skip


def main() -> None:
    """Measure, print, and write the result if asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--rate", type=int, default=400)
    parser.add_argument("--naive-seconds", type=float, default=10)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    machine = _machine()
    result = asyncio.run(measure(options.seconds, options.rate, options.naive_seconds))
    document = {
        "machine": machine,
        "offered_tx_s": options.rate,
        "latency_rate_tx_s": LATENCY_RATE,
        "result": asdict(result),
    }
    print(json.dumps(document, indent=2))
    if options.json:
        options.json.write_text(json.dumps(document, indent=2) + "\n")


if __name__ == "__main__":
    main()
