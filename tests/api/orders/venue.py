"""A market for tests: the api in process on a real database, and the real engine of the matcher, moved by hand or following Redis."""

import asyncio
import itertools
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import httpx
from fastapi import FastAPI

from tests.api.builders import Seed, SeededInvestor, SeededOffering
from tests.api.in_process import Api, api_settings
from tests.support.servers import ServiceKeys
from tokenx_api.app import create_app
from tokenx_api.context import AppContext
from tokenx_api.orders.consumer import ExecutionHandler
from tokenx_api.settings import ApiSettings
from tokenx_api.streams import service as streams
from tokenx_cli.runtime.migrate import DatabaseUrls
from tokenx_common.bus import Bus
from tokenx_common.events import Announcement
from tokenx_common.log import configure_logging
from tokenx_common.stream import Batch, Item, announce
from tokenx_matcher.engine import OfferingEngine

_numbers = itertools.count(1)


@dataclass
class EngineRoom:
    """The engines of all offerings with everything they ever decided, as the matcher service holds them."""

    epoch: int = 1
    engines: dict[str, OfferingEngine] = field(default_factory=dict[str, OfferingEngine])
    log: dict[str, list[Item]] = field(default_factory=dict[str, list[Item]])

    def apply(self, offering_id: str, commands: list[Item]) -> list[Item]:
        """New executions; commands already known are dropped."""
        engine = self.engines.setdefault(offering_id, OfferingEngine(offering_id))
        fresh = [item for item in commands if item["seq"] > engine.cmd_seq]
        if not fresh or fresh[0]["seq"] != engine.cmd_seq + 1:
            return []
        executions = engine.apply(fresh)
        self.log.setdefault(offering_id, []).extend(executions)
        return executions

    def page(self, stream: str, after: int, limit: int) -> dict[str, Any]:
        """Answer of GET /internal/streams/ev:<offering_id>."""
        log = self.log.get(stream.partition(":")[2], [])
        return {"stream": stream, "epoch": self.epoch, "head": len(log), "items": log[after : after + limit]}


@dataclass
class Venue:
    """One market: who trades, what is traded, and what the matcher makes of it."""

    api: Api
    room: EngineRoom
    offering: SeededOffering

    @property
    def seed(self) -> Seed:
        return self.api.seed

    @property
    def context(self) -> AppContext:
        return self.api.context

    async def trader(self, *, cash: int = 0, units: int = 0) -> "Trader":
        """An approved investor with cash in cents and units of the offering."""
        investor = await self.seed.investor()
        if cash:
            await self.seed.cash(f"investor:{investor.investor_id}", cash)
        if units:
            await self.seed.units(investor_id=investor.investor_id, offering_id=self.offering.offering_id, units=units)
        return Trader(self, investor, self.api.as_actor(investor.actor))

    async def open(self) -> None:
        """The operator starts trading; the engine takes it in."""
        await self.seed.rows.execute("UPDATE api.offerings SET market_state = 'closed' WHERE offering_id = $1", self.offering.offering_id)  # fmt: skip
        operator = self.api.as_actor(await self.seed.user("ats_operator"))
        answer = await operator.post(f"/v1/offerings/{self.offering.offering_id}:start-trading")
        assert answer.status_code == 200, answer.text
        await self.match()

    async def decide(self) -> Batch | None:
        """What the engine makes of all commands it has not seen; the api is not told."""
        offering_id = self.offering.offering_id
        seen = self.room.engines[offering_id].cmd_seq if offering_id in self.room.engines else 0
        async with self.context.db.read() as conn:
            page = await streams.page(conn, stream=f"cmd:{offering_id}", after=seen, limit=1000)
        executions = self.room.apply(offering_id, page.items)
        return self.batch(executions) if executions else None

    def batch(self, items: list[Item], *, epoch: int | None = None) -> Batch:
        return Batch(f"ev:{self.offering.offering_id}", self.room.epoch if epoch is None else epoch, items[0]["seq"] - 1, items)  # fmt: skip

    async def match(self) -> bool | None:
        """Decide and ingest; None when there was nothing to decide."""
        batch = await self.decide()
        return await ExecutionHandler(self.context).commit(batch) if batch else None

    async def rows(self, sql: str, *arguments: Any) -> list[dict[str, Any]]:
        return [dict(row) for row in await self.seed.rows.fetch(sql, *arguments)]


