"""An identity's claims and keys, and what a registry asks of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from eth_abi.abi import decode, encode
from eth_utils.crypto import keccak

from tokenx_chain.contracts.abi import Abi
from tokenx_chain.contracts.calls import Call, Read
from tokenx_chain.contracts.identity import ECDSA, key_of

SIGNATURE_BYTES: Final = 65
MANAGEMENT: Final = 1
"""Key purpose: may do everything with the identity."""


def claim_id(*, issuer: str, topic: int) -> bytes:
    """Under which an identity keeps a claim: one per issuer and topic."""
    return keccak(encode(["address", "uint256"], [issuer, topic]))


@dataclass(frozen=True)
class Claims:
    """Claims and keys of one identity. Written by its managers and claim keys."""

    abi: Abi
    address: str

    def add(self, *, topic: int, issuer: str, signature: bytes, data: bytes) -> Call:
        return self.abi.call(self.address, "addClaim", topic, ECDSA, issuer, signature, data, "")

    def remove(self, *, topic: int, issuer: str) -> Call:
        return self.abi.call(self.address, "removeClaim", claim_id(issuer=issuer, topic=topic))

    def signature(self, *, topic: int, issuer: str) -> Read[bytes]:
        """Of the claim kept under issuer and topic, empty when there is none. What an identity says of itself proves nothing."""
        types = ["uint256", "uint256", "address", "bytes", "bytes", "string"]
        data = self.abi.data("getClaim", claim_id(issuer=issuer, topic=topic))
        return Read(self.address, data, lambda answer: decode(types, answer)[3])

    def add_manager(self, account: str) -> Call:
        return self.abi.call(self.address, "addKey", key_of(account), MANAGEMENT, ECDSA)

    def remove_manager(self, account: str) -> Call:
        return self.abi.call(self.address, "removeKey", key_of(account), MANAGEMENT)

    def is_manager(self, account: str) -> Read[bool]:
        return self.abi.read(self.address, "keyHasPurpose", key_of(account), MANAGEMENT, as_type=bool)


@dataclass(frozen=True)
class RegistryUpdates:
    """What an agent changes in a registry after the first registration, and many registrations at once."""

    abi: Abi
    address: str

    def update_identity(self, *, wallet: str, identity: str) -> Call:
        return self.abi.call(self.address, "updateIdentity", wallet, identity)

    def update_country(self, *, wallet: str, country: int) -> Call:
        return self.abi.call(self.address, "updateCountry", wallet, country)

    def batch_register(self, wallets: Sequence[str], identities: Sequence[str], countries: Sequence[int]) -> Call:
        return self.abi.call(self.address, "batchRegisterIdentity", list(wallets), list(identities), list(countries))

    def country_of(self, wallet: str) -> Read[int]:
        """ISO 3166-1 numeric, 0 when not registered."""
        return self.abi.read(self.address, "investorCountry", wallet, as_type=int)

    def storage(self) -> Read[str]:
        return self.abi.read(self.address, "identityStorage", as_type=str)

    def topics_registry(self) -> Read[str]:
        return self.abi.read(self.address, "topicsRegistry", as_type=str)

    def issuers_registry(self) -> Read[str]:
        return self.abi.read(self.address, "issuersRegistry", as_type=str)


@dataclass(frozen=True)
class ClaimPolicy:
    """What a token's two claim registries can be told by their owner: ClaimTopicsRegistry and TrustedIssuersRegistry."""

    topics_abi: Abi
    topics_address: str
    issuers_abi: Abi
    issuers_address: str

    def require_topic(self, topic: int) -> Call:
        return self.topics_abi.call(self.topics_address, "addClaimTopic", topic)

    def drop_topic(self, topic: int) -> Call:
        return self.topics_abi.call(self.topics_address, "removeClaimTopic", topic)

    def trust(self, issuer: str, topics: Sequence[int]) -> Call:
        return self.issuers_abi.call(self.issuers_address, "addTrustedIssuer", issuer, list(topics))

    def change_topics(self, issuer: str, topics: Sequence[int]) -> Call:
        return self.issuers_abi.call(self.issuers_address, "updateIssuerClaimTopics", issuer, list(topics))

    def distrust(self, issuer: str) -> Call:
        return self.issuers_abi.call(self.issuers_address, "removeTrustedIssuer", issuer)

    def topics(self) -> Read[Any]:
        return self.topics_abi.read(self.topics_address, "getClaimTopics", as_type=object)
