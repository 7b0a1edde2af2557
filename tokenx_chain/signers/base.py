"""What the transaction code calls. SigningDesk implements it on any backend; the backends themselves speak protocol.Signer."""

from dataclasses import dataclass
from typing import Protocol

from tokenx_chain.signers.errors import SignerUnavailable

__all__ = ["SignedTransaction", "Signer", "SignerUnavailable", "UnsignedTransaction"]


@dataclass(frozen=True)
class UnsignedTransaction:
    """An EIP-1559 transaction with everything decided but the signature. Fees in wei."""

    chain_id: int
    nonce: int
    to: str | None
    value: int
    data: bytes
    gas: int
    max_fee: int
    max_tip: int


@dataclass(frozen=True)
class SignedTransaction:
    """The bytes that go out and their hash."""

    raw: bytes
    tx_hash: str


class Signer(Protocol):
    """Signs for custodial keys named by key_ref, e.g. 'platform' or 'investor:inv_…'."""

    async def address(self, key_ref: str) -> str:
        """The address of a key, lower case. The same key_ref always gives the same address."""
        ...

    async def sign_transaction(self, key_ref: str, transaction: UnsignedTransaction) -> SignedTransaction:
        """Raises SignerUnavailable."""
        ...

    async def sign_message(self, key_ref: str, message: bytes) -> bytes:
        """65 bytes r, s, v over the EIP-191 personal message. Raises SignerUnavailable.

        The same message gives the same signature only where the backend's capabilities say deterministic."""
        ...
