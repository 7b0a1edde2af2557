"""Structured logs: a fixed event name, facts as fields, one correlation id from the browser to the chain on every line."""

import logging
import sys
from typing import Any, Protocol

import structlog


class LogSettings(Protocol):
    """The part of a process's settings that logging needs."""

    @property
    def log_level(self) -> str: ...
    @property
    def log_format(self) -> str: ...


def configure_logging(service: str, settings: LogSettings) -> None:
    """Set up structlog and send the standard library's records (uvicorn, httpx) through the same pipeline, to stderr."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer = (
        structlog.processors.JSONRenderer()
        if settings.log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=False)
    )
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    structlog.configure(
        processors=[*shared, structlog.processors.format_exc_info, renderer]
        if settings.log_format == "json"
        else [*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(service=service)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processor=renderer))
    logging.basicConfig(handlers=[handler], level=max(level, logging.WARNING), force=True)


def get_logger(name: str) -> Any:
    """A logger whose lines carry `module=name`: log.info("order.accepted", order_id=…)."""
    return structlog.get_logger(module=name)  # pyright: ignore[reportUnknownMemberType]  # structlog types it as Any
