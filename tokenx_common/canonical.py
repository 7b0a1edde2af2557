"""One spelling for every body that is hashed: JSON with sorted keys, no spaces, UTF-8, integers only."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final

ZERO_HASH: Final = bytes(32)


def canonical_json(body: Mapping[str, Any]) -> str:
    """The exact text that is stored, sent and hashed. Raises ValueError for a float, NaN or anything JSON cannot say."""
    _refuse_floats(body)
    return json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def rolling_hash(previous: bytes, body: str) -> bytes:
    """sha256(previous || body): the hash of a log up to and including this body."""
    return hashlib.sha256(previous + body.encode()).digest()


def _refuse_floats(value: Any) -> None:
    if isinstance(value, float):
        raise ValueError(f"float in a hashed body: {value!r}")
    if isinstance(value, Mapping):
        for member in value.values():  # pyright: ignore[reportUnknownVariableType]  # any JSON value
            _refuse_floats(member)
    elif isinstance(value, list | tuple):
        for member in value:  # pyright: ignore[reportUnknownVariableType]  # any JSON value
            _refuse_floats(member)
