"""Audit rows, seals over them, and what a verification found."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from tokenx_common.wire import WireModel


@dataclass(frozen=True)
class AuditEvent:
    event_id: int
    occurred_at: datetime
    actor: str
    action: str
    subject_type: str
    subject_id: str
    correlation_id: str
    detail: dict[str, Any]


@dataclass(frozen=True)
class Leaf:
    """One event as the seals see it."""

    event_id: int
    leaf: bytes


@dataclass(frozen=True)
class Seal:
    """root: Merkle root over the leaves of event_ids, in that order. prev_hash: hash of the seal before, zeros for the first."""

    seal_id: int
    event_ids: list[int]
    root: bytes
    prev_hash: bytes
    hash: bytes


@dataclass(frozen=True)
class CheckedLeaf:
    """A stored leaf beside the one computed again from the row."""

    event_id: int
    stored: bytes
    computed: bytes
    recorded_xid: int


class Broken(WireModel):
    """The first thing that does not hold. problem: what is wrong with that row."""

    row: Literal["event", "seal"]
    row_id: int
    problem: str


class Verification(WireModel):
    """ok: every leaf, every root and the whole chain of seals were computed again and hold. unsealed: events too young for a seal."""

    ok: bool
    events: int
    seals: int
    unsealed: int
    broken: Broken | None


class AuditEventView(WireModel):
    event_id: str
    occurred_at: datetime
    actor: str
    action: str
    subject_type: str
    subject_id: str
    correlation_id: str
    detail: dict[str, Any]


def audit_event_view(event: AuditEvent) -> AuditEventView:
    return AuditEventView(
        event_id=str(event.event_id),
        occurred_at=event.occurred_at,
        actor=event.actor,
        action=event.action,
        subject_type=event.subject_type,
        subject_id=event.subject_id,
        correlation_id=event.correlation_id,
        detail=event.detail,
    )
