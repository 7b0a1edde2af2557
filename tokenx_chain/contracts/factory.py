"""The factory that deploys a token with its registries and its compliance contract in one transaction."""

from dataclasses import dataclass
from typing import Any, Final

from tokenx_chain.contracts.abi import Abi
from tokenx_chain.contracts.calls import Call, Log, Read

TREX_VERSION: Final = (4, 1, 6)


@dataclass(frozen=True)
class SuiteRequest:
    """What to deploy. The platform owns it and is its agent. settings: calldata per module, relayed by the compliance."""

    salt: str
    name: str
    symbol: str
    owner: str
    agent: str
    storage: str
    claim_topics: list[int]
    claim_issuer: str
    modules: list[str]
    settings: list[bytes]


@dataclass(frozen=True)
class Suite:
    """Where a suite's contracts are."""

    token: str
    identity_registry: str
    identity_storage: str
    trusted_issuers: str
    claim_topics: str
    compliance: str


@dataclass(frozen=True)
class SuiteFactory:
    """Only the owner deploys. A salt names a suite and is spent for ever."""

    abi: Abi
    address: str

    def deploy(self, request: SuiteRequest) -> Call:
        zero = "0x" + "00" * 20  # onchain id of the token: zero lets the factory make one
        details = (request.owner, request.name, request.symbol, 0, request.storage, zero,
                   [request.agent], [request.agent], request.modules, request.settings)  # fmt: skip
        claims = (request.claim_topics, [request.claim_issuer], [request.claim_topics])
        return self.abi.call(self.address, "deployTREXSuite", request.salt, details, claims)

    def token_of(self, salt: str) -> Read[str]:
        """The token deployed under a salt, the zero address when there is none."""
        return self.abi.read(self.address, "getToken", salt, as_type=str)

    def deployed(self, logs: tuple[Log, ...]) -> Suite:
        """The suite a deployment's logs report. Raises StopIteration when there is none: not a deployment."""
        topic = self.abi.topic("TREXSuiteDeployed")
        event: dict[str, Any] = next(self.abi.event("TREXSuiteDeployed", log) for log in logs if log.topics and log.topics[0] == topic)  # fmt: skip
        return Suite(event["_token"], event["_ir"], event["_irs"], event["_tir"], event["_ctr"], event["_mc"])


@dataclass(frozen=True)
class ImplementationAuthority:
    """Names the code behind every proxy of the suites."""

    abi: Abi
    address: str

    def use(self, *, token: str, claim_topics: str, registry: str, storage: str, trusted_issuers: str, compliance: str) -> Call:  # fmt: skip
        """The order inside the struct is the contract's own; a swap would deploy and fail only later."""
        implementations = (token, claim_topics, registry, storage, trusted_issuers, compliance)
        return self.abi.call(self.address, "addAndUseTREXVersion", TREX_VERSION, implementations, gas=500_000)

    def set_factory(self, factory: str) -> Call:
        return self.abi.call(self.address, "setTREXFactory", factory, gas=150_000)
