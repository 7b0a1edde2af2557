"""The api's own consumer of chain events in a process of its own, to be killed at a named place. Ends by itself at the head of the stream.

Environment: DATABASE_URL, STREAM, PLACE ('inside' the transaction, after the effects and before the commit; 'after' the commit, before the consumer
knows of it; empty: nowhere), BATCH (events of one transaction), PASSES (batches that go through unharmed)."""

import asyncio
import os
import signal

from tests.api.in_process import api_settings
from tests.support.servers import ServiceKeys
from tokenx_api.app import create_app
from tokenx_api.chain_events import ChainEvents
from tokenx_api.context import AppContext
from tokenx_common.events import ChainItem
from tokenx_common.stream import Batch


class Doomed(ChainEvents):
    """Dies by SIGKILL where it was told to."""

    def __init__(self, context: AppContext, *, place: str, passes: int) -> None:
        super().__init__(context)
        self._place = place
        self._passes = passes

    async def _apply(self, batch: Batch, items: list[ChainItem]) -> bool:
        inside = self._apply_one
        last = items[-1]

        async def apply_one(conn: object, chain_id: int, item: ChainItem) -> None:
            await inside(conn, chain_id, item)  # pyright: ignore[reportArgumentType]  # handed through as it comes
            if item is last:
                self._reached("inside")

        self._apply_one = apply_one  # pyright: ignore[reportAttributeAccessIssue]  # for this batch only
        try:
            moved = await super()._apply(batch, items)
        finally:
            del self._apply_one
        self._reached("after")
        self._passes -= 1
        return moved

    def _reached(self, place: str) -> None:
        if place == self._place and self._passes <= 0:
            os.kill(os.getpid(), signal.SIGKILL)


async def main() -> None:
    """Consume to the head."""
    env = os.environ
    context: AppContext = create_app(api_settings(env["DATABASE_URL"], ServiceKeys())).state.context
    await context.db.open()
    handler = Doomed(context, place=env["PLACE"], passes=int(env["PASSES"]))
    stream, size = env["STREAM"], int(env["BATCH"])
    while True:
        after = await handler.cursor(stream)
        page = await handler.pull(stream, after, size)
        if not page.items:
            return
        await handler.commit(Batch(stream, page.epoch, after, page.items))


if __name__ == "__main__":
    asyncio.run(main())
