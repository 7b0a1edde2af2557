"""Refusals of leases and streams."""

from tokenx_common.errors import Conflict


class LeaseHeld(Conflict):
    """Another instance holds the lease and still renews it. facts: retry_after_s."""

    code = "lease.held"


class CursorMoved(Conflict):
    """The cursor is not where the caller believes it is. facts: head."""

    code = "stream.conflict"
