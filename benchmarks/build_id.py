"""Refuse to measure a book that was not built from the sources at hand."""

from matcher_core import BUILD_ID
from matcher_core.build import source_id


def complaint() -> str | None:
    """What is wrong with the build, or None. A stale build would measure yesterday's code under today's name."""
    wanted = source_id()
    if wanted == BUILD_ID:
        return None
    return (
        f"matcher_core.book was built from other sources (build {BUILD_ID[:12]}, sources {wanted[:12]}): "
        "run `python setup.py build_ext --inplace` first"
    )
