"""Refusals with a stable code. The HTTP layer turns them into problem+json; nothing else makes error responses."""

from typing import Any


class TokenxError(Exception):
    """An expected refusal: a stable `code` 'area.reason', an HTTP status, a safe sentence, and facts as extra members."""

    code = "internal"
    status = 500

    def __init__(self, detail: str, *, code: str | None = None, status: int | None = None, **facts: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code or type(self).code
        self.status = status or type(self).status
        self.facts = facts


class NotAuthenticated(TokenxError):
    """No session, an expired one, or a bad service token."""

    code = "auth.required"
    status = 401


class PermissionDenied(TokenxError):
    """The principal is known but may not do this."""

    code = "auth.permission_denied"
    status = 403


class NotFound(TokenxError):
    """The thing does not exist, or is not the caller's to see: both look the same. code is '<noun>.not_found'."""

    status = 404

    def __init__(self, noun: str) -> None:
        super().__init__(f"no such {noun}", code=f"{noun}.not_found")


class Conflict(TokenxError):
    """The current state does not allow it."""

    code = "conflict"
    status = 409


class Invalid(TokenxError):
    """The request is well-formed but wrong."""

    code = "validation_failed"
    status = 422


class DependencyUnavailable(TokenxError):
    """A service this one needs did not answer; safe to try again."""

    code = "dependency.unavailable"
    status = 503


class StaleEpoch(TokenxError):
    """The caller's lease was taken over. It must stop at once: exit status 70."""

    code = "lease.stale_epoch"
    status = 409


EXIT_STALE_EPOCH = 70
"""Process exit status when a newer instance has taken the lease (EX_SOFTWARE)."""
