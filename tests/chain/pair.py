"""The real api on a real database and the real chain service on a real node, which is all that chain work needs; the other services are away."""

import asyncio
import sys
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import httpx

from tests.chain.harness import FAST_BLOCKS_S, PATIENCE_S, ROOT, service_spec
from tests.support.servers import AnvilServer, PostgresServer, ServiceKeys, ValkeyServer, anvil_server, scratch_folder
from tokenx_cli.runtime import foreground, ports
from tokenx_cli.runtime.foreground import Running
from tokenx_cli.runtime.migrate import DatabaseUrls
from tokenx_cli.runtime.probes import service_probe
from tokenx_cli.runtime.process import ProcessSpec
from tokenx_common.clock import monotonic_s
from tokenx_common.service_auth import ServiceSigner

PASSWORD = "correct horse battery"  # of accounts that live as long as one test


@dataclass
class Pair:
    """Both services. url: of the chain service."""

    api_url: str
    url: str
    service: Running
    anvil: AnvilServer
    database: DatabaseUrls
    keys: ServiceKeys

    def client(self, token: str) -> httpx.AsyncClient:
        """A client of the api with a bearer token."""
        return httpx.AsyncClient(base_url=self.api_url, headers={"Authorization": f"Bearer {token}"}, timeout=30)

    async def staff(self, name: str, *personas: str) -> httpx.AsyncClient:
        """A new account, signed in."""
        async with self.as_service("cli") as cli:
            user = {
                "email": f"{name}@example.test",
                "password": PASSWORD,
                "display_name": name,
                "personas": list(personas),
            }
            (await cli.post("/internal/bootstrap/users", json={"users": [user]})).raise_for_status()
        async with httpx.AsyncClient(base_url=self.api_url, timeout=30) as anyone:
            session = await anyone.post("/v1/auth/sessions", json={"email": user["email"], "password": PASSWORD})
        return self.client(session.json()["token"])

    def as_service(self, name: str, *, to: str = "api") -> httpx.AsyncClient:
        """A client of the api, or of the chain service, with a service's own token."""
        token = ServiceSigner(name, self.keys.private(name)).token(to)
        base_url = {"api": self.api_url, "chain": self.url}[to]
        return httpx.AsyncClient(base_url=base_url, headers={"Authorization": f"Bearer {token}"}, timeout=30)

    async def fetch(self, sql: str, *arguments: Any) -> list[dict[str, Any]]:
        """Rows as a superuser sees them."""
        connection = await asyncpg.connect(self.database.superuser_url)
        try:
            return [dict(row) for row in await connection.fetch(sql, *arguments)]
        finally:
            await connection.close()

    async def until(self, sql: str, *arguments: Any, wanted: Any = True) -> None:
        """Poll one value. Fails with the service's log."""
        started = monotonic_s()
        connection = await asyncpg.connect(self.database.superuser_url)
        try:
            while (found := await connection.fetchval(sql, *arguments)) != wanted:
                if monotonic_s() - started > PATIENCE_S:
                    raise AssertionError(f"{sql}: {found}, not {wanted}\n{self.service.log.read_text()[-4000:]}")
                await asyncio.sleep(0.05)
        finally:
            await connection.close()


@contextmanager
def running_pair(
    postgres: PostgresServer, valkey: ValkeyServer, keys: ServiceKeys, *, extra: dict[str, str] | None = None
) -> Generator[Pair]:
    """Both, fresh; extra: more of the chain service's environment."""
    with ExitStack() as stack:
        database = stack.enter_context(postgres.new_database())
        folder = stack.enter_context(scratch_folder("pair"))
        anvil = stack.enter_context(anvil_server(FAST_BLOCKS_S))
        port = ports.free_port()
        api_url = f"http://127.0.0.1:{port}"
        chain = service_spec(
            keys, valkey, folder, rpc_url=anvil.url, api_url=api_url, module="tokenx_chain", extra=extra or {}
        )
        url = f"http://127.0.0.1:{chain.port}"
        stack.enter_context(foreground.run(_api(database, valkey, keys, port=port, chain_url=url), folder / "api.log"))
        service = stack.enter_context(foreground.run(chain, folder / "chain.log"))
        yield Pair(api_url, url, service, anvil, database, keys)


def _api(database: DatabaseUrls, valkey: ValkeyServer, keys: ServiceKeys, *, port: int, chain_url: str) -> ProcessSpec:
    url, nobody = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{ports.free_port()}"
    environment = {
        "HOST": "127.0.0.1", "PORT": str(port), "TOKENX_ENV": "dev", "LOG_LEVEL": "warning", "LOG_FORMAT": "json", "REDIS_URL": valkey.url("api"),
        "API_URL": url, "CHAIN_URL": chain_url, "MATCHER_URL": nobody, "KYT_URL": nobody, "DATABASE_URL": database.api_url, "TEMPORAL_ADDRESS": "",
        "WEB_ORIGIN": url, "CHAIN_ID": "31337", "KYC_BACKEND": "sandbox", "PAYMENT_BACKEND": "sandbox", "EMAIL_BACKEND": "sandbox",
        "PATH": "/usr/bin:/bin",
    }  # fmt: skip
    return ProcessSpec(name="api", command=(sys.executable, "-m", "tokenx_api"), probe=service_probe(url), port=port,
                       env=environment | keys.env("api"), cwd=Path(ROOT))  # fmt: skip
