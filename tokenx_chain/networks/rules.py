"""Decisions made from a network's facts. Pure: no I/O, no clock. Block numbers are ints, amounts wei, hashes and addresses 0x-hex."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from eth_utils.crypto import keccak

from tokenx_chain.networks.base import FinalityRule, LogRule, Network

_NOT_YET: Final = ("unknown block", "header not found", "block not found", "header for hash not found")
"""Spellings of geth and its relatives, anvil and reth for a block they do not have."""
_GROWTH: Final = (3, 2)
_BLOOM_BITS: Final = 2048
_MOST_TIP_PART: Final = 10


def final_height(rule: FinalityRule, *, head: int, tagged: int | None) -> int:
    """The highest block that is final when the head is at `head`; -1: none yet. tagged: the node's `finalized` block, which only 'tag' looks at;
    None: it has none, and then no depth replaces it."""
    if rule.kind == "tag":
        counted = -1 if rule.fallback_depth is None else head - rule.fallback_depth
        return -1 if tagged is None else max(min(tagged, head), counted)
    return max(-1, head - rule.depth)


def is_stalled(rule: FinalityRule, *, head: int, final: int) -> bool:
    """Whether finality has fallen behind by more than this network ever should."""
    return rule.stalled_after is not None and head - final > rule.stalled_after


def is_not_yet(network: Network, message: str) -> bool:
    """Whether a node's error only says that it does not have the block, or not yet."""
    text = message.lower()
    return any(part in text for part in (*network.not_yet, *_NOT_YET))


