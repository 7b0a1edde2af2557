"""Sign-in, sessions, and who is calling."""

from fastapi import Request

from tokenx_api.auth.models import Actor
from tokenx_api.context import AppContext
from tokenx_api.db import ReadConn
from tokenx_common.errors import NotAuthenticated


async def authenticate(conn: ReadConn, request: Request, context: AppContext) -> Actor:
    """The actor behind a request. Raises NotAuthenticated."""
    raise NotAuthenticated("sign in first")
