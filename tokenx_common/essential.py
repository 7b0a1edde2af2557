"""Work a service must not outlive: follow streams, keep the lease, send transactions. When it dies the process ends and is started again;
half a service that still answers its health check would be worse."""

import asyncio
import os
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

from tokenx_common.log import get_logger

log = get_logger(__name__)

EXIT_CRASHED: Final = 1
ASK_AGAIN_S: Final = 1.0

Work = Callable[[], Coroutine[Any, Any, None]]
"""Runs until it is cancelled."""


@asynccontextmanager
async def essential(works: Mapping[str, Work]) -> AsyncGenerator[None]:
    """All works, by name, while the block lasts; cancelled and awaited at its end. One that fails ends the process with status 1."""
    tasks = [asyncio.create_task(work(), name=name) for name, work in works.items()]
    for task in tasks:
        task.add_done_callback(_leave_if_crashed)
    try:
        yield
    finally:
        await stop(tasks)


async def stop(tasks: Iterable["asyncio.Task[Any]"]) -> None:
    """Cancel the tasks and wait until all have ended. Asks again each second: a cancellation that meets a connection going down can be
    swallowed on its way through a client library, and a task that never heard of it would go on for ever."""
    pending = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=ASK_AGAIN_S)


def _leave_if_crashed(task: "asyncio.Task[None]") -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("service.crashed", work=task.get_name(), exc_info=error)
        os._exit(EXIT_CRASHED)
