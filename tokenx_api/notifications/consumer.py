"""The task that keeps the hub listening."""

from tokenx_api.context import AppContext


async def run(context: AppContext) -> None:
    """For ever."""
    await context.hub.run(context.bus)
