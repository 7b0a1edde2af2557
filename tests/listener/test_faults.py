"""What the listener makes of reorganisations, endpoints that lag, lie, forget and refuse, and heads that come twice or not at all (T10-T19, T32)."""

import asyncio
import random
from contextlib import suppress
from dataclasses import replace

import pytest

from tests.networks.habit_proxy import Habits
from tests.networks.test_rules import RANGE_SPELLINGS
from tests.networks.world import LOCAL, emission, with_depth, world
from tokenx_chain.listener.follower import START_LOOKS, ChainHalted
from tokenx_chain.networks import rules
from tokenx_chain.networks.base import FinalityRule, LogRule
from tokenx_chain.networks.rpc import Health, RpcUnavailable

pytestmark = pytest.mark.stack


@pytest.mark.parametrize("depth", [1, 2, 3, 7])
async def test_reorganisation_when_it_drops_a_transfer_ends_in_one_final(node_url: str, depth: int) -> None:
    """T10."""
    async with world(node_url, network=with_depth(8)) as w:
        lost = await w.emit()
        await w.mine(depth - 1)
        await w.look()
        await w.reorg(depth)
        await w.look()
        assert w.kinds(lost) == ["seen", "reverted"]
        assert w.reorgs == [int(await w.ask("eth_blockNumber"), 16) - depth]
        await w.emit()
        await w.mine(8)
        await w.look()
        assert w.kinds() == ["seen", "reverted", "seen", "final"]
        assert w.finals() == await w.chain_logs(upto=w.follower.finalized_number)


async def test_reorganisation_when_it_moves_a_transfer_makes_other_events(node_url: str) -> None:
    """T11: the same transfer in another block, at another place in it."""
    async with world(node_url, network=with_depth(4)) as w:
        await w.emit(2, first=100)
        await w.mine()
        await w.look()
        await w.reorg(2, (emission(1, first=7), 1), (emission(2, first=100), 1))
        await w.look()
        assert w.kinds() == ["seen", "seen", "reverted", "reverted", "seen", "seen", "seen"]
        rows = w.state.events
        assert [row["log_index"] for row in rows] == [0, 1, 1, 0, 0, 1, 2]  # taken back in reverse
        assert len({row["event_id"] for row in rows}) == len(rows)
        assert {row["block_hash"] for row in rows[:4]}.isdisjoint({row["block_hash"] for row in rows[4:]})
        await w.mine(4)
        await w.look()
        assert w.finals() == await w.chain_logs(upto=w.follower.finalized_number)


async def test_transfer_when_another_takes_its_place_is_never_final(node_url: str) -> None:
    """T12, as the listener sees it."""
    async with world(node_url, network=with_depth(3)) as w:
        lost = await w.emit(first=1)
        await w.look()
        await w.reorg(1, (emission(first=2), 0))
        await w.mine(3)
        await w.look()
        assert w.kinds(lost) == ["seen", "reverted"]
        assert [row["payload"]["amount"] for row in w.state.of_type("transfer.final")] == ["2"]


async def test_block_when_it_returns_is_seen_again_under_another_id(node_url: str) -> None:
    """A, then B, then A once more: each step is an event, and the final one comes once."""
    async with world(node_url, network=with_depth(3)) as w:
        await w.emit(first=1)
        await w.look()
        await w.proxies[0].freeze()
        frozen, w.habits.frozen = w.habits.frozen, None
        await w.reorg(1, (emission(first=2), 0))
        await w.look()
        w.habits.frozen = frozen
        await w.look()
        assert w.kinds() == ["seen", "reverted", "seen", "reverted", "seen"]
        ids = [row["event_id"] for row in w.state.events]
        assert len(set(ids)) == 5
        assert ids[4] == ids[0] + ":2"


async def test_reorganisation_past_finality_when_seen_halts_without_further_events(node_url: str) -> None:
    """T13."""
    async with world(node_url, network=with_depth(2)) as w:
        await w.emit()
        await w.mine(5)
        await w.look()
        told = w.kinds()
        await w.reorg(5)
        with pytest.raises(ChainHalted, match="no longer contains final block"):
            await w.look()
        assert w.kinds() == told == ["seen", "final"]
        await asyncio.wait_for(w.follower.run(), 10)  # ends by itself: a halt is kept
        assert w.follower.condition == "halted"


async def test_final_block_when_only_one_endpoint_denies_it_does_not_halt(node_url: str) -> None:
    """T13, with a second endpoint that has not moved."""
    async with world(node_url, network=with_depth(2), habits=[Habits(), Habits()]) as w:
        await w.mine(6)
        await w.look()
        await w.proxies[1].freeze()
        await w.reorg(5)
        await w.look(3)
        assert w.follower.condition == "degraded"
        assert w.reorgs == []


