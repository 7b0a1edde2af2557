"""One node for the tests of a module; each test takes it as it is and looks only at what it did."""

from collections.abc import Iterator

import pytest

from tests.networks.world import LOCAL, node_of


@pytest.fixture
def node_url() -> Iterator[str]:
    """A fresh node."""
    with node_of(LOCAL) as url:
        yield url
