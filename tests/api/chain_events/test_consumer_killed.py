"""T20: the consumer is killed with -9 between the effect and its own knowledge of it. Each event has its effect once all the same."""

import asyncio
import os
import signal
import sys

import pytest

from tests.api.builders import CHAIN_ID, address
from tests.api.chain_events.test_chain_events import STREAM, append, balance, cursor, transfer
from tests.api.in_process import Api
from tokenx_api.captable.service import NOBODY

BATCH = 4
EVENTS = 12


async def consume(api: Api, place: str, passes: int = 0) -> int:
    """The exit status of a consumer in a process of its own."""
    told = {
        "DATABASE_URL": api.context.settings.database_url.get_secret_value(),
        "STREAM": STREAM,
        "PLACE": place,
        "BATCH": str(BATCH),
        "PASSES": str(passes),
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.api.chain_events.killed_consumer", env=dict(os.environ) | told
    )
    return await asyncio.wait_for(process.wait(), 60)


@pytest.mark.parametrize(("place", "known"), [("inside", BATCH), ("after", 2 * BATCH)])
async def test_t20_consumer_killed_between_effect_and_acknowledgement_has_each_effect_once(
    api: Api, place: str, known: int
) -> None:
    """Amounts are powers of two, so that the balance tells which events counted, and how often."""
    await append(api, *(transfer(NOBODY, address(1), 2**n) for n in range(EVENTS)))
    assert await consume(api, place, passes=1) == -signal.SIGKILL
    assert (await cursor(api), await balance(api, address(1))) == (known, 2**known - 1), (
        "effect and cursor, both or neither"
    )
    assert await consume(api, "") == 0
    assert (await cursor(api), await balance(api, address(1))) == (EVENTS, 2**EVENTS - 1)
    assert (
        await api.seed.value("SELECT count(*) FROM chain.dead_letters WHERE ref_id LIKE $1", f"chain:{CHAIN_ID}:%") == 0
    )
