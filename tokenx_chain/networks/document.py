"""Writes docs/networks.md from the data: `python -m tokenx_chain.networks.document [FILE]`. A test compares the file with what this gives."""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from tokenx_chain.networks.base import FinalityRule, Network
from tokenx_chain.networks.catalog import NETWORKS

TARGET: Final = Path(__file__).resolve().parents[2] / "docs" / "networks.md"
_GWEI: Final = 10**9
_HEAD: Final = """# Networks

Written from `tokenx_chain/networks/catalog.py` by `python -m tokenx_chain.networks.document`; do not edit. The catalog's comments name the source of each
figure. A figure followed by (U) is general knowledge that has not been checked against the chain's own documents: check it before relying on it.
Fee caps, least tips other than Polygon's, poll intervals, replacement times, stall limits and first log ranges are choices of ours, not facts about a network.

Each network is tried in `tests/networks` on a local node with its chain id, behind a proxy that imitates its habits. None of them has been tried on the public chain.
"""
_FINAL_WORDS: Final = """
## When a block is final
An event is published as `seen` when its block is, and as `final` when the rule above holds **and** two endpoints name the same block at that height (one, where only
one is configured). Balances, settlement and the cap table move on `final` only. When finality falls behind by more than the stall limit the chain reports
`degraded` and no event becomes final; only where the rule above names a depth beside the tag do blocks that deep become final meanwhile, and the chain still
reports `degraded`. A change below a final block halts the chain until a person has looked.

Where a network has a `safe` level of its own, `blocks.safe` says between the two for a whole range of blocks that what was seen in them is safe.
"""
_ENDPOINTS: Final = """## Endpoints

| setting | meaning |
| --- | --- |
| `CHAIN_<id>_RPC_URLS` | endpoints, comma-separated: the healthiest is asked first, signed bytes go to two, finality needs two to agree |
| `CHAIN_<id>_PRIVATE_RPC_URLS` | signed bytes then go to these only, and nothing else is ever asked of them |
| `CHAIN_<id>_RPC_RATE_PER_S` | most requests a second to each endpoint; no limit when empty |
| `CHAIN_<id>_RPC_BURST` | requests at once after a quiet time, where there is a limit; 200 when empty |

An endpoint that answers 429 is asked later, and one that says `Retry-After` not before (five minutes at most). How many blocks a log question may span is learned for each endpoint.
"""


def document() -> str:
    """The whole page."""
    networks = sorted(NETWORKS.values(), key=lambda network: (network.environment, network.family, network.chain_id))
    return "\n".join(
        [
            _HEAD,
            *_facts(networks),
            _FINAL_WORDS,
            *_money(networks),
            "",
            *_limits(networks),
            "",
            _ENDPOINTS,
            *_quirks(networks),
        ]
    )


def _facts(networks: Iterable[Network]) -> list[str]:
    rows = [
        [_id(n), n.name, n.environment, n.coin, f"{n.block_time_s:g} s", _finality(n.finality), _stall(n)]
        for n in networks
    ]
    return _table(
        ["chain id", "name", "kind", "coin", "block time", "final when", "stalled when the final block is"], rows
    )


def _money(networks: Iterable[Network]) -> list[str]:
    rows = [
        [n.name, _mark(n, "min_tip_wei", _wei(n.min_tip_wei)), _wei(n.fee_cap_wei), _extra(n), _unit(n), _bump(n)]
        for n in networks
    ]
    return [
        "## What a transaction offers",
        "",
        *_table(["name", "least tip", "most per gas", "on top of gas", "amounts", "replacement"], rows),
    ]


def _limits(networks: Iterable[Network]) -> list[str]:
    rows = [
        [n.name, _mark(n, "in_flight", str(n.in_flight)), _logs(n), _heads(n), _most(n.gas_cap), _most(n.calldata_cap)]
        for n in networks
    ]
    return [
        "## Limits and polling",
        "",
        *_table(
            [
                "name",
                "in flight per signer",
                "blocks per log question",
                "new heads",
                "gas per transaction",
                "data bytes",
            ],
            rows,
        ),
    ]


def _quirks(networks: Iterable[Network]) -> list[str]:
    lines = ["## Habits"]
    for network in networks:
        if network.environment != "test":
            lines += ["", f"**{network.name}**", ""]
            lines += [
                f"- {quirk.habit}{'' if quirk.is_verified else ' (U)'}: {quirk.answer}" for quirk in network.quirks
            ]
    return [*lines, "", "The test networks are taken to have the habits of their main network (U).", ""]


def _finality(rule: FinalityRule) -> str:
    match rule.kind:
        case "tag":
            deep = f", or {rule.fallback_depth} blocks stand on it" if rule.fallback_depth else ""
            return "the node's `finalized` block reaches it" + deep
        case "depth":
            return f"{rule.depth} blocks stand on it"
        case "accepted":
            return "it is accepted: at once"
        case "mirror":
            return f"consensus has it; acted on {rule.depth} blocks later, when the mirror node has it too"


def _stall(network: Network) -> str:
    return f"{network.finality.stalled_after} blocks behind" if network.finality.stalled_after else "never"


def _extra(network: Network) -> str:
    return "first layer's data fee and operator fee, from GasPriceOracle" if network.l1_oracle else "nothing"


def _unit(network: Network) -> str:
    return "any wei" if network.value_unit_wei == 1 else f"multiples of {network.value_unit_wei:,} wei"


def _bump(network: Network) -> str:
    return "never" if network.bump_after_s is None else f"after {network.bump_after_s:g} s"


def _logs(network: Network) -> str:
    limit = f", refused above {network.logs.limit:,}" if network.logs.limit else ""
    return _mark(network, "logs", f"{network.logs.first:,} to {network.logs.most:,}{limit}")


def _heads(network: Network) -> str:
    return f"polled every {network.head_poll_s:g} s" + (
        "" if network.heads == "polling" else ", WebSocket where there is one"
    )


def _most(cap: int | None) -> str:
    return f"{cap:,}" if cap else "as the node takes"


def _wei(wei: int) -> str:
    return f"{wei / _GWEI:g} gwei" if wei >= _GWEI // 1000 else f"{wei} wei"


def _id(network: Network) -> str:
    return _mark(network, "chain_id", str(network.chain_id))


def _mark(network: Network, field: str, text: str) -> str:
    return f"{text} (U)" if field in network.unverified else text


def _table(head: list[str], rows: list[list[str]]) -> list[str]:
    return ["| " + " | ".join(row) + " |" for row in (head, ["---"] * len(head), *rows)]


if __name__ == "__main__":
    (Path(sys.argv[1]) if len(sys.argv) > 1 else TARGET).write_text(document())
