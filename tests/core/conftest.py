"""Rules are tested on both books: whatever takes `make_book` runs once with the compiled one and once with the reference."""

import gc
from collections.abc import Callable

import pytest

from matcher_core import Book, ReferenceBook
from matcher_core.book import DEBUG_BUILD, debug_counters
from tests.core.builders import AnyBook


@pytest.fixture(params=[Book, ReferenceBook], ids=["compiled", "reference"])
def make_book(request: pytest.FixtureRequest) -> Callable[..., AnyBook]:
    return request.param  # pyright: ignore[reportAny]  # a fixture parameter is untyped


@pytest.fixture(scope="session")
def counters_at_first() -> dict[str, int]:
    return debug_counters()


@pytest.fixture(autouse=DEBUG_BUILD)
def nothing_was_left_behind(counters_at_first: dict[str, int]) -> None:
    """In a debug build: the test before this one gave back every engine and event array it made."""
    gc.collect()
    assert debug_counters() == counters_at_first
