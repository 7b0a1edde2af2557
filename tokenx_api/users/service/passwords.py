"""Password hashes: Argon2id, off the event loop."""

import asyncio
from functools import cache
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_HASHER: Final = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
"""OWASP's recommended minimum for Argon2id: 19 MiB, two passes, one lane; about 25 ms, so a burst of logins cannot take the machine."""


async def hash_password(password: str) -> str:
    """The encoded hash, with its salt and parameters in it."""
    return await asyncio.to_thread(_HASHER.hash, password)


async def verify_password(stored: str | None, password: str) -> bool:
    """Whether the password belongs to the stored hash. With no stored hash (unknown user) the same work is done and the answer is no."""
    return await asyncio.to_thread(_verify, stored, password)


def _verify(stored: str | None, password: str) -> bool:
    try:
        _HASHER.verify(stored or _nobody(), password)
    except (VerificationError, InvalidHashError):
        return False
    return stored is not None


@cache
def _nobody() -> str:
    return _HASHER.hash("nobody has this password")
