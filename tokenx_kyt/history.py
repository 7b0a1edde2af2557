"""What the edges seen by this platform tell about behaviour. Pure state: fed with final transfers in stream order, event time only.

Replaying the same stream gives the same factors. Money that entered by a mint (a deposit) or a settlement (a sale) is not inflow in
the sense of rapid_in_out: using it at once is what customers do."""

from bisect import bisect_left, insort
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import isqrt
from typing import Final

from tokenx_kyt.addresses import format_address
from tokenx_kyt.scoring import Factor
from tokenx_kyt.transfers import Transfer

HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(hours=24)

NEW_WALLET_POINTS, NEW_WALLET_AGE, AMOUNT_SAMPLES, AMOUNT_SAMPLES_LEAST = 20, timedelta(days=7), 500, 20
STRUCTURING_POINTS, STRUCTURING_LEAST = 45, 3
STRUCTURING_LIMIT: Final = 10_000 * 10**6
"""10,000 USD in base units of the stablecoin."""
RAPID_POINTS, RAPID_SHARE_PCT = 40, 80
RAPID_LEAST: Final = 1_000 * 10**6
VELOCITY_POINTS: Final = 30
_MILLI: Final = 1000


@dataclass
class _Pace:
    """Own transfers per hour: this hour's count, and an exponentially weighted mean and deviation of earlier hours, in thousandths."""

    hour: int
    count: int = 0
    mean: int = 0
    variance: int = 0

    def add(self, hour: int) -> int:
        """Count one transfer; returns how many thousandths of a deviation (at least 1 transfer) this hour is above the mean."""
        for _ in range(min(hour - self.hour, 24)):
            self._close()
        self.hour = max(self.hour, hour)
        self.count += 1
        return (self.count * _MILLI - self.mean) * _MILLI // max(isqrt(self.variance), _MILLI)

    def _close(self) -> None:
        delta = self.count * _MILLI - self.mean
        self.mean += delta // 10
        self.variance = 9 * (self.variance + delta * delta // 10) // 10
        self.count = 0


@dataclass
class _Flow:
    """Cash of one address: recent movements in event time as (at, amount, event id or transaction)."""

    near_limit: deque[tuple[datetime, int, str]] = field(default_factory=deque[tuple[datetime, int, str]])
    received: deque[tuple[datetime, int, str]] = field(default_factory=deque[tuple[datetime, int, str]])
    sent: deque[tuple[datetime, int, str]] = field(default_factory=deque[tuple[datetime, int, str]])


class ChainHistory:
    """Per chain. observe() must see every final transfer once, in order."""

    def __init__(self) -> None:
        self._first_seen: dict[bytes, datetime] = {}
        self._pace: dict[bytes, _Pace] = {}
        self._flows: dict[bytes, _Flow] = {}
        self._amounts: dict[bytes, tuple[deque[int], list[int]]] = {}
        self._edges: dict[bytes, int] = {}

    def observed_edges(self, address: bytes) -> int:
        """How many final transfers of this address were seen."""
        return self._edges.get(address, 0)

    def observe(self, transfer: Transfer) -> tuple[Factor, ...]:
        """Take a transfer in; returns what it says about its parties."""
        for address in transfer.parties:
            self._first_seen.setdefault(address, transfer.at)
            self._edges[address] = self._edges.get(address, 0) + 1
        found = (
            self._new_wallet(transfer),
            self._velocity(transfer),
            self._structuring(transfer),
            self._rapid_in_out(transfer),
        )
        return tuple(factor for factor in found if factor is not None)

    def settled(self, tx_hash: str, parties: tuple[bytes, ...]) -> None:
        """A settlement went through in this transaction: what its parties received there is the price of a sale, not a transit."""
        for address in parties:
            flow = self._flow(address)
            flow.received = deque(row for row in flow.received if row[2] != tx_hash)

    def _new_wallet(self, transfer: Transfer) -> Factor | None:
        """First seen under seven days ago and an amount above the 95th percentile of the token."""
        recent, ordered = self._amounts.setdefault(transfer.token, (deque(), []))
        least = ordered[len(ordered) * 95 // 100] if len(ordered) >= AMOUNT_SAMPLES_LEAST else None
        recent.append(transfer.amount)
        insort(ordered, transfer.amount)
        if len(recent) > AMOUNT_SAMPLES:
            del ordered[bisect_left(ordered, recent.popleft())]
        young = [a for a in transfer.parties if transfer.at - self._first_seen[a] < NEW_WALLET_AGE]
        if least is None or transfer.amount <= least or not young:
            return None
        return Factor("new_wallet", NEW_WALLET_POINTS, str(transfer.amount),
                      (f"p95 {least}", *(format_address(address) for address in young)))  # fmt: skip

    def _velocity(self, transfer: Transfer) -> Factor | None:
        """The sender moves far more often this hour than in its own earlier hours."""
        if transfer.is_mint:
            return None
        hour = int(transfer.at.timestamp()) // 3600
        pace = self._pace.setdefault(transfer.sender, _Pace(hour))
        above = pace.add(hour)
        points = VELOCITY_POINTS * min(5 * _MILLI, max(0, above - 3 * _MILLI)) // (5 * _MILLI)
        if points == 0:
            return None
        return Factor("velocity", points, str(pace.count), (f"z {above // _MILLI}", format_address(transfer.sender)))

    def _structuring(self, transfer: Transfer) -> Factor | None:
        """Three or more cash movements in a day, each just under the reporting limit, together at least the limit."""
        if not transfer.is_cash or not STRUCTURING_LIMIT * 8 <= transfer.amount * 10 < STRUCTURING_LIMIT * 10:
            return None
        who = transfer.receiver if transfer.is_mint else transfer.sender
        near = self._flow(who).near_limit
        near.append((transfer.at, transfer.amount, transfer.event_id))
        _forget(near, transfer.at - DAY)
        if len(near) < STRUCTURING_LEAST:
            return None
        return Factor(
            "structuring", STRUCTURING_POINTS, str(sum(row[1] for row in near)), tuple(row[2] for row in near)
        )

    def _rapid_in_out(self, transfer: Transfer) -> Factor | None:
        """Most of the cash that came in within the hour goes out again."""
        if not transfer.is_cash or transfer.is_mint:
            return None
        received = self._flow(transfer.receiver).received
        received.append((transfer.at, transfer.amount, transfer.tx_hash))
        _forget(received, transfer.at - HOUR)
        flow = self._flow(transfer.sender)
        flow.sent.append((transfer.at, transfer.amount, transfer.tx_hash))
        for rows in (flow.sent, flow.received):
            _forget(rows, transfer.at - HOUR)
        inflow, outflow = sum(row[1] for row in flow.received), sum(row[1] for row in flow.sent)
        if inflow < RAPID_LEAST or outflow * 100 < inflow * RAPID_SHARE_PCT:
            return None
        return Factor("rapid_in_out", RAPID_POINTS, str(outflow), (f"inflow {inflow}", format_address(transfer.sender)))

    def _flow(self, address: bytes) -> _Flow:
        return self._flows.setdefault(address, _Flow())


def _forget(rows: deque[tuple[datetime, int, str]], before: datetime) -> None:
    while rows and rows[0][0] < before:
        rows.popleft()
