"""One node for the folder; what a test does is taken back after it."""

from collections.abc import Iterator

import pytest

from tests.contracts.evm import Evm, evm_node
from tests.contracts.suites import Trex, infrastructure


@pytest.fixture(scope="session")
def node() -> Iterator[Evm]:
    with evm_node() as evm:
        yield evm


@pytest.fixture(scope="session")
def deployed(node: Evm) -> Trex:
    return infrastructure(node)


@pytest.fixture
def trex(deployed: Trex) -> Iterator[Trex]:
    """The infrastructure, as new for each test."""
    with deployed.evm.undone():
        yield deployed


@pytest.fixture
def evm(trex: Trex) -> Evm:
    return trex.evm
