"""Detectors: planted patterns fire once, honest flow does not, replays agree."""

import random

from tests.kyt.builders import fill, tick_item, trade_item
from tokenx_kyt.surveillance.fills import Fill
from tokenx_kyt.surveillance.findings import Finding
from tokenx_kyt.surveillance.links import Link, Links, links_of
from tokenx_kyt.surveillance.self_trade import QUIET_SEQS, SelfTrade
from tokenx_kyt.surveillance.wash_ring import WINDOW_FILLS, WashRing
from tokenx_kyt.surveillance.watch import OfferingWatch

LINKED = links_of(
    [Link(a=1, b=2, confidence_pct=95, basis="same device"), Link(a=3, b=4, confidence_pct=89, basis="ip")]
)


def rings(fills: list[Fill]) -> list[Finding]:
    detector = WashRing("off_a")
    return [found for one in fills if (found := detector.observe(one)) is not None]


def self_trades(fills: list[Fill], links: Links = LINKED) -> list[Finding]:
    detector = SelfTrade("off_a")
    return [found for one in fills if (found := detector.observe(one, links)) is not None]


def market(rng: random.Random, length: int, *, makers: tuple[int, ...] = (100, 101)) -> list[Fill]:
    """Market makers stay neutral and trade with everybody; investors build and sell positions."""
    fills: list[Fill] = []
    inventory = dict.fromkeys(makers, 0)
    for seq in range(1, length + 1):
        maker, investor, lots = rng.choice(makers), rng.randint(1, 40), rng.randint(1, 20)
        buys = inventory[maker] >= 0 if rng.random() < 0.8 else rng.random() < 0.5
        inventory[maker] += -lots if buys else lots
        fills.append(fill(seq, maker, investor, lots) if buys else fill(seq, investor, maker, lots))
    return fills


def test_linked_owners_fire_once_and_again_only_after_the_quiet_time() -> None:
    found = self_trades([fill(5, 1, 2), fill(9, 2, 1), fill(4 + QUIET_SEQS, 1, 2), fill(5 + QUIET_SEQS, 1, 2)])
    assert [one.fills for one in found] == [(5,), (5 + QUIET_SEQS,)]
    assert found[0].metrics["link_confidence_pct"] == ("95", "90")


def test_unlinked_and_weakly_linked_owners_do_not_fire() -> None:
    assert self_trades([fill(5, 1, 3), fill(6, 3, 4)]) == []


def test_same_owner_on_both_sides_fires_without_a_link() -> None:
    (found,) = self_trades([fill(5, 7, 7)], Links())
    assert found.metrics["basis"] == ("same owner", "")


def test_planted_ring_fires_once() -> None:
    found = rings([fill(seq, *pair) for seq, pair in enumerate([(1, 2), (2, 3), (3, 1)] * 6, 1)])
    (one,) = found
    assert [subject.owner_group for subject in one.subjects] == [1, 2, 3]
    assert one.fills == (1, 2, 3)


def test_ring_hidden_in_an_honest_market_is_found_once() -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    rng = random.Random(seed)
    flow = market(rng, 160)
    lap = [(201, 202), (202, 203), (203, 204), (204, 205), (205, 201)]
    for lot, at in enumerate(sorted(rng.sample(range(20, 150), 10))):
        seller, buyer = lap[lot % 5]
        flow.insert(at, fill(0, seller, buyer, 25))
    numbered = [Fill(seq, f.maker, f.taker, f.buyer, f.seller, f.price_ticks, f.lots) for seq, f in enumerate(flow, 1)]
    found = [one for one in rings(numbered) if {s.owner_group for s in one.subjects} & {201, 202, 203, 204, 205}]
    assert [{s.owner_group for s in one.subjects} for one in found] == [{201, 202, 203, 204, 205}]


def test_honest_market_making_does_not_fire() -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    assert rings(market(random.Random(seed), 3000)) == []


def test_position_that_stays_is_no_ring() -> None:
    assert rings([fill(1, 1, 2, 10), fill(2, 2, 3, 10), fill(3, 3, 1, 7)]) == []


def test_ring_too_small_for_the_market_is_ignored() -> None:
    background = [fill(seq, 500 + seq, 600 + seq, 100) for seq in range(1, 100)]
    ring = [fill(100 + n, *pair, 1) for n, pair in enumerate([(1, 2), (2, 3), (3, 1)])]
    assert rings(background + ring) == []


def test_ring_fires_again_only_after_a_whole_window_without_it() -> None:
    ring = [(1, 2), (2, 3), (3, 1)]
    pause = [(500 + n, 800 + n) for n in range(WINDOW_FILLS + 1)]
    fills = [fill(seq, *pair, 10) for seq, pair in enumerate([*ring, *pause, *ring], 1)]
    found = rings(
        fills[: len(ring)]
        + [Fill(f.exec_seq, f.maker, f.taker, f.buyer, f.seller, 100, 1) for f in fills[3:-3]]
        + fills[-3:]
    )
    assert [one.fills[0] for one in found] == [1, len(fills) - 2]
    assert found[0].alert_id != found[1].alert_id


def test_replay_gives_the_same_ids_and_hashes() -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    rng = random.Random(seed)
    items = [tick_item(1)]
    for seq in range(2, 400):
        seller, buyer = rng.sample(range(1, 9), 2)
        items.append(trade_item(seq, seller, buyer, rng.choice([5, 10])))

    def run() -> list[tuple[str, str, str]]:
        watch = OfferingWatch("off_a")
        return [(f.alert_id, f.dedupe_key, f.replay_hash) for item in items for f in watch.observe(item, LINKED)]

    first = run()
    assert first
    assert first == run()
    assert len({key for _, key, _ in first}) == len(first)
