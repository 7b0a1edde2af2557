"""Readiness: each dependency by name, with whether the service can work without it."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

PROBE_TIMEOUT_S: Final = 2.0

Probe = Callable[[], Awaitable[str]]
"""Returns a short detail when the dependency is fine; raises when it is not."""


@dataclass(frozen=True)
class _Dependency:
    probe: Probe
    critical: bool


class HealthRegistry:
    """The dependencies of one service."""

    def __init__(self) -> None:
        self._dependencies: dict[str, _Dependency] = {}

    def add(self, name: str, probe: Probe, *, critical: bool = True) -> None:
        """Register a dependency. A failing critical one makes the service not ready; another one only degrades it."""
        self._dependencies[name] = _Dependency(probe, critical)

    async def check(self) -> tuple[bool, dict[str, Any]]:
        """(ready, report). All probes run at once, each bounded in time."""
        names = list(self._dependencies)
        results = await asyncio.gather(*(self._probe(self._dependencies[name]) for name in names))
        report = dict(zip(names, results, strict=True))
        ready = all(item["status"] == "ok" for item in results if item["critical"])
        status = "down" if not ready else "ok" if all(item["status"] == "ok" for item in results) else "degraded"
        return ready, {"status": status, "dependencies": report}

    async def _probe(self, dependency: _Dependency) -> dict[str, Any]:
        try:
            detail = await asyncio.wait_for(dependency.probe(), PROBE_TIMEOUT_S)
        except Exception as error:  # noqa: BLE001  # whatever is wrong with a dependency is its status, never a crash of the probe
            return {
                "status": "down",
                "critical": dependency.critical,
                "detail": f"{type(error).__name__}: {error}"[:200],
            }
        return {"status": "ok", "critical": dependency.critical, "detail": detail}
