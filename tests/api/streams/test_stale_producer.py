"""A consumer that holds announcements of a producer which has lost its lease must pull from the current one."""

import asyncio

from tokenx_common.errors import StaleEpoch
from tokenx_common.events import Announcement, ReplayPage
from tokenx_common.stream import Batch, StreamConsumer


class Fenced:
    """Commits nothing of an epoch before 2."""

    def __init__(self) -> None:
        self.committed: list[tuple[int, int]] = []

    async def cursor(self, stream: str) -> int:
        return 0

    async def pull(self, stream: str, after: int, limit: int) -> ReplayPage:
        items = [{"seq": seq} for seq in range(after + 1, 4)]
        return ReplayPage(stream=stream, epoch=2, head=3, items=items)

    async def commit(self, batch: Batch) -> bool:
        if batch.epoch < 2:
            raise StaleEpoch("older than the lease")
        self.committed += [(batch.epoch, item["seq"]) for item in batch.items]
        return True


async def test_refused_announcements_are_pulled_again_from_the_current_producer() -> None:
    handler = Fenced()
    consumer = StreamConsumer("test", "s:1", handler)
    consumer.heard(Announcement(stream="s:1", epoch=1, prev_seq=0, seq=2, items=[{"seq": 1}, {"seq": 2}]))
    task = asyncio.create_task(consumer.run())
    try:
        async with asyncio.timeout(5):
            while consumer.cursor < 3:
                await asyncio.sleep(0.01)
    finally:
        task.cancel()
    assert handler.committed == [(2, 1), (2, 2), (2, 3)]
