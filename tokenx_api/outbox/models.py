"""One piece of work of the outbox, as the relay hands it to whoever carries it out."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["workflow_start", "workflow_signal", "chain_operation", "payment_instruction", "notification"]


@dataclass(frozen=True)
class Entry:
    """attempts counts this one. The same entry may be delivered more than once: the receiver recognises it by its own id."""

    outbox_id: int
    kind: Kind
    payload: dict[str, Any]
    correlation_id: str
    attempts: int


Deliver = Callable[[Entry], Awaitable[None]]
"""Returns when the work is the receiver's. Raises DependencyUnavailable when nobody is there, anything else when this entry is refused."""
