"""What kyt sees of the other services: streams, cursors, batches with compare-and-set; and kyt as a real process."""

import asyncio
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

from fastapi import Body

from tests.common.standin import StandInApi
from tests.kyt.builders import LISTED
from tests.support.servers import ServiceKeys
from tokenx_cli.runtime import foreground, ports
from tokenx_cli.runtime.environment import inherited_environment
from tokenx_cli.runtime.foreground import Running
from tokenx_cli.runtime.probes import service_probe
from tokenx_cli.runtime.process import ProcessSpec
from tokenx_common import stream
from tokenx_common.bus import Bus
from tokenx_common.errors import Conflict, NotFound
from tokenx_common.service_auth import ServiceSigner
from tokenx_common.stream import Item


class Producer(StandInApi):
    """The chain service or the matcher: replays its streams until it is told to have forgotten them."""

    def __init__(self, keys: ServiceKeys, name: str, streams: dict[str, list[Item]]) -> None:
        super().__init__(keys, ("kyt",), name=name)
        self.forgetful = False
        self._streams = streams
        self.router.add_api_route("/internal/streams/{name}", self._stream, methods=["GET"])

    async def _stream(self, name: str, after: int, limit: int) -> dict[str, Any]:
        if self.forgetful:
            raise Conflict("no longer held", code="stream.too_old", status=410)
        return page_of(self._streams, name, after, limit)


class KytApi(StandInApi):
    """The api, with a chain service and a matcher beside it. Streams are plain lists, shared by all three."""

    def __init__(self, keys: ServiceKeys, redis_url: str) -> None:
        super().__init__(keys, ("kyt",))
        self.bus = Bus(redis_url)
        self.signer = ServiceSigner("api", keys.private("api"))
        self.kyt_url = ""
        self.streams: dict[str, list[Item]] = {}
        self.cursors: dict[str, int] = {}
        self.scores: list[dict[str, Any]] = []
        self.alerts: dict[str, list[dict[str, Any]]] = {"alerts:kyt": [], "alerts:surveillance": []}
        self.links: list[dict[str, Any]] = []
        self.lose_answers = 0
        self.chain = Producer(keys, "chain", self.streams)
        self.matcher = Producer(keys, "matcher", self.streams)
        add = self.router.add_api_route
        add("/internal/cursors", self._cursors, methods=["GET"])
        add("/internal/alerts/heads", self._heads, methods=["GET"])
        add("/internal/reference/links", self._links, methods=["GET"])
        add("/internal/streams/{name}", self._stream, methods=["GET"])
        add("/internal/kyt/batches", self._kyt_batch, methods=["POST"])
        add("/internal/surveillance/batches", self._surveillance_batch, methods=["POST"])

    def put(self, name: str, *items: Item) -> list[Item]:
        """Durable, not announced."""
        self.streams.setdefault(name, []).extend(items)
        return list(items)

    async def announce(self, name: str, *items: Item) -> None:
        """Durable and announced."""
        await stream.announce(self.bus, stream=name, epoch=1, items=self.put(name, *items))

    async def beat(self) -> None:
        """Heartbeats of every stream, once."""
        for name, items in self.streams.items():
            await self.bus.publish(
                stream.heartbeat_channel(name),
                stream.Heartbeat(stream=name, epoch=1, head=len(items)).model_dump_json(),
            )

    async def beat_for_ever(self) -> None:
        while True:
            await self.beat()
            await asyncio.sleep(0.25)

    async def _cursors(self, consumer: str) -> dict[str, int]:
        assert consumer == "kyt"
        return self.cursors

    async def _heads(self) -> dict[str, int]:
        return {name: len(rows) for name, rows in self.alerts.items()}

    async def _links(self) -> dict[str, Any]:
        return {"links": self.links, "owners": {"1": "inv_1"}, "offerings": []}

    async def _stream(self, name: str, after: int, limit: int) -> dict[str, Any]:
        return page_of(self.streams, name, after, limit)

    async def _kyt_batch(self, body: Annotated[dict[str, Any], Body()]) -> dict[str, Any]:
        self._move(body, "alerts:kyt")
        self.scores.extend(body["scores"])
        return await self._answer()

    async def _surveillance_batch(self, body: Annotated[dict[str, Any], Body()]) -> dict[str, Any]:
        self._move(body, "alerts:surveillance")
        return await self._answer()

    def _move(self, body: dict[str, Any], alerts: str) -> None:
        """One 'transaction': everything is checked before anything is changed."""
        self.leases.check("kyt", body["epoch"])
        head = self.cursors.get(body["stream"], 0)
        if head != body["prev_seq"] or body["seq"] <= head:
            raise Conflict(f"the cursor is {head}", code="stream.conflict", head=head)
        rows = self.alerts[alerts]
        held = {row["dedupe_key"] for row in rows}
        if duplicates := [row["dedupe_key"] for row in body["alerts"] if row["dedupe_key"] in held]:
            raise Conflict("raised before", code="alerts.duplicate", duplicates=duplicates, head=len(rows))
        if [row["seq"] for row in body["alerts"]] != list(range(len(rows) + 1, len(rows) + 1 + len(body["alerts"]))):
            raise Conflict("not dense", code="alerts.not_dense", head=len(rows))
        self.cursors[body["stream"]] = body["seq"]
        rows.extend(body["alerts"])

    async def _answer(self) -> dict[str, Any]:
        """Sometimes the commit goes through and its answer does not."""
        if self.lose_answers > 0:
            self.lose_answers -= 1
            raise Conflict("the line went dead", code="dependency.unavailable", status=503)
        return {}

    @asynccontextmanager
    async def running(self) -> AsyncGenerator["KytApi"]:
        """Serving and beating."""
        async with self.serving(), self.chain.serving(), self.matcher.serving():
            beating = asyncio.create_task(self.beat_for_ever())
            try:
                yield self
            finally:
                beating.cancel()
        await self.bus.close()


