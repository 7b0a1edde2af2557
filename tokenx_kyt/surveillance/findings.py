"""What a detector found, and how it becomes an alert row. Ids and hashes depend on the finding alone."""

import hashlib
from dataclasses import asdict, dataclass
from typing import Any, Literal

from tokenx_common.canonical import canonical_json

Severity = Literal["severe", "high", "medium", "low"]


@dataclass(frozen=True)
class Subject:
    """Who is involved, by owner group."""

    owner_group: int
    role: str


@dataclass(frozen=True)
class Finding:
    """metrics: name -> (value, threshold), both as text. fills are execution numbers of the trades it rests on."""

    detector: str
    version: int
    severity: Severity
    offering_id: str
    subjects: tuple[Subject, ...]
    metrics: dict[str, tuple[str, str]]
    fills: tuple[int, ...]
    title: str

    @property
    def dedupe_key(self) -> str:
        """The same pattern of the same people in the same place has one key."""
        owners = ",".join(str(subject.owner_group) for subject in self.subjects)
        return f"{self.detector}:{self.version}:{self.offering_id}:{owners}:{self.fills[0]}"

    @property
    def alert_id(self) -> str:
        """'alr_' and 32 hex digits, the same in every replay."""
        return "alr_" + hashlib.sha256(self.dedupe_key.encode()).hexdigest()[:32]

    @property
    def replay_hash(self) -> str:
        """sha256 over everything found, hex. A replay that differs in anything has another hash."""
        return hashlib.sha256(canonical_json(asdict(self)).encode()).hexdigest()

    def row(self, *, raised_at: str) -> dict[str, Any]:
        """As surveillance.alerts stores it, without its seq."""
        return {
            "alert_id": self.alert_id,
            "dedupe_key": self.dedupe_key,
            "detector": self.detector,
            "detector_version": self.version,
            "severity": self.severity,
            "offering_id": self.offering_id,
            "from_seq": self.fills[0],
            "to_seq": self.fills[-1],
            "subjects": [asdict(subject) for subject in self.subjects],
            "metrics": {name: {"value": value, "threshold": limit} for name, (value, limit) in self.metrics.items()},
            "fill_ids": [f"{self.offering_id}:{exec_seq}" for exec_seq in self.fills],
            "title": self.title,
            "replay_hash": self.replay_hash,
            "raised_at": raised_at,
        }
