"""The ground of tests/standards; what a case does is taken back after it."""

import pytest

from tests.acceptance.erc3643.stage import Stage, set_up
from tests.standards.fixtures import ground as ground
from tests.standards.fixtures import grown as grown
from tests.standards.ground import Ground


@pytest.fixture
async def stage(ground: Ground) -> Stage:
    return await set_up(ground)
