"""ERC-3643 infrastructure and suites for tests: everything once, then tokens with the rules a test asks for."""

import itertools
from dataclasses import dataclass, field
from typing import Any, Final

from eth_account import Account
from eth_account.messages import encode_defunct
from eth_utils.crypto import keccak

from tests.contracts.evm import Contract, Evm, code_text
from tokenx_chain.contracts.calls import ZERO_ADDRESS
from tokenx_chain.contracts.factory import TREX_VERSION, SuiteFactory, SuiteRequest
from tokenx_chain.contracts.identity import KYC_TOPIC, claim_digest, key_of

_salts = itertools.count(1)
_IMPLEMENTATIONS: Final = (
    "Token", "ClaimTopicsRegistry", "IdentityRegistry", "IdentityRegistryStorage", "TrustedIssuersRegistry", "ModularCompliance",
)  # fmt: skip


@dataclass
class Trex:
    """The infrastructure of one chain. platform: owner and agent of everything."""

    evm: Evm
    platform: str
    factory: Contract
    identities: Contract
    issuer: Contract
    claim_key: Any
    storages: dict[bool, str] = field(default_factory=dict[bool, str])

    def identity(self, wallet: str) -> str:
        """A new ONCHAINID for a wallet, managed by the platform."""
        salt = f"id-{next(_salts)}"
        call = self.identities.call("createIdentityWithManagementKeys", wallet, salt, [key_of(self.platform)])
        self.evm.send(call, self.platform)
        return self.evm.read(self.identities.read("getIdentity", wallet))

    def add_kyc(self, identity: str) -> int:
        """Writes a signed KYC claim; returns the gas used."""
        data = b'{"kyc":"passed"}'
        message = encode_defunct(primitive=claim_digest(identity=identity, topic=KYC_TOPIC, data=data))
        signature = bytes(Account.sign_message(message, self.claim_key.key).signature)
        contract = self.evm.at("Identity", identity)
        return self.evm.send(
            contract.call("addClaim", KYC_TOPIC, 1, self.issuer.address, signature, data, ""), self.platform
        ).gas

    def suite(self, *modules: Contract, settings: list[bytes] | None = None, kyc: bool = False) -> "Suite":
        """A token with rules, unpaused. kyc False: whoever is registered is verified."""
        request = SuiteRequest(
            salt=f"suite-{next(_salts)}", name="Acme", symbol="ACME", owner=self.platform, agent=self.platform, storage=ZERO_ADDRESS,
            claim_topics=[KYC_TOPIC], claim_issuer=self.issuer.address, modules=[m.address for m in modules], settings=settings or [],
        )  # fmt: skip
        suites = SuiteFactory(self.factory.abi, self.factory.address)
        mined = self.evm.send(suites.deploy(request), self.platform)
        found = suites.deployed(mined.logs)
        suite = Suite(
            self.evm,
            self.platform,
            self.evm.at("Token", found.token),
            self.evm.at("IdentityRegistry", found.identity_registry),
            self.evm.at("ModularCompliance", found.compliance),
        )
        suite.act(suite.token.call("unpause"))
        if not kyc:
            suite.act(self.evm.at("ClaimTopicsRegistry", found.claim_topics).call("removeClaimTopic", KYC_TOPIC))
        return suite


@dataclass
class Suite:
    """One token, its registry and its compliance contract."""

    evm: Evm
    platform: str
    token: Contract
    registry: Contract
    compliance: Contract

    def act(self, call: Any) -> Any:
        """As the platform: owner and agent."""
        return self.evm.send(call, self.platform)

    def register(self, wallet: str, identity: str, country: int = 840) -> str:
        self.evm.fund(wallet)
        self.act(self.registry.call("registerIdentity", wallet, identity, country))
        return wallet

    def configure(self, module: Contract, name: str, *args: Any) -> Any:
        return self.act(self.compliance.call("callModuleFunction", module.data(name, *args), module.address))

    def add(self, module: Contract) -> None:
        self.act(self.compliance.call("addModule", module.address))

    def remove(self, module: Contract) -> None:
        self.act(self.compliance.call("removeModule", module.address))

    def mint(self, to: str, units: int) -> Any:
        return self.act(self.token.call("mint", to, units))

    def burn(self, holder: str, units: int) -> Any:
        return self.act(self.token.call("burn", holder, units))

    def transfer(self, sender: str, to: str, units: int) -> Any:
        return self.evm.send(self.token.call("transfer", to, units), sender)

    def force(self, sender: str, to: str, units: int) -> Any:
        return self.act(self.token.call("forcedTransfer", sender, to, units))

    def sync(self, module: Contract, *wallets: str) -> Any:
        """By somebody who has no role."""
        return self.evm.send(module.call("sync", self.compliance.address, list(wallets)), self.evm.accounts[9])

    def reason(self, module: Contract, sender: str, to: str, units: int) -> str:
        return code_text(self.evm.read(module.read("reason", sender, to, units, self.compliance.address)))

    def ask(self, module: Contract, name: str, *args: Any) -> Any:
        """A view of a module whose first argument is the compliance contract."""
        return self.evm.read(module.read(name, self.compliance.address, *args))

    def refused_transfer(self, sender: str, to: str, units: int) -> str:
        return self.evm.refusal(self.token.call("transfer", to, units), sender)

    def refused_mint(self, to: str, units: int) -> str:
        return self.evm.refusal(self.token.call("mint", to, units), self.platform)

    def balance(self, wallet: str) -> int:
        return self.evm.read(self.token.read("balanceOf", wallet))


def infrastructure(evm: Evm) -> Trex:
    """Once per chain."""
    platform, claim_key = evm.accounts[0], Account.create("claims")
    implementations = [evm.deploy(name) for name in _IMPLEMENTATIONS]
    authority_of_ids = evm.deploy("ImplementationAuthority", evm.deploy("Identity", platform, True).address)
    identities = evm.deploy("IdFactory", authority_of_ids.address)
    authority = evm.deploy("TREXImplementationAuthority", True, ZERO_ADDRESS, ZERO_ADDRESS)
    evm.send(authority.call("addAndUseTREXVersion", TREX_VERSION, tuple(c.address for c in implementations)), platform)
    factory = evm.deploy("TREXFactory", authority.address, identities.address)
    evm.send(identities.call("addTokenFactory", factory.address), platform)
    evm.send(authority.call("setTREXFactory", factory.address), platform)
    issuer = evm.deploy("ClaimIssuer", platform)
    evm.send(issuer.call("addKey", key_of(claim_key.address), 3, 1), platform)
    return Trex(evm, platform, factory, identities, issuer, claim_key)


def wallet(name: str) -> str:
    """A lower-case address made from a name, with no key: the node lets it send all the same."""
    return Account.from_key(_key(name)).address.lower()


def _key(name: str) -> bytes:
    return keccak(text=f"test wallet {name}")
