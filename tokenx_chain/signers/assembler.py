"""Turns a signature into bytes, for every backend alike: low-s, recovered, and refused unless it is the expected key's."""

from eth_hash.auto import keccak

from tokenx_chain.signers.base import SignedTransaction, UnsignedTransaction
from tokenx_chain.signers.curve import low_s, recover
from tokenx_chain.signers.encoding import signed_bytes, transaction_digest
from tokenx_chain.signers.errors import WrongSignature
from tokenx_chain.signers.jobs import Signature


def checked(digest: bytes, signature: Signature, *, address: str) -> Signature:
    """The signature with low s and its parity. Raises WrongSignature unless it recovers to the address."""
    low = low_s(signature)
    parities = (0, 1) if low.y_parity is None else (low.y_parity,)
    for parity in parities:
        if parity not in (0, 1):
            raise WrongSignature(f"y_parity must be 0 or 1, was {parity}")
        if recover(digest, low, parity) == address.lower():
            return Signature(low.r, low.s, parity)
    raise WrongSignature(f"the signature does not recover to {address.lower()}", address=address.lower())


def assemble_transaction(transaction: UnsignedTransaction, signature: Signature, *, address: str) -> SignedTransaction:
    """The bytes to send. Raises WrongSignature."""
    good = checked(transaction_digest(transaction), signature, address=address)
    assert good.y_parity is not None
    raw = signed_bytes(transaction, r=good.r, s=good.s, y_parity=good.y_parity)
    return SignedTransaction(raw=raw, tx_hash="0x" + keccak(raw).hex())


def assemble_message(digest: bytes, signature: Signature, *, address: str) -> bytes:
    """65 bytes r, s, v with v 27 or 28, as contracts recover it. Raises WrongSignature."""
    good = checked(digest, signature, address=address)
    assert good.y_parity is not None
    return good.r.to_bytes(32, "big") + good.s.to_bytes(32, "big") + bytes([27 + good.y_parity])
