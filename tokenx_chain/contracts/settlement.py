"""Our delivery-versus-payment contract: a batch of fills, each settled whole or not at all."""

from dataclasses import dataclass
from typing import Any, Final

from eth_utils.crypto import keccak

from tokenx_chain.contracts.abi import Abi
from tokenx_chain.contracts.calls import Call, Log, Read

BASE_GAS: Final = 150_000
GAS_PER_FILL: Final = 420_000
"""A little over what the contract demands before it starts a fill."""


@dataclass(frozen=True)
class Fill:
    """One fill to settle. settlement_id is our text id; on chain it is its hash. expires_at in unix seconds."""

    settlement_id: str
    token: str
    seller: str
    buyer: str
    units: int
    cash_amount: int
    expires_at: int

    def as_struct(self) -> tuple[Any, ...]:
        return (settlement_key(self.settlement_id), self.token, self.seller, self.buyer, self.units, self.cash_amount, self.expires_at)  # fmt: skip


@dataclass(frozen=True)
class FillOutcome:
    """What the contract reported about one fill. reason: revert data of a failed one, None when it settled."""

    key: bytes
    token: str
    reason: bytes | None


def settlement_key(settlement_id: str) -> bytes:
    """The 32 bytes under which the contract remembers a settlement."""
    return keccak(text=settlement_id)


@dataclass(frozen=True)
class Settlement:
    """Only an operator settles; only the owner names operators and tokens."""

    abi: Abi
    address: str

    def settle(self, fills: list[Fill]) -> Call:
        """The gas limit is fixed: a failing fill is caught inside, so an estimate could starve good fills unnoticed."""
        gas = BASE_GAS + GAS_PER_FILL * len(fills)
        return self.abi.call(self.address, "settle", [fill.as_struct() for fill in fills], gas=gas)

    def set_operator(self, operator: str, *, allowed: bool) -> Call:
        return self.abi.call(self.address, "setOperator", operator, allowed, gas=150_000)

    def set_listed(self, token: str, *, listed: bool) -> Call:
        return self.abi.call(self.address, "setListed", token, listed, gas=150_000)

    def is_settled(self, settlement_id: str) -> Read[bool]:
        return self.abi.read(self.address, "isSettled", settlement_key(settlement_id), as_type=bool)

    def is_listed(self, token: str) -> Read[bool]:
        return self.abi.read(self.address, "isListed", token, as_type=bool)

    def outcomes(self, logs: tuple[Log, ...]) -> list[FillOutcome]:
        """The reports among a transaction's logs, in order."""
        return [outcome for log in logs if (outcome := self.outcome(log)) is not None]

    def outcome(self, log: Log) -> FillOutcome | None:
        """The report in one log, None when it is about something else."""
        if log.address != self.address or not log.topics:
            return None
        if log.topics[0] == self.abi.topic("FillSettled"):
            event = self.abi.event("FillSettled", log)
            return FillOutcome(event["settlementId"], event["token"], None)
        if log.topics[0] == self.abi.topic("FillFailed"):
            event = self.abi.event("FillFailed", log)
            return FillOutcome(event["settlementId"], event["token"], event["reason"])
        return None
