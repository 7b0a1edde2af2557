"""Merkle roots of audit leaves: what the api's sealer writes and the verifier recomputes."""

from collections.abc import Sequence
from hashlib import sha256


def merkle_root(leaves: Sequence[bytes]) -> bytes:
    """Root over 32-byte leaves, in order. Nodes are sha256(0x01 || left || right), leaves sha256(0x00 || leaf), so that a node can never pass
    for a leaf; an odd node moves up unchanged (RFC 6962). Raises ValueError for no leaves."""
    if not leaves:
        raise ValueError("no leaves")
    level = [sha256(b"\x00" + leaf).digest() for leaf in leaves]
    while len(level) > 1:
        pairs = [sha256(b"\x01" + level[index] + level[index + 1]).digest() for index in range(0, len(level) - 1, 2)]
        level = pairs + level[len(level) - len(level) % 2 :]
    return level[0]


def seal_hash(previous: bytes, root: bytes, count: int) -> bytes:
    """sha256(previous seal's hash || root || count as 8 bytes, big endian)."""
    return sha256(previous + root + count.to_bytes(8, "big")).digest()
