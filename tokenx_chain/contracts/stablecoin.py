"""The cash coin. Amounts are base units: 6 decimals, one cent is 10,000."""

from dataclasses import dataclass

from tokenx_chain.contracts.abi import Abi
from tokenx_chain.contracts.calls import Call, Read
from tokenx_chain.contracts.token import ALLOWANCE_GAS


@dataclass(frozen=True)
class StableCoin:
    """An ERC-20 with minters whose allowances can be added to and taken from, as OpenZeppelin 4 and USDC have it."""

    abi: Abi
    address: str

    def mint(self, *, to: str, amount: int, gas: int | None = None) -> Call:
        return self.abi.call(self.address, "mint", to, amount, gas=gas)

    def transfer(self, *, to: str, amount: int) -> Call:
        return self.abi.call(self.address, "transfer", to, amount)

    def increase_allowance(self, *, spender: str, amount: int) -> Call:
        return self.abi.call(self.address, "increaseAllowance", spender, amount, gas=ALLOWANCE_GAS)

    def decrease_allowance(self, *, spender: str, amount: int) -> Call:
        return self.abi.call(self.address, "decreaseAllowance", spender, amount, gas=ALLOWANCE_GAS)

    def balance(self, holder: str) -> Read[int]:
        return self.abi.read(self.address, "balanceOf", holder, as_type=int)

    def allowance(self, *, holder: str, spender: str) -> Read[int]:
        return self.abi.read(self.address, "allowance", holder, spender, as_type=int)
