"""S01: the same person on both sides of a trade, directly or through linked owners.

The book itself never lets one owner trade with itself; what is left are owners that only reference data ties together."""

from typing import Final

from tokenx_kyt.surveillance.fills import Fill
from tokenx_kyt.surveillance.findings import Finding, Subject
from tokenx_kyt.surveillance.links import CONFIDENT_PCT, Link, Links

DETECTOR: Final = "S01_self_trade"
VERSION: Final = 1
QUIET_SEQS: Final = 10_000
"""After an alert the same pair is quiet for this many executions: one alert tells the story, the fills are in the log."""


class SelfTrade:
    """State: when each pair last raised an alert."""

    def __init__(self, offering_id: str) -> None:
        self._offering_id = offering_id
        self._raised: dict[frozenset[int], int] = {}

    def observe(self, fill: Fill, links: Links) -> Finding | None:
        """One fill; a finding when its two owners are one or confidently linked."""
        link = links.between(fill.maker, fill.taker)
        if fill.maker != fill.taker and link is None:
            return None
        pair = frozenset((fill.maker, fill.taker))
        if pair in self._raised and fill.exec_seq - self._raised[pair] < QUIET_SEQS:
            return None
        self._raised[pair] = fill.exec_seq
        return self._finding(fill, link)

    def _finding(self, fill: Fill, link: Link | None) -> Finding:
        confidence, basis = (100, "same owner") if link is None else (link.confidence_pct, link.basis)
        return Finding(
            detector=DETECTOR,
            version=VERSION,
            severity="high",
            offering_id=self._offering_id,
            subjects=(Subject(fill.maker, "maker"), Subject(fill.taker, "taker")),
            metrics={
                "link_confidence_pct": (str(confidence), str(CONFIDENT_PCT)),
                "basis": (basis, ""),
                "quantity_lots": (str(fill.lots), ""),
            },
            fills=(fill.exec_seq,),
            title="Linked owners traded with each other",
        )
