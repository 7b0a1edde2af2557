"""The level between seen and final: told in bulk, in its place, once, and never for what is not there."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.networks.habit_proxy import Habits
from tests.networks.world import LOCAL, World, emission, node_of, with_depth, world
from tokenx_chain.networks.base import FinalityRule
from tokenx_common.events import BlocksSafePayload, ChainItem

pytestmark = pytest.mark.stack

STEP = 3
"""Blocks between the head and the node's `safe`, and between that and its `finalized`."""
TAGGED = replace(LOCAL, finality=FinalityRule("tag", stalled_after=100, has_safe=True))


@pytest.fixture
def tagged_url() -> Iterator[str]:
    with node_of(LOCAL, slots_in_epoch=STEP) as url:
        yield url


def told_safe(w: World) -> list[tuple[int, int]]:
    """Ranges told so far."""
    payloads = [BlocksSafePayload.model_validate(row["payload"]) for row in w.state.of_type("blocks.safe")]
    return [(payload.from_block, payload.to_block) for payload in payloads]


async def test_transfers_are_seen_then_safe_then_final_with_dense_numbers(tagged_url: str) -> None:
    async with world(tagged_url, network=TAGGED) as w:
        await w.emit(2)
        first = int(await w.ask("eth_blockNumber"), 16)
        await w.emit()
        await w.look()
        assert w.kinds() == ["seen"] * 3
        await w.mine(STEP)
        await w.look()
        assert w.kinds() == ["seen"] * 3 + ["blocks.safe"]  # one for both blocks
        assert told_safe(w) == [(first, first + 1)]
        await w.mine(STEP)
        await w.look()
        assert w.kinds() == ["seen"] * 3 + ["blocks.safe"] + ["final"] * 3
        items = [ChainItem.model_validate(row) for row in w.state.events]
        assert [item.seq for item in items] == list(range(1, 8))
        assert items[3].block_hash == (await w.ask("eth_getBlockByNumber", hex(first + 1), False))["hash"]
        await w.mine(5)
        await w.look()
        assert len(w.state.events) == len(items)  # nothing to tell of blocks without transfers


async def test_safe_is_not_told_of_what_is_final_in_the_same_look_nor_where_there_is_no_such_level(tagged_url: str) -> None:  # fmt: skip
    async with world(tagged_url, network=TAGGED) as w:
        await w.emit()
        await w.mine(2 * STEP)
        await w.look()
        assert w.kinds() == ["seen", "final"]
    async with world(tagged_url, network=with_depth(8)) as w:
        await w.emit()
        await w.mine(STEP)
        await w.look()
        assert told_safe(w) == []


async def test_restart_when_transfers_are_safe_tells_nothing_twice_and_the_rest_once(tagged_url: str) -> None:
    async with world(tagged_url, network=TAGGED) as w:
        await w.emit()
        first = int(await w.ask("eth_blockNumber"), 16)
        await w.mine(STEP - 1)
        await w.emit()
        await w.look()
        told = w.kinds()
        assert told == ["seen", "seen", "blocks.safe"]
    async with world(tagged_url, network=TAGGED, state=w.state) as later:
        await later.look()
        assert later.kinds() == told
        await later.mine(STEP)
        await later.look()
        assert told_safe(later) == [(first, first), (first + STEP, first + STEP)]


async def test_reorganisation_when_it_takes_a_safe_block_back_makes_its_transfers_safe_anew(tagged_url: str) -> None:
    async with world(tagged_url, network=TAGGED) as w:
        lost = await w.emit(first=1)
        await w.mine(STEP)
        await w.look()
        await w.proxies[0].freeze()
        frozen, w.habits.frozen = w.habits.frozen, None
        assert frozen
        await w.reorg(STEP + 1, (emission(first=2), 0))
        await w.look()
        assert w.kinds() == ["seen", "blocks.safe", "reverted", "seen", "blocks.safe"]
        w.habits.frozen = frozen
        w.habits.safe_at = max(frozen) - STEP
        await w.look()
        assert w.kinds()[5:] == ["reverted", "seen", "blocks.safe"]
        assert w.kinds(lost) == ["seen", "reverted", "seen"]
        assert len({row["event_id"] for row in w.state.events}) == len(w.state.events)


async def test_safe_when_one_of_two_endpoints_differs_or_is_away_waits_and_seen_goes_on(tagged_url: str) -> None:
    async with world(tagged_url, network=TAGGED, habits=[Habits(), Habits()]) as w:
        await w.look()
        w.proxies[1].habits.away = True
        await w.emit()
        await w.mine(STEP)
        await w.look()
        assert (w.kinds(), w.follower.condition) == (["seen"], "degraded")
        w.proxies[1].habits.away = False
        await w.mine()
        await w.look()
        assert (w.kinds(), w.follower.condition) == (["seen", "blocks.safe"], "ok")
