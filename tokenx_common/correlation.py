"""One correlation id from the browser to the chain: taken from X-Correlation-Id or made here, on every log line and every outgoing call."""

import re
from typing import Any, Final

import structlog

from tokenx_common.ids import new_id

HEADER: Final = "x-correlation-id"
_ACCEPTED: Final = re.compile(r"[A-Za-z0-9_.:-]{1,64}")


def correlation_id() -> str:
    """The id of the work in progress; a new one when there is none yet (background work)."""
    bound: dict[str, Any] = structlog.contextvars.get_contextvars()
    return str(bound.get("correlation_id") or bind_correlation_id(None))


def bind_correlation_id(offered: str | None) -> str:
    """Bind the offered id if it is acceptable, else a fresh one, to this task's context; returns it."""
    value = offered if offered and _ACCEPTED.fullmatch(offered) else new_id("cor")
    structlog.contextvars.bind_contextvars(correlation_id=value)
    return value
