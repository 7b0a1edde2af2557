"""Owner and agents: who may set up a contract of a suite, and who may act on it day by day."""

from dataclasses import dataclass

from tokenx_chain.contracts.abi import Abi
from tokenx_chain.contracts.calls import Call, Read


@dataclass(frozen=True)
class Roles:
    """A token or a registry seen by who may use it. The other contracts of a suite have an owner only."""

    abi: Abi
    address: str

    def add_agent(self, agent: str) -> Call:
        """By the owner."""
        return self.abi.call(self.address, "addAgent", agent)

    def remove_agent(self, agent: str) -> Call:
        """By the owner."""
        return self.abi.call(self.address, "removeAgent", agent)

    def transfer_ownership(self, owner: str) -> Call:
        """By the owner. In one step: a wrong address cannot be taken back."""
        return self.abi.call(self.address, "transferOwnership", owner)

    def is_agent(self, account: str) -> Read[bool]:
        return self.abi.read(self.address, "isAgent", account, as_type=bool)

    def owner(self) -> Read[str]:
        return self.abi.read(self.address, "owner", as_type=str)
