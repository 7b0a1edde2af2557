"""Where the logs of a run of blocks come from: by block hash near the tip, by range far below it; and no answer is believed that the header's bloom contradicts."""

from collections.abc import Sequence
from typing import Final

from tokenx_chain.contracts.calls import Log
from tokenx_chain.networks import rules
from tokenx_chain.networks.evm import Block, EvmNode, PlacedLog
from tokenx_chain.networks.rpc import Endpoint, RpcError, RpcUnavailable
from tokenx_common.log import get_logger

log = get_logger(__name__)

STEP: Final = 64
"""Blocks taken at once near the tip."""
BY_HASH: Final = 32
"""Log questions by block hash in one request."""

Logs = dict[str, list[Log]]


class LogSource:
    """Remembers how large a range each of this chain's endpoints answers: see LogWindow in networks/rules.py."""

    def __init__(self, node: EvmNode) -> None:
        self._node = node
        self._start = rules.LogWindow.start(node.network.logs)
        self._windows: dict[str, rules.LogWindow] = {}
        self.contradictions = 0
        """Blocks whose bloom promised more than the first answer told."""

    def reach(self, *, tip: int, final: int) -> int:
        """How many blocks to take next. More than STEP only while everything taken is final already."""
        return max(STEP, min(self.window(self._node.endpoints[0]).size, final - tip))

    def window(self, endpoint: Endpoint) -> rules.LogWindow:
        """How many blocks an endpoint is asked for at once."""
        return self._windows.get(endpoint.url, self._start)

    async def of(self, chain: Sequence[Block], *, final: int, addresses: Sequence[str], topics: Sequence[str]) -> Logs | None:  # fmt: skip
        """Logs by block hash; blocks without any are left out. None: a block went away between the two questions."""
        full = [block for block in chain if not block.is_empty]
        if not full or not addresses:
            return {}
        is_deep = len(chain) > STEP and chain[-1].number <= final
        found = await (self._by_range if is_deep else self._by_hash)(full, addresses, topics)
        if found is not None:
            for block in full:
                await self._look_behind(block, found, addresses, topics)
        return found

    async def _by_hash(self, full: Sequence[Block], addresses: Sequence[str], topics: Sequence[str]) -> Logs | None:
        found: Logs = {}
        for start in range(0, len(full), BY_HASH):
            asked = full[start : start + BY_HASH]
            answers = await self._node.logs([block.hash for block in asked], addresses=addresses, topics=topics)
            for block, entries in zip(asked, answers, strict=True):
                if entries is None:
                    return None
                found[block.hash] = entries
        return found

    async def _by_range(self, full: Sequence[Block], addresses: Sequence[str], topics: Sequence[str]) -> Logs | None:
        hashes = {block.number: block.hash for block in full}
        found: Logs = {}
        first, end = full[0].number, full[-1].number
        while first <= end:
            placed, last = await self._some(first, end, addresses, topics)
            for entry in placed:
                if hashes.get(entry.block_number) != entry.block_hash:
                    return None  # the endpoint is on another fork than the one that told the headers
                found.setdefault(entry.block_hash, []).append(entry.log)
            first = last + 1
        return found

    async def _some(self, first: int, end: int, addresses: Sequence[str], topics: Sequence[str]) -> tuple[list[PlacedLog], int]:  # fmt: skip
        """Logs from a block on, as far as the best endpoint that answers goes in one question, and the last block of that. Raises what the last one raised."""
        problem: RpcError | RpcUnavailable = RpcUnavailable("no endpoint")
        for endpoint in self._node.endpoints:
            size = self.window(endpoint).size
            while size:
                last = min(end, first + size - 1)
                try:
                    placed = await self._node.logs_between(first, last, addresses=addresses, topics=topics, of=endpoint)
                except (RpcError, RpcUnavailable) as error:
                    problem, size = error, self._shrink(endpoint, error, asked=last - first + 1)
                else:
                    if 2 * (last - first + 1) > size:  # an answer to a small question says nothing about large ones
                        self._windows[endpoint.url] = self.window(endpoint).answered()
                    return placed, last
        raise problem

    def _shrink(self, endpoint: Endpoint, error: RpcError | RpcUnavailable, *, asked: int) -> int:
        """How many blocks to ask this endpoint for now; 0: nothing smaller is left, or it does not answer at all, so that another has to be asked.

        Some providers answer a too large range as if they were asked too often, or not at all, and some in words nobody knows: those shrink too."""
        if asked == 1:
            return 0
        smaller = rules.LogWindow(self._start.rule, asked).refused(str(error))
        self._windows[endpoint.url] = smaller
        log.info("listener.range_refused", endpoint=endpoint.label, asked=asked, next=smaller.size, reason=str(error)[:200])  # fmt: skip
        return 0 if isinstance(error, RpcUnavailable) else smaller.size

    async def _look_behind(self, block: Block, found: Logs, addresses: Sequence[str], topics: Sequence[str]) -> None:
        """Ask again, and others, when the header promises logs of a contract of which nothing was told."""
        told = found.get(block.hash, [])
        if block.logs_bloom is None or not self._hides(block, told, addresses, topics):
            return
        self.contradictions += 1
        again = await self._node.logs_again(block.hash, addresses=addresses, topics=topics)
        if len(again) > len(told):
            log.warning(
                "listener.logs_were_missing", number=block.number, hash=block.hash, told=len(told), found=len(again)
            )
            found[block.hash] = again

    def _hides(self, block: Block, told: Sequence[Log], addresses: Sequence[str], topics: Sequence[str]) -> bool:
        named = frozenset(entry.address for entry in told)
        return bool(rules.hidden_contracts(block.logs_bloom or 0, addresses=addresses, topics=topics, told=named))
