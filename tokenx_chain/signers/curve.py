"""secp256k1 through libsecp256k1. Without the native library a signature takes 8 ms instead of 0.1, so the start fails instead."""

from typing import Final

from coincurve import PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from eth_hash.auto import keccak
from eth_keys.backends import get_backend_class

from tokenx_chain.signers.errors import BadAnswer, SignerConfigError, WrongSignature
from tokenx_chain.signers.jobs import Signature

ORDER: Final = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


def require_native_curve() -> None:
    """Raises SignerConfigError on the pure Python curve."""
    found = get_backend_class().__name__
    if found != "CoinCurveECCBackend":
        raise SignerConfigError(f"ECC_BACKEND_CLASS: {found} is not the native curve; install coincurve and unset it")


def address_of(public_key: bytes) -> str:
    """The address of a public key, 33 or 65 bytes. Raises BadAnswer for bytes that are no point of the curve."""
    try:
        point = PublicKey(public_key).format(compressed=False)
    except ValueError as error:
        raise BadAnswer(f"not a secp256k1 public key: {len(public_key)} bytes") from error
    return "0x" + keccak(point[1:])[12:].hex()


def low_s(signature: Signature) -> Signature:
    """The one of the two equivalent signatures that networks accept (EIP-2). Raises WrongSignature for numbers off the curve."""
    if not (0 < signature.r < ORDER and 0 < signature.s < ORDER):
        raise WrongSignature("r and s must lie between 1 and the curve order")
    if signature.s <= ORDER // 2:
        return signature
    parity = None if signature.y_parity is None else signature.y_parity ^ 1
    return Signature(signature.r, ORDER - signature.s, parity)


def recover(digest: bytes, signature: Signature, y_parity: int) -> str | None:
    """The address a signature belongs to under a parity, or None where that parity gives no point."""
    packed = signature.r.to_bytes(32, "big") + signature.s.to_bytes(32, "big") + bytes([y_parity])
    try:
        point = PublicKey.from_signature_and_message(packed, digest, hasher=None)
    except ValueError:
        return None
    return "0x" + keccak(point.format(compressed=False)[1:])[12:].hex()


def from_der(encoded: bytes) -> Signature:
    """A DER signature. It carries no parity. Raises BadAnswer."""
    try:
        r, s = decode_dss_signature(encoded)
    except ValueError as error:
        raise BadAnswer(f"not a DER signature: {len(encoded)} bytes") from error
    return Signature(r, s, None)
