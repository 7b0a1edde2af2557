"""Refusals of the user domain."""

from tokenx_common.errors import Conflict


class EmailTaken(Conflict):
    """Another account uses this address."""

    code = "user.email_taken"
