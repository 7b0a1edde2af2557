"""The ERC-3643 token of one offering. Units are whole (decimals 0)."""

from dataclasses import dataclass
from typing import Final

from tokenx_chain.contracts.abi import Abi
from tokenx_chain.contracts.calls import Call, Read

ALLOWANCE_GAS: Final = 100_000


@dataclass(frozen=True)
class Token:
    """What an agent, a holder and anyone may do with a token."""

    abi: Abi
    address: str

    def mint(self, *, to: str, units: int) -> Call:
        return self.abi.call(self.address, "mint", to, units)

    def burn(self, *, holder: str, units: int) -> Call:
        return self.abi.call(self.address, "burn", holder, units)

    def transfer(self, *, to: str, units: int) -> Call:
        return self.abi.call(self.address, "transfer", to, units)

    def increase_allowance(self, *, spender: str, units: int) -> Call:
        return self.abi.call(self.address, "increaseAllowance", spender, units, gas=ALLOWANCE_GAS)

    def decrease_allowance(self, *, spender: str, units: int) -> Call:
        return self.abi.call(self.address, "decreaseAllowance", spender, units, gas=ALLOWANCE_GAS)

    def set_frozen(self, *, holder: str, frozen: bool) -> Call:
        return self.abi.call(self.address, "setAddressFrozen", holder, frozen)

    def unpause(self) -> Call:
        return self.abi.call(self.address, "unpause", gas=150_000)

    def balance(self, holder: str) -> Read[int]:
        return self.abi.read(self.address, "balanceOf", holder, as_type=int)

    def frozen_units(self, holder: str) -> Read[int]:
        return self.abi.read(self.address, "getFrozenTokens", holder, as_type=int)

    def is_frozen(self, holder: str) -> Read[bool]:
        return self.abi.read(self.address, "isFrozen", holder, as_type=bool)

    def is_paused(self) -> Read[bool]:
        return self.abi.read(self.address, "paused", as_type=bool)

    def allowance(self, *, holder: str, spender: str) -> Read[int]:
        return self.abi.read(self.address, "allowance", holder, spender, as_type=int)

    def total_supply(self) -> Read[int]:
        return self.abi.read(self.address, "totalSupply", as_type=int)

    def identity_registry(self) -> Read[str]:
        return self.abi.read(self.address, "identityRegistry", as_type=str)

    def compliance(self) -> Read[str]:
        return self.abi.read(self.address, "compliance", as_type=str)
