"""S03: a small group passes the same units round until everybody holds what he held before.

Fires when, over the last WINDOW_FILLS fills of the offering, up to MAX_OWNERS owners trade mostly with each other, in at least
LEAST_FILLS fills that make up at least LEAST_SHARE_PCT of all volume, and each ends within NET_PCT of his own volume of where he began.
'Mostly with each other' is what keeps an honest market maker out, who is neutral too but trades with everybody.

Method: each fill moves lots from seller to buyer. A path of earlier fills from the buyer back to the seller closes a ring; paths are
searched depth first over at most EDGE_CAP edges, in the order of owner numbers, so the result never depends on a hash table."""

from collections import deque
from collections.abc import Iterator
from typing import Final

from tokenx_kyt.surveillance.fills import Fill
from tokenx_kyt.surveillance.findings import Finding, Subject

DETECTOR: Final = "S03_wash_ring"
VERSION: Final = 1
WINDOW_FILLS: Final = 200
MAX_OWNERS: Final = 5
LEAST_FILLS: Final = 3
NET_PCT: Final = 1
INSIDE_PCT: Final = 80
LEAST_SHARE_PCT: Final = 5
EDGE_CAP: Final = 64


class WashRing:
    """State: the window of fills and, per ring, the fill it was last seen at."""

    def __init__(self, offering_id: str) -> None:
        self._offering_id = offering_id
        self._window: deque[Fill] = deque()
        self._bought: dict[int, int] = {}
        self._sold: dict[int, int] = {}
        self._volume = 0
        self._fills_seen = 0
        self._last_seen: dict[frozenset[int], int] = {}

    def observe(self, fill: Fill) -> Finding | None:
        """One fill; a finding when it completes a ring that was not seen within the window before."""
        self._take(fill, 1)
        self._window.append(fill)
        self._fills_seen += 1
        if len(self._window) > WINDOW_FILLS:
            self._take(self._window.popleft(), -1)
        for ring in self._rings(fill):
            inside = [f for f in self._window if f.buyer in ring and f.seller in ring]
            if self._is_wash(ring, inside):
                return self._first_time(ring, inside)
        return None

    def _take(self, fill: Fill, sign: int) -> None:
        self._bought[fill.buyer] = self._bought.get(fill.buyer, 0) + sign * fill.lots
        self._sold[fill.seller] = self._sold.get(fill.seller, 0) + sign * fill.lots
        self._volume += sign * fill.lots

    def _rings(self, fill: Fill) -> Iterator[frozenset[int]]:
        """Sets of owners on a path buyer -> ... -> seller, each once."""
        edges: dict[int, set[int]] = {}
        for f in self._window:
            if self._suspicious(f.buyer) and self._suspicious(f.seller):
                edges.setdefault(f.seller, set()).add(f.buyer)
        budget, found = EDGE_CAP, set[frozenset[int]]()
        paths: list[tuple[int, ...]] = [(fill.buyer,)]
        while paths and budget > 0:
            path = paths.pop()
            for following in sorted(edges.get(path[-1], ()), reverse=True):
                budget -= 1
                if following == fill.seller:
                    ring = frozenset((*path, following))
                    if ring not in found:
                        found.add(ring)
                        yield ring
                elif following not in path and len(path) + 2 <= MAX_OWNERS:
                    paths.append((*path, following))

    def _suspicious(self, owner: int) -> bool:
        """Cheap bound: whoever does INSIDE_PCT of his trades in a neutral ring cannot be further from neutral than the rest of them."""
        bought, sold = self._bought.get(owner, 0), self._sold.get(owner, 0)
        return abs(bought - sold) * 100 <= (bought + sold) * (100 - INSIDE_PCT + NET_PCT)

    def _is_wash(self, ring: frozenset[int], inside: list[Fill]) -> bool:
        volume = sum(f.lots for f in inside)
        if len(inside) < LEAST_FILLS or volume * 100 < self._volume * LEAST_SHARE_PCT:
            return False
        return all(self._neutral_and_inside(owner, inside) for owner in ring)

    def _neutral_and_inside(self, owner: int, inside: list[Fill]) -> bool:
        bought = sum(f.lots for f in inside if f.buyer == owner)
        sold = sum(f.lots for f in inside if f.seller == owner)
        traded = bought + sold
        everything = self._bought.get(owner, 0) + self._sold.get(owner, 0)
        return abs(bought - sold) * 100 <= traded * NET_PCT and traded * 100 >= everything * INSIDE_PCT

    def _first_time(self, ring: frozenset[int], inside: list[Fill]) -> Finding | None:
        last = self._last_seen.get(ring)
        self._last_seen[ring] = self._fills_seen
        if last is not None and self._fills_seen - last <= WINDOW_FILLS:
            return None
        volume = sum(f.lots for f in inside)
        return Finding(
            detector=DETECTOR,
            version=VERSION,
            severity="high",
            offering_id=self._offering_id,
            subjects=tuple(Subject(owner, "ring_member") for owner in sorted(ring)),
            metrics={
                "owners": (str(len(ring)), str(MAX_OWNERS)),
                "fills": (str(len(inside)), str(LEAST_FILLS)),
                "volume_lots": (str(volume), ""),
                "share_of_window_pct": (str(volume * 100 // self._volume), str(LEAST_SHARE_PCT)),
                "net_change_pct": (f"at most {NET_PCT}", str(NET_PCT)),
            },
            fills=tuple(f.exec_seq for f in inside),
            title=f"{len(ring)} owners passed the same units round",
        )
