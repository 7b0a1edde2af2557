"""Sign-in, sessions, who is calling, and the brake on guessing."""

from tokenx_api.auth.service.sessions import (
    SESSION_COOKIE,
    SESSION_LIFE,
    authenticate,
    check_password,
    close_session,
    open_session,
)
from tokenx_api.auth.service.throttle import ATTEMPTS, WINDOW, LoginThrottle

__all__ = [
    "ATTEMPTS", "SESSION_COOKIE", "SESSION_LIFE", "WINDOW", "LoginThrottle", "authenticate", "check_password", "close_session", "open_session",
]  # fmt: skip
