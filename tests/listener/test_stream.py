"""Thousands of events while Redis, consumers and the listener itself are killed and the chain changes its mind up to 64 blocks deep:
every consumer's effect once, in order, and in the end what the chain holds. TOKENX_LONG_TESTS=1 makes it 10,000 events."""

import asyncio
import os
import random
import subprocess
import sys
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

import asyncpg
import pytest

from tests.chain.journal_stand_in import JournalServer, JournalState
from tests.listener.consumer_process import TABLES
from tests.networks.world import LOCAL, ROOT, World, emission, node_of, with_depth, world
from tests.support.servers import PostgresServer, ServiceKeys, ValkeyServer, valkey_server
from tokenx_cli.runtime import ports
from tokenx_common.bus import Bus
from tokenx_common.stream import beat

pytestmark = [pytest.mark.stack, pytest.mark.fault, pytest.mark.timeout(900)]

IS_LONG = os.environ.get("TOKENX_LONG_TESTS") == "1"
EVENTS = 10_000 if IS_LONG else 1_500
LOGS = 40
"""In each transaction."""
FINAL_DEPTH = 70
DEEPEST = 64
PATIENCE_S = 60.0
STREAM = "chain:31337"


@dataclass
class Fleet:
    """Consumer processes by number; two of them are replicas of the same consumer."""

    env: dict[str, str]
    names: tuple[str, ...] = ("balances", "balances", "screening")
    running: list["subprocess.Popen[bytes]"] = field(default_factory=list["subprocess.Popen[bytes]"])

    def start(self) -> None:
        self.running = [self._one(name) for name in self.names]

    def _one(self, name: str) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "tests.listener.consumer_process"]
        return subprocess.Popen(command, env={**os.environ, **self.env, "CONSUMER": name}, cwd=ROOT, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)  # fmt: skip

    def crash(self, number: int) -> None:
        """kill -9, and another one starts."""
        self.running[number].kill()
        self.running[number].wait()
        self.running[number] = self._one(self.names[number])

    def stop(self) -> None:
        for process in self.running:
            process.kill()
            process.wait()


@asynccontextmanager
async def listener(url: str, state: JournalState, redis_url: str) -> AsyncGenerator[World]:
    """A listener at work; leaving the block ends it as a crash would: nothing is finished or put in order."""
    bus = Bus(redis_url)
    async with world(url, network=with_depth(FINAL_DEPTH), state=state, bus=bus) as w:
        tasks = [asyncio.create_task(w.follower.run()), asyncio.create_task(beat(bus, w.publisher.heads, every_s=0.3))]
        try:
            yield w
        finally:
            ended = [task.exception() for task in tasks if task.done()]
            assert ended == [], f"the listener ended by itself: {ended}, {w.follower.halted}"
            while running := [task for task in tasks if not task.done()]:
                for task in running:
                    task.cancel()  # again if need be: a client library may lose a cancellation that meets its answer (before Python 3.12)
                await asyncio.wait(running, timeout=0.5)
            await bus.close()


async def test_consumers_when_everything_is_killed_have_each_effect_once_and_in_order(
    postgres: PostgresServer, service_keys: ServiceKeys
) -> None:
    seed = int(os.environ.get("TOKENX_SEED", "0")) or random.SystemRandom().randrange(10**9)
    print(f"TOKENX_SEED={seed}")
    rng = random.Random(seed)
    async with AsyncExitStack() as stack:
        urls = stack.enter_context(postgres.new_database())
        valkey = stack.enter_context(valkey_server())
        node_url = stack.enter_context(node_of(LOCAL))
        journal = JournalServer(service_keys, ports.free_port())
        journal.start()
        stack.callback(journal.stop)
        conn = await asyncpg.connect(urls.superuser_url)
        stack.push_async_callback(conn.close)
        await conn.execute(TABLES)
        await conn.executemany("INSERT INTO probe.cursors VALUES ($1, 0)", [("balances",), ("screening",)])
        fleet = Fleet({"REDIS_URL": valkey.url("chain"), "DATABASE_URL": urls.superuser_url, "API_URL": journal.url,
                       "SERVICE_KEY": service_keys.private("chain"), "STREAM": STREAM})  # fmt: skip
        fleet.start()
        stack.callback(fleet.stop)
        depths = await history(rng, node_url, journal.state, valkey, fleet)
        await settle(node_url, journal.state, valkey.url("chain"))
        await until_consumed(conn, len(journal.state.events))
        async with world(node_url, network=with_depth(FINAL_DEPTH)) as w:
            wanted = await w.chain_logs(upto=journal.state.checkpoint["block_number"])
        print(f"{len(journal.state.events)} events, {len(wanted)} transfers, reorganisations of {depths} blocks")
        assert [event["seq"] for event in journal.state.events] == list(range(1, len(journal.state.events) + 1))
        assert len(journal.state.events) >= EVENTS
        for consumer in ("balances", "screening"):
            rows = await conn.fetch("SELECT seq, event_id, kind, block_hash, log_index FROM probe.effects WHERE consumer = $1 ORDER BY n", consumer)  # fmt: skip
            assert [row["seq"] for row in rows] == [event["seq"] for event in journal.state.events]
            assert [row["event_id"] for row in rows] == [event["event_id"] for event in journal.state.events]
            assert [(row["block_hash"], row["log_index"]) for row in rows if row["kind"] == "transfer.final"] == wanted
            assert standing(rows) == set(wanted)


