"""From contract logs to events of the stream."""

from datetime import UTC, datetime
from typing import Any, Final

from tokenx_chain.contracts.abi import Abi
from tokenx_chain.contracts.artifacts import Artifacts
from tokenx_chain.contracts.calls import Log
from tokenx_chain.contracts.errors import decode_revert
from tokenx_chain.contracts.settlement import settlement_key
from tokenx_chain.journal import Record
from tokenx_chain.networks.evm import Block
from tokenx_chain.operations.index import OperationIndex
from tokenx_chain.registry import ContractRegistry
from tokenx_common.clock import rfc3339

SETTLED_ALREADY: Final = "settlement.already_settled"


class LogReader:
    """Knows the watched contracts and what their logs mean."""

    def __init__(self, artifacts: Artifacts, registry: ContractRegistry, operations: OperationIndex) -> None:
        self._artifacts = artifacts
        self._registry = registry
        self._operations = operations
        coin: Abi = artifacts.abi("TestUSD")
        settlement: Abi = artifacts.abi("Settlement")
        self._settlement = settlement
        self._coin = coin
        self._transfer = coin.topic("Transfer")
        self._settled = settlement.topic("FillSettled")
        self._failed = settlement.topic("FillFailed")

    @property
    def topics(self) -> list[str]:
        """First topics worth asking for."""
        return ["0x" + topic.hex() for topic in (self._transfer, self._settled, self._failed)]

    @property
    def addresses(self) -> list[str]:
        """Contracts worth asking about."""
        return self._registry.watched()

    def seen(self, block: Block, log: Log) -> Record | None:
        """The event for a log in a block that may still go away; None when only its final form matters."""
        return self._transfer_event("transfer.seen", block, log)

    def final(self, block: Block, log: Log) -> Record | None:
        """The event for a log that can no longer change."""
        return self._transfer_event("transfer.final", block, log) or self._settlement_event(block, log)

    def _transfer_event(self, kind: str, block: Block, log: Log) -> Record | None:
        name = self._registry.coin_name(log.address)
        if name is None or log.topics[0] != self._transfer:
            return None
        event = self._coin.event("Transfer", log)
        payload = {"token": log.address, "token_name": name, "from": event["from"], "to": event["to"], "amount": str(event["value"])}  # fmt: skip
        return self._event(kind, block, log, payload)

    def _settlement_event(self, block: Block, log: Log) -> Record | None:
        if log.address != self._registry.address("Settlement"):
            return None
        if log.topics[0] == self._settled:
            event = self._settlement.event("FillSettled", log)
            return self._event("settlement.final", block, log, self._settled_payload(event, log))
        event = self._settlement.event("FillFailed", log)
        refusal = decode_revert(event["reason"], self._artifacts.custom_errors)
        if refusal.code == SETTLED_ALREADY:
            return None  # the first report of this settlement stands
        payload = {"settlement_id": self._settlement_id(event, log), "reason": refusal.code, "operation_id": self._operation_id(log)}  # fmt: skip
        return self._event("settlement.failed", block, log, payload)

    def _settled_payload(self, event: dict[str, Any], log: Log) -> dict[str, Any]:
        return {"settlement_id": self._settlement_id(event, log), "token": event["token"], "seller": event["seller"],
                "buyer": event["buyer"], "units": str(event["units"]), "cash_amount": str(event["cashAmount"]),
                "operation_id": self._operation_id(log)}  # fmt: skip

    def _operation_id(self, log: Log) -> str:
        operation = self._operations.by_transaction(log.tx_hash)
        return operation.operation_id if operation else ""

    def _settlement_id(self, event: dict[str, Any], log: Log) -> str:
        """The text id behind the hash on chain, from the operation that sent it; the hash itself when we did not send it."""
        operation = self._operations.by_transaction(log.tx_hash)
        fills: list[dict[str, Any]] = operation.params.get("fills", []) if operation else []
        known: dict[bytes, str] = {settlement_key(fill["settlement_id"]): str(fill["settlement_id"]) for fill in fills}
        key: bytes = event["settlementId"]
        return known.get(key, "0x" + key.hex())

    def _event(self, kind: str, block: Block, log: Log, payload: dict[str, Any]) -> Record:
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
            "payload": payload,
        }


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
