"""EVM addresses as 20 bytes. Text comes in mixed and lower case; only bytes are ever compared."""

import re
from typing import Final

_TEXT: Final = re.compile(r"0x[0-9a-fA-F]{40}")
_LOW_PREFIX: Final = bytes(12)


def parse_address(text: str) -> bytes:
    """'0xAbC…' -> 20 bytes. Raises ValueError for anything but 0x and 40 hex digits."""
    if not _TEXT.fullmatch(text):
        raise ValueError(f"not an EVM address: {text[:60]!r}")
    return bytes.fromhex(text[2:])


def format_address(address: bytes) -> str:
    """Lower-case text."""
    return "0x" + address.hex()


def is_low(address: bytes) -> bool:
    """The zero address (mints and burns), precompiles and Hedera account numbers: no key stands behind them, so no label can."""
    return address.startswith(_LOW_PREFIX)
