"""Which operation a transaction belongs to, for the listener and the events."""

from typing import Any, NamedTuple


class Operation(NamedTuple):
    """An operation under way."""

    operation_id: str
    kind: str
    params: dict[str, Any]
    correlation_id: str


class OperationIndex:
    """Transactions of open operations by hash."""

    def __init__(self) -> None:
        self._by_hash: dict[str, Operation] = {}

    def add(self, tx_hash: str, operation: Operation) -> None:
        self._by_hash[tx_hash] = operation

    def rename(self, before: str, after: str) -> None:
        """The same transaction goes out under another hash as well."""
        operation = self._by_hash.get(before)
        if operation is not None:
            self._by_hash[after] = operation

    def by_transaction(self, tx_hash: str) -> Operation | None:
        return self._by_hash.get(tx_hash)

    def forget(self, tx_hashes: list[str]) -> None:
        for tx_hash in tx_hashes:
            self._by_hash.pop(tx_hash, None)