def offered_tip(network: Network, *, suggested: int) -> int:
    """What to offer a block's maker: what the node suggests, never below the network's floor, and never more than a tenth of the fee cap:
    a node that suggests nonsense must neither empty an account nor stop it."""
    return max(network.min_tip_wei, min(suggested, network.fee_cap_wei // _MOST_TIP_PART))


def is_payable(network: Network, value: int) -> bool:
    """Whether an amount of coin can be moved at all: on Hedera only whole tinybar exist."""
    return value % network.value_unit_wei == 0


def rounded_up(network: Network, value: int) -> int:
    """The least payable amount that is not below `value`."""
    return -(-value // network.value_unit_wei) * network.value_unit_wei


def is_acceptable(network: Network, *, gas: int, data_bytes: int) -> bool:
    """Whether a node would take a transaction of this size at all."""
    return (network.gas_cap is None or gas <= network.gas_cap) and (
        network.calldata_cap is None or data_bytes <= network.calldata_cap
    )


@dataclass(frozen=True)
class Obstacle:
    """Why a network cannot take a transaction, now or ever. code is stable."""

    code: str
    detail: str


def obstacle(network: Network, *, value: int, gas: int, data_bytes: int) -> Obstacle | None:
    """What stands against a transaction on this network whatever the fees are; None: nothing. To be asked before it gets a nonce."""
    if not is_payable(network, value):
        unit = f"{network.value_unit_wei:,} wei"
        return Obstacle(
            "network.amount_not_payable", f"{network.name} moves whole multiples of {unit} only, was {value}"
        )
    if network.gas_cap is not None and gas > network.gas_cap:
        return Obstacle(
            "network.gas_above_cap",
            f"{network.name} takes at most {network.gas_cap:,} gas in a transaction, was {gas:,}",
        )
    if not is_acceptable(network, gas=gas, data_bytes=data_bytes):
        return Obstacle(
            "network.data_too_large",
            f"{network.name} takes at most {network.calldata_cap:,} bytes of data, was {data_bytes:,}",
        )
    return None


def head_address(network: Network, url: str) -> str | None:
    """Where to subscribe to new heads beside an HTTP endpoint; None where only polling is possible."""
    if network.heads == "polling" or not url.startswith("http"):
        return None
    address = "ws" + url.removeprefix("http")
    return (
        address.removesuffix("/rpc") + "/ws"
        if network.heads == "avalanche_path" and address.endswith("/rpc")
        else address
    )


# --- eth_getLogs over a range: every provider limits it, and each says so in its own words ---


@dataclass(frozen=True)
class LogWindow:
    """How many blocks to ask for at once. Halves when refused, grows by half when answered."""

    rule: LogRule
    size: int

    @classmethod
    def start(cls, rule: LogRule) -> "LogWindow":
        return cls(rule, min(rule.first, rule.limit or rule.first))

    def answered(self) -> "LogWindow":
        """After an answer."""
        return replace(self, size=min(self.rule.most, max(self.size + 1, self.size * _GROWTH[0] // _GROWTH[1])))

    def refused(self, message: str) -> "LogWindow":
        """After a refusal: what the provider asks for if it says so, else half; always smaller, never below one block."""
        hint = range_hint(message)
        half = self.size // 2
        return replace(self, size=max(1, min(hint, self.size - 1) if hint else half))


_RANGE_REFUSALS: Final = re.compile(
    r"block range|range limit|limited to|range (?:is )?too (?:large|wide|big)|more than \d+ results|max results|response size"
    r"|too many (?:blocks|logs|results)|range exceed|ranges? over|max(?:imum)? (?:block )?range|maximum is set|at most \d+ blocks|query timeout"
    r"|blocks? distance|max is \d|logs matched by query exceeds|response is too big|block count"
)
_TOO_OFTEN: Final = re.compile(r"rate.?limit|too many requests|request (?:rate|count) exceeded")
_SPEAKS_OF_RATES: Final = re.compile(
    r"per (?:second|minute|hour|day)\b|/s\b|\brps\b|requests? (?:rate|count|limit|quota)|rate.?limit|too many requests|compute units|throughput"
)
_HEX_RANGE: Final = re.compile(r"\[?(0x[0-9a-f]+)\s*[,-]\s*(0x[0-9a-f]+)\]?")
_TEN_RANGE: Final = re.compile(r"range:? \[?(\d+)\s*[-,]\s*(\d+)\]?(?! blocks)")
_MOST: Final = re.compile(
    r"(?:limited to (?:an? )?(?:0 - )?|max(?:imum)?(?: is| range| block range)?(?: is set to)?:? |at most |up to an? |over |limit(?: is)?:? )([\d,]+)( ?k)?"
    r"(?! results| logs)\b"
)


def is_range_refusal(message: str) -> bool:
    """Whether a provider says that it was asked for too much at once, in any of the spellings of RANGE_SPELLINGS in tests/networks.
    One that says it is asked too often wants less frequent questions, not smaller ones."""
    text = message.lower()
    return _RANGE_REFUSALS.search(text) is not None and _SPEAKS_OF_RATES.search(text) is None


def is_asked_too_often(message: str) -> bool:
    """Whether a provider says in words that it is asked too often, under whatever code."""
    return _TOO_OFTEN.search(message.lower()) is not None


def range_hint(message: str) -> int | None:
    """Number of blocks a provider's refusal offers, if it says one."""
    text = message.lower()
    if found := _HEX_RANGE.search(text):
        return _span(int(found[1], 16), int(found[2], 16))
    if found := _TEN_RANGE.search(text):
        return _span(int(found[1]), int(found[2]))
    if found := _MOST.search(text):
        return int(found[1].replace(",", "")) * (1000 if found[2] else 1) or None
    return None


def _span(first: int, last: int) -> int | None:
    return last - first + 1 if last >= first else None


# --- the header's bloom filter: what it does not contain is not in the block ---


@lru_cache(maxsize=10_000)
def bloom_bits(value: str) -> int:
    """The three bits an address or topic sets. Source: Ethereum yellow paper, 4.3.1, M3:2048."""
    digest = keccak(hexstr=value)
    bits = 0
    for at in (0, 2, 4):
        bits |= 1 << (int.from_bytes(digest[at : at + 2], "big") % _BLOOM_BITS)
    return bits


def hidden_contracts(bloom: int, *, addresses: Sequence[str], topics: Sequence[str], told: frozenset[str]) -> list[str]:
    """Contracts which the bloom says may have one of these topics in the block, yet of which nothing was told. Often none; sometimes a chance hit."""
    if not any(_holds(bloom, topic) for topic in topics):
        return []
    return [address for address in addresses if address not in told and _holds(bloom, address)]


def _holds(bloom: int, value: str) -> bool:
    bits = bloom_bits(value)
    return bloom & bits == bits
