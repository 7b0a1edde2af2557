"""What a route may ask for: the context, a connection, and who is calling. A permission is a type in the route's signature."""

from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Annotated, Any

from fastapi import Depends, Request

from tokenx_api.auth import service as auth
from tokenx_api.auth.models import Actor, Persona
from tokenx_api.context import AppContext
from tokenx_api.db import ReadConn, WriteConn
from tokenx_common.errors import PermissionDenied


async def get_context(
    request: Request,
) -> AppContext:  # async: FastAPI sends a plain function to a thread, for each request
    context: AppContext = request.app.state.context
    return context


Context = Annotated[AppContext, Depends(get_context)]


async def _write(context: Context) -> AsyncIterator[WriteConn]:
    async with context.db.write() as connection:
        yield connection


async def _read(context: Context) -> AsyncIterator[ReadConn]:
    async with context.db.read() as connection:
        yield connection


Write = Annotated[WriteConn, Depends(_write, scope="function")]
"""A transaction that commits before the answer leaves."""
Read = Annotated[ReadConn, Depends(_read, scope="function")]


async def current_actor(request: Request, context: Context) -> Actor:
    """The signed-in user: a cookie session (with CSRF protection on unsafe methods) or a bearer token. Raises NotAuthenticated."""
    async with context.db.read() as connection:
        return await auth.authenticate(connection, request, context)


AnyActor = Annotated[Actor, Depends(current_actor)]


def require(*personas: Persona) -> Callable[[Actor], Coroutine[Any, Any, Actor]]:
    """A dependency: the actor, who must hold one of the personas. Raises PermissionDenied."""

    async def dependency(actor: AnyActor) -> Actor:
        if not set(personas) & set(actor.personas):
            raise PermissionDenied(f"needs one of: {', '.join(personas)}")
        return actor

    return dependency


InvestorActor = Annotated[Actor, Depends(require("investor"))]
IssuerActor = Annotated[Actor, Depends(require("issuer"))]
ComplianceActor = Annotated[Actor, Depends(require("compliance_officer"))]
TransferAgentActor = Annotated[Actor, Depends(require("transfer_agent"))]
TokenizationActor = Annotated[Actor, Depends(require("tokenization_agent"))]
AtsActor = Annotated[Actor, Depends(require("ats_operator"))]
AdminActor = Annotated[Actor, Depends(require("admin"))]