def page_of(streams: dict[str, list[Item]], name: str, after: int, limit: int) -> dict[str, Any]:
    """A replay page. Raises NotFound."""
    if name not in streams:
        raise NotFound("stream")
    return {"stream": name, "epoch": 1, "head": len(streams[name]), "items": streams[name][after : after + limit]}


def kyt_spec(api: KytApi, keys: ServiceKeys, redis_url: str, folder: Path) -> ProcessSpec:
    """`python -m tokenx_kyt` against the stand-in."""
    port = ports.free_port()
    api.kyt_url = f"http://127.0.0.1:{port}"
    former = folder / "former.csv"
    former.write_text("address,former_label\n0x" + "66" * 20 + ",SYNTHETIC MIXER\n", encoding="utf-8")
    current = folder / "current.csv"
    current.write_text(f"# as_of: 2026-11-22\naddress,name\n{LISTED},SYNTHETIC TEST ENTRY\n", encoding="utf-8")
    env = inherited_environment(keys.env("kyt")) | {
        "PORT": str(port), "API_URL": api.url, "CHAIN_URL": api.chain.url, "MATCHER_URL": api.matcher.url, "REDIS_URL": redis_url,
        "SANCTIONS_LISTS": f"{current},{former}", "RISK_BACKEND": "local", "PYTHONPATH": str(Path.cwd()),
    }  # fmt: skip
    return ProcessSpec(name="kyt", command=(sys.executable, "-m", "tokenx_kyt"), port=port, env=env,
                       probe=service_probe(api.kyt_url))  # fmt: skip


@asynccontextmanager
async def kyt_process(api: KytApi, keys: ServiceKeys, redis_url: str, folder: Path) -> AsyncGenerator[Running]:
    """kyt for the length of a block; started on a thread, because the stand-in answers on this one."""
    spec = kyt_spec(api, keys, redis_url, folder)
    running = await asyncio.to_thread(foreground.start, spec, folder / "kyt.log")
    try:
        yield running
    finally:
        await asyncio.to_thread(running.stop)
