"""What the register cannot accept."""

from tokenx_common.errors import Conflict


class UnknownHolding(Conflict):
    """A transfer moves more than the register knows the sender to have: events are missing."""

    code = "register.unknown_holding"
