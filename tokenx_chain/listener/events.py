"""From contract logs to events of the stream."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from tokenx_chain.contracts.abi import Abi
from tokenx_chain.contracts.artifacts import Artifacts
from tokenx_chain.contracts.calls import Log
from tokenx_chain.contracts.errors import decode_revert
from tokenx_chain.contracts.settlement import Leg, LegKind, Settlement, settlement_key
from tokenx_chain.journal import Record
from tokenx_chain.networks.evm import Block
from tokenx_chain.operations.index import OperationIndex
from tokenx_chain.registry import ContractRegistry
from tokenx_common.clock import rfc3339
from tokenx_common.events import Event, SettlementFailedPayload, SettlementFinalPayload, TransferPayload

SETTLED_ALREADY: Final = "settlement.already_settled"


class LogReader:
    """Knows the watched contracts and what their logs mean."""

    def __init__(self, artifacts: Artifacts, registry: ContractRegistry, operations: OperationIndex) -> None:
        self._artifacts = artifacts
        self._registry = registry
        self._operations = operations
        coin: Abi = artifacts.abi("TestUSD")
        self._settlement_abi: Abi = artifacts.abi("Settlement")
        self._coin = coin
        self._transfer = coin.topic("Transfer")

    @property
    def topics(self) -> list[str]:
        """First topics worth asking for."""
        settlement = (self._settlement_abi.topic(name) for name in ("LegSettled", "FillSettled", "FillFailed"))
        return ["0x" + topic.hex() for topic in (self._transfer, *settlement)]

    @property
    def addresses(self) -> list[str]:
        """Contracts worth asking about."""
        return self._registry.watched()

    def seen(self, block: Block, log: Log) -> Record | None:
        """The event for a log in a block that may still go away; None when only its final form matters."""
        return self._transfer_event("transfer.seen", block, log)

    def final(self, block: Block, log: Log, beside: Sequence[Log]) -> Record | None:
        """The event for a log that can no longer change. beside: all logs of its block, in order."""
        return self._transfer_event("transfer.final", block, log) or self._settlement_event(block, log, beside)

    def _transfer_event(self, kind: str, block: Block, log: Log) -> Record | None:
        name = self._registry.coin_name(log.address)
        if name is None or log.topics[0] != self._transfer:
            return None
        event = self._coin.event("Transfer", log)
        payload = {"token": log.address, "token_name": name, "from": event["from"], "to": event["to"], "amount": str(event["value"])}  # fmt: skip
        return self._event(kind, block, log, TransferPayload.model_validate(payload))

    def _settlement_event(self, block: Block, log: Log, beside: Sequence[Log]) -> Record | None:
        address = self._registry.address("Settlement")
        if address is None:
            return None
        settlement = Settlement(self._settlement_abi, address)
        report = settlement.fill_report(log)
        if report is None:
            return None
        names = {"settlement_id": self._settlement_id(report.key, log), "operation_id": self._operation_id(log)}
        if report.reason is None:
            legs = settlement.leg_reports(tuple(other for other in beside if other.tx_hash == log.tx_hash))
            moved = names | _settled([leg.leg for leg in legs if leg.key == report.key])
            return self._event("settlement.final", block, log, SettlementFinalPayload.model_validate(moved))
        refusal = decode_revert(report.reason, self._artifacts.custom_errors)
        if refusal.code == SETTLED_ALREADY:
            return None  # the first report of this settlement stands
        payload = SettlementFailedPayload(**names, reason=refusal.code, leg=report.leg)
        return self._event("settlement.failed", block, log, payload)

    def _operation_id(self, log: Log) -> str:
        operation = self._operations.by_transaction(log.tx_hash)
        return operation.operation_id if operation else ""

    def _settlement_id(self, key: bytes, log: Log) -> str:
        """The text id behind the hash on chain, from the operation that sent it; the hash itself when we did not send it."""
        operation = self._operations.by_transaction(log.tx_hash)
        fills: list[dict[str, Any]] = operation.params.get("fills", []) if operation else []
        known: dict[bytes, str] = {settlement_key(fill["settlement_id"]): str(fill["settlement_id"]) for fill in fills}
        return known.get(key, "0x" + key.hex())

    def _event(self, kind: str, block: Block, log: Log, payload: Event) -> Record:
        operation = self._operations.by_transaction(log.tx_hash)
        return {
            "event_id": f"{kind}:{block.hash}:{log.log_index}",
            "type": kind,
            "occurred_at": rfc3339(datetime.fromtimestamp(block.timestamp, UTC)),
            "correlation_id": operation.correlation_id if operation else "",
            "block_number": block.number,
            "block_hash": block.hash,
            "tx_hash": log.tx_hash,
            "log_index": log.log_index,
            "payload": payload.model_dump(mode="json", by_alias=True),
        }


def _settled(legs: Sequence[Leg]) -> dict[str, Any]:
    """What moved: each leg, and for readers of two, the first delivery and the first payment. The contract settles no fill without either."""
    delivery = next(leg for leg in legs if leg.kind is LegKind.DELIVERY)
    payment = next(leg for leg in legs if leg.kind is LegKind.PAYMENT)
    moved = [{"kind": leg.kind.name.lower(), "asset": leg.asset, "from": leg.sender, "to": leg.receiver, "amount": str(leg.amount)} for leg in legs]  # fmt: skip
    return {"token": delivery.asset, "seller": delivery.sender, "buyer": delivery.receiver, "units": str(delivery.amount),
            "cash_amount": str(payment.amount), "legs": moved}  # fmt: skip


def again(seen: Record, times: int) -> Record:
    """The same transfer seen once more in a block that was taken back `times` times and has returned: another event, so another id."""
    return seen if not times else {**seen, "event_id": f"{seen['event_id']}:{times + 1}"}


def safe(block: Block, *, from_block: int, times: int) -> Record:
    """All blocks up to `block` are safe, from `from_block` on for the first time; `times`: how often a transfer among them has been taken back before."""
    kind = "blocks.safe"
    return {
        "event_id": f"{kind}:{block.hash}:{from_block}" + (f":{times + 1}" if times else ""),
        "type": kind,
        "occurred_at": rfc3339(datetime.fromtimestamp(block.timestamp, UTC)),
        "correlation_id": "",
        "block_number": block.number,
        "block_hash": block.hash,
        "tx_hash": None,
        "log_index": None,
        "payload": {"from_block": from_block, "to_block": block.number, "block_hash": block.hash},
    }


def reverted(seen: Record) -> Record:
    """The event that takes a seen transfer back."""
    kind = "transfer.reverted"
    return {**{key: value for key, value in seen.items() if key != "seq"}, "type": kind,
            "event_id": seen["event_id"].replace(seen["type"], kind, 1)}  # fmt: skip
