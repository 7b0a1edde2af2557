"""Pure decisions of sign-in."""

import hmac
from collections.abc import Collection
from typing import Final

_SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})


def csrf_refusal(
    *, method: str, sent_token: str | None, session_token: str, origin: str | None, web_origins: Collection[str]
) -> str | None:
    """Why a cookie session's request is refused as forged; None when it is fine. origin None: the client sent none."""
    if method in _SAFE_METHODS:
        return None
    if foreign := origin_refusal(origin, web_origins):
        return foreign
    if sent_token is None:
        return "X-CSRF-Token is missing"
    if not hmac.compare_digest(sent_token.encode(), session_token.encode()):
        return "X-CSRF-Token is not this session's"
    return None


def origin_refusal(origin: str | None, web_origins: Collection[str]) -> str | None:
    """Why the Origin header is refused; None when it is ours or absent (not a browser)."""
    return None if origin is None or origin in web_origins else "the request comes from another origin"
