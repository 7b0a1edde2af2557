"""The ground as fixtures, for every folder that stands on it."""

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from tests.contracts.evm import Evm
from tests.standards.ground import Ground, as_new, prepared
from tests.support.servers import anvil_server


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def grown() -> AsyncIterator[Ground]:
    """A node with everything that is deployed once."""
    with anvil_server(None) as server:
        evm = Evm(server.url)
        async with prepared(evm, server.url) as ground:
            yield ground
        evm.close()


@pytest.fixture
def ground(grown: Ground) -> Iterator[Ground]:
    """As new for each test."""
    with grown.evm.undone():
        yield as_new(grown)
