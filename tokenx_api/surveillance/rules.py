"""What may be done with an alert, and by whom."""

from collections.abc import Mapping
from typing import Final, Literal

from tokenx_api.surveillance.models import Severity, Status

Refusal = Literal["illegal_move", "four_eyes"]

MOVES: Final[Mapping[Status, frozenset[Status]]] = {
    "open": frozenset({"assigned", "closed"}),
    "assigned": frozenset({"assigned", "investigating", "escalated", "closed"}),
    "investigating": frozenset({"assigned", "escalated", "closed"}),
    "escalated": frozenset({"assigned", "closed"}),
    "closed": frozenset(),
}
FOUR_EYES: Final[frozenset[Severity]] = frozenset({"severe", "high"})


def may_move(status: Status, to: Status) -> bool:
    """Whether the move is in the table."""
    return to in MOVES[status]


def close_refusal(*, severity: Severity, status: Status, assigned_to: str | None, closer: str) -> Refusal | None:
    """Why the closer may not close the alert; None when it is allowed. A high or severe alert was somebody's before, and somebody else's decision."""
    if not may_move(status, "closed"):
        return "illegal_move"
    if severity in FOUR_EYES and assigned_to is None:
        return "illegal_move"
    if severity in FOUR_EYES and assigned_to == closer:
        return "four_eyes"
    return None
