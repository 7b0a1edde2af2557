"""A chain with the platform's shared registry, the adapter on it, and people; every suite is deployed by the adapter itself."""

import itertools
from collections.abc import AsyncGenerator, Awaitable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, Final, cast

from eth_account import Account
from eth_account.messages import encode_defunct

from tests.contracts.evm import ARTIFACTS, Contract, Evm, Mined
from tests.contracts.suites import Suite, Trex, infrastructure, wallet
from tokenx_chain.chain import Chain
from tokenx_chain.contracts.factory import SuiteFactory
from tokenx_chain.contracts.identity import KYC_TOPIC, claim_digest
from tokenx_chain.contracts.suite_design import SuiteDesign
from tokenx_chain.networks.catalog import NETWORKS
from tokenx_chain.networks.evm import EvmNode
from tokenx_chain.networks.rpc import Rpc
from tokenx_chain.registry import ContractRegistry
from tokenx_chain.signers.base import Signer
from tokenx_chain.standards.erc3643 import Erc3643Adapter
from tokenx_chain.standards.errors import ActRefused
from tokenx_chain.standards.protocol import Act, Power, TokenStandard

KYC_DATA: Final = b'{"kyc":"passed"}'
US, IR = 840, 364
_salts = itertools.count(1)


@dataclass(frozen=True)
class Person:
    """A wallet with an identity behind it."""

    wallet: str
    identity: str


@dataclass
class Ground:
    """platform is owner and agent of everything unless a suite is designed otherwise."""

    trex: Trex
    chain: Chain
    registry: Contract
    storage: Contract
    topics: Contract
    issuers: Contract

    @property
    def evm(self) -> Evm:
        return self.trex.evm

    @property
    def platform(self) -> str:
        return self.trex.platform

    @property
    def adapter(self) -> Erc3643Adapter:
        return Erc3643Adapter(self.chain)

    @property
    def standard(self) -> TokenStandard:
        """The adapter as everybody else sees it."""
        return self.adapter

    def design(self, *modules: Contract, settings: tuple[bytes, ...] = (), **changes: Any) -> SuiteDesign:
        design = SuiteDesign(
            salt=f"shared-{next(_salts)}", name="Acme", symbol="ACME", owner=self.platform, registry_agents=(self.platform,),
            token_agents=(self.platform,), storage=self.storage.address, topics=(KYC_TOPIC,), issuers={self.trex.issuer.address: (KYC_TOPIC,)},
            modules=tuple(module.address for module in modules), settings=settings,
        )  # fmt: skip
        return replace(design, **changes)

    async def suite(self, *modules: Contract, settings: tuple[bytes, ...] = (), paused: bool = False, **changes: Any) -> Suite:  # fmt: skip
        """A token on the shared table, known to the chain's registry."""
        design = self.design(*modules, settings=settings, **changes)
        mined = self.send(await self.standard.deploy_suite(design))
        found = SuiteFactory(self.trex.factory.abi, self.trex.factory.address).deployed(mined.logs)
        self.chain.registry.add(f"token:{design.salt}", found.token, {})
        suite = Suite(self.evm, self.platform, self.evm.at("Token", found.token), self.evm.at("IdentityRegistry", found.identity_registry),
                      self.evm.at("ModularCompliance", found.compliance))  # fmt: skip
        if not paused:
            self.send(await self.standard.unpause(suite.token.address))
        return suite

    def person(self, name: str, *, country: int = US, kyc: bool = True, identity: str | None = None) -> Person:
        """Registered; with a claim unless told otherwise."""
        address = self.evm.fund(wallet(name))
        mine = identity or self.trex.identity(address)
        if kyc and identity is None:
            self.trex.add_kyc(mine)
        self.evm.send(self.registry.call("registerIdentity", address, mine, country), self.platform)
        return Person(address, mine)

    def signature(self, identity: str, *, topic: int = KYC_TOPIC, data: bytes = KYC_DATA, key: Any = None) -> bytes:
        """Of a claim, by the issuer's key unless another one is given."""
        message = encode_defunct(primitive=claim_digest(identity=identity, topic=topic, data=data))
        return bytes(Account.sign_message(message, (key or self.trex.claim_key).key).signature)

    def send(self, act: Act, sender: str | None = None) -> Mined:
        """In the capacity the act asks for; a holder has to be named."""
        assert sender is not None or act.by is not Power.HOLDER
        return self.evm.send(act.call, sender or self.platform)

    async def refused(self, asked: Awaitable[Act]) -> str:
        """The code of an act that is refused; nothing may have been sent."""
        before = self.evm.rpc("eth_blockNumber")
        try:
            await asked
        except ActRefused as refusal:
            assert self.evm.rpc("eth_blockNumber") == before
            return refusal.code
        raise AssertionError("was not refused")


@asynccontextmanager
async def prepared(evm: Evm, url: str) -> AsyncGenerator[Ground]:
    """Infrastructure, shared registry and a chain that is asked over the same node."""
    trex = infrastructure(evm)
    authority = evm.read(trex.factory.read("getImplementationAuthority"))
    topics = evm.at("ClaimTopicsRegistry", evm.deploy("ClaimTopicsRegistryProxy", authority).address)
    issuers = evm.at("TrustedIssuersRegistry", evm.deploy("TrustedIssuersRegistryProxy", authority).address)
    storage = evm.at("IdentityRegistryStorage", evm.deploy("IdentityRegistryStorageProxy", authority).address)
    proxy = evm.deploy("IdentityRegistryProxy", authority, issuers.address, topics.address, storage.address)
    registry = evm.at("IdentityRegistry", proxy.address)
    for call in (
        topics.call("addClaimTopic", KYC_TOPIC), issuers.call("addTrustedIssuer", trex.issuer.address, [KYC_TOPIC]),
        storage.call("bindIdentityRegistry", registry.address), storage.call("transferOwnership", trex.factory.address),
        registry.call("addAgent", trex.platform),
    ):  # fmt: skip
        evm.send(call, trex.platform)
    rpc = Rpc([url])
    network = NETWORKS[31337]
    chain = Chain(
        network, EvmNode(network, rpc), ARTIFACTS, ContractRegistry(), cast(Signer, None)
    )  # nothing is signed
    try:
        yield Ground(trex, chain, registry, storage, topics, issuers)
    finally:
        await rpc.close()


def as_new(ground: Ground) -> Ground:
    """The same contracts with a registry of its own, which knows no token yet."""
    names = ContractRegistry()
    for name, contract in (
        ("IdentityRegistry", ground.registry), ("IdentityRegistryStorage", ground.storage), ("TREXFactory", ground.trex.factory),
        ("IdFactory", ground.trex.identities), ("ClaimIssuer", ground.trex.issuer),
    ):  # fmt: skip
        names.add(name, contract.address, {})
    return replace(ground, chain=replace(ground.chain, registry=names))
