"""Lists page by key, never by offset: a page's cursor is the last key of it, opaque to clients."""

import base64
from collections.abc import Callable, Sequence
from typing import Annotated, TypeVar

from fastapi import Query

from tokenx_common.errors import Invalid

Limit = Annotated[int, Query(ge=1, le=200, description="rows per page")]
Cursor = Annotated[str | None, Query(max_length=200, description="next_cursor of the page before")]
DEFAULT_LIMIT = 50

Row = TypeVar("Row")


def encode_cursor(key: str) -> str:
    """The key as clients see it."""
    return base64.urlsafe_b64encode(key.encode()).decode().rstrip("=")


def decode_cursor(cursor: str | None) -> str | None:
    """The key of the last row a client has; None for the first page. Raises Invalid for anything encode_cursor never made."""
    if cursor is None:
        return None
    try:
        key = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode("ascii")
    except ValueError:
        raise Invalid("the cursor is not one of ours", errors=[_BAD_CURSOR]) from None
    if not key.isprintable():
        raise Invalid("the cursor is not one of ours", errors=[_BAD_CURSOR])
    return key


def decode_number_cursor(cursor: str | None) -> int | None:
    """As decode_cursor, for lists keyed by a number."""
    key = decode_cursor(cursor)
    if key is None:
        return None
    if not key.isdecimal() or len(key) > 18:
        raise Invalid("the cursor is not one of ours", errors=[_BAD_CURSOR])
    return int(key)


def cut(rows: Sequence[Row], limit: int, key: Callable[[Row], str]) -> tuple[list[Row], str | None]:
    """The page and its next cursor, from limit + 1 rows asked for: the extra one only tells that there is more."""
    page = list(rows[:limit])
    return page, encode_cursor(key(page[-1])) if len(rows) > limit and page else None


_BAD_CURSOR = {"pointer": "/query/cursor", "code": "bad_cursor", "message": "the cursor is not one of ours"}
