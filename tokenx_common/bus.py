"""Redis pub/sub as a bell. Nothing here is ever the record: a lost message costs latency, never data."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any, Final

import redis.asyncio as redis
from redis.exceptions import RedisError

from tokenx_common.log import get_logger

log = get_logger(__name__)

SILENCE_S: Final = 5.0
"""A subscription that hears nothing for this long is torn down and made again: redis-py does not notice a half-open socket."""
_RECONNECT_S: Final = 0.2


class Bus:
    """Publishes and subscribes. Publishing never raises; subscribing reconnects for ever."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._redis: redis.Redis = self._connect()

    def _connect(self) -> redis.Redis:
        return redis.Redis.from_url(self._url, socket_timeout=1.0, socket_connect_timeout=1.0, decode_responses=True)  # pyright: ignore[reportUnknownMemberType]  # untyped in redis-py

    async def close(self) -> None:
        await self._redis.aclose()

    async def ping(self) -> str:
        """'pong'; raises RedisError when the server does not answer."""
        await self._redis.ping()  # pyright: ignore[reportUnknownMemberType, reportGeneralTypeIssues]  # untyped in redis-py
        return "pong"

    async def publish(self, channel: str, message: str) -> bool:
        """Whether Redis took it. A failure is only logged: the durable row is what counts, and the heartbeat reveals the loss."""
        try:
            await self._redis.publish(channel, message)  # pyright: ignore[reportUnknownMemberType]  # untyped in redis-py
        except (RedisError, OSError) as error:
            log.warning("bus.publish_failed", channel=channel, error=str(error))
            return False
        return True

    async def subscribe(self, patterns: Sequence[str]) -> AsyncIterator[tuple[str, str] | None]:
        """Messages as (channel, text), for ever. Yields None after each (re)connection, when anything may have been missed."""
        while True:
            connection = self._connect()
            try:
                async with connection.pubsub() as pubsub:  # pyright: ignore[reportUnknownMemberType]  # untyped in redis-py
                    await pubsub.psubscribe(*patterns)  # pyright: ignore[reportUnknownMemberType]  # untyped in redis-py
                    async for message in _until_silent(pubsub, len(patterns)):
                        yield message
            except (RedisError, OSError) as error:
                log.warning("bus.subscription_lost", patterns=list(patterns), error=str(error))
            finally:
                await connection.aclose()
            await asyncio.sleep(_RECONNECT_S)


async def _until_silent(pubsub: Any, patterns: int) -> AsyncIterator[tuple[str, str] | None]:
    """None once the server has confirmed all patterns, then what it sends. (Told to ignore the confirmations itself, redis-py
    returns None for each of them, which cannot be told from silence.)"""
    while True:
        message: dict[str, Any] | None = await pubsub.get_message(timeout=SILENCE_S)
        if message is None:
            return
        if message["type"] == "pmessage":
            yield message["channel"], message["data"]
        elif message["data"] == patterns:
            yield None
