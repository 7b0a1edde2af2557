"""One EVM chain seen through JSON-RPC: blocks, logs, receipts, calls, sending. Numbers are ints, hashes and addresses lower-case 0x-hex."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from tokenx_chain.contracts.calls import Call, Log, Read
from tokenx_chain.networks.base import Network
from tokenx_chain.networks.rpc import Rpc, RpcError, RpcUnavailable

Value = TypeVar("Value")


@dataclass(frozen=True)
class Block:
    """A block header. timestamp in unix seconds; base_fee in wei, 0 where the chain has none."""

    number: int
    hash: str
    parent_hash: str
    timestamp: int
    base_fee: int
    is_empty: bool


@dataclass(frozen=True)
class Receipt:
    """A mined transaction. ok False: it reverted."""

    tx_hash: str
    ok: bool
    block_number: int
    block_hash: str
    gas_used: int
    logs: tuple[Log, ...]


class EvmNode:
    """Reads and writes one chain. Raises RpcError for the node's refusals and RpcUnavailable when it does not answer."""

    def __init__(self, network: Network, rpc: Rpc) -> None:
        self.network = network
        self._rpc = rpc

    async def chain_id(self) -> int:
        return int(await self._rpc.call("eth_chainId"), 16)

    async def head(self) -> Block:
        """The latest block."""
        return _block(await self._rpc.call("eth_getBlockByNumber", "latest", False))

    async def finalized_number(self, head: Block) -> int:
        """The highest final block under the chain's rule, -1 when there is none yet."""
        rule = self.network.finality
        if rule.kind == "depth":
            return head.number - rule.depth
        answer = await self._rpc.call("eth_getBlockByNumber", "finalized", False)
        return -1 if answer is None else min(_block(answer).number, head.number)

    async def blocks(self, numbers: Sequence[int]) -> list[Block | None]:
        """Canonical headers by number; None where the node has no such block."""
        answers = await self._rpc.batch([("eth_getBlockByNumber", [hex(number), False]) for number in numbers])
        return [None if answer is None else _block(answer) for answer in _all_good(answers)]

    async def logs(self, block_hashes: Sequence[str], *, addresses: Sequence[str], topics: Sequence[str]) -> list[list[Log] | None]:  # fmt: skip
        """Logs per block of these contracts with one of these first topics. None: the node no longer knows the block."""
        asked: list[tuple[str, list[Any]]] = [
            ("eth_getLogs", [{"blockHash": block_hash, "address": list(addresses), "topics": [list(topics)]}])
            for block_hash in block_hashes
        ]
        answers = await self._rpc.batch(asked)
        return [None if isinstance(answer, RpcError) else [_log(entry) for entry in answer] for answer in answers]

    async def receipts(self, hashes: Sequence[str]) -> list[Receipt | None]:
        """Receipts in the order of the hashes; None: not mined as far as this node knows."""
        answers = await self._rpc.batch([("eth_getTransactionReceipt", [tx_hash]) for tx_hash in hashes])
        return [None if answer is None else _receipt(answer) for answer in _all_good(answers)]

    async def send_raw(self, raws: Sequence[bytes]) -> list[RpcError | None]:
        """Hand signed bytes to the node, in order. None: taken. An RpcUnavailable means: unknown, send the same bytes again."""
        answers = await self._rpc.batch([("eth_sendRawTransaction", ["0x" + raw.hex()]) for raw in raws])
        return [answer if isinstance(answer, RpcError) else None for answer in answers]

    async def nonce(self, address: str, at: str | int = "latest") -> int:
        """Transactions of this address mined up to a block."""
        return int(await self._rpc.call("eth_getTransactionCount", address, _tag(at)), 16)

    async def balance(self, address: str) -> int:
        """Coin balance in wei."""
        return int(await self._rpc.call("eth_getBalance", address, "latest"), 16)

    async def has_code(self, address: str) -> bool:
        return str(await self._rpc.call("eth_getCode", address, "latest")) not in ("0x", "0x0")

    async def read(self, read: Read[Value], at: str | int = "latest") -> Value:
        """eth_call and decode. Raises RpcError when the call reverts."""
        return (await self.read_all([read], at))[0]

    async def read_all(self, reads: Sequence[Read[Value]], at: str | int = "latest") -> list[Value]:
        """Several reads in one request. Raises the first RpcError."""
        answers = await self._rpc.batch(
            [("eth_call", [{"to": r.to, "data": "0x" + r.data.hex()}, _tag(at)]) for r in reads]
        )
        return [r.decode(_bytes(answer)) for r, answer in zip(reads, _all_good(answers), strict=True)]

    async def simulate(self, call: Call, *, sender: str, at: str | int = "latest") -> bytes:
        """Run the call without sending it. Raises RpcError with revert data when it would fail."""
        return _bytes(await self._rpc.call("eth_call", _request(call, sender), _tag(at)))

    async def estimate(self, call: Call, *, sender: str) -> int:
        """Gas the call needs now. Raises RpcError when it would revert."""
        return int(await self._rpc.call("eth_estimateGas", _request(call, sender)), 16)

    async def conjure(self, address: str, wei: int) -> None:
        """Give an address coins out of nothing; only a development chain can."""
        if not self.network.is_dev:
            raise RpcUnavailable(f"{self.network.name} does not hand out coins")
        await self._rpc.call("anvil_setBalance", address, hex(wei))

    async def empty_pool(self) -> None:
        """Throw away what waits in the development node's pool; whoever sent it has to send it again."""
        if self.network.is_dev:
            await self._rpc.call("anvil_dropAllTransactions")


def _tag(at: str | int) -> str:
    return hex(at) if isinstance(at, int) else at


def _request(call: Call, sender: str) -> dict[str, Any]:
    request: dict[str, Any] = {"from": sender, "data": "0x" + call.data.hex(), "value": hex(call.value)}
    return request if call.to is None else {**request, "to": call.to}


def _all_good(answers: list[Any]) -> list[Any]:
    for answer in answers:
        if isinstance(answer, RpcError):
            raise answer
    return answers


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))


def _block(answer: dict[str, Any]) -> Block:
    return Block(
        number=int(answer["number"], 16),
        hash=answer["hash"],
        parent_hash=answer["parentHash"],
        timestamp=int(answer["timestamp"], 16),
        base_fee=int(answer.get("baseFeePerGas") or "0x0", 16),
        is_empty=not answer["transactions"],
    )


def _log(entry: dict[str, Any]) -> Log:
    return Log(
        address=entry["address"].lower(),
        topics=tuple(_bytes(topic) for topic in entry["topics"]),
        data=_bytes(entry["data"]),
        log_index=int(entry["logIndex"], 16),
        tx_hash=entry["transactionHash"],
    )


def _receipt(answer: dict[str, Any]) -> Receipt:
    return Receipt(
        tx_hash=answer["transactionHash"],
        ok=answer["status"] == "0x1",
        block_number=int(answer["blockNumber"], 16),
        block_hash=answer["blockHash"],
        gas_used=int(answer["gasUsed"], 16),
        logs=tuple(_log(entry) for entry in answer["logs"]),
    )
