"""Contracts that misbehave on purpose, as bare EVM code put at an address."""

from typing import Final

RETURNS_FALSE: Final = bytes.fromhex("600060005260206000f3")
RETURNS_TRUE: Final = bytes.fromhex("600160005260206000f3")
RETURNS_TWO: Final = bytes.fromhex("600260005260206000f3")
RETURNS_NOTHING: Final = bytes.fromhex("00")
RETURNS_A_BYTE: Final = bytes.fromhex("600160005360016000f3")
REVERTS_EMPTY: Final = bytes.fromhex("60006000fd")
BURNS_ALL_GAS: Final = bytes.fromhex("5b600056")
REVERTS_WITH_MUCH: Final = bytes.fromhex("620100006000fd")
"""64 KiB of revert data."""
RETURNS_MUCH: Final = bytes.fromhex("620100006000f3")


def _push32(word: bytes) -> bytes:
    return b"\x7f" + word.ljust(32, b"\0")


def answers(word: bytes, *, size: int = 32) -> bytes:
    """Answers any question with the first bytes of one word, padded on the right."""
    return _push32(word) + bytes.fromhex("60005260") + bytes([size]) + bytes.fromhex("6000f3")


def reverts_with(data: bytes) -> bytes:
    """Reverts with these bytes."""
    stores = b"".join(_push32(data[n : n + 32]) + b"\x60" + bytes([n]) + b"\x52" for n in range(0, len(data), 32))
    return stores + b"\x60" + bytes([len(data)]) + bytes.fromhex("6000fd")


def calls_first(to: str, data: bytes) -> bytes:
    """Calls another contract with these bytes, passes its revert on, and answers true."""
    stores = b"".join(_push32(data[n : n + 32]) + b"\x60" + bytes([n]) + b"\x52" for n in range(0, len(data), 32))
    call = bytes.fromhex("60006000") + b"\x60" + bytes([len(data)]) + bytes.fromhex("60006000") + b"\x73" + bytes.fromhex(to[2:]) + bytes.fromhex("5af1")  # fmt: skip
    jump = len(stores) + len(call) + 3 + 9
    revert = bytes.fromhex("3d600060003e3d6000fd")
    head = stores + call + b"\x60" + bytes([jump + 1]) + b"\x57" + revert
    return head + b"\x5b" + RETURNS_TRUE
