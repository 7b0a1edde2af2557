"""What the matcher reads from the api: offerings with their cursors, and the command log."""

from pydantic import Field

from tokenx_common.events import ReplayPage
from tokenx_common.http import ServiceClient
from tokenx_common.wire import WireModel


class OfferingHead(WireModel):
    """How far the api has got with one offering: last command stored, last execution ingested and its hash (hex)."""

    offering_id: str
    cmd_seq: int = Field(ge=0)
    exec_seq: int = Field(ge=0)
    exec_cmd_seq: int = Field(ge=0)
    exec_hash: str = Field(pattern="^[0-9a-f]{64}$")
    market_state: str


class _Offerings(WireModel):
    offerings: list[OfferingHead]


class Journal:
    """The api's side of both logs. Every method raises TokenxError when the api refuses or does not answer."""

    def __init__(self, api: ServiceClient) -> None:
        self._api = api

    async def offerings(self) -> dict[str, OfferingHead]:
        """All offerings that have a sequencer, by id."""
        answer = _Offerings.model_validate(await self._api.get("/internal/matcher/offerings"))
        return {head.offering_id: head for head in answer.offerings}

    async def commands(self, offering_id: str, *, after: int, limit: int) -> ReplayPage:
        """A page of the command log."""
        path = f"/internal/streams/cmd:{offering_id}"
        return ReplayPage.model_validate(await self._api.get(path, params={"after": after, "limit": limit}))
