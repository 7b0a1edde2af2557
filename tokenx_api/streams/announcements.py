"""The task that publishes what requests and consumers put into the announcer after their commits."""

from tokenx_api.context import AppContext
from tokenx_api.streams.service import COMMAND_EPOCH


async def run(context: AppContext) -> None:
    """For ever."""
    await context.announcer.run(context.bus, epoch=COMMAND_EPOCH)
