"""Chain events that could not be processed at their time, processed again once their cause is mended. Above chain_events, which knows who waits for what."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Final

import asyncpg
from fastapi import APIRouter, Response
from pydantic import StringConstraints

from tokenx_api.agency import service as agency
from tokenx_api.captable import service as captable
from tokenx_api.chain_events import CONSUMER, RETRY, dispatch
from tokenx_api.context import AppContext
from tokenx_api.db import WriteConn
from tokenx_api.deps import Context, TokenizationActor
from tokenx_api.streams import service as streams
from tokenx_api.tokenization import service as tokenization
from tokenx_api.tokenization.errors import NotRequeueable, StillFailing
from tokenx_api.tokenization.service import DeadLetter
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
    """Do again what was set aside, once a second person agrees: 202 for the first. An event is processed, an operation that crashed is run on, a single
    call whose nonce was lost is sent under a new one. 409 dead_letter.still_failing or dead_letter.not_requeueable leave everything as it was."""
    async with context.db.write() as conn:
        letter = await tokenization.open_dead_letter(conn, dead_letter_id)
        requeue = _REQUEUE.get(letter.kind)
        if requeue is None:
            raise NotRequeueable(
                f"a dead letter of kind {letter.kind} tells of something: there is nothing to do again"
            )
        if await _agreed(conn, letter, "requeue", actor=actor.user_id, reason=body.reason) < EYES:
            response.status_code = 202
            return Closed(dead_letter_id=dead_letter_id, status="proposed")
        await requeue(conn, context, letter)
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
        letter = await tokenization.open_dead_letter(conn, dead_letter_id)
        if await _agreed(conn, letter, "discard", actor=actor.user_id, reason=body.reason) < EYES:
            response.status_code = 202
            return Closed(dead_letter_id=dead_letter_id, status="proposed")
        await tokenization.close_dead_letter(
            conn, dead_letter_id, actor=actor.user_id, status="discarded", reason=body.reason
        )
    return Closed(dead_letter_id=dead_letter_id, status="discarded")


async def _agreed(conn: WriteConn, letter: DeadLetter, verb: str, *, actor: str, reason: str) -> int:
    """Who agreed to an earlier round has not agreed to this one."""
    subject = f"dead_letter:{letter.dead_letter_id}:{verb}" + (f":{letter.attempts}" if letter.attempts > 1 else "")
    return await tokenization.agree(conn, subject, actor=actor, reason=reason)


async def _event_again(conn: WriteConn, context: AppContext, letter: DeadLetter) -> None:
    await _process(conn, _chain_of(letter, context), ChainItem.model_validate(letter.payload))


def _chain_of(letter: DeadLetter, context: AppContext) -> int:
    """ref_id of an event is 'chain:<chain_id>:<event_id>'."""
    number = letter.ref_id.split(":")[1] if letter.ref_id.startswith("chain:") else ""
    return int(number) if number.isdecimal() else context.settings.chain_id


async def _operation_again(conn: WriteConn, _context: AppContext, letter: DeadLetter) -> None:
    """The chain service crashed on it and left it open; its steps that were signed are not made again."""
    if letter.ref_id.partition(":")[2]:  # from before transactions had a kind of their own
        await _transaction_again(conn, _context, letter)
        return
    await tokenization.rerun_operation(conn, letter.ref_id, dedupe_key=_dedupe_key(letter))


async def _transaction_again(conn: WriteConn, _context: AppContext, letter: DeadLetter) -> None:
    """Another transaction has used its nonce for ever, so it was never executed. What was asked for as a single call is asked for again;
    anything else has told whoever waited that it failed, and is asked for again there."""
    await tokenization.repeat_intent(conn, letter.ref_id.partition(":")[0], dedupe_key=_dedupe_key(letter))


def _dedupe_key(letter: DeadLetter) -> str:
    return f"dead_letter:{letter.dead_letter_id}:{letter.attempts}"


_REQUEUE: Final[Mapping[str, Callable[[WriteConn, AppContext, DeadLetter], Awaitable[None]]]] = {
    EVENT: _event_again,
    "operation": _operation_again,
    "transaction": _transaction_again,
}
"""What a requeue does, by kind. A kind that is not here tells of a finding and can only be discarded."""


async def _process(conn: WriteConn, chain_id: int, item: ChainItem) -> None:
    try:
        if item.type == "transfer.final":
            await _rebuild(conn, chain_id, item)
            await agency.on_transfer_final(conn, chain_id=chain_id, event_id=item.event_id, tx_hash=item.tx_hash, payload=item.payload)  # fmt: skip
            await conn.execute("SET CONSTRAINTS ALL IMMEDIATE")
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
