"""Where workflow tests play: everything real but the chain, whose part the test takes."""

import asyncio
import os
import signal
import sys
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import asyncpg
import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.api.builders import Seed
from tests.api.harness import serve
from tests.api.in_process import Api, api_settings
from tests.api.redemptions.driver import Driver
from tests.support.servers import ServiceKeys
from tokenx_api.app import create_app
from tokenx_cli.runtime import ports
from tokenx_cli.runtime.migrate import DatabaseUrls
from tokenx_common.ids import new_id

PATIENCE_S = 60


@dataclass
class HoldingProxy:
    """Between the worker and the api. hold(step, when) stops the next such call for ever: 'before' the api hears of it, or 'after' its effect
    is committed and before the worker hears the answer."""

    api_url: str
    held: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self._plan: deque[tuple[str, str]] = deque()
        self._http = httpx.AsyncClient(base_url=self.api_url, timeout=10)

    def hold(self, step: str, when: str) -> None:
        self.held.clear()
        self._plan.append((step, when))

    def app(self) -> Starlette:
        return Starlette(routes=[Route("/{path:path}", self._forward, methods=["GET", "POST"])])

    async def close(self) -> None:
        await self._http.aclose()

    async def _forward(self, request: Request) -> Response:
        when = self._due(request.url.path)
        if when == "before":
            await self._for_ever()
        headers = {name: value for name, value in request.headers.items() if name not in {"host", "content-length"}}
        answer = await self._http.request(
            request.method, request.url.path, content=await request.body(), headers=headers
        )
        if when == "after":
            await self._for_ever()
        return Response(answer.content, answer.status_code, {"content-type": answer.headers.get("content-type", "")})

    def _due(self, path: str) -> str:
        if self._plan and path.endswith(f":{self._plan[0][0]}"):
            return self._plan.popleft()[1]
        return ""

    async def _for_ever(self) -> None:
        self.held.set()
        await asyncio.Event().wait()


@dataclass
class Stage:
    """driver plays people and chain; the worker is a process of its own."""

    driver: Driver
    proxy: HoldingProxy
    worker_env: dict[str, str]
    temporal: str
    task_queue: str
    _worker: asyncio.subprocess.Process | None = None

    async def start_worker(self) -> None:
        """python -m tokenx_api.worker."""
        self._worker = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tokenx_api.worker", env=self.worker_env
        )

    async def kill_worker(self) -> None:
        """kill -9, which no code of the worker notices."""
        await self._end(signal.SIGKILL)

    async def stop_worker(self) -> int:
        """SIGTERM; the exit status."""
        return await self._end(signal.SIGTERM)

    async def _end(self, number: signal.Signals) -> int:
        worker, self._worker = self._worker, None
        if worker is None:
            return 0
        worker.send_signal(number)
        async with asyncio.timeout(15):
            return await worker.wait()

    async def until_status(self, expected: str) -> None:
        await until(self.driver.status, expected)


async def until(read: Callable[[], Awaitable[object]], expected: object) -> None:
    """Poll until what is read is what is expected."""
    seen: object = None
    try:
        async with asyncio.timeout(PATIENCE_S):
            while (seen := await read()) != expected:
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise AssertionError(f"still {seen!r}, not {expected!r}") from None


@asynccontextmanager
async def raise_stage(
    database: DatabaseUrls, redis_url: str, keys: ServiceKeys, temporal: str
) -> AsyncGenerator[Stage]:
    """The api, the proxy and the people."""
    port, proxy_port, task_queue = ports.free_port(), ports.free_port(), new_id("ins")
    url = f"http://127.0.0.1:{port}"
    settings = api_settings(database.api_url, keys, redis_url=redis_url, api_url=url, temporal_address=temporal,
                            temporal_task_queue=task_queue)  # fmt: skip
    app, proxy = create_app(settings), HoldingProxy(url)
    environment = {
        "PATH": os.environ["PATH"], "TEMPORAL_ADDRESS": temporal, "TEMPORAL_TASK_QUEUE": task_queue,
        "API_URL": f"http://127.0.0.1:{proxy_port}", "SERVICE_PRIVATE_KEY": keys.private("api"),
    }  # fmt: skip
    rows = await asyncpg.connect(database.superuser_url)
    async with serve(app, port), serve(proxy.app(), proxy_port):  # pyright: ignore[reportArgumentType]  # any ASGI app will do
        api = Api(app, app.state.context, Seed(rows), keys)
        holder, offering = await api.seed.investor(), await api.seed.offering(unit_price_minor=1000)
        await api.seed.units(investor_id=holder.investor_id, offering_id=offering.offering_id, units=100)
        driver = Driver(api, holder, offering, await api.seed.user("transfer_agent"), consumed_in_background=True)
        stage = Stage(driver, proxy, environment, temporal, task_queue)
        try:
            yield stage
        finally:
            await stage.kill_worker()
    await proxy.close()
    await rows.close()