async def test_checkpoint_when_the_endpoint_lags_at_the_start_is_waited_for(node_url: str) -> None:
    async with world(node_url, network=with_depth(1)) as w:
        await w.emit()
        await w.mine(25)
        await w.look()
    lagging = Habits(lag=10)
    async with world(node_url, network=with_depth(1), habits=[lagging], state=w.state) as later:
        for _ in range(START_LOOKS - 1):
            with pytest.raises(RpcUnavailable, match="does not reach"):
                await later.look()
        lagging.lag = 0
        await later.look()
        lagging.lag = 10
    async with world(node_url, network=with_depth(1), habits=[lagging], state=w.state) as stuck:
        for _ in range(START_LOOKS - 1):
            with pytest.raises(RpcUnavailable):
                await stuck.look()
        with pytest.raises(ChainHalted, match="wrong or fresh chain"):
            await stuck.look()


async def test_endpoint_when_it_lags_is_not_taken_for_a_reorganisation(node_url: str) -> None:
    """T14: one ahead, one three behind, asked in turn."""
    async with world(node_url, network=with_depth(2), habits=[Habits(), Habits(lag=3)]) as w:
        for number in range(12):
            await w.emit(first=number)
            w.rpc.endpoints.reverse()
            await w.look()
        assert w.reorgs == []
        assert "reverted" not in w.kinds()
        assert w.follower.condition == "ok"
        w.proxies[1].habits.lag = 0
        await w.mine(2)
        await w.look()
        assert w.finals() == await w.chain_logs(upto=w.follower.finalized_number)
        assert len(w.finals()) == 12


async def test_reorganisation_when_the_second_endpoint_disagrees_is_believed_only_when_it_agrees(node_url: str) -> None:
    """T14, with a conflicting hash."""
    async with world(node_url, network=with_depth(5), habits=[Habits(), Habits()]) as w:
        lost = await w.emit()
        await w.look()
        await w.proxies[1].freeze()
        await w.reorg(1)
        await w.mine()
        await w.look(3)
        assert (w.kinds(lost), w.reorgs, w.follower.condition) == (["seen"], [], "degraded")
        w.proxies[1].habits.frozen = None
        await w.look()
        assert w.kinds(lost) == ["seen", "reverted"]
        await w.mine(6)
        await w.look()
        assert w.follower.condition == "ok"


async def test_finality_when_one_of_two_endpoints_is_away_waits_but_seen_goes_on(node_url: str) -> None:
    async with world(node_url, network=with_depth(2), habits=[Habits(), Habits()]) as w:
        await w.look()
        w.proxies[1].habits.away = True
        await w.emit()
        await w.mine(3)
        await w.look()
        assert (w.kinds(), w.follower.condition) == (["seen"], "degraded")
        w.proxies[1].habits.away = False
        await w.look()
        assert (w.kinds(), w.follower.condition) == (["seen", "final"], "ok")


@pytest.mark.parametrize("rescue", ["second endpoint", "receipts"])
async def test_logs_when_the_answer_is_empty_but_the_bloom_is_not_are_asked_for_again(
    node_url: str, rescue: str
) -> None:
    """T15."""
    others = [Habits()] if rescue == "second endpoint" else []
    first = Habits(forgets_logs=10, has_receipts=rescue == "receipts")
    async with world(node_url, network=with_depth(2), habits=[first, *others]) as w:
        await w.emit(3)
        await w.look()
        assert w.kinds() == ["seen"] * 3
        source = w.follower._source  # pyright: ignore[reportPrivateUsage]  # the count is not shown elsewhere
        assert source.contradictions == 1


async def test_node_fills_the_bloom_as_we_read_it(node_url: str) -> None:
    async with world(node_url) as w:
        await w.emit()
        (block,) = await w.node.blocks([int(await w.ask("eth_blockNumber"), 16)])
        assert block is not None
        assert block.logs_bloom is not None
        topics = w.follower._reader.topics  # pyright: ignore[reportPrivateUsage]  # what the listener asks for
        watched = ["0x" + "e1" * 20, "0x" + "e2" * 20]
        assert (
            rules.hidden_contracts(block.logs_bloom, addresses=watched, topics=topics, told=frozenset()) == watched[:1]
        )


async def test_back_fill_when_providers_refuse_the_range_loses_nothing(node_url: str) -> None:
    """T16: each spelling in turn, all with the same undisclosed limit of 40 blocks but where the text itself offers one."""
    network = replace(with_depth(2), logs=LogRule(first=200, most=400))
    async with world(node_url, network=network) as w:
        for number in range(12):
            await w.emit(1 + number % 3, first=number)
            await w.mine(35)
        wanted = await w.chain_logs(upto=int(await w.ask("eth_blockNumber"), 16) - 2)
        await w.look()
        assert w.finals() == wanted
    for who, text, offered in RANGE_SPELLINGS:
        habits = Habits(
            range_limit=min(offered or 40, 40), range_text=lambda _limit, text=text: text, range_code=-32602
        )
        async with world(node_url, network=network, habits=[habits]) as w:
            await w.look()
            assert w.finals() == wanted, who
            assert max(habits.ranges) > 64, who
            assert min(habits.ranges) <= min(offered or 40, 40), who


