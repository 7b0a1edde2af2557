"""The networks we know, by chain id. Each figure says where it comes from; (U) marks what is not verified, which `unverified` repeats as data.

Fee caps, poll intervals and bump times are our own choice."""

from dataclasses import replace
from typing import Final

from tokenx_chain.networks.base import FinalityRule, LogRule, Network, Quirk

_GWEI: Final = 10**9
_TINYBAR: Final = 10**10
_OP_ORACLE: Final = "0x420000000000000000000000000000000000000f"
"""GasPriceOracle, at the same address on every OP-stack chain (specs.optimism.io, predeploys)."""

_ANVIL: Final = Network(
    chain_id=31337,
    name="anvil",
    family="dev",
    environment="dev",
    coin="ETH",
    block_time_s=1.0,
    # Two blocks deep, so that reorganisations can be tried out and yet nobody waits.
    finality=FinalityRule("depth", 2),
    min_tip_wei=_GWEI,
    in_flight=1024,
    receipt_poll_s=0.06,
    logs=LogRule(first=1_000, most=10_000),
    is_dev=True,
    fee_cap_wei=2000 * _GWEI,
    bump_after_s=20.0,
    quirks=(
        Quirk("a reorganisation announces no `removed` logs (measured, 1.7.1)", "the listener compares parent hashes"),
    ),
)

_ETHEREUM: Final = Network(
    chain_id=1,
    name="ethereum",
    family="ethereum",
    coin="ETH",
    block_time_s=12.0,  # one slot (ethereum.org, proof of stake)
    # Two epochs of 32 slots, 12.8 minutes; more than three epochs behind is an alarm (ethereum.org, finality).
    finality=FinalityRule("tag", stalled_after=96, has_safe=True),
    min_tip_wei=_GWEI // 100,
    in_flight=16,  # (U) executable slots per account in geth's pool
    receipt_poll_s=1.0,
    # Providers advise 2,000; some refuse 50 (sqd.dev/learn/eth-getlogs-limits, 2026-06-30).
    logs=LogRule(first=500, most=2_000),
    fee_cap_wei=300 * _GWEI,
    bump_after_s=60.0,
    gas_cap=16_777_216,  # EIP-7825, final
    quirks=(
        Quirk("a replacement must offer a tenth more on both fee fields", "both are raised by an eighth", is_verified=False),
        Quirk("finality stands still when fewer than two thirds of the validators agree", "no event is final meanwhile; the chain reports degraded"),
    ),
    unverified=frozenset({"in_flight"}),
)  # fmt: skip

_POLYGON: Final = Network(
    chain_id=137,
    name="polygon",
    family="polygon",
    coin="POL",
    block_time_s=2.0,  # about 2 s (docs.polygon.technology/pos)
    # A Heimdall v2 milestone, 2 to 5 s (docs.polygon.technology/pos/concepts/finality). On 10 Sep 2025 milestones lagged 10 to 15 minutes; while they
    # stand still, 256 blocks (nearly 9 minutes) count as final. (U) that this was the depth to wait for before there were milestones.
    finality=FinalityRule("tag", stalled_after=64, has_safe=False, fallback_depth=256),
    min_tip_wei=25 * _GWEI,  # a rule of the nodes, not visible in the base fee (Bor)
    in_flight=64,
    receipt_poll_s=0.5,
    logs=LogRule(first=500, most=2_000),  # provider's advice (sqd.dev, 2026-06-30)
    fee_cap_wei=2000 * _GWEI,
    bump_after_s=20.0,
    quirks=(
        Quirk("the least tip, 25 gwei, is a rule of the nodes and not in the base fee", "every transaction offers at least that tip"),
        Quirk("PIP-59 would move that floor into the base fee", "the tip stays as configured until it is active", is_verified=False),
        Quirk("milestones have stood still for a quarter of an hour (10 Sep 2025)", "the chain reports degraded; no event is final meanwhile but those 256 blocks below the head"),
        Quirk("256 blocks were the depth to wait for before there were milestones", "the depth that counts while the tag stands still", is_verified=False),
        Quirk("short reorganisations are common before a milestone (bor #189)", "seen transfers are reverted and seen again"),
    ),
    unverified=frozenset({"in_flight"}),
)  # fmt: skip

_AVALANCHE: Final = Network(
    chain_id=43114,
    name="avalanche",
    family="avalanche",
    coin="AVAX",
    block_time_s=1.5,  # below 2 s, dynamic since ACP-226
    finality=FinalityRule("accepted"),  # accepted is final (docs.avax.network, Snowman); the hash is checked all the same
    min_tip_wei=1,  # ACP-125: at least 1 nAVAX in all; the base fee has been near 0.05 gwei since ACP-176
    in_flight=64,
    receipt_poll_s=0.5,
    logs=LogRule(first=500, most=10_000),  # a provider advises 100,000 (sqd.dev, 2026-06-30): more than one answer should hold
    heads="avalanche_path",  # /ext/bc/C/rpc and /ext/bc/C/ws
    fee_cap_wei=1000 * _GWEI,
    bump_after_s=20.0,
    not_yet=("cannot query unfinalized data",),
    quirks=(
        Quirk("a question above the accepted tip is answered `cannot query unfinalized data`", "taken as: the block is not there yet"),
        Quirk("gas is far cheaper than the 25 gwei of old", "no floor is built in"),
        Quirk("asynchronous execution (ACP-194) may change what a receipt means", "to be looked at before it is active", is_verified=False),
    ),
    unverified=frozenset({"in_flight"}),
)  # fmt: skip

