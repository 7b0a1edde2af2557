"""One EVM chain seen through JSON-RPC: blocks, logs, receipts, calls, sending. Numbers are ints, hashes and addresses lower-case 0x-hex."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Any, Final, Literal, TypeVar

from eth_abi.exceptions import DecodingError

from tokenx_chain.contracts.calls import Call, Log, Read
from tokenx_chain.networks import rules
from tokenx_chain.networks.base import Network
from tokenx_chain.networks.rpc import Endpoint, Rpc, RpcError, RpcUnavailable, UnexpectedAnswer

Value = TypeVar("Value")

HEADERS: Final = 64
"""Headers asked for in one request."""
_ENVELOPE: Final = b"\xff" * 128
"""Stands for the other fields of a transaction, at their longest; the oracle itself allows for the signature."""
_L1_FEE: Final = bytes.fromhex("49948e0e")
_OPERATOR_FEE: Final = bytes.fromhex("275aedd2")
"""GasPriceOracle: getL1Fee(bytes), and since Isthmus getOperatorFee(uint256). Source: specs.optimism.io, predeploys."""


@dataclass(frozen=True)
class Block:
    """A block header. timestamp in unix seconds; base_fee in wei, 0 where the chain has none; logs_bloom: the filter's bits, None where not told."""

    number: int
    hash: str
    parent_hash: str
    timestamp: int
    base_fee: int
    is_empty: bool
    logs_bloom: int | None = None


@dataclass(frozen=True)
class PlacedLog:
    """A log with the block it is in."""

    block_number: int
    block_hash: str
    log: Log


@dataclass(frozen=True)
class Receipt:
    """A mined transaction. ok False: it reverted."""

    tx_hash: str
    ok: bool
    block_number: int
    block_hash: str
    gas_used: int
    logs: tuple[Log, ...]
    gas_price: int = 0
    """What was paid per gas, in wei."""
    l1_fee: int | None = None
    """Paid on top for the first layer, in wei; None where there is none."""

    def same_place(self, other: "Receipt") -> bool:
        """Whether two nodes tell the same about it."""
        return (self.block_hash, self.ok) == (other.block_hash, other.ok)


@dataclass(frozen=True)
class Account:
    """An address as the next transaction finds it. balance in wei; nonce: transactions mined; suggested_tip: the node's, in wei per gas, 0 where it has none."""

    head: Block
    balance: int
    nonce: int
    suggested_tip: int = 0


