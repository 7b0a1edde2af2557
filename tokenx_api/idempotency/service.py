"""A request that moves money or units happens once: the answer is stored with its Idempotency-Key, in the transaction that did the work.

In a route, inside one transaction:
    replay = await idempotency.find(conn, ticket)
    if replay is not None: return replay
    ... the work ...
    return await idempotency.answer(conn, ticket, view)
Only answers are kept: a refusal rolls back with its transaction, and the key may be used again."""

import hashlib
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Header
from fastapi.responses import JSONResponse

from tokenx_api.db import WriteConn
from tokenx_api.idempotency import queries
from tokenx_api.idempotency.errors import KeyRequired, KeyReused
from tokenx_common.canonical import canonical_json
from tokenx_common.wire import WireModel


@dataclass(frozen=True)
class Ticket:
    """Who asks what under which key."""

    principal_id: str
    route: str
    key: str
    body_sha256: bytes


def _key(idempotency_key: Annotated[str | None, Header(max_length=255)] = None) -> str:
    if not idempotency_key or not idempotency_key.isprintable():
        raise KeyRequired("send an Idempotency-Key header: any text of yours that is new for each new request")
    return idempotency_key


IdempotencyKey = Annotated[str, Depends(_key)]


def ticket(*, principal_id: str, route: str, key: str, body: WireModel) -> Ticket:
    """route: a stable name such as 'POST /v1/payments'."""
    digest = hashlib.sha256(canonical_json(body.model_dump(mode="json")).encode()).digest()
    return Ticket(principal_id, route, key, digest)


async def find(conn: WriteConn, ticket: Ticket) -> JSONResponse | None:
    """The stored answer, marked as replayed; None when the request is new. Requests under one key wait for each other from here to
    the end of their transactions. Raises KeyReused."""
    await queries.lock(conn, f"{ticket.principal_id} {ticket.route} {ticket.key}")
    stored = await queries.select(conn, principal_id=ticket.principal_id, route=ticket.route, key=ticket.key)
    if stored is None:
        return None
    if stored.body_sha256 != ticket.body_sha256:
        raise KeyReused("this Idempotency-Key came before with another body")
    return JSONResponse(stored.body, stored.status, headers={"Idempotency-Replayed": "true"})


async def answer(conn: WriteConn, ticket: Ticket, view: WireModel, *, status: int = 201) -> JSONResponse:
    """Store the answer and give it."""
    body: dict[str, Any] = view.model_dump(mode="json")
    await queries.insert(
        conn,
        principal_id=ticket.principal_id,
        route=ticket.route,
        key=ticket.key,
        body_sha256=ticket.body_sha256,
        status=status,
        body=body,
    )
    return JSONResponse(body, status)
