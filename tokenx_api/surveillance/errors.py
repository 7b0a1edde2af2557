"""Refusals of the alert desks and of what kyt reports."""

from tokenx_common.errors import Conflict, Invalid, PermissionDenied


class NotDense(Conflict):
    """The first alert's seq is not the one after the head. facts: head."""

    code = "alerts.not_dense"


class DuplicateAlert(Conflict):
    """A dedupe_key was raised before: leave those alerts out and send the rest again. facts: duplicates, head."""

    code = "alerts.duplicate"


class IllegalMove(Conflict):
    """The alert's status does not allow it."""

    code = "alert.illegal_move"


class FourEyes(PermissionDenied):
    """A high or severe alert is closed by someone else than its assignee."""

    code = "alert.four_eyes"


class NotAnOfficer(Invalid):
    """The assignee is no compliance officer."""

    code = "alert.assignee_not_an_officer"


class SameInvestor(Invalid):
    """An investor is always linked to itself."""

    code = "owner_link.same_investor"
