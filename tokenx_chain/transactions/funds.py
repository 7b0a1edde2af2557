"""Who counts on which coins: operations that looked at a balance and have not spent their part of it yet."""

from collections import defaultdict


class Promises:
    """Wei per address that operations under way rely on. In memory: after a restart each operation looks at the balances anew."""

    def __init__(self) -> None:
        self._by_address: dict[str, dict[str, int]] = defaultdict(dict)

    def promise(self, address: str, operation_id: str, wei: int) -> int:
        """Count on `wei` of an address, the most of what the operation ever asked for; returns what all others count on."""
        mine = self._by_address[address]
        mine[operation_id] = max(wei, mine.get(operation_id, 0))
        return sum(mine.values()) - mine[operation_id]

    def release(self, operation_id: str) -> None:
        """The operation has spent what it needed: its transactions are mined."""
        for promised in self._by_address.values():
            promised.pop(operation_id, None)