class EvmNode:
    """Reads and writes one chain. Raises RpcError for the node's refusals and RpcUnavailable when it does not answer."""

    def __init__(self, network: Network, rpc: Rpc) -> None:
        self.network = network
        self._rpc = rpc

    @property
    def head_addresses(self) -> list[str]:
        """Where new heads may be told on a WebSocket, best first; empty where only polling is possible."""
        found = [rules.head_address(self.network, endpoint.url) for endpoint in self._rpc.endpoints]
        return [address for address in found if address is not None]

    async def chain_id(self) -> int:
        return _number(await self._rpc.call("eth_chainId"))

    async def head(self) -> Block:
        """The latest block."""
        return _block(await self._rpc.call("eth_getBlockByNumber", "latest", False))

    async def finalized_number(self, head: Block) -> int:
        """The highest final block under the chain's rule, -1 when there is none yet. Of two endpoints the one that is behind is followed,
        so that both can be asked about what is called final. Raises RpcUnavailable when only one of several answers."""
        rule = self.network.finality
        tagged = await self._lowest("finalized") if rule.kind == "tag" else None
        shared = await self._lowest("latest") if len(self._rpc.endpoints) > 1 else head.number
        return rules.final_height(rule, head=min(head.number, -1 if shared is None else shared), tagged=tagged)

    async def safe_number(self, head: Block) -> int | None:
        """The node's `safe` block, for people to look at; None where the chain has none."""
        if not self.network.finality.has_safe:
            return None
        tagged = await self._lowest("safe")
        return None if tagged is None else min(tagged, head.number)

    async def _lowest(self, tag: str) -> int | None:
        """The lower of what two endpoints have under a tag; None when one of them has nothing."""
        answers = [told[0] for told in await self._rpc.quorum([("eth_getBlockByNumber", [tag, False])])]
        blocks = [None if isinstance(answer, RpcError) or answer is None else _block(answer) for answer in answers]
        known = [block.number for block in blocks if block is not None]
        return min(known) if len(known) == len(blocks) else None

    async def named_hashes(self, number: int) -> list[str | None]:
        """What two endpoints (one where there is one) call the block at a height; None: that one has no such block yet."""
        answers = [told[0] for told in await self._rpc.quorum([("eth_getBlockByNumber", [hex(number), False])])]
        return [None if block is None else block.hash for block in self._headers(answers)]

    async def blocks(self, numbers: Sequence[int]) -> list[Block | None]:
        """Canonical headers by number; None where the node has no such block."""
        found: list[Block | None] = []
        for start in range(0, len(numbers), HEADERS):
            asked = numbers[start : start + HEADERS]
            found += self._headers(await self._rpc.batch([("eth_getBlockByNumber", [hex(number), False]) for number in asked]))  # fmt: skip
        return found

    def _headers(self, answers: Sequence[Any]) -> list[Block | None]:
        good = [None if self._is_not_yet(answer) else answer for answer in answers]
        return [None if answer is None else _block(answer) for answer in _all_good(good)]

    def _is_not_yet(self, answer: Any) -> bool:
        return isinstance(answer, RpcError) and rules.is_not_yet(self.network, answer.message)

    async def logs(self, block_hashes: Sequence[str], *, addresses: Sequence[str], topics: Sequence[str]) -> list[list[Log] | None]:  # fmt: skip
        """Logs per block of these contracts with one of these first topics. None: the node no longer knows the block."""
        answers = await self._rpc.batch([_log_question(block_hash, addresses, topics) for block_hash in block_hashes])
        good = [None if self._is_not_yet(answer) else answer for answer in answers]
        return [None if answer is None else _logs(answer) for answer in _all_good(good)]

    @property
    def endpoints(self) -> list[Endpoint]:
        """Those that may be asked, best first: each has its own limit to a range of logs."""
        return self._rpc.ranked()

    async def logs_between(self, first: int, last: int, *, addresses: Sequence[str], topics: Sequence[str], of: Endpoint) -> list[PlacedLog]:  # fmt: skip
        """One endpoint's logs of a range of blocks, both ends included: for what is final already. Raises RpcError when the range is too large."""
        question = {"fromBlock": hex(first), "toBlock": hex(last), "address": list(addresses), "topics": [list(topics)]}
        return _placed_logs(await self._rpc.call_at(of, "eth_getLogs", question))

    async def logs_again(self, block_hash: str, *, addresses: Sequence[str], topics: Sequence[str]) -> list[Log]:
        """The logs of a block whose first answer cannot be right: asked of two endpoints, and where both tell nothing, of the receipts.
        The fullest answer is taken; nodes leave out, they do not invent."""
        try:
            told = [answers[0] for answers in await self._rpc.quorum([_log_question(block_hash, addresses, topics)])]
        except RpcUnavailable:
            told = []  # the second endpoint is away; the receipts of the first still tell
        full: list[list[Any]] = [answer for answer in told if isinstance(answer, list)]
        return _logs(max(full, key=len) if full else []) or await self._receipt_logs(block_hash, addresses, topics)

    async def _receipt_logs(self, block_hash: str, addresses: Sequence[str], topics: Sequence[str]) -> list[Log]:
        """From eth_getBlockReceipts; nothing where the node does not have that method."""
        try:
            entries = _logs_of_receipts(await self._rpc.call("eth_getBlockReceipts", block_hash) or [])
        except RpcError:
            return []
        wanted = [entry for entry in entries if entry.topics and entry.address in addresses]
        return [entry for entry in wanted if "0x" + entry.topics[0].hex() in topics]

    async def receipts(self, hashes: Sequence[str]) -> list[Receipt | None]:
        """Receipts in the order of the hashes; None: not mined as far as this node knows."""
        return _receipts(await self._rpc.batch([("eth_getTransactionReceipt", [tx_hash]) for tx_hash in hashes]))

    async def agreed_receipts(self, hashes: Sequence[str]) -> list[Receipt | Literal["unsure"] | None]:
        """As receipts, but two nodes must tell the same where there are two: for what is acted on for ever. unsure: they do not."""
        requests: list[tuple[str, list[Any]]] = [("eth_getTransactionReceipt", [tx_hash]) for tx_hash in hashes]
        tellings = [_receipts(answers) for answers in await self._rpc.quorum(requests)]
        return [_agreed(told) for told in zip(*tellings, strict=True)]

    async def send_raw(self, raws: Sequence[bytes]) -> list[tuple[RpcError, ...]]:
        """Hand signed bytes to two nodes, in order. Empty: one took them; else what each said against it.
        An RpcUnavailable means: unknown, send the same bytes again."""
        return await self._rpc.broadcast(["0x" + raw.hex() for raw in raws])

    async def nonce(self, address: str, at: str | int = "latest") -> int:
        """Transactions of this address mined up to a block."""
        return _number(await self._rpc.call("eth_getTransactionCount", address, _tag(at)))

    async def balance(self, address: str) -> int:
        """Coin balance in wei."""
        return _number(await self._rpc.call("eth_getBalance", address, "latest"))

    async def account(self, address: str) -> Account:
        """Head, balance, nonce and, on a public chain, the tip that the node suggests, in one question."""
        asked: list[tuple[str, list[Any]]] = [
            ("eth_getBlockByNumber", ["latest", False]),
            ("eth_getBalance", [address, "latest"]),
            ("eth_getTransactionCount", [address, "latest"]),
        ]
        if not self.network.is_dev:  # where blocks are never full
            asked.append(("eth_maxPriorityFeePerGas", []))
        answers = await self._rpc.batch(asked)
        head, balance, nonce = _all_good(answers[:3])
        tip = next((answer for answer in answers[3:] if isinstance(answer, str)), "0x0")
        return Account(_block(head), _number(balance), _number(nonce), _number(tip))

    async def l1_fee(self, data: bytes, *, gas: int) -> int:
        """What comes on top of gas for a call with this data, in wei: the first layer's data fee and the operator's fee for `gas`. 0 where there is none."""
        if self.network.l1_oracle is None:
            return 0
        raw = data + _ENVELOPE
        padded = raw + bytes(-len(raw) % 32)
        questions = [_L1_FEE + (32).to_bytes(32, "big") + len(raw).to_bytes(32, "big") + padded]
        questions.append(_OPERATOR_FEE + gas.to_bytes(32, "big"))
        first_layer, *operators = await self._rpc.batch([("eth_call", [{"to": self.network.l1_oracle, "data": "0x" + data.hex()}, "latest"]) for data in questions])  # fmt: skip
        if first_layer == "0x":
            raise RpcUnavailable(f"no GasPriceOracle at {self.network.l1_oracle}: the endpoint serves another chain")
        # A chain before Isthmus reverts: it has no operator's fee.
        told = [answer for answer in operators if isinstance(answer, str) and answer != "0x"]
        return sum(_number(answer) for answer in (*_all_good([first_layer]), *told))

    async def has_code(self, address: str) -> bool:
        return str(await self._rpc.call("eth_getCode", address, "latest")) not in ("0x", "0x0")

    async def read(self, read: Read[Value], at: str | int = "latest") -> Value:
        """eth_call and decode. Raises RpcError when the call reverts, UnexpectedAnswer."""
        return (await self.read_all([read], at))[0]

    async def read_all(self, reads: Sequence[Read[Value]], at: str | int = "latest") -> list[Value]:
        """Several reads in one request. Raises the first RpcError, UnexpectedAnswer."""
        answers = await self._rpc.batch(
            [("eth_call", [{"to": r.to, "data": "0x" + r.data.hex()}, _tag(at)]) for r in reads]
        )
        return [_value(r, answer) for r, answer in zip(reads, _all_good(answers), strict=True)]

    async def simulate(self, call: Call, *, sender: str, at: str | int = "latest") -> bytes:
        """Run the call without sending it. Raises RpcError with revert data when it would fail."""
        return _bytes(await self._rpc.call("eth_call", _request(call, sender), _tag(at)))

    async def estimate(self, call: Call, *, sender: str) -> int:
        """Gas the call needs now. Raises RpcError when it would revert."""
        return _number(await self._rpc.call("eth_estimateGas", _request(call, sender)))

    async def conjure(self, address: str, wei: int) -> None:
        """Give an address coins out of nothing; only a development chain can."""
        if not self.network.is_dev:
            raise RpcUnavailable(f"{self.network.name} does not hand out coins")
        await self._rpc.call("anvil_setBalance", address, hex(wei))

    async def empty_pool(self) -> None:
        """Throw away what waits in the development node's pool; whoever sent it has to send it again."""
        if self.network.is_dev:
            await self._rpc.call("anvil_dropAllTransactions")


