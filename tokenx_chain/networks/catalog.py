"""The networks we know, by chain id."""

from typing import Final

from tokenx_chain.networks.base import FinalityRule, Network

_GWEI: Final = 10**9

NETWORKS: Final[dict[int, Network]] = {
    network.chain_id: network
    for network in (
        # The local anvil. Two blocks deep, so that reorganisations can be tried out and yet nobody waits.
        Network(31337, "anvil", "ETH", 1.0, FinalityRule("depth", 2), _GWEI, 256, 1000, 0.06, is_dev=True),
        # Finality by the beacon chain: about two epochs.
        Network(1, "ethereum", "ETH", 12.0, FinalityRule("tag", 128), _GWEI // 100, 16, 500, 1.0),
        # Milestones finalize in seconds, but have stalled for hours; the floor on the tip is a node-level rule.
        Network(137, "polygon", "POL", 2.0, FinalityRule("tag", 256), 25 * _GWEI, 64, 500, 0.5),
        # Accepted means final.
        Network(43114, "avalanche", "AVAX", 1.5, FinalityRule("depth", 0), 1, 64, 500, 0.5),
        # Rollups: final once their batch is final on Ethereum, 13 to 20 minutes.
        Network(10, "optimism", "ETH", 2.0, FinalityRule("tag", 1200), 1_000_000, 64, 500, 0.5),
        Network(8453, "base", "ETH", 2.0, FinalityRule("tag", 1200), 1_000_000, 64, 500, 0.5),
        # Consensus is final at once; the relay does not queue a future nonce, so one transaction at a time per sender.
        Network(295, "hedera", "HBAR", 2.0, FinalityRule("depth", 0), 0, 1, 500, 1.0),
    )
}
