"""What a risk backend must answer. Remote ones may raise DependencyUnavailable; none may turn an error into 'no hit'."""

from dataclasses import dataclass
from datetime import date
from typing import Protocol

from tokenx_kyt.scoring import Factor, Level
from tokenx_kyt.transfers import Transfer


@dataclass(frozen=True)
class RiskResult:
    """score None: the provider gave none (unknown, unsupported)."""

    provider: str
    level: Level
    score: int | None
    factors: tuple[Factor, ...]
    list_version: str
    list_as_of: date | None


class RiskProvider(Protocol):
    """Screens one address before something moves, or one transfer after it has."""

    @property
    def name(self) -> str:
        """As stored in the provider column."""
        ...

    async def screen_address(self, *, chain_id: int, address: bytes) -> RiskResult:
        """The address alone."""
        ...

    async def screen_transfer(self, transfer: Transfer, behaviour: tuple[Factor, ...]) -> RiskResult:
        """Both sides of a transfer, with what our own history says about their behaviour."""
        ...

    async def health(self) -> str:
        """A short detail; raises when answers cannot be trusted now."""
        ...
