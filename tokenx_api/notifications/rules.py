"""Which bells a person may hear."""

import re
from collections.abc import Iterable
from typing import Final

from tokenx_api.auth.models import Actor

STAFF_TOPICS: Final = frozenset({"alerts"})
OPEN_TOPICS: Final = frozenset({"orders", "settlements", "portfolio", "chain"})
MAX_TOPICS: Final = 64
_MARKET: Final = re.compile(r"(book|trades):[a-z0-9_]{1,64}")


def unknown_topics(topics: Iterable[str]) -> list[str]:
    """Topics nobody ever rings."""
    return sorted(topic for topic in topics if topic not in STAFF_TOPICS | OPEN_TOPICS and not _MARKET.fullmatch(topic))


def forbidden_topics(actor: Actor, topics: Iterable[str]) -> list[str]:
    """Topics that are not the actor's to hear."""
    return [] if actor.is_staff else sorted(STAFF_TOPICS & set(topics))


def may_know_ids(actor: Actor) -> bool:
    """Whether a bell may say which orders or settlements it is about: for anyone but staff some of them are other people's."""
    return actor.is_staff
