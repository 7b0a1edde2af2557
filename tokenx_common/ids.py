"""Identifiers: a three-letter noun prefix and a UUIDv7 in hex, so that ids sort by the time they were made."""

import os
from typing import Final, Literal

from tokenx_common.clock import unix_ms

Prefix = Literal[
    "usr",
    "inv",
    "iss",
    "wal",
    "off",
    "sub",
    "pay",
    "ord",
    "set",
    "red",
    "op",
    "dec",
    "alr",
    "scr",
    "kyb",
    "res",
    "cor",
    "ins",
    "act",
]

_VERSION_7: Final = 0x7000
_VARIANT: Final = 0x8000000000000000


def uuid7_hex(at_ms: int | None = None) -> str:
    """A UUIDv7 (RFC 9562) as 32 hex digits. at_ms: milliseconds since 1970, None for now."""
    milliseconds = unix_ms() if at_ms is None else at_ms
    entropy = int.from_bytes(os.urandom(10))
    high = (milliseconds << 16) | _VERSION_7 | (entropy & 0x0FFF)
    low = _VARIANT | ((entropy >> 12) & 0x3FFFFFFFFFFFFFFF)
    return f"{high:016x}{low:016x}"


def new_id(prefix: Prefix) -> str:
    """A fresh id such as 'ord_019a…'. Unique without coordination; sortable by creation time to the millisecond."""
    return f"{prefix}_{uuid7_hex()}"
