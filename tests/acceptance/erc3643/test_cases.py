"""The sixty acceptance cases of the token standard, each on real contracts and, where our gate has a say, through it as well."""

import pytest

from tests.acceptance.erc3643 import agents, identities, ours, rules, transfers
from tests.acceptance.erc3643.stage import CASES, Stage

pytestmark = pytest.mark.stack
SUBJECTS = (transfers, agents, identities, rules, ours)


@pytest.mark.parametrize("name", sorted(CASES))
async def test_case(stage: Stage, name: str) -> None:
    await CASES[name](stage)


def test_every_case_is_there_once() -> None:
    assert [int(name[:2]) for name in sorted(CASES)] == list(range(1, 61)), [module.__name__ for module in SUBJECTS]
