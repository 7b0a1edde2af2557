"""Keys derived from one seed file. For development and test networks: whoever reads the file owns every wallet."""

import hashlib
import hmac
import stat
from pathlib import Path
from typing import Final

from tokenx_chain.signers.errors import SignerConfigError

_ORDER: Final = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
MIN_SEED_BYTES: Final = 32
_CONTEXT: Final = "tokenx-key:v1"


class BadSeed(SignerConfigError):
    """The seed file is missing, too short or readable by others."""


def derive_key(seed: bytes, key_ref: str) -> bytes:
    """The private key of a key_ref: HMAC-SHA256 of the seed, tried with a counter until it is a valid scalar (in practice once)."""
    for attempt in range(256):
        digest = hmac.digest(seed, f"{_CONTEXT}:{key_ref}:{attempt}".encode(), hashlib.sha256)
        if 0 < int.from_bytes(digest, "big") < _ORDER:
            return digest
    raise AssertionError("256 digests outside the curve order: not possible")


def read_seed(path: Path | None) -> bytes:
    """The seed. Raises BadSeed with one plain line."""
    if path is None:
        raise BadSeed("SIGNER_SEED_FILE is missing")
    try:
        mode = path.stat().st_mode
        seed = path.read_bytes().strip()
    except OSError as error:
        raise BadSeed(f"SIGNER_SEED_FILE: {error.strerror}: {path}") from error
    if stat.S_IMODE(mode) & 0o077:
        raise BadSeed(f"SIGNER_SEED_FILE: {path} is readable by others: chmod 600")
    if len(seed) < MIN_SEED_BYTES:
        raise BadSeed(f"SIGNER_SEED_FILE: {path} holds {len(seed)} bytes, needs {MIN_SEED_BYTES}")
    return seed