_ROLLUP_QUIRKS: Final = (
    Quirk("the first layer's data fee and, since Isthmus, an operator fee come on top of gas", "both are asked of GasPriceOracle before signing and must be in the balance"),
    Quirk("on endpoints with flashblocks `pending` is a preconfirmed state", "nonces are only ever read at `latest`; a preconfirmed block is never mined"),
    Quirk("three levels: unsafe (latest), safe (batch on the first layer), finalized", "events are seen on unsafe, told to be safe in ranges of blocks, and final on finalized"),
)  # fmt: skip

_OPTIMISM: Final = Network(
    chain_id=10,
    name="optimism",
    family="optimism",
    coin="ETH",
    block_time_s=2.0,  # docs.optimism.io
    # safe after 5 to 10 minutes, finalized after 13 to 20 (docs.optimism.io/stack/transactions/transaction-finality); stalled: 40 minutes.
    finality=FinalityRule("tag", stalled_after=1_200, has_safe=True),
    min_tip_wei=1_000_000,
    in_flight=64,
    receipt_poll_s=0.5,
    logs=LogRule(first=500, most=10_000),  # (U) what hosted nodes take
    fee_cap_wei=100 * _GWEI,
    bump_after_s=20.0,
    l1_oracle=_OP_ORACLE,
    quirks=_ROLLUP_QUIRKS,
    unverified=frozenset({"in_flight", "logs"}),
)

_BASE: Final = replace(
    _OPTIMISM,
    chain_id=8453,
    name="base",
    family="base",
    # 2 s, flashblocks 200 ms; batch on the first layer after about 2 minutes, final after about 20 (docs.base.org, transaction-finality).
    quirks=(*_ROLLUP_QUIRKS, Quirk("flashblocks every 200 ms", "never taken for mined")),
)

_HEDERA: Final = Network(
    chain_id=295,
    name="hedera",
    family="hedera",
    coin="HBAR",
    block_time_s=2.0,  # about 2 s, made by the relay (hiero-json-rpc-relay docs)
    # Consensus is final at once; the mirror node's record follows 5 to 10 s later (hiero-json-rpc-relay #3716): 5 blocks of 2 s.
    finality=FinalityRule("mirror", 5),
    min_tip_wei=0,
    in_flight=1,  # no pool by default: a future nonce is not queued (docs/nonce-management-and-tx-pool.md)
    receipt_poll_s=1.0,
    logs=LogRule(first=500, most=1_000, limit=1_000),  # ETH_GET_LOGS_BLOCK_RANGE_LIMIT (docs/configuration.md)
    heads="polling",  # its WebSocket server has a port of its own, which an operator may not have
    fee_cap_wei=10_000 * _GWEI,
    bump_after_s=None,  # nothing waits in a pool, so nothing can be replaced
    value_unit_wei=_TINYBAR,  # 1 tinybar = 10^10 weibar; contracts see tinybar
    calldata_cap=131_072,  # docs/configuration.md
    quirks=(
        Quirk("a future nonce is not queued: the relay may even answer with a hash and lose it (#1336)", "one transaction in flight for each signer; the same bytes are sent again until a receipt is there"),
        Quirk("contracts count in tinybar, the RPC in weibar", "an amount that is not a whole number of tinybar is refused before signing"),
        Quirk("reads lag 5 to 10 s behind consensus", "a block counts as final five blocks later"),
        Quirk("eth_getLogs spans at most 1,000 blocks and 7 days", "the window never grows beyond that"),
        Quirk("the relay limits requests by address and method to 200 in a time of its operator's choice", "set CHAIN_<id>_RPC_RATE_PER_S; a refusal is waited out as long as it says", is_verified=False),
        Quirk("the state root is the empty trie", "no proofs are used"),
        Quirk("tokens of the network's own service emit through precompile 0x167", "not followed", is_verified=False),
    ),
)  # fmt: skip

NETWORKS: Final[dict[int, Network]] = {
    network.chain_id: network
    for network in (
        _ANVIL,
        _ETHEREUM,
        replace(_ETHEREUM, chain_id=11_155_111, name="sepolia", environment="test"),
        replace(
            _ETHEREUM,
            chain_id=560_048,  # (U)
            name="hoodi",
            environment="test",
            unverified=_ETHEREUM.unverified | {"chain_id"},
        ),
        _POLYGON,
        replace(_POLYGON, chain_id=80_002, name="amoy", environment="test"),
        _AVALANCHE,
        replace(_AVALANCHE, chain_id=43_113, name="fuji", environment="test"),
        _OPTIMISM,
        replace(_OPTIMISM, chain_id=11_155_420, name="optimism-sepolia", environment="test"),
        _BASE,
        replace(_BASE, chain_id=84_532, name="base-sepolia", environment="test"),
        _HEDERA,
        replace(_HEDERA, chain_id=296, name="hedera-testnet", environment="test"),
    )
}
