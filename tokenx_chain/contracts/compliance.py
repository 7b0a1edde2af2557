"""The compliance contract of one token: which rules are bound to it, and their settings."""

from dataclasses import dataclass

from tokenx_chain.contracts.abi import Abi
from tokenx_chain.contracts.calls import Call, Read


@dataclass(frozen=True)
class Compliance:
    """Asks each bound module in turn."""

    abi: Abi
    address: str

    def modules(self) -> Read[tuple[str, ...]]:
        return self.abi.read(self.address, "getModules", as_type=tuple[str, ...])

    def add_module(self, module: str) -> Call:
        """By the owner. A rule that counts holders starts once all of them are synced."""
        return self.abi.call(self.address, "addModule", module)

    def remove_module(self, module: str) -> Call:
        return self.abi.call(self.address, "removeModule", module)

    def configure(self, module: str, setting: bytes) -> Call:
        """Relays a setting to a bound module; see tokenx_chain.contracts.modules."""
        return self.abi.call(self.address, "callModuleFunction", setting, module)