def _receipts(answers: list[Any]) -> list[Receipt | None]:
    return [None if answer is None else _receipt(answer) for answer in _all_good(answers)]


def _agreed(told: tuple[Receipt | None, ...]) -> Receipt | Literal["unsure"] | None:
    first = told[0]
    if all(one is None for one in told):
        return None
    return first if first is not None and all(one is not None and first.same_place(one) for one in told) else "unsure"


def _log_question(block_hash: str, addresses: Sequence[str], topics: Sequence[str]) -> tuple[str, list[Any]]:
    return "eth_getLogs", [{"blockHash": block_hash, "address": list(addresses), "topics": [list(topics)]}]


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


def _readable(read: Callable[[Any], Value]) -> Callable[[Any], Value]:
    """An answer in no known form says as little as none: RpcUnavailable, so that whoever asked waits and asks again."""

    @wraps(read)
    def checked(answer: Any) -> Value:
        try:
            return read(answer)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise RpcUnavailable(f"an answer that cannot be read: {type(error).__name__}: {error} in {str(answer)[:120]}") from error  # fmt: skip

    return checked


@_readable
def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))


@_readable
def _number(text: str) -> int:
    return int(text, 16)


def _value(read: Read[Value], answer: Any) -> Value:
    """What a contract answered. Raises UnexpectedAnswer."""
    told = _bytes(answer)
    try:
        return read.decode(told)
    except (DecodingError, ValueError) as error:
        raise UnexpectedAnswer(0, f"{read.to} does not answer as its interface says: {error}"[:200]) from error


