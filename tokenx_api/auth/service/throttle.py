"""Slows down password guessing: few attempts per address and place, counted in this process only."""

from datetime import datetime, timedelta
from typing import Final

from tokenx_api.auth.errors import TooManyAttempts

ATTEMPTS: Final = 10
WINDOW: Final = timedelta(minutes=5)
_PRUNE_ABOVE: Final = 10_000


class LoginThrottle:
    """An attempt counts when it starts, so that many at once cannot slip through; a success forgets them."""

    def __init__(self) -> None:
        self._attempts: dict[tuple[str, str], list[datetime]] = {}

    def start(self, *, email: str, ip: str, at: datetime) -> None:
        """Count an attempt. Raises TooManyAttempts with retry_after_s."""
        recent = [moment for moment in self._attempts.get((email, ip), []) if moment > at - WINDOW]
        if len(recent) >= ATTEMPTS:
            seconds = int((recent[0] + WINDOW - at).total_seconds()) + 1
            raise TooManyAttempts("too many attempts; try again later", retry_after_s=seconds)
        self._attempts[email, ip] = [*recent, at]
        if len(self._attempts) > _PRUNE_ABOVE:
            self._prune(at)

    def succeeded(self, *, email: str, ip: str) -> None:
        """Forget the attempts."""
        self._attempts.pop((email, ip), None)

    def _prune(self, at: datetime) -> None:
        self._attempts = {key: moments for key, moments in self._attempts.items() if moments[-1] > at - WINDOW}