async def test_back_fill_when_refused_as_asked_too_often_asks_for_less_next_time(node_url: str) -> None:
    """T16: a provider whose code for a large range is that of a rate limit."""
    network = replace(with_depth(2), logs=LogRule(first=200, most=400))
    habits = Habits(
        range_limit=100, range_text=lambda _limit: "query returned more than 10000 results", range_code=-32005
    )
    async with world(node_url, network=network, habits=[habits]) as w:
        await w.mine(100)
        await w.emit(2)
        await w.mine(200)
        with suppress(RpcUnavailable):
            await w.look()
        await w.look()
        assert w.kinds() == ["seen", "seen", "final", "final"]


async def test_back_fill_remembers_for_each_endpoint_how_much_it_answers(node_url: str) -> None:
    """T16: what one endpoint refuses says nothing about another."""
    network = replace(with_depth(1), logs=LogRule(first=200, most=400))
    tight, wide = Habits(range_limit=40, range_text=lambda _limit: "block range is too wide"), Habits()
    third = Habits()  # so that two are there to agree while the first is away
    async with world(node_url, network=network, habits=[tight, wide, third]) as w:
        first, *others = w.rpc.endpoints

        async def fill() -> None:
            """A gap with a log at both ends and room above it, so that all of it is asked for at once."""
            await w.emit()
            await w.mine(100)
            await w.emit()
            await w.mine(300)
            await w.look()

        await fill()
        assert (max(tight.ranges), wide.ranges, third.ranges) == (102, [], [])
        tight.away = True
        await fill()
        assert max(wide.ranges + third.ranges) == 102
        tight.away, tight.ranges, first.health = False, [], Health()
        await fill()
        assert max(tight.ranges) < 120  # an answer of 40 may stand for 80 asked, and grows by half
        source = w.follower._source  # pyright: ignore[reportPrivateUsage]  # the sizes are not shown elsewhere
        sizes = [source.window(endpoint).size for endpoint in (first, *others)]
        assert sizes[0] < 120
        assert max(sizes[1:]) >= 200
        assert w.finals() == await w.chain_logs(upto=w.follower.finalized_number)


async def test_heads_when_the_socket_is_cut_for_a_hundred_blocks_nothing_is_lost(node_url: str) -> None:
    """T17: polling goes on meanwhile, and order is kept."""
    async with world(node_url, network=with_depth(2)) as w:
        following = asyncio.create_task(w.follower.run())
        await until(lambda: w.follower.feed.is_live)
        await w.emit(2)
        await until(lambda: w.follower.feed.heard > 0)
        await w.proxies[0].close_heads()
        for number in range(10):
            await w.emit(1, first=number)
            await w.mine(9)
        await until(lambda: len(w.finals()) == 12)
        w.habits.heads_closed = False
        await until(lambda: w.follower.feed.is_live)
        await w.emit()
        await w.mine(2)
        await until(lambda: len(w.finals()) == 13)
        following.cancel()
        assert w.finals() == await w.chain_logs(upto=w.follower.finalized_number)
        assert w.follower.feed.connections == 2


@pytest.mark.parametrize(
    "habits", [Habits(heads_repeat=3), Habits(heads_shuffled=random.Random(19))], ids=["T18 twice", "T19 out of order"]
)
async def test_heads_when_repeated_or_disordered_change_nothing(node_url: str, habits: Habits) -> None:
    async with world(node_url, network=with_depth(3), habits=[habits]) as w:
        following = asyncio.create_task(w.follower.run())
        for number in range(20):
            await w.emit(1, first=number)
            if number % 7 == 3:
                await asyncio.sleep(0.1)
                await w.reorg(2, (emission(1, first=500 + number), 0))
        await w.mine(3)
        wanted = await w.chain_logs(upto=int(await w.ask("eth_blockNumber"), 16) - 3)
        await until(lambda: w.finals() == wanted)
        following.cancel()
        counted = {"seen": 1, "reverted": -1}
        standing = sum(counted.get(kind, 0) for kind in w.kinds())
        assert standing == len(wanted)
        assert len({row["event_id"] for row in w.state.events}) == len(w.state.events)
        assert w.follower.feed.heard > 0


async def test_finality_when_it_stands_still_gives_no_finals_and_a_degraded_chain(node_url: str) -> None:
    """T32: Polygon, September 2025."""
    network = replace(LOCAL, finality=FinalityRule("tag", stalled_after=20))
    async with world(node_url, network=network) as w:
        await w.emit()
        await w.mine(3)
        await w.look()
        assert w.kinds() == ["seen", "final"]
        w.habits.finality_at = w.follower.finalized_number
        await w.emit(2)
        await w.mine(10)
        await w.look()
        assert (w.kinds()[2:], w.follower.condition) == (["seen", "seen"], "ok")
        await w.mine(30)
        await w.look(3)
        assert (w.kinds()[2:], w.follower.condition) == (["seen", "seen"], "degraded")
        w.habits.finality_at = None
        await w.look()
        assert (w.kinds()[4:], w.follower.condition) == (["final", "final"], "ok")


async def until(condition: object, patience_s: float = 30.0) -> None:
    """Poll a condition."""
    assert callable(condition)
    async with asyncio.timeout(patience_s):
        while not condition():
            await asyncio.sleep(0.02)
