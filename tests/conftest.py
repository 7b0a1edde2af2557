"""Fixtures for every test, what they are is said in tests/support; and the order of a whole run: what fails fast comes first."""

import pytest

pytest_plugins = ["tests.support.servers", "tests.support.stack"]

STAGES = ("stack", "flow", "fault", "browser")
"""Markers in the order they run; tests without one come before them all."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests without servers, then with, then journeys, faults, browser; within a stage the order stays."""
    items.sort(
        key=lambda item: max(
            (STAGES.index(marker.name) + 1 for marker in item.iter_markers() if marker.name in STAGES), default=0
        )
    )