@_readable
def _block(answer: dict[str, Any]) -> Block:
    return Block(
        number=int(answer["number"], 16),
        hash=answer["hash"],
        parent_hash=answer["parentHash"],
        timestamp=int(answer["timestamp"], 16),
        base_fee=int(answer.get("baseFeePerGas") or "0x0", 16),
        is_empty=not answer["transactions"],
        logs_bloom=int(answer["logsBloom"], 16) if answer.get("logsBloom") else None,
    )


@_readable
def _log(entry: dict[str, Any]) -> Log:
    return Log(
        address=entry["address"].lower(),
        topics=tuple(_bytes(topic) for topic in entry["topics"]),
        data=_bytes(entry["data"]),
        log_index=int(entry["logIndex"], 16),
        tx_hash=entry["transactionHash"],
    )


@_readable
def _logs(entries: list[Any]) -> list[Log]:
    return [_log(entry) for entry in entries]


@_readable
def _placed_logs(entries: list[Any]) -> list[PlacedLog]:
    return [PlacedLog(int(entry["blockNumber"], 16), entry["blockHash"], _log(entry)) for entry in entries]


@_readable
def _logs_of_receipts(receipts: list[Any]) -> list[Log]:
    return [_log(entry) for receipt in receipts for entry in receipt["logs"]]


@_readable
def _receipt(answer: dict[str, Any]) -> Receipt:
    return Receipt(
        tx_hash=answer["transactionHash"],
        ok=answer["status"] == "0x1",
        block_number=int(answer["blockNumber"], 16),
        block_hash=answer["blockHash"],
        gas_used=int(answer["gasUsed"], 16),
        logs=tuple(_log(entry) for entry in answer["logs"]),
        gas_price=int(answer.get("effectiveGasPrice") or "0x0", 16),
        l1_fee=int(answer["l1Fee"], 16) if answer.get("l1Fee") else None,
    )
