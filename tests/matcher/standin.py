"""What the matcher sees of the api: command logs, cursors, and an ingesting consumer of executions; and the matcher as a real process."""

import asyncio
import json
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.common.standin import StandInApi
from tests.matcher.commandlog import CommandLog
from tests.support.servers import ServiceKeys, ValkeyServer
from tokenx_cli.runtime import foreground, ports
from tokenx_cli.runtime.environment import inherited_environment
from tokenx_cli.runtime.foreground import Running
from tokenx_cli.runtime.probes import service_probe
from tokenx_cli.runtime.process import ProcessSpec
from tokenx_common import stream
from tokenx_common.bus import Bus
from tokenx_common.canonical import ZERO_HASH
from tokenx_common.essential import stop
from tokenx_common.events import ReplayPage
from tokenx_common.http import ServiceClient
from tokenx_common.service_auth import ServiceSigner
from tokenx_common.stream import Batch, ConsumerGroup, Item


class MatcherApi(StandInApi):
    """Durable rows are plain lists. Executions are ingested by the product's own consumer, with compare-and-set."""

    def __init__(self, keys: ServiceKeys, redis_url: str) -> None:
        super().__init__(keys, ("matcher",))
        self.logs: dict[str, CommandLog] = {}
        self.executions: dict[str, list[Item]] = {}
        self.bus = Bus(redis_url)
        self.matcher_url = ""
        self.signer = ServiceSigner("api", keys.private("api"))
        self.router.add_api_route("/internal/matcher/offerings", self._offerings, methods=["GET"])
        self.router.add_api_route("/internal/streams/{name}", self._stream, methods=["GET"])

    def add(self, offering_id: str) -> CommandLog:
        self.executions[offering_id] = []
        return self.logs.setdefault(offering_id, CommandLog())

    async def announce(self, offering_id: str, items: list[Item]) -> None:
        """The bell after commit."""
        await stream.announce(self.bus, stream=f"cmd:{offering_id}", epoch=1, items=items)

    async def _offerings(self) -> dict[str, Any]:
        return {"offerings": [self._head(offering_id, log) for offering_id, log in self.logs.items()]}

    def _head(self, offering_id: str, log: CommandLog) -> dict[str, Any]:
        last = (self.executions[offering_id] or [{"seq": 0, "cmd_seq": 0, "hash": ZERO_HASH.hex()}])[-1]
        return {"offering_id": offering_id, "cmd_seq": log.head, "exec_seq": last["seq"], "exec_cmd_seq": last["cmd_seq"],
                "exec_hash": last["hash"], "market_state": "continuous"}  # fmt: skip

    async def _stream(self, name: str, after: int, limit: int = 1000) -> dict[str, Any]:
        log = self.logs[name.removeprefix("cmd:")]
        return {"stream": name, "epoch": 1, "head": log.head, "items": log.items[after : after + limit]}

    async def heads(self) -> list[tuple[str, int, int]]:
        return [(f"cmd:{offering_id}", 1, log.head) for offering_id, log in self.logs.items()]

    # ---- Handler of ev:* --------------------------------------------------------------------------------------------

    async def cursor(self, stream: str) -> int:
        return len(self.executions[stream.removeprefix("ev:")])

    async def pull(self, stream: str, after: int, limit: int) -> ReplayPage:
        client = ServiceClient("matcher", self.matcher_url, self.signer)
        try:
            return ReplayPage.model_validate(
                await client.get(f"/internal/streams/{stream}", params={"after": after, "limit": limit})
            )
        finally:
            await client.close()

    async def commit(self, batch: Batch) -> bool:
        rows = self.executions[batch.stream.removeprefix("ev:")]
        if len(rows) != batch.prev_seq:
            return False
        rows.extend(batch.items)
        return True

    @asynccontextmanager
    async def running(self) -> AsyncGenerator["MatcherApi"]:
        """Serving, ingesting and beating."""
        group = ConsumerGroup("api", "ev:*", self, self.bus)
        async with self.serving():
            tasks = [
                asyncio.create_task(group.run()),
                asyncio.create_task(stream.beat(self.bus, self.heads, every_s=0.25)),
            ]
            try:
                yield self
            finally:
                await stop(tasks)
        await self.bus.close()


def matcher_spec(api: MatcherApi, keys: ServiceKeys, redis_url: str, folder: Path, **changed: str) -> ProcessSpec:
    """`python -m tokenx_matcher` against the stand-in. changed: environment variables; by default it snapshots all the time."""
    port = ports.free_port()
    api.matcher_url = f"http://127.0.0.1:{port}"
    env = inherited_environment(keys.env("matcher")) | {
        "PORT": str(port),
        "API_URL": api.url,
        "REDIS_URL": redis_url,
        "SNAPSHOT_DIR": str(folder / "snapshots"),
        "SNAPSHOT_EVERY_S": "1",
        "SNAPSHOT_EVERY_COMMANDS": "500",
        "PYTHONPATH": str(Path.cwd()),
    }
    env |= changed
    return ProcessSpec(name="matcher", command=(sys.executable, "-m", "tokenx_matcher"), port=port, env=env,
                       probe=service_probe(api.matcher_url))  # fmt: skip


@asynccontextmanager
async def matcher_process(
    api: MatcherApi, keys: ServiceKeys, valkey: ValkeyServer, folder: Path, **changed: str
) -> AsyncGenerator[Running]:
    """The matcher for the length of a block; started on a thread, because the stand-in answers on this one."""
    spec = matcher_spec(api, keys, valkey.url("matcher"), folder, **changed)
    running = await asyncio.to_thread(foreground.start, spec, folder / "matcher.log")
    try:
        yield running
    finally:
        await asyncio.to_thread(running.stop)


def bodies(items: list[Item]) -> list[dict[str, Any]]:
    """Decoded bodies."""
    return [json.loads(item["body"]) for item in items]
