"""Which owner groups belong together: same device, address, funding wallet or declared relation. Reference data of the api."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from pydantic import Field

from tokenx_common.wire import WireModel

CONFIDENT_PCT: Final = 90


class Link(WireModel):
    """Two owner groups, how sure it is that one person stands behind both, and why."""

    a: int
    b: int
    confidence_pct: int = Field(ge=0, le=100)
    basis: str


@dataclass(frozen=True)
class Links:
    """Confident links by unordered pair."""

    by_pair: dict[frozenset[int], Link] = field(default_factory=dict[frozenset[int], Link])

    def between(self, a: int, b: int) -> Link | None:
        """The link, when it is at least CONFIDENT_PCT sure."""
        return self.by_pair.get(frozenset((a, b)))


def links_of(rows: Iterable[Link]) -> Links:
    """Only what is confident enough to act on; of several bases the surest."""
    confident = sorted((row for row in rows if row.confidence_pct >= CONFIDENT_PCT), key=lambda row: row.confidence_pct)
    return Links({frozenset((row.a, row.b)): row for row in confident if row.a != row.b})
