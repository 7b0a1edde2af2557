"""What the transaction code calls. SigningDesk implements it on any backend; the backends themselves speak protocol.Signer."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from tokenx_chain.signers.errors import SignerUnavailable

if TYPE_CHECKING:  # jobs needs UnsignedTransaction
    from tokenx_chain.signers.jobs import Capabilities, Context

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

    @property
    def capabilities(self) -> "Capabilities":
        """What the backend can do. Not is_sync: an answer may take as long as people take."""
        ...

    async def address(self, key_ref: str) -> str:
        """The address of a key, lower case. The same key_ref always gives the same address."""
        ...

    async def sign_transaction(self, key_ref: str, transaction: UnsignedTransaction, *, attempt_id: str | None = None, intent_id: str = "",
                               policy_context: "Context" = (), deadline: datetime | None = None) -> SignedTransaction:  # fmt: skip
        """The bytes to journal and send. attempt_id names the attempt for ever: asked again with it, the rest must be the same.

        Raises SignerUnavailable (ask again, the same), another SignerError that proves_unsigned (there is and will be no signature), or one that
        does not (nothing is known: keep the nonce and let people look)."""
        ...

    async def sign_message(self, key_ref: str, message: bytes) -> bytes:
        """65 bytes r, s, v over the EIP-191 personal message. Raises SignerUnavailable.

        The same message gives the same signature only where the backend's capabilities say deterministic."""
        ...

    async def sign_typed_data(self, key_ref: str, typed_data: Mapping[str, Any]) -> bytes:
        """65 bytes r, s, v over EIP-712 data. Raises SignerUnavailable, and SignerError when it is refused."""
        ...
