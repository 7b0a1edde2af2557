"""What the agent of a token may do with other people's units, one wallet at a time or many. The plain roles are in token.py."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tokenx_chain.contracts.abi import Abi
from tokenx_chain.contracts.calls import Call, Log, Read


@dataclass(frozen=True)
class TokenAgent:
    """Agent powers, the batch forms, and what else a token can be asked. In a batch the lists go item by item."""

    abi: Abi
    address: str

    def forced_transfer(self, *, sender: str, receiver: str, units: int) -> Call:
        return self.abi.call(self.address, "forcedTransfer", sender, receiver, units)

    def freeze_units(self, *, holder: str, units: int) -> Call:
        return self.abi.call(self.address, "freezePartialTokens", holder, units)

    def unfreeze_units(self, *, holder: str, units: int) -> Call:
        return self.abi.call(self.address, "unfreezePartialTokens", holder, units)

    def pause(self) -> Call:
        return self.abi.call(self.address, "pause")

    def unpause(self) -> Call:
        return self.abi.call(self.address, "unpause")

    def recover(self, *, lost: str, fresh: str, identity: str) -> Call:
        return self.abi.call(self.address, "recoveryAddress", lost, fresh, identity)

    def transfer_from(self, *, sender: str, receiver: str, units: int) -> Call:
        """By whoever has an allowance."""
        return self.abi.call(self.address, "transferFrom", sender, receiver, units)

    def batch_mint(self, receivers: Sequence[str], units: Sequence[int]) -> Call:
        return self.abi.call(self.address, "batchMint", list(receivers), list(units))

    def batch_burn(self, holders: Sequence[str], units: Sequence[int]) -> Call:
        return self.abi.call(self.address, "batchBurn", list(holders), list(units))

    def batch_transfer(self, receivers: Sequence[str], units: Sequence[int]) -> Call:
        """By a holder."""
        return self.abi.call(self.address, "batchTransfer", list(receivers), list(units))

    def batch_forced_transfer(self, senders: Sequence[str], receivers: Sequence[str], units: Sequence[int]) -> Call:
        return self.abi.call(self.address, "batchForcedTransfer", list(senders), list(receivers), list(units))

    def batch_set_frozen(self, holders: Sequence[str], frozen: Sequence[bool]) -> Call:
        return self.abi.call(self.address, "batchSetAddressFrozen", list(holders), list(frozen))

    def batch_freeze_units(self, holders: Sequence[str], units: Sequence[int]) -> Call:
        return self.abi.call(self.address, "batchFreezePartialTokens", list(holders), list(units))

    def batch_unfreeze_units(self, holders: Sequence[str], units: Sequence[int]) -> Call:
        return self.abi.call(self.address, "batchUnfreezePartialTokens", list(holders), list(units))

    def decimals(self) -> Read[int]:
        return self.abi.read(self.address, "decimals", as_type=int)

    def unfrozen_units(self, logs: Sequence[Log], holder: str) -> int:
        """How many of a holder's frozen units a transaction set free, by its logs."""
        return sum(
            event["_amount"] for event in self._events("TokensUnfrozen", logs) if event["_userAddress"] == holder
        )

    def moved_units(self, logs: Sequence[Log], *, sender: str, receiver: str) -> int:
        """How many units a transaction moved from one wallet to another, by its logs."""
        moved = [
            event for event in self._events("Transfer", logs) if (event["from"], event["to"]) == (sender, receiver)
        ]
        return sum(event["value"] for event in moved)

    def _events(self, name: str, logs: Sequence[Log]) -> list[dict[str, Any]]:
        topic = self.abi.topic(name)
        return [self.abi.event(name, log) for log in logs if log.address == self.address and log.topics[:1] == (topic,)]
