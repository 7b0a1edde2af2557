"""The pure decisions: finality, amounts, log windows with every provider's spelling, bloom filters."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenx_chain.networks import rules
from tokenx_chain.networks.base import FinalityRule, LogRule, Network
from tokenx_chain.networks.catalog import NETWORKS
from tokenx_chain.networks.rules import LogWindow

ETHEREUM, POLYGON, AVALANCHE, HEDERA = (NETWORKS[number] for number in (1, 137, 43114, 295))


@pytest.mark.parametrize(
    ("rule", "head", "tagged", "final"),
    [
        (FinalityRule("tag", stalled_after=96), 1000, 936, 936),
        (FinalityRule("tag", stalled_after=96), 1000, None, -1),
        (FinalityRule("tag", stalled_after=96), 1000, 1003, 1000),  # the endpoint asked for the tag is ahead
        (FinalityRule("tag", fallback_depth=256), 1000, 998, 998),  # while the tag moves, the depth does not matter
        (FinalityRule("tag", fallback_depth=256), 1000, 700, 744),
        (FinalityRule("tag", fallback_depth=256), 1000, None, -1),  # an endpoint without the tag proves nothing
        (FinalityRule("tag", fallback_depth=256), 100, 3, 3),
        (FinalityRule("depth", 2), 10, None, 8),
        (FinalityRule("depth", 2), 1, None, -1),
        (FinalityRule("accepted"), 10, None, 10),
        (FinalityRule("mirror", 5), 10, 10, 5),
    ],
)
def test_final_height(rule: FinalityRule, head: int, tagged: int | None, final: int) -> None:
    assert rules.final_height(rule, head=head, tagged=tagged) == final


def test_finality_is_stalled_only_beyond_the_limit_of_the_network() -> None:
    assert not rules.is_stalled(ETHEREUM.finality, head=1096, final=1000)
    assert rules.is_stalled(ETHEREUM.finality, head=1097, final=1000)
    assert rules.is_stalled(POLYGON.finality, head=1300, final=1000)
    assert not rules.is_stalled(AVALANCHE.finality, head=10**6, final=0)


@given(st.integers(min_value=0, max_value=10**30))
def test_hedera_moves_whole_tinybar_only(value: int) -> None:
    rounded = rules.rounded_up(HEDERA, value)
    assert rules.is_payable(HEDERA, rounded)
    assert 0 <= rounded - value < 10**10
    assert rules.is_payable(ETHEREUM, value)
    assert rules.is_payable(HEDERA, value) == (value % 10**10 == 0)


def test_polygon_tip_has_a_floor_and_ethereum_follows_the_node() -> None:
    assert rules.offered_tip(POLYGON, suggested=3) == 25 * 10**9
    assert rules.offered_tip(POLYGON, suggested=30 * 10**9) == 30 * 10**9
    assert rules.offered_tip(ETHEREUM, suggested=10**9) == 10**9


def test_tip_that_a_node_suggests_out_of_all_proportion_is_not_paid() -> None:
    assert rules.offered_tip(ETHEREUM, suggested=10**15) == ETHEREUM.fee_cap_wei // 10


@pytest.mark.parametrize(
    ("network", "value", "gas", "data_bytes", "code"),
    [
        (HEDERA, 10**10, 21_000, 0, None),
        (HEDERA, 10**10 + 1, 21_000, 0, "network.amount_not_payable"),
        (HEDERA, 0, 21_000, 131_073, "network.data_too_large"),
        (ETHEREUM, 1, 16_777_216, 10**6, None),
        (ETHEREUM, 0, 16_777_217, 0, "network.gas_above_cap"),
        (POLYGON, 1, 10**9, 10**6, None),
    ],
)
def test_what_a_network_cannot_take_is_named(network: Network, value: int, gas: int, data_bytes: int, code: str | None) -> None:  # fmt: skip
    found = rules.obstacle(network, value=value, gas=gas, data_bytes=data_bytes)
    assert (found and found.code) == code


def test_size_of_a_transaction_is_checked_against_the_network() -> None:
    assert rules.is_acceptable(ETHEREUM, gas=16_777_216, data_bytes=10)
    assert not rules.is_acceptable(ETHEREUM, gas=16_777_217, data_bytes=10)
    assert not rules.is_acceptable(HEDERA, gas=1, data_bytes=131_073)


@pytest.mark.parametrize(
    ("chain_id", "url", "address"),
    [
        (1, "https://node.example/v2/key", "wss://node.example/v2/key"),
        (43114, "https://node.example/ext/bc/C/rpc", "wss://node.example/ext/bc/C/ws"),
        (31337, "http://127.0.0.1:8545", "ws://127.0.0.1:8545"),
        (295, "https://node.example/api", None),
    ],
)
def test_where_heads_are_told(chain_id: int, url: str, address: str | None) -> None:
    assert rules.head_address(NETWORKS[chain_id], url) == address


@pytest.mark.parametrize("message", ["cannot query unfinalized data", "unknown block", "header not found"])
def test_avalanche_says_not_yet_in_its_own_words(message: str) -> None:
    assert rules.is_not_yet(AVALANCHE, message)
    assert rules.is_not_yet(ETHEREUM, message) == (message != "cannot query unfinalized data")


RANGE_SPELLINGS = [
    # How providers and clients refuse a range: (who, text, blocks they offer). T16. Spellings as met in open indexers' error parsers; (U) as to today's.
    ("alchemy", "Log response size exceeded. You can make eth_getLogs requests with up to a 2K block range. Based on your parameters, this block range should work: [0x1000, 0x10ff]", 256),
    ("alchemy free", "Under the Free tier plan, you can make eth_getLogs requests with up to a 10 block range.", 10),
    ("infura", "query returned more than 10000 results. Try with this block range [0x64, 0xc8].", 101),
    ("ankr", "block range is too wide", None),
    ("quicknode", "eth_getLogs is limited to a 10,000 range", 10_000),
    ("cloudflare", "Max range: 800", 800),
    ("1rpc", "eth_getLogs is limited to 0 - 50 blocks range", 50),
    ("chainstack", "Block range limit exceeded. See more details at the provider's page", None),
    ("publicnode", "exceed maximum block range: 50000", 50_000),
    ("merkle", "eth_getLogs range is too large, max is 1k blocks", 1_000),
    ("mevblocker", "query exceeds max results 10000", None),
    ("reth", "query exceeds max results 20000, retry with the range 100-199", 100),
    ("blockpi", "eth_getLogs is limited to 1024 block range. Please check the parameter requirements", 1_024),
    ("avalanche", "requested too many blocks from 0 to 5000, maximum is set to 2048", 2_048),
    ("hedera", "Exceeded maximum block range: 1000", 1_000),
    ("drpc", "ranges over 10000 blocks are not supported on freetier", 10_000),
    ("base", "please limit the query to at most 1000 blocks", 1_000),
    ("erigon", "query timeout exceeded", None),
]  # fmt: skip


@pytest.mark.parametrize(
    ("message", "offered"), [row[1:] for row in RANGE_SPELLINGS], ids=[row[0] for row in RANGE_SPELLINGS]
)
def test_refusal_of_a_range_is_understood_and_its_hint_taken(message: str, offered: int | None) -> None:
    assert rules.is_range_refusal(message)
    assert rules.range_hint(message) == offered


@pytest.mark.parametrize(
    "message",
    [
        "execution reverted",
        "unknown block",
        "insufficient funds",
        "internal error",
        "header not found",
        "your plan is limited to 25 requests per second",
        "daily request count exceeded, request rate limited",
        "project ID request rate exceeded",
    ],
)
def test_other_errors_are_not_taken_for_a_range_refusal(message: str) -> None:
    assert not rules.is_range_refusal(message)


@given(st.lists(st.one_of(st.none(), st.sampled_from([row[1] for row in RANGE_SPELLINGS])), max_size=60))
def test_window_always_shrinks_when_refused_and_grows_within_its_limit(outcomes: list[str | None]) -> None:
    window = LogWindow.start(LogRule(first=500, most=2_000))
    for message in outcomes:
        after = window.answered() if message is None else window.refused(message)
        if message is None:
            assert window.size < after.size <= 2_000 or after.size == 2_000
        else:
            assert after.size < window.size or after.size == 1
        window = after


def test_window_finds_a_limit_nobody_tells() -> None:
    window, asked = LogWindow.start(LogRule(first=500, most=2_000)), 0
    while window.size > 50:
        window, asked = window.refused("block range is too wide"), asked + 1
    assert (window.size, asked) == (31, 4)


words = st.binary(min_size=20, max_size=20).map(lambda raw: "0x" + raw.hex())


@given(st.lists(words, min_size=1, max_size=5, unique=True), st.lists(words, max_size=3, unique=True))
def test_bloom_never_misses_a_contract_that_is_in_it(inside: list[str], others: list[str]) -> None:
    topic = "0x" + "ab" * 32
    bloom = 0  # that a node fills it the same way is tried in tests/listener
    for value in [*inside, topic]:
        bloom |= rules.bloom_bits(value)
    watched = [*inside, *others]
    found = rules.hidden_contracts(bloom, addresses=watched, topics=[topic], told=frozenset())
    assert set(inside) <= set(found)
    assert set(inside).isdisjoint(
        rules.hidden_contracts(bloom, addresses=watched, topics=[topic], told=frozenset(inside))
    )
    assert rules.hidden_contracts(0, addresses=watched, topics=[topic], told=frozenset()) == []
