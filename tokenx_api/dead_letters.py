"""Chain events that could not be processed at their time, processed again once their cause is mended. Above chain_events, which knows who waits for what."""

from typing import Annotated, Final

import asyncpg
from fastapi import APIRouter, Response
from pydantic import StringConstraints

from tokenx_api.captable import service as captable
from tokenx_api.chain_events import CONSUMER, RETRY, dispatch
from tokenx_api.db import WriteConn
from tokenx_api.deps import Context, TokenizationActor
from tokenx_api.streams import service as streams
from tokenx_api.tokenization import service as tokenization
from tokenx_api.tokenization.errors import NotRequeueable, StillFailing
from tokenx_common.errors import DependencyUnavailable
from tokenx_common.events import ChainItem
from tokenx_common.log import get_logger
from tokenx_common.wire import WireModel

log = get_logger(__name__)
router = APIRouter(prefix="/v1/chain/dead-letters", tags=["tokenization"])

EVENT: Final = "event"
EYES: Final = 2
"""People who must agree before a dead letter is closed."""


class Because(WireModel):
    """Why; kept in the audit trail."""

    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=1000)]


class Closed(WireModel):
    dead_letter_id: int
    status: str


@router.post("/{dead_letter_id}:requeue")
async def requeue_dead_letter(
    context: Context, actor: TokenizationActor, dead_letter_id: int, body: Because, response: Response
) -> Closed:
    """Process a set-aside event, once a second person agrees: 202 for the first. 409 dead_letter.still_failing leaves everything as it was."""
    async with context.db.write() as conn:
        kind, payload = await tokenization.open_dead_letter(conn, dead_letter_id)
        if kind != EVENT:
            raise NotRequeueable(f"a dead letter of kind {kind} is not the api's to process")
        if await _agreed(conn, dead_letter_id, "requeue", actor=actor.user_id, reason=body.reason) < EYES:
            response.status_code = 202
            return Closed(dead_letter_id=dead_letter_id, status="proposed")
        await _process(conn, context.settings.chain_id, ChainItem.model_validate(payload))
        await tokenization.close_dead_letter(
            conn, dead_letter_id, actor=actor.user_id, status="requeued", reason=body.reason
        )
    for topic in ("chain", "settlements", "portfolio"):
        context.announcer.ring(topic)
    context.wakeups.ring("outbox")
    return Closed(dead_letter_id=dead_letter_id, status="requeued")


@router.post("/{dead_letter_id}:discard")
async def discard_dead_letter(
    context: Context, actor: TokenizationActor, dead_letter_id: int, body: Because, response: Response
) -> Closed:
    """Declare that nothing has to be done about it, once a second person agrees: 202 for the first."""
    async with context.db.write() as conn:
        await tokenization.open_dead_letter(conn, dead_letter_id)
        if await _agreed(conn, dead_letter_id, "discard", actor=actor.user_id, reason=body.reason) < EYES:
            response.status_code = 202
            return Closed(dead_letter_id=dead_letter_id, status="proposed")
        await tokenization.close_dead_letter(
            conn, dead_letter_id, actor=actor.user_id, status="discarded", reason=body.reason
        )
    return Closed(dead_letter_id=dead_letter_id, status="discarded")


async def _agreed(conn: WriteConn, dead_letter_id: int, verb: str, *, actor: str, reason: str) -> int:
    return await tokenization.agree(conn, f"dead_letter:{dead_letter_id}:{verb}", actor=actor, reason=reason)


async def _process(conn: WriteConn, chain_id: int, item: ChainItem) -> None:
    try:
        if item.type == "transfer.final":
            await _rebuild(conn, chain_id, item)
        else:
            await dispatch(conn, chain_id, item)
            await conn.execute("SET CONSTRAINTS ALL IMMEDIATE")
    except RETRY as error:
        raise DependencyUnavailable(f"database: {error}") from error
    except Exception as error:  # whatever the event still runs into is the answer to whoever asked
        log.warning("dead_letter.still_failing", event_id=item.event_id, error=repr(error))
        raise StillFailing(str(error)[:500] or type(error).__name__) from error


async def _rebuild(conn: WriteConn, chain_id: int, item: ChainItem) -> None:
    """A transfer cannot be taken in late: the balances remember later ones. All of the token's are counted again, with the consumer held off."""
    stream = f"chain:{chain_id}"
    seq = await streams.cursor(conn, consumer=CONSUMER, stream=stream)
    if not await streams.move_cursor(conn, consumer=CONSUMER, stream=stream, prev_seq=seq, seq=seq):
        raise asyncpg.SerializationError("the consumer moved on meanwhile")
    await captable.rebuild(conn, chain_id=chain_id, token=str(item.payload["token"]), seq=seq)