@dataclass
class Trader:
    """An investor with a signed-in client."""

    venue: Venue
    investor: SeededInvestor
    http: httpx.AsyncClient

    @property
    def investor_id(self) -> str:
        return self.investor.investor_id

    def order(self, side: str, quantity: int | str, price: str | None = "10.00", **changes: Any) -> dict[str, Any]:
        """A request body with a fresh client_order_id; price None is a market order."""
        body = {"client_order_id": f"t-{next(_numbers)}", "offering_id": self.venue.offering.offering_id, "side": side,
                "type": "limit" if price else "market", "time_in_force": "gtc" if price else "ioc", "quantity": str(quantity)}  # fmt: skip
        return body | ({"limit_price": price} if price else {}) | changes

    async def place(self, side: str, quantity: int, price: str | None = "10.00", **changes: Any) -> dict[str, Any]:
        """Place and expect acceptance."""
        answer = await self.http.post("/v1/orders", json=self.order(side, quantity, price, **changes))
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def get(self, order_id: str) -> dict[str, Any]:
        return (await self.http.get(f"/v1/orders/{order_id}")).json()

    async def held(self) -> dict[str, tuple[int, int]]:
        """asset -> (balance, reserved)."""
        rows = await self.venue.rows("SELECT asset, balance, reserved FROM api.ledger_accounts WHERE owner = $1", f"investor:{self.investor_id}")  # fmt: skip
        return {row["asset"]: (row["balance"], row["reserved"]) for row in rows}


@asynccontextmanager
async def quiet_api(database: DatabaseUrls, keys: ServiceKeys, **settings: str) -> AsyncGenerator[Api]:
    """An api without background work: tests move the matcher by hand."""
    app = _app(api_settings(database.api_url, keys, **settings))
    context: AppContext = app.state.context
    await context.db.open()
    rows = await asyncpg.connect(database.superuser_url)
    try:
        yield Api(app, context, Seed(rows), keys)
    finally:
        await rows.close()
        await context.bus.close()
        await context.db.close()


async def a_venue(api: Api, *, tick: int = 1, lot: int = 1) -> Venue:
    """A fresh offering at 10.00, open for trading."""
    venue = Venue(api, EngineRoom(), await api.seed.offering(unit_price_minor=1000))
    await api.seed.rows.execute("UPDATE api.offerings SET tick_size_minor = $2, lot_size_units = $3 WHERE offering_id = $1",
                                venue.offering.offering_id, tick, lot)  # fmt: skip
    await venue.open()
    return venue


@asynccontextmanager
async def a_live_venue(database: DatabaseUrls, keys: ServiceKeys, redis_url: str) -> AsyncGenerator[Venue]:
    """The api with its background work and a matcher that follows Redis and pulls, as the services do."""
    app = _app(api_settings(database.api_url, keys, redis_url=redis_url))
    context: AppContext = app.state.context
    room = EngineRoom()
    transport = httpx.ASGITransport(app=_matcher_app(room))
    context.matcher._http = httpx.AsyncClient(transport=transport, base_url="http://matcher")  # pyright: ignore[reportPrivateUsage]  # only the socket is replaced
    rows = await asyncpg.connect(database.superuser_url)
    async with app.router.lifespan_context(app):
        api = Api(app, context, Seed(rows), keys)
        venue = Venue(api, room, await api.seed.offering(unit_price_minor=1000))
        matcher = asyncio.create_task(_follow(venue, redis_url))
        try:
            await venue.open()
            yield venue
        finally:
            matcher.cancel()
            await asyncio.gather(matcher, return_exceptions=True)
    await rows.close()


def _app(settings: ApiSettings) -> FastAPI:
    configure_logging(
        "api", settings
    )  # as a service does: structlog's own default draws every traceback, which takes seconds
    return create_app(settings)


async def _follow(venue: Venue, redis_url: str) -> None:
    """Takes commands from the bus or, after a gap, from the database; announces executions."""
    bus = Bus(redis_url)
    try:
        async for message in bus.subscribe(["cmd:*", "hb:cmd:*"]):
            executions: list[Item] = []
            if message is not None and message[0].startswith("cmd:"):
                executions = venue.room.apply(venue.offering.offering_id, Announcement.model_validate_json(message[1]).items)  # fmt: skip
            if not executions:
                batch = await venue.decide()
                executions = batch.items if batch else []
            if executions:
                await announce(bus, stream=f"ev:{venue.offering.offering_id}", epoch=venue.room.epoch, items=executions)
    finally:
        await bus.close()


def _matcher_app(room: EngineRoom) -> FastAPI:
    app = FastAPI()

    @app.get("/internal/streams/{stream}")
    async def replay(stream: str, after: int, limit: int) -> dict[str, Any]:  # pyright: ignore[reportUnusedFunction]  # a route
        return room.page(stream, after, limit)

    return app
