"""From factors to a score and a level. Pure; integers and fractions only, so that every machine gives the same number."""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final, Literal

Level = Literal["severe", "high", "medium", "low", "no_hit", "unknown", "unsupported"]
BANDS: Final[tuple[tuple[int, Level], ...]] = ((90, "severe"), (70, "high"), (40, "medium"), (10, "low"))


@dataclass(frozen=True)
class Factor:
    """One reason. points 0-100; value is what was measured, as text; evidence names addresses, event ids or thresholds.
    A factor of 0 points informs (a stale list) and never scores."""

    code: str
    points: int
    value: str
    evidence: tuple[str, ...] = ()
    category: str = ""

    def row(self) -> dict[str, Any]:
        """As stored and sent."""
        return {"code": self.code, "points": self.points, "value": self.value, "evidence": list(self.evidence),
                "category": self.category}  # fmt: skip


def combine(factors: Iterable[Factor]) -> int:
    """100 * (1 - prod(1 - p/100)), rounded half up: factors add up, but never beyond 100."""
    rest = Fraction(1)
    for factor in factors:
        rest *= Fraction(100 - factor.points, 100)
    return int((1 - rest) * 100 + Fraction(1, 2))


def level_of(score: int) -> Level:
    """The band of a score. 'no_hit' says that nothing was found, not that the address is clean."""
    for least, level in BANDS:
        if score >= least:
            return level
    return "no_hit"
