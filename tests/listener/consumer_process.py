"""A consumer in a process of its own, to be killed: effect and cursor in one transaction of a real database.

Environment: REDIS_URL, DATABASE_URL, API_URL, SERVICE_KEY, CONSUMER, STREAM."""

import asyncio
import os

import asyncpg

from tokenx_common.bus import Bus
from tokenx_common.events import ReplayPage
from tokenx_common.http import ServiceClient
from tokenx_common.service_auth import ServiceSigner
from tokenx_common.stream import Batch, ConsumerGroup

TABLES = """
    CREATE SCHEMA probe
    CREATE TABLE probe.cursors (consumer text PRIMARY KEY, seq bigint NOT NULL)
    CREATE TABLE probe.effects (n bigint GENERATED ALWAYS AS IDENTITY, consumer text NOT NULL, seq bigint NOT NULL, event_id text NOT NULL, kind text NOT NULL,
                                block_hash text NOT NULL, log_index int NOT NULL)"""
"""No unique key on the effects: doing one twice must be possible, so that it can be seen not to happen."""


class Effects:
    """The handler: writes down what it was told."""

    def __init__(self, consumer: str, pool: "asyncpg.Pool[asyncpg.Record]", api: ServiceClient) -> None:
        self._consumer = consumer
        self._pool = pool
        self._api = api

    async def cursor(self, stream: str) -> int:
        return int(await self._pool.fetchval("SELECT seq FROM probe.cursors WHERE consumer = $1", self._consumer))

    async def pull(self, stream: str, after: int, limit: int) -> ReplayPage:
        answer = await self._api.get(f"/internal/streams/{stream}", params={"after": after, "limit": limit})
        return ReplayPage.model_validate(answer)

    async def commit(self, batch: Batch) -> bool:
        rows = [
            (self._consumer, i["seq"], i["event_id"], i["type"], i["block_hash"], i["log_index"]) for i in batch.items
        ]
        async with self._pool.acquire() as conn:
            transaction = conn.transaction()
            await transaction.start()
            await conn.executemany(
                "INSERT INTO probe.effects (consumer, seq, event_id, kind, block_hash, log_index) VALUES ($1, $2, $3, $4, $5, $6)",
                rows,
            )
            moved = await conn.execute(
                "UPDATE probe.cursors SET seq = $2 WHERE consumer = $1 AND seq = $3",
                self._consumer,
                batch.seq,
                batch.prev_seq,
            )
            if moved == "UPDATE 1":
                await transaction.commit()
                return True
            await transaction.rollback()
            return False


async def main() -> None:
    env = os.environ
    pool = await asyncpg.create_pool(env["DATABASE_URL"], min_size=1, max_size=2)
    api = ServiceClient("api", env["API_URL"], ServiceSigner("chain", env["SERVICE_KEY"]))
    group = ConsumerGroup(
        env["CONSUMER"], "chain:*", Effects(env["CONSUMER"], pool, api), Bus(env["REDIS_URL"]), batch_items=50
    )
    await group.run([env["STREAM"]])


if __name__ == "__main__":
    asyncio.run(main())
