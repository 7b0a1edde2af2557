"""Rules are tested on both books: whatever takes `make_book` runs once with the compiled one and once with the reference."""

from collections.abc import Callable

import pytest

from matcher_core import Book, ReferenceBook
from tests.core.builders import AnyBook


@pytest.fixture(params=[Book, ReferenceBook], ids=["compiled", "reference"])
def make_book(request: pytest.FixtureRequest) -> Callable[..., AnyBook]:
    return request.param  # pyright: ignore[reportAny]  # a fixture parameter is untyped
