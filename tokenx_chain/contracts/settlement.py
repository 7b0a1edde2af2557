"""Delivery versus payment of any number of legs: what is signed, what is sent, what came of it.

Amounts are units of a token or base units of a coin. Addresses are hex. Ids are our text ids; on chain they are their hash."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Final

from eth_abi.abi import encode
from eth_utils.crypto import keccak

from tokenx_chain.contracts.abi import Abi
from tokenx_chain.contracts.calls import Call, Log, Read

BASE_GAS: Final = 200_000
LEG_GAS: Final = 600_000
"""What the contract grants a leg until the owner sets something else; see Settlement.legGas."""
FILL_GAS: Final = 200_000
EXPECTED_FILL_GAS: Final = 650_000
"""What a fill uses at most where all our rules are bound and the buyer holds nothing yet, with room; see docs/contracts/gas.md."""
NO_LEG: Final = 2**256 - 1
CUSTODY_GAS: Final = 120_000

_LEG: Final = "Leg(uint8 kind,address asset,address from,address to,uint256 amount)"
_LEG_TYPE: Final = keccak(text=_LEG)
_FILL_TYPE: Final = keccak(text="Fill(bytes32 settlementId,uint64 expiresAt,Leg[] legs)" + _LEG)
_CUSTODY_TYPE: Final = keccak(text="Custody(address account,address custodian,uint256 nonce,uint64 expiresAt)")
_DOMAIN_TYPE: Final = keccak(text="EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)")
_NAME: Final = "Token-x Settlement"
_VERSION: Final = "1"

_TYPES: Final[dict[str, list[dict[str, str]]]] = {
    "EIP712Domain": [
        {"name": "name", "type": "string"}, {"name": "version", "type": "string"},
        {"name": "chainId", "type": "uint256"}, {"name": "verifyingContract", "type": "address"},
    ],
    "Leg": [
        {"name": "kind", "type": "uint8"}, {"name": "asset", "type": "address"}, {"name": "from", "type": "address"},
        {"name": "to", "type": "address"}, {"name": "amount", "type": "uint256"},
    ],
    "Fill": [
        {"name": "settlementId", "type": "bytes32"}, {"name": "expiresAt", "type": "uint64"}, {"name": "legs", "type": "Leg[]"},
    ],
}  # fmt: skip


def settlement_key(settlement_id: str) -> bytes:
    """The 32 bytes under which the contract remembers a settlement."""
    return keccak(text=settlement_id)


class LegKind(IntEnum):
    """What a leg is: a security, cash against it, or cash to a fee collector."""

    DELIVERY = 0
    PAYMENT = 1
    FEE = 2


class AssetKind(IntEnum):
    """What the owner has listed an asset as."""

    NONE = 0
    SECURITY = 1
    CASH = 2


class SettlementState(IntEnum):
    """What became of a settlement id."""

    OPEN = 0
    SETTLED = 1
    CANCELLED = 2


@dataclass(frozen=True)
class Leg:
    """One movement of a fill."""

    kind: LegKind
    asset: str
    sender: str
    receiver: str
    amount: int

    def as_struct(self) -> tuple[Any, ...]:
        return (int(self.kind), self.asset, self.sender, self.receiver, self.amount)


@dataclass(frozen=True)
class Domain:
    """The contract a signature is for: signatures hold for one contract on one chain."""

    chain_id: int
    contract: str

    def separator(self) -> bytes:
        types = ["bytes32", "bytes32", "bytes32", "uint256", "address"]
        return keccak(encode(types, [_DOMAIN_TYPE, keccak(text=_NAME), keccak(text=_VERSION), self.chain_id, self.contract]))  # fmt: skip

    def digest(self, content: bytes) -> bytes:
        """The EIP-712 digest of a struct hash."""
        return keccak(b"\x19\x01" + self.separator() + content)


@dataclass(frozen=True)
class Fill:
    """What is settled whole or not at all. expires_at in unix seconds."""

    settlement_id: str
    expires_at: int
    legs: tuple[Leg, ...]

    @property
    def key(self) -> bytes:
        return settlement_key(self.settlement_id)

    def digest(self, domain: Domain) -> bytes:
        """What the operator and the parties sign, and what a party approves on chain."""
        types = ["bytes32", "uint8", "address", "address", "address", "uint256"]
        legs = b"".join(keccak(encode(types, [_LEG_TYPE, *leg.as_struct()])) for leg in self.legs)
        content = [_FILL_TYPE, self.key, self.expires_at, keccak(legs)]
        return domain.digest(keccak(encode(["bytes32", "bytes32", "uint64", "bytes32"], content)))

    def typed_data(self, domain: Domain) -> dict[str, Any]:
        """The same as a wallet is asked for it (eth_signTypedData_v4), so that a party sees each leg."""
        legs = [{"kind": int(leg.kind), "asset": leg.asset, "from": leg.sender, "to": leg.receiver, "amount": leg.amount} for leg in self.legs]  # fmt: skip
        return {
            "types": _TYPES, "primaryType": "Fill",
            "domain": {"name": _NAME, "version": _VERSION, "chainId": domain.chain_id, "verifyingContract": domain.contract},
            "message": {"settlementId": "0x" + self.key.hex(), "expiresAt": self.expires_at, "legs": legs},
        }  # fmt: skip

    def as_struct(self) -> tuple[Any, ...]:
        return (self.key, self.expires_at, [leg.as_struct() for leg in self.legs])


@dataclass(frozen=True)
class Permit:
    """An ERC-2612 allowance for the settlement contract, handed in with a fill."""

    asset: str
    owner: str
    value: int
    deadline: int
    v: int
    r: bytes
    s: bytes

    def as_struct(self) -> tuple[Any, ...]:
        return (self.asset, self.owner, self.value, self.deadline, self.v, self.r, self.s)


@dataclass(frozen=True)
class SignedFill:
    """A fill with its signatures. consents: by position of the leg whose sender gives it; empty where none is needed."""

    fill: Fill
    operator: str
    operator_signature: bytes
    consents: tuple[bytes, ...] = ()
    permits: tuple[Permit, ...] = field(default=())

    def as_struct(self) -> tuple[Any, ...]:
        permits = [permit.as_struct() for permit in self.permits]
        return (self.fill.as_struct(), self.operator, self.operator_signature, list(self.consents), permits)


@dataclass(frozen=True)
class FillReport:
    """What became of one fill of a batch. reason: revert data, None when it settled; leg: the one at fault, if one was."""

    key: bytes
    reason: bytes | None
    leg: int | None = None


@dataclass(frozen=True)
class LegReport:
    """One leg that moved."""

    key: bytes
    index: int
    leg: Leg


def custody_digest(domain: Domain, *, account: str, custodian: str, nonce: int, expires_at: int) -> bytes:
    """What an account signs to name its custodian without sending a transaction."""
    types = ["bytes32", "address", "address", "uint256", "uint64"]
    return domain.digest(keccak(encode(types, [_CUSTODY_TYPE, account, custodian, nonce, expires_at])))


@dataclass(frozen=True)
class Settlement:
    """A submitter sends, an operator signs, everybody a leg takes from consents; the owner names and lists."""

    abi: Abi
    address: str

    def settle_batch(self, fills: Sequence[SignedFill], *, leg_gas: int = LEG_GAS, fill_gas: int = EXPECTED_FILL_GAS) -> Call:  # fmt: skip
        """Each fill for itself. The gas limit is fixed: what the contract must have left before a fill cannot be estimated.

        fill_gas: what a fill is expected to use; when all use more, the batch reverts as a whole and nothing is lost."""
        share = FILL_GAS + leg_gas * max((len(signed.fill.legs) for signed in fills), default=0)
        gas = BASE_GAS + fill_gas * len(fills) + share * 33 // 32
        return self.abi.call(self.address, "settleBatch", [signed.as_struct() for signed in fills], gas=gas)

    def settle_all(self, fills: Sequence[SignedFill]) -> Call:
        """All or none."""
        return self.abi.call(self.address, "settleAll", [signed.as_struct() for signed in fills])

    def cancel(self, settlement_id: str) -> Call:
        return self.abi.call(self.address, "cancel", settlement_key(settlement_id))

    def approve_fill(self, digest: bytes) -> Call:
        return self.abi.call(self.address, "approveFill", digest)

    def withdraw_consent(self, digest: bytes) -> Call:
        return self.abi.call(self.address, "withdrawConsent", digest)

    def set_custodian(self, custodian: str) -> Call:
        """Sent by the account itself."""
        return self.abi.call(self.address, "setCustodian", custodian, gas=CUSTODY_GAS)

    def set_custodian_by_signature(self, *, account: str, custodian: str, expires_at: int, signature: bytes) -> Call:
        return self.abi.call(self.address, "setCustodianBySignature", account, custodian, expires_at, signature)

    def set_operator(self, account: str, *, allowed: bool) -> Call:
        return self.abi.call(self.address, "setOperator", account, allowed, gas=150_000)

    def set_submitter(self, account: str, *, allowed: bool) -> Call:
        return self.abi.call(self.address, "setSubmitter", account, allowed, gas=150_000)

    def set_pauser(self, account: str, *, allowed: bool) -> Call:
        return self.abi.call(self.address, "setPauser", account, allowed, gas=150_000)

    def set_asset(self, asset: str, kind: AssetKind) -> Call:
        return self.abi.call(self.address, "setAsset", asset, int(kind), gas=150_000)

    def set_fee_collector(self, account: str, *, allowed: bool) -> Call:
        return self.abi.call(self.address, "setFeeCollector", account, allowed, gas=150_000)

    def set_max_fee_bps(self, bps: int) -> Call:
        return self.abi.call(self.address, "setMaxFeeBps", bps, gas=150_000)

    def state_of(self, settlement_id: str) -> Read[int]:
        """A SettlementState."""
        return self.abi.read(self.address, "stateOf", settlement_key(settlement_id), as_type=int)

    def is_operator(self, account: str) -> Read[bool]:
        return self.abi.read(self.address, "isOperator", account, as_type=bool)

    def is_submitter(self, account: str) -> Read[bool]:
        return self.abi.read(self.address, "isSubmitter", account, as_type=bool)

    def is_pauser(self, account: str) -> Read[bool]:
        return self.abi.read(self.address, "isPauser", account, as_type=bool)

    def is_fee_collector(self, account: str) -> Read[bool]:
        return self.abi.read(self.address, "isFeeCollector", account, as_type=bool)

    def custodian_of(self, account: str) -> Read[str]:
        return self.abi.read(self.address, "custodianOf", account, as_type=str)

    def asset_kind(self, asset: str) -> Read[int]:
        """An AssetKind."""
        return self.abi.read(self.address, "assetKind", asset, as_type=int)

    def custody_nonce(self, account: str) -> Read[int]:
        return self.abi.read(self.address, "custodyNonce", account, as_type=int)

    def fill_report(self, log: Log) -> FillReport | None:
        """What one log says about a fill, None when it is about something else."""
        if self._is(log, "FillSettled"):
            return FillReport(self.abi.event("FillSettled", log)["settlementId"], None)
        if not self._is(log, "FillFailed"):
            return None
        event = self.abi.event("FillFailed", log)
        return FillReport(event["settlementId"], event["data"], None if event["leg"] == NO_LEG else event["leg"])

    def leg_report(self, log: Log) -> LegReport | None:
        """What one log says about a leg, None when it is about something else."""
        if not self._is(log, "LegSettled"):
            return None
        event = self.abi.event("LegSettled", log)
        leg = Leg(LegKind(event["kind"]), event["asset"], event["from"], event["to"], event["amount"])
        return LegReport(event["settlementId"], event["leg"], leg)

    def fill_reports(self, logs: tuple[Log, ...]) -> list[FillReport]:
        """The reports among a transaction's logs, in order."""
        return [report for log in logs if (report := self.fill_report(log)) is not None]

    def leg_reports(self, logs: tuple[Log, ...]) -> list[LegReport]:
        return [report for log in logs if (report := self.leg_report(log)) is not None]

    def _is(self, log: Log, event: str) -> bool:
        return log.address == self.address and bool(log.topics) and log.topics[0] == self.abi.topic(event)
