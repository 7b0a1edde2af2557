"""The compliance contract of one token and our country rule bound to it."""

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


@dataclass(frozen=True)
class CountryRule:
    """Our module. One instance serves every token; its settings are kept per compliance contract."""

    abi: Abi
    address: str

    def block_countries(self, numeric: list[int]) -> bytes:
        """Calldata the compliance contract relays to the module at deployment."""
        return self.abi.data("configure", False, numeric)

    def reason(self, *, sender: str, receiver: str, units: int, compliance: str) -> Read[bytes]:
        """32 bytes, zero-padded: empty when allowed, else COUNTRY_BLOCKED or COUNTRY_NOT_ALLOWED."""
        return self.abi.read(self.address, "reason", sender, receiver, units, compliance, as_type=bytes)
