"""What kyt reads from and commits through the other services. Every method raises TokenxError when they refuse or do not answer."""

from collections.abc import Mapping
from typing import Any, Final

from pydantic import ConfigDict

from tokenx_common.errors import TokenxError
from tokenx_common.events import ReplayPage
from tokenx_common.http import ServiceClient
from tokenx_common.wire import WireModel
from tokenx_kyt.surveillance.links import Link, Links, links_of

CONSUMER: Final = "kyt"
_ASK_THE_API: Final = frozenset((404, 410, 503))


class _Reference(WireModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    links: list[Link]


class Journal:
    """producers: the service that produces a kind of stream, by the part of its name before the colon."""

    def __init__(self, api: ServiceClient, producers: Mapping[str, ServiceClient]) -> None:
        self._api = api
        self._producers = producers

    async def cursors(self) -> dict[str, int]:
        """Committed cursor by stream."""
        return dict(await self._api.get("/internal/cursors", params={"consumer": CONSUMER}))

    async def alert_heads(self) -> dict[str, int]:
        """Last alert number of each alert stream."""
        return dict(await self._api.get("/internal/alerts/heads"))

    async def links(self) -> Links:
        """Owners that reference data ties together."""
        return links_of(_Reference.model_validate(await self._api.get("/internal/reference/links")).links)

    async def page(self, stream: str, *, after: int, limit: int) -> ReplayPage:
        """Items after a seq: from the producer, or from the api when the producer is away or no longer holds them."""
        path, params = f"/internal/streams/{stream}", {"after": after, "limit": limit}
        try:
            answer = await self._producers[stream.partition(":")[0]].get(path, params=params)
        except TokenxError as error:
            if error.status not in _ASK_THE_API:
                raise
            answer = await self._api.get(path, params=params)
        return ReplayPage.model_validate(answer)

    async def commit(self, path: str, body: Mapping[str, Any]) -> None:
        """One batch, effect and cursor together."""
        await self._api.post(path, body)
