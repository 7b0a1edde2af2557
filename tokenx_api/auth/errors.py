"""Refusals of sign-in."""

from tokenx_common.errors import NotAuthenticated, PermissionDenied, TokenxError


class BadCredentials(NotAuthenticated):
    """Unknown address, wrong password or suspended account: all look the same."""

    code = "auth.bad_credentials"


class TooManyAttempts(TokenxError):
    """The address was tried too often from one place."""

    code = "auth.too_many_attempts"
    status = 429


class ForgedRequest(PermissionDenied):
    """A cookie session's unsafe request without proof that our own pages made it."""

    code = "auth.csrf"
