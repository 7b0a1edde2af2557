"""A suite with everything the factory lets one choose, and the limits it sets. The usual suite is SuiteRequest in factory.py."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from tokenx_chain.contracts.abi import Abi
from tokenx_chain.contracts.calls import ZERO_ADDRESS, Call

MAX_ISSUERS: Final = 5
MAX_TOPICS: Final = 5
MAX_AGENTS: Final = 5
MAX_MODULES: Final = 30
MAX_DECIMALS: Final = 18
# Source: TREXFactory 4.1.6, deployTREXSuite.


@dataclass(frozen=True)
class SuiteDesign:
    """What to deploy. Owner, registry agents and token agents may be different keys.

    storage: the shared identity table; issuers: the topics each is trusted for; settings: calldata per module, in the modules' order,
    modules without a setting last."""

    salt: str
    name: str
    symbol: str
    owner: str
    registry_agents: tuple[str, ...]
    token_agents: tuple[str, ...]
    storage: str
    decimals: int = 0
    token_identity: str = ZERO_ADDRESS
    topics: tuple[int, ...] = ()
    issuers: Mapping[str, tuple[int, ...]] = field(default_factory=dict[str, tuple[int, ...]])
    modules: tuple[str, ...] = ()
    settings: tuple[bytes, ...] = ()

    def excess(self) -> str | None:
        """What is more than the factory takes, in words; None when all fits."""
        agents = max(len(self.registry_agents), len(self.token_agents))
        found = {
            f"{len(self.issuers)} claim issuers, at most {MAX_ISSUERS}": len(self.issuers) > MAX_ISSUERS,
            f"{len(self.topics)} claim topics, at most {MAX_TOPICS}": len(self.topics) > MAX_TOPICS,
            f"{agents} agents, at most {MAX_AGENTS}": agents > MAX_AGENTS,
            f"{len(self.modules)} modules, at most {MAX_MODULES}": len(self.modules) > MAX_MODULES,
            f"{len(self.settings)} settings for {len(self.modules)} modules": len(self.settings) > len(self.modules),
            f"{self.decimals} decimals, 0 to {MAX_DECIMALS} are possible": not 0 <= self.decimals <= MAX_DECIMALS,
        }
        return next((text for text, is_so in found.items() if is_so), None)

    def deployment(self, abi: Abi, factory: str) -> Call:
        """The factory's call. The order inside the tuples is the contract's own."""
        details = (
            self.owner, self.name, self.symbol, self.decimals, self.storage, self.token_identity, list(self.registry_agents),
            list(self.token_agents), list(self.modules), list(self.settings),
        )  # fmt: skip
        claims = (list(self.topics), list(self.issuers), [list(topics) for topics in self.issuers.values()])
        return abi.call(factory, "deployTREXSuite", self.salt, details, claims)
