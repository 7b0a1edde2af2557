"""The embedded servers, started the way the product starts them."""

import asyncio
from typing import Any, cast

import asyncpg
import httpx
import pytest
from redis.asyncio import Redis
from redis.exceptions import AuthenticationError, NoPermissionError
from temporalio.client import Client

from tests.support.servers import AnvilServer, PostgresServer, ValkeyServer, postgres_server
from tokenx_cli.runtime.migrate import DatabaseUrls

pytestmark = pytest.mark.stack


def redis_client(url: str) -> Any:
    """One attempt a command. Any: redis-py annotates its methods only in part."""
    return cast(Any, Redis).from_url(url, retry=None)


async def test_database_refuses_a_wrong_password(postgres: PostgresServer) -> None:
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(postgres.cluster.url(password="wrong"))


async def test_api_role_reads_a_migrated_database(database: DatabaseUrls) -> None:
    connection = await asyncpg.connect(database.api_url)
    assert await connection.fetchval("SELECT count(*) FROM api.users") == 0
    await connection.close()


async def test_committed_rows_survive_kill_9_of_the_cluster() -> None:
    with postgres_server(durable=True) as server, server.new_database() as urls:
        written = 0
        connection = await asyncpg.connect(urls.superuser_url)
        await connection.execute("CREATE TABLE public.kept (n int)")
        for n in range(50):
            await connection.execute("INSERT INTO public.kept VALUES ($1)", n)
            written += 1
        server.running.kill()
        server.running.restart()
        again = await asyncpg.connect(urls.superuser_url)
        assert await again.fetchval("SELECT count(*) FROM public.kept") == written
        await again.close()


async def test_service_user_publishes_on_its_channels_only(valkey: ValkeyServer) -> None:
    matcher, api = redis_client(valkey.url("matcher")), redis_client(valkey.url("api"))
    bell = api.pubsub()
    await bell.subscribe("ev:off_1")
    await matcher.publish("ev:off_1", "hello")
    message = None
    async with asyncio.timeout(5):
        while message is None:
            message = await bell.get_message(ignore_subscribe_messages=True, timeout=1)
    assert message["data"] == b"hello"
    with pytest.raises(NoPermissionError):
        await matcher.publish("somewhere", "else")
    with pytest.raises(NoPermissionError):
        await matcher.set("key", "value")
    for command in ("FLUSHALL", "CONFIG GET *", "EVAL x 0", "KEYS *", "SHUTDOWN"):
        with pytest.raises(NoPermissionError):
            await api.execute_command(*command.split())
    await bell.aclose()
    await matcher.aclose()
    await api.aclose()


async def test_valkey_refuses_strangers(valkey: ValkeyServer) -> None:
    stranger = redis_client(f"redis://127.0.0.1:{valkey.server.port}/0")
    with pytest.raises(AuthenticationError):
        await stranger.execute_command("PING")
    await stranger.aclose()


async def test_anvil_answers_and_mines(anvil: AnvilServer) -> None:
    async with httpx.AsyncClient() as client:
        answer = await client.post(anvil.url, json={"jsonrpc": "2.0", "id": 1, "method": "eth_accounts", "params": []})
    assert len(answer.json()["result"]) == 10


async def test_temporal_serves_a_namespace(temporal: str) -> None:
    client = await Client.connect(temporal)
    assert await client.service_client.check_health()
