"""Readiness by the protocol each program speaks: a query, a PING, a JSON-RPC call, an HTTP answer. Never just an open port."""

import asyncio
import json
import ssl
from functools import cache
from pathlib import Path
from typing import Any, Final, cast

import asyncpg
import httpx
from redis.asyncio import Redis
from redis.exceptions import RedisError

from tokenx_cli.runtime.process import OK, Health, Probe

PROBE_TIMEOUT_S: Final = 2


def postgres_probe(url: str) -> Probe:
    """An authenticated SELECT 1."""

    async def probe() -> Health:
        try:
            connection = await asyncpg.connect(url, timeout=PROBE_TIMEOUT_S)
            try:
                await connection.fetchval("SELECT 1", timeout=PROBE_TIMEOUT_S)
            finally:
                await connection.close(timeout=PROBE_TIMEOUT_S)
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            return Health("down", _words(error))
        return OK

    return probe


def redis_probe(url: str) -> Probe:
    """An authenticated PING. The cast: redis-py annotates from_url and execute_command only in part."""

    async def probe() -> Health:
        client = cast(Any, Redis).from_url(url, socket_timeout=PROBE_TIMEOUT_S, socket_connect_timeout=PROBE_TIMEOUT_S)
        try:
            await asyncio.wait_for(client.execute_command("PING"), PROBE_TIMEOUT_S)
        except (OSError, TimeoutError, RedisError) as error:
            return Health("down", _words(error))
        finally:
            await client.aclose()
        return OK

    return probe


def chain_probe(url: str, chain_id: int) -> Probe:
    """eth_chainId answers with the chain that is expected."""

    async def probe() -> Health:
        request: dict[str, Any] = {"jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": []}
        try:
            async with _client() as client:
                answer = (await client.post(url, json=request)).json()
        except (httpx.HTTPError, json.JSONDecodeError) as error:
            return Health("down", _words(error))
        seen = answer.get("result")
        return OK if seen == hex(chain_id) else Health("down", f"chain id {seen}, expected {hex(chain_id)}")

    return probe


def service_probe(base_url: str) -> Probe:
    """/health/ready of one of our services, with the dependencies it names when it is not well."""

    async def probe() -> Health:
        try:
            async with _client() as client:
                answer = await client.get(f"{base_url}/health/ready")
            report = cast(dict[str, Any], answer.json())
        except (httpx.HTTPError, json.JSONDecodeError) as error:
            return Health("down", _words(error))
        status = str(report.get("status", "down"))
        if answer.status_code == 200 and status == "ok":
            return OK
        return Health("degraded" if answer.status_code == 200 else "down", _unwell(report))

    return probe


def http_probe(url: str) -> Probe:
    """Any HTTP answer below 500."""

    async def probe() -> Health:
        try:
            async with _client() as client:
                status = (await client.get(url)).status_code
        except httpx.HTTPError as error:
            return Health("down", _words(error))
        return OK if status < 500 else Health("down", f"answered {status}")

    return probe


def temporal_probe(program: Path, address: str) -> Probe:
    """The frontend serves and the namespace exists: asked once with the server's own client, which costs a process;
    after that an open port is enough."""
    host, _, port = address.rpartition(":")
    known_good = False

    async def probe() -> Health:
        nonlocal known_good
        open_port = await tcp_probe(int(port), host)()
        if known_good or open_port.status != "ok":
            return open_port
        asking = await asyncio.create_subprocess_exec(
            str(program), "operator", "namespace", "describe", "-n", "default", "--address", address, "--command-timeout", "2s",
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        _, complaint = await asking.communicate()
        known_good = asking.returncode == 0
        return OK if known_good else Health("down", complaint.decode(errors="replace").strip()[:200])

    return probe


def tcp_probe(port: int, host: str = "127.0.0.1") -> Probe:
    """Something accepts connections. Only for programs whose protocol is too costly to speak once a second."""

    async def probe() -> Health:
        try:
            _, writer = await asyncio.wait_for(asyncio.open_connection(host, port), PROBE_TIMEOUT_S)
        except (OSError, TimeoutError) as error:
            return Health("down", _words(error))
        writer.close()
        return OK

    return probe


async def alive_probe() -> Health:
    """For a program with nothing to ask: that its process lives is all there is."""
    return OK


@cache
def _tls() -> ssl.SSLContext:
    """One for all probes: making one takes 10 ms, and a stack is probed all the time."""
    return ssl.create_default_context()


def _client() -> httpx.AsyncClient:
    return httpx.AsyncClient(timeout=PROBE_TIMEOUT_S, trust_env=False, verify=_tls())


def _words(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__


def _unwell(report: dict[str, Any]) -> str:
    """'temporal: no server; redis: connection refused' from a health report."""
    dependencies = cast(dict[str, dict[str, Any]], report.get("dependencies") or {})
    parts = [
        f"{name}: {d.get('detail') or d.get('status')}" for name, d in dependencies.items() if d.get("status") != "ok"
    ]
    return "; ".join(parts) or str(report.get("detail") or report.get("status") or "not ready")
