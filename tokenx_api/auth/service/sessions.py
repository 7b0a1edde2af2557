"""Sign-in, sessions, and who is calling."""

import hashlib
import secrets
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final

from fastapi import Request

from tokenx_api.audit import service as audit
from tokenx_api.auth import queries
from tokenx_api.auth.errors import BadCredentials, ForgedRequest
from tokenx_api.auth.models import Actor, NewSession
from tokenx_api.auth.rules import csrf_refusal
from tokenx_api.context import AppContext
from tokenx_api.db import ReadConn, WriteConn
from tokenx_api.users.models import Credential
from tokenx_api.users.service import verify_password
from tokenx_common.errors import NotAuthenticated

SESSION_COOKIE: Final = "tx_session"
SESSION_LIFE: Final = timedelta(hours=12)
_TOKEN_BYTES: Final = 32


async def authenticate(conn: ReadConn, request: Request, context: AppContext) -> Actor:
    """The actor behind a request: a bearer token, else the session cookie. Raises NotAuthenticated, and ForgedRequest for an unsafe
    request of a cookie session that our own pages did not make."""
    bearer = _bearer(request)
    token = bearer or request.cookies.get(SESSION_COOKIE)
    if not token:
        raise NotAuthenticated("sign in first")
    actor = await queries.select_actor(conn, token_sha256=_hash(token), now=context.clock.now())
    if actor is None:
        raise NotAuthenticated("the session has ended; sign in again")
    if bearer is None:
        _refuse_forged(request, actor, context.settings.web_origins)
    return actor


async def check_password(credential: Credential | None, password: str) -> Credential:
    """The credential, if the password is its own and the account is active. Takes as long for an unknown user. Raises BadCredentials."""
    matches = await verify_password(credential.password_hash if credential else None, password)
    if credential is None or not matches or credential.status != "active":
        raise BadCredentials("address or password is wrong")
    return credential


async def open_session(conn: WriteConn, *, user_id: str, now: datetime) -> tuple[NewSession, Actor]:
    """A session that ends after SESSION_LIFE, used or not."""
    session = NewSession(token=secrets.token_urlsafe(_TOKEN_BYTES), csrf_token=secrets.token_urlsafe(_TOKEN_BYTES))
    digest = _hash(session.token)
    await queries.delete_expired(conn, user_id=user_id, now=now)
    await queries.insert(
        conn,
        token_sha256=digest,
        user_id=user_id,
        csrf_token=session.csrf_token,
        now=now,
        expires_at=now + SESSION_LIFE,
    )
    await audit.record(conn, actor=user_id, action="session.opened", subject_type="user", subject_id=user_id)
    actor = await queries.select_actor(conn, token_sha256=digest, now=now)
    if actor is None:  # suspended between the password check and now
        raise BadCredentials("address or password is wrong")
    return session, actor


async def close_session(conn: WriteConn, *, request: Request, actor: Actor) -> None:
    """End the session the request came with."""
    token = _bearer(request) or request.cookies.get(SESSION_COOKIE, "")
    await queries.delete(conn, _hash(token))
    await audit.record(
        conn, actor=actor.user_id, action="session.closed", subject_type="user", subject_id=actor.user_id
    )


def _bearer(request: Request) -> str | None:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


def _hash(token: str) -> bytes:
    """A plain hash will do: the token is 256 random bits, there is nothing to guess."""
    return hashlib.sha256(token.encode()).digest()


def _refuse_forged(request: Request, actor: Actor, web_origins: Collection[str]) -> None:
    refusal = csrf_refusal(
        method=request.method,
        sent_token=request.headers.get("x-csrf-token"),
        session_token=actor.csrf_token,
        origin=request.headers.get("origin"),
        web_origins=web_origins,
    )
    if refusal is not None:
        raise ForgedRequest(refusal)