def standing(rows: list[asyncpg.Record]) -> set[tuple[str, int]]:
    """What a consumer that acts on `seen` is left with. Each step must be possible: seen only what is not, taken back only what is."""
    left: set[tuple[str, int]] = set()
    for row in rows:
        key = (row["block_hash"], row["log_index"])
        if row["kind"] == "transfer.seen":
            assert key not in left
            left.add(key)
        elif row["kind"] == "transfer.reverted":
            left.remove(key)
    return left


async def history(rng: random.Random, url: str, state: JournalState, valkey: ValkeyServer, fleet: Fleet) -> list[int]:
    """Make blocks and trouble until there are events enough; the depths of the reorganisations."""
    depths: list[int] = []
    lives = 0
    async with world(url) as w:
        await w.mine(FINAL_DEPTH)  # so that the deepest reorganisation is possible from the start
    while len(state.events) < EVENTS or lives < 3:
        lives += 1
        async with listener(url, state, valkey.url("chain")) as w:
            for _ in range(rng.randint(3, 6)):
                before = len(state.events)
                for _ in range(rng.randint(1, 3)):
                    await w.emit(LOGS, first=rng.randrange(10**6))
                    await w.mine(rng.randint(0, 12))
                trouble = rng.choice(["reorg", "reorg", "reorg", "redis", "consumer", "consumer", "none"])
                if trouble == "reorg":
                    depths.append(await some_reorg(rng, w))
                elif trouble == "redis":
                    await asyncio.to_thread(valkey.running.kill)
                    await w.emit(LOGS)
                    await asyncio.sleep(0.3)
                    await asyncio.to_thread(valkey.running.restart)
                elif trouble == "consumer":
                    fleet.crash(rng.randrange(len(fleet.names)))
                if (
                    rng.random() < 0.7
                ):  # else the next trouble, or the crash of the listener, comes before it has looked
                    await more_than(state, before)
    return depths


async def some_reorg(rng: random.Random, w: World) -> int:
    """Replace up to 64 blocks, with one to three emissions somewhere in the new ones."""
    head = int(await w.ask("eth_blockNumber"), 16)
    depth = min(rng.choice([1, 2, 3, rng.randint(4, 20), DEEPEST]), head - 1)
    pairs = [(emission(LOGS, first=rng.randrange(10**6)), rng.randrange(depth)) for _ in range(rng.randint(0, 3))]
    await w.reorg(depth, *pairs)
    return depth


async def more_than(state: JournalState, before: int) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while len(state.events) <= before:
            await asyncio.sleep(0.02)


async def settle(url: str, state: JournalState, redis_url: str) -> None:
    """Let everything become final, and everyone hear of it."""
    async with listener(url, state, redis_url) as w:
        last = int(await w.ask("eth_blockNumber"), 16)
        await w.mine(FINAL_DEPTH + 1)
        async with asyncio.timeout(PATIENCE_S):
            while w.follower.finalized_number < last:
                await asyncio.sleep(0.05)
        await asyncio.sleep(1.0)  # a few heartbeats: a consumer that missed every announcement learns of the head


async def until_consumed(conn: "asyncpg.Connection[asyncpg.Record]", head: int) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while await conn.fetchval("SELECT min(seq) FROM probe.cursors") < head:
            await asyncio.sleep(0.1)
