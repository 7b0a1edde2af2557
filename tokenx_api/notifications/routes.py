"""HTTP of notifications: one event stream per browser tab."""

from collections.abc import AsyncGenerator
from typing import Annotated, Final

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse

from tokenx_api.context import AppContext
from tokenx_api.deps import AnyActor, Context
from tokenx_api.notifications.rules import MAX_TOPICS, forbidden_topics, may_know_ids, unknown_topics
from tokenx_common.clock import monotonic_s
from tokenx_common.errors import Invalid, PermissionDenied

router = APIRouter(prefix="/v1", tags=["notifications"])

KEEP_ALIVE_S: Final = 10.0
LIFE_S: Final = 900.0
"""Then the stream ends and the client comes back: a session that ended meanwhile is noticed, and replicas share the load again."""
_HEADERS: Final = {"Cache-Control": "no-cache, no-transform", "X-Accel-Buffering": "no"}


@router.get("/stream", response_class=StreamingResponse)
async def stream_events(
    context: Context, actor: AnyActor, topics: Annotated[str, Query(min_length=1, max_length=8000)]
) -> StreamingResponse:
    """Server-sent events. `topics`: comma-separated, of book:<offering_id>, trades:<offering_id>, orders, settlements, portfolio, chain,
    alerts. Each event is a bell that says what to read again; a comment line every 10 s keeps the connection open."""
    wanted = frozenset(topics.split(","))
    unknown = unknown_topics(wanted)
    if unknown or len(wanted) > MAX_TOPICS:
        message = f"not topics: {', '.join(unknown)}"[:300] if unknown else f"at most {MAX_TOPICS} topics"
        error = {"pointer": "/query/topics", "code": "unknown_topic", "message": message}
        raise Invalid(message, errors=[error])
    if forbidden := forbidden_topics(actor, wanted):
        raise PermissionDenied(f"not yours to hear: {', '.join(forbidden)}")
    events = _events(context, wanted, with_ids=may_know_ids(actor))
    return StreamingResponse(events, media_type="text/event-stream", headers=_HEADERS)


async def _events(context: AppContext, topics: frozenset[str], *, with_ids: bool) -> AsyncGenerator[str]:
    ends_at = monotonic_s() + LIFE_S
    with context.hub.listening(topics, with_ids=with_ids) as listener:
        yield "retry: 2000\n: listening\n\n"
        while monotonic_s() < ends_at:
            bells = await listener.take(timeout_s=KEEP_ALIVE_S)
            yield "".join(f"event: {bell.topic}\ndata: {bell.model_dump_json()}\n\n" for bell in bells) or ": \n\n"
