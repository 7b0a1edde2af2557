"""Risk from lists held in this process and from the edges this platform has seen. It knows nothing else, and says so."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from prometheus_client import Gauge

from tokenx_common.clock import Clock
from tokenx_common.errors import DependencyUnavailable
from tokenx_common.log import get_logger
from tokenx_kyt.addresses import format_address
from tokenx_kyt.backends.base import RiskResult
from tokenx_kyt.lists import ListSet
from tokenx_kyt.scoring import Factor, combine, level_of
from tokenx_kyt.transfers import Transfer

log = get_logger(__name__)

SANCTIONS_POINTS: Final = 100
FORMERLY_POINTS: Final = 35
LIST_AGE = Gauge("tokenx_kyt_list_age_days", "Age of the oldest sanctions list in force")


class LocalProvider:
    """hold: a list older than max_age makes every answer without a hit 'unknown' (prod); otherwise the age is only shown."""

    name = "local"

    def __init__(self, lists: ListSet, clock: Clock, *, max_age: timedelta, hold: bool) -> None:
        self._lists = lists
        self._clock = clock
        self._max_age = max_age
        self._hold = hold
        if self._stale:
            log.error("list.stale", as_of=str(lists.as_of), age_days=self._age_days)

    async def screen_address(self, *, chain_id: int, address: bytes) -> RiskResult:
        """Lists only: an address that moves nothing has no behaviour. Lists are keyed by address on every EVM chain alike."""
        return self._result(self._listed((address,)))

    async def screen_transfer(self, transfer: Transfer, behaviour: tuple[Factor, ...]) -> RiskResult:
        return self._result((*self._listed(transfer.parties), *behaviour))

    async def health(self) -> str:
        detail = f"{len(self._lists.current)} listed, as of {self._lists.as_of}, version {self._lists.version[:12]}"
        LIST_AGE.set(self._age_days)
        if self._stale and self._hold:
            raise DependencyUnavailable(f"the sanctions list is {self._age_days} days old: {detail}")
        return f"{detail}, {self._age_days} days old"

    def _listed(self, addresses: Iterable[bytes]) -> tuple[Factor, ...]:
        factors: list[Factor] = []
        for address in addresses:
            if address in self._lists.current:
                evidence = (format_address(address), self._lists.current[address])
                factors.append(Factor("sanctions_direct", SANCTIONS_POINTS, "listed", evidence, "sanctions"))
            elif address in self._lists.former:
                evidence = (format_address(address), self._lists.former[address])
                factors.append(Factor("formerly_sanctioned", FORMERLY_POINTS, "delisted", evidence, "mixer"))
        return tuple(factors)

    def _result(self, factors: tuple[Factor, ...]) -> RiskResult:
        score = combine(factors)
        if not self._stale:
            return self._answer(score, factors)
        factors = (*factors, Factor("stale_list", 0, f"{self._age_days} days", (str(self._lists.as_of),)))
        if self._hold and level_of(score) == "no_hit":
            return RiskResult(self.name, "unknown", None, factors, self._lists.version, self._lists.as_of)
        return self._answer(score, factors)

    def _answer(self, score: int, factors: tuple[Factor, ...]) -> RiskResult:
        return RiskResult(self.name, level_of(score), score, factors, self._lists.version, self._lists.as_of)

    @property
    def _age_days(self) -> int:
        return self._lists.age_days(self._clock.now().date())

    @property
    def _stale(self) -> bool:
        return self._age_days > self._max_age.days
