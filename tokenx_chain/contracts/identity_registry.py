"""Which wallets belong to which identity and country, and who counts as verified."""

from dataclasses import dataclass

from tokenx_chain.contracts.abi import Abi
from tokenx_chain.contracts.calls import Call, Read


@dataclass(frozen=True)
class IdentityRegistry:
    """A registry over the shared storage. Agents register; anyone may ask."""

    abi: Abi
    address: str

    def register(self, *, wallet: str, identity: str, country: int, gas: int | None = None) -> Call:
        return self.abi.call(self.address, "registerIdentity", wallet, identity, country, gas=gas)

    def delete(self, wallet: str) -> Call:
        return self.abi.call(self.address, "deleteIdentity", wallet)

    def add_agent(self, agent: str) -> Call:
        return self.abi.call(self.address, "addAgent", agent, gas=150_000)

    def contains(self, wallet: str) -> Read[bool]:
        return self.abi.read(self.address, "contains", wallet, as_type=bool)

    def is_verified(self, wallet: str) -> Read[bool]:
        return self.abi.read(self.address, "isVerified", wallet, as_type=bool)

    def identity_of(self, wallet: str) -> Read[str]:
        return self.abi.read(self.address, "identity", wallet, as_type=str)


@dataclass(frozen=True)
class IdentityStorage:
    """The table behind all registries of a chain. Owned by the suite factory, which binds a new registry for each token."""

    abi: Abi
    address: str

    def bind(self, registry: str) -> Call:
        return self.abi.call(self.address, "bindIdentityRegistry", registry, gas=250_000)

    def transfer_ownership(self, owner: str) -> Call:
        return self.abi.call(self.address, "transferOwnership", owner, gas=150_000)


@dataclass(frozen=True)
class ClaimTopics:
    """The claims a wallet's identity must carry."""

    abi: Abi
    address: str

    def require(self, topic: int) -> Call:
        return self.abi.call(self.address, "addClaimTopic", topic, gas=200_000)


@dataclass(frozen=True)
class TrustedIssuers:
    """Whose claims count, and for which topics."""

    abi: Abi
    address: str

    def trust(self, issuer: str, *, topics: list[int]) -> Call:
        return self.abi.call(self.address, "addTrustedIssuer", issuer, topics, gas=400_000)
