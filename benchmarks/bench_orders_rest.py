"""Durable orders per second through POST /v1/orders on the whole stack, next to FastAPI + asyncpg with one insert, in the same run.

    python -m benchmarks.bench_orders_rest [--clients 16] [--seconds 10] [--rounds 3] [--json FILE]

Closed loop: each client sends its next order when it has the answer to the last. An answer means committed: compliance decision, reservation,
command log, audit row. Rounds of both servers alternate; the figures are medians."""

import argparse
import asyncio
import json
import os
import platform
import statistics
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import asyncpg
import httpx

from benchmarks.build_id import complaint
from tests.support.stack import Stack, running_stack
from tokenx_cli.journey.cast import MAIN, TRADERS, Passwords
from tokenx_cli.journey.journey import Journey
from tokenx_cli.runtime.migrate import database_urls
from tokenx_cli.runtime.ports import free_port
from tokenx_cli.runtime.postgres import Postgres
from tokenx_cli.verify.commands import verify_folder
from tokenx_common.clock import monotonic_s
from tokenx_common.ids import new_id


@dataclass(frozen=True)
class Round:
    """One round of one server."""

    server: str
    orders: int
    orders_per_s: int
    p50_ms: str
    p99_ms: str


async def load(server: str, clients: list[httpx.AsyncClient], body: dict[str, Any], seconds: float) -> Round:
    """Every client sends as fast as it is answered; any answer but 201 stops the benchmark."""
    latencies: list[float] = []
    end = monotonic_s() + seconds

    async def run(client: httpx.AsyncClient, price: int) -> None:
        while monotonic_s() < end:
            started = monotonic_s()
            answer = await client.post(
                "/v1/orders", json={**body, "client_order_id": new_id("cor"), "limit_price": f"{price}.00"}
            )
            if answer.status_code != 201:
                raise SystemExit(f"{server} answered {answer.status_code}: {answer.text[:300]}")
            latencies.append(monotonic_s() - started)

    started = monotonic_s()
    await asyncio.gather(*(run(client, 95 + number % 4) for number, client in enumerate(clients)))
    took = monotonic_s() - started
    cuts = statistics.quantiles(latencies, n=100)
    return Round(
        server, len(latencies), round(len(latencies) / took), f"{cuts[49] * 1000:.1f}", f"{cuts[98] * 1000:.1f}"
    )


@contextmanager
def baseline_server(database_url: str) -> Generator[str]:
    port = free_port()
    command = [
        sys.executable,
        "-m",
        "uvicorn",
        "benchmarks.baseline_app:app",
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        "--log-level",
        "warning",
        "--no-access-log",
    ]
    process = subprocess.Popen(command, env={**os.environ, "BASELINE_DATABASE_URL": database_url})
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


async def open_market(stack: Stack) -> tuple[Journey, list[str]]:
    """An open market and the traders' bearer tokens."""
    journey = Journey(
        stack.urls["api"], stack.urls["rpc"], Passwords(stack.folder.root / "investors.json", stack.logins)
    )
    await journey.tokenize()
    await journey.onboard()
    await journey.primary()
    await journey.open_market()
    tokens = []
    for role in TRADERS:
        person = await journey.trader(role)
        tokens.append(person.bearer)
    return journey, tokens


async def measure(stack: Stack, options: argparse.Namespace) -> list[Round]:
    cluster = Postgres(
        stack.folder.part("postgres"), stack.state().unit("postgres").port or 0, stack.secrets.database["postgres"]
    )
    connection = await asyncpg.connect(cluster.url())
    await connection.execute("CREATE DATABASE baseline")
    await connection.close()
    journey, tokens = await open_market(stack)
    body = journey.order(MAIN, "buy", "1", "95.00")
    results: list[Round] = []
    with baseline_server(database_urls(cluster, stack.secrets.database, "baseline").superuser_url) as baseline:
        ours = [
            httpx.AsyncClient(
                base_url=stack.urls["api"], headers={"Authorization": tokens[n % len(tokens)]}, timeout=30
            )
            for n in range(options.clients)
        ]
        theirs = [httpx.AsyncClient(base_url=baseline, timeout=30) for _ in range(options.clients)]
        await load("warm-up", ours, body, 2)
        await load("warm-up", theirs, body, 1)
        for _ in range(options.rounds):
            results.append(await load("baseline", theirs, body, options.seconds))
            results.append(await load("tokenx", ours, body, options.seconds))
        await asyncio.gather(*(client.aclose() for client in (*ours, *theirs)))
    await journey.matched()
    await journey.close()
    broken = [line for result in await verify_folder(stack.folder) for line in result["broken"]]
    if broken:
        raise SystemExit("invariants broken after the load: " + "; ".join(broken))
    return results


def report(results: list[Round], options: argparse.Namespace) -> None:
    rates = {
        server: statistics.median(row.orders_per_s for row in results if row.server == server)
        for server in ("baseline", "tokenx")
    }
    for row in results:
        print(
            f"{row.server:<9} {row.orders_per_s:>6}/s  p50 {row.p50_ms:>6} ms  p99 {row.p99_ms:>7} ms  ({row.orders} orders)"
        )
    print(
        f"{options.clients} clients, median of {options.rounds}: tokenx {rates['tokenx']:.0f}/s, baseline {rates['baseline']:.0f}/s, ratio {rates['tokenx'] / rates['baseline']:.2f}"
    )
    if options.json:
        facts = {"machine": platform.processor() or platform.machine(), "cores": os.cpu_count(), "python": platform.python_version(), "rates": rates,
                 "clients": options.clients, "rounds": [asdict(row) for row in results]}  # fmt: skip
        options.json.write_text(json.dumps(facts, indent=1) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    stale = complaint()
    if stale:
        print(stale, file=sys.stderr)
        raise SystemExit(2)
    with running_stack("--no-web") as stack:
        report(asyncio.run(measure(stack, options)), options)


if __name__ == "__main__":
    main()
