"""Keys derived from one seed file. For development and test networks: whoever reads the file owns every wallet."""

import hashlib
import hmac
import stat
from pathlib import Path
from typing import Any, Final

from eth_account import Account
from eth_account.messages import encode_defunct
from eth_account.signers.local import LocalAccount

from tokenx_chain.signers.base import SignedTransaction, UnsignedTransaction
from tokenx_chain.signers.errors import SignerConfigError

_ORDER: Final = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
_MIN_SEED_BYTES: Final = 32
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
    if len(seed) < _MIN_SEED_BYTES:
        raise BadSeed(f"SIGNER_SEED_FILE: {path} holds {len(seed)} bytes, needs {_MIN_SEED_BYTES}")
    return seed


class SeedSigner:
    """Signs in this process. LocalSigner keeps the same keys in a process of their own."""

    def __init__(self, seed: bytes) -> None:
        self._seed = seed
        self._accounts: dict[str, LocalAccount] = {}

    async def address(self, key_ref: str) -> str:
        return self._account(key_ref).address.lower()

    async def sign_transaction(self, key_ref: str, transaction: UnsignedTransaction) -> SignedTransaction:
        fields: dict[str, Any] = {
            "type": 2,
            "chainId": transaction.chain_id,
            "nonce": transaction.nonce,
            "value": transaction.value,
            "data": transaction.data,
            "gas": transaction.gas,
            "maxFeePerGas": transaction.max_fee,
            "maxPriorityFeePerGas": transaction.max_tip,
        }
        if transaction.to is not None:
            fields["to"] = bytes.fromhex(transaction.to.removeprefix("0x"))
        signed = self._account(key_ref).sign_transaction(fields)
        return SignedTransaction(raw=bytes(signed.raw_transaction), tx_hash="0x" + bytes(signed.hash).hex())

    async def sign_message(self, key_ref: str, message: bytes) -> bytes:
        return bytes(self._account(key_ref).sign_message(encode_defunct(primitive=message)).signature)

    def _account(self, key_ref: str) -> LocalAccount:
        account = self._accounts.get(key_ref)
        if account is None:
            account = self._accounts[key_ref] = Account.from_key(derive_key(self._seed, key_ref))
        return account
