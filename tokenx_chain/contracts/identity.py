"""ONCHAINID: an investor's identity contract, the factory that makes it, and the claims written into it."""

from dataclasses import dataclass
from typing import Final

from eth_abi.abi import encode
from eth_utils.crypto import keccak

from tokenx_chain.contracts.abi import Abi
from tokenx_chain.contracts.calls import Call, Read

KYC_TOPIC: Final = int.from_bytes(keccak(text="KYC_CLAIM"), "big")
ECDSA: Final = 1
"""Claim signature scheme and key type number of ONCHAINID."""
MANAGEMENT: Final = 1
"""Key purpose: may do everything, also name other keys."""
CLAIM_SIGNER: Final = 3
"""Key purpose: may sign claims, may do nothing else."""


def key_of(address: str) -> bytes:
    """How ONCHAINID names a key: the hash of the ABI-encoded address."""
    return keccak(encode(["address"], [address]))


def claim_digest(*, identity: str, topic: int, data: bytes) -> bytes:
    """What the claim issuer signs, as an EIP-191 message over these 32 bytes."""
    return keccak(encode(["address", "uint256", "bytes"], [identity, topic, data]))


@dataclass(frozen=True)
class IdentityFactory:
    """Makes identities. Only its owner, the platform, may call."""

    abi: Abi
    address: str

    def create_identity(self, *, wallet: str, salt: str, manager: str, gas: int | None = None) -> Call:
        """An identity for a custodial wallet, managed by `manager`, so that the platform can write claims into it."""
        name = "createIdentityWithManagementKeys"
        return self.abi.call(self.address, name, wallet, salt, [key_of(manager)], gas=gas)

    def identity_of(self, wallet: str) -> Read[str]:
        return self.abi.read(self.address, "getIdentity", wallet, as_type=str)

    def add_token_factory(self, factory: str) -> Call:
        return self.abi.call(self.address, "addTokenFactory", factory, gas=150_000)


@dataclass(frozen=True)
class Identity:
    """One investor's identity."""

    abi: Abi
    address: str

    def add_kyc_claim(self, *, issuer: str, signature: bytes, data: bytes) -> Call:
        return self.abi.call(self.address, "addClaim", KYC_TOPIC, ECDSA, issuer, signature, data, "", gas=800_000)


@dataclass(frozen=True)
class ClaimIssuer:
    """The KYC provider's contract: holds the keys whose signatures count, and the signatures revoked."""

    abi: Abi
    address: str

    def add_signer(self, signer: str) -> Call:
        return self.abi.call(self.address, "addKey", key_of(signer), CLAIM_SIGNER, ECDSA, gas=400_000)

    def remove_signer(self, signer: str) -> Call:
        """From here on no claim it signed counts any more."""
        return self.abi.call(self.address, "removeKey", key_of(signer), CLAIM_SIGNER)

    def is_signer(self, account: str) -> Read[bool]:
        return self.abi.read(self.address, "keyHasPurpose", key_of(account), CLAIM_SIGNER, as_type=bool)

    def is_manager(self, account: str) -> Read[bool]:
        return self.abi.read(self.address, "keyHasPurpose", key_of(account), MANAGEMENT, as_type=bool)

    def revoke(self, signature: bytes) -> Call:
        """By signature: revoking by claim id can be fed a decoy."""
        return self.abi.call(self.address, "revokeClaimBySignature", signature)

    def is_revoked(self, signature: bytes) -> Read[bool]:
        return self.abi.read(self.address, "isClaimRevoked", signature, as_type=bool)
