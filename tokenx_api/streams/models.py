"""Leases and stream heads as this domain hands them around."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Lease:
    """Who may produce for a resource until when. The epoch grows with each new holder and never repeats."""

    resource: str
    holder: str
    epoch: int
    expires_at: datetime


@dataclass(frozen=True)
class Head:
    """Where the durable part of a stream ends. seq 0: nothing yet."""

    stream: str
    epoch: int
    seq: int


@dataclass(frozen=True)
class MatcherOffering:
    """What the matcher must know of an offering to go on from the api's cursor."""

    offering_id: str
    cmd_seq: int
    exec_seq: int
    exec_cmd_seq: int
    exec_hash: bytes
    market_state: str
