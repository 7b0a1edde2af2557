"""A chain on a local node, endpoints with habits before it, and a listener that the test drives look by look."""

import asyncio
from collections.abc import AsyncGenerator, Generator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tests.chain.journal_stand_in import JournalState, Row
from tests.networks.habit_proxy import HabitProxy, Habits, habit_proxy
from tests.support.servers import scratch_folder
from tokenx_chain.contracts.artifacts import Artifacts
from tokenx_chain.journal import Record, StreamHead
from tokenx_chain.listener.events import LogReader
from tokenx_chain.listener.follower import Follower
from tokenx_chain.listener.publisher import Publisher
from tokenx_chain.networks.base import FinalityRule, Network
from tokenx_chain.networks.catalog import NETWORKS
from tokenx_chain.networks.evm import EvmNode
from tokenx_chain.networks.rpc import Rpc
from tokenx_chain.operations.index import OperationIndex
from tokenx_chain.registry import ContractRegistry
from tokenx_cli.runtime import foreground, ports
from tokenx_cli.runtime.anvil import CHAIN_ID, Anvil
from tokenx_cli.runtime.probes import chain_probe

ROOT = Path(__file__).resolve().parents[2]
EMITTER = "0x" + "e1" * 20
"""Stands for a coin: its first argument says how many Transfers to emit, its second the amount of the first; each next one is one more."""
DEV = "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266"
"""anvil's first account, which it signs for."""
TRANSFER = "ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"
LOCAL = NETWORKS[31337]


def emitter_code() -> str:
    """Runtime code: for n, v = arguments; while n: Transfer(caller, caller, v); n -= 1; v += 1."""
    body = "80600052" + "3333" + "7f" + TRANSFER + "60206000a3" + "600101" + "90600190039060" + "06" + "56"
    loop = "5b8115" + f"60{6 + 6 + len(body) // 2:02x}57"
    return "0x" + "600035602035" + loop + body + "5b00"


class StateJournal:
    """The part of Journal a publisher uses, on the journal stand-in's rules."""

    epoch = 0

    def __init__(self, state: JournalState, chain_id: int = CHAIN_ID) -> None:
        self.state = state
        self.resource = f"chain:{chain_id}"

    async def stream_head(self) -> StreamHead:
        return StreamHead(len(self.state.events), **self.state.checkpoint)

    async def events_after(self, seq: int, limit: int = 1000) -> list[Record]:
        return self.state.events[seq : seq + limit]

    async def append_events(self, *, prev_seq: int, checkpoint: tuple[int, str], items: list[Record]) -> None:
        place = {"block_number": checkpoint[0], "block_hash": checkpoint[1]}
        self.state.append({"epoch": 0, "prev_seq": prev_seq, "checkpoint": place, "items": items})


class SilentBus:
    """A bell nobody hears."""

    async def publish(self, channel: str, message: str) -> bool:
        return False


@dataclass
class World:
    """One life of a listener. `state` outlives it."""

    target: str
    network: Network
    proxies: list[HabitProxy]
    rpc: Rpc
    node: EvmNode
    state: JournalState
    publisher: Publisher
    follower: Follower
    reorgs: list[int] = field(default_factory=list[int])

    @property
    def habits(self) -> Habits:
        """Of the first endpoint."""
        return self.proxies[0].habits

    async def ask(self, method: str, *params: Any) -> Any:
        return await self.proxies[0].ask(method, *params)

    async def emit(self, count: int = 1, first: int = 1) -> str:
        """Mine a block with one transaction of `count` transfers; its hash."""
        tx_hash: str = await self.ask("eth_sendTransaction", emission(count, first))
        for _ in range(40):
            if await self.ask("eth_getTransactionReceipt", tx_hash) is not None:
                return tx_hash
            await asyncio.sleep(0.01)
        await self.mine()  # the node sometimes leaves a transaction lying after a reorganisation (foundry #10122)
        assert await self.ask("eth_getTransactionReceipt", tx_hash) is not None, "the node did not mine it"
        return tx_hash

    async def mine(self, blocks: int = 1) -> None:
        await self.ask("anvil_mine", hex(blocks))

    async def reorg(self, depth: int, *again: tuple[Row, int]) -> None:
        """Replace the last blocks by empty ones, or with these transactions at these offsets."""
        await self.ask("anvil_reorg", depth, [list(pair) for pair in again])

    async def look(self, times: int = 1) -> None:
        for _ in range(times):
            await self.follower.look()

    def kinds(self, tx_hash: str | None = None) -> list[str]:
        """Types of the published events, without 'transfer.', in order."""
        return [row["type"].removeprefix("transfer.") for row in self.state.events if tx_hash in (None, row["tx_hash"])]

    async def chain_logs(self, upto: int) -> list[tuple[str, int]]:
        """What the node holds, up to a block: (block hash, log index) in order."""
        entries = await self.ask("eth_getLogs", {"fromBlock": "0x0", "toBlock": hex(upto), "address": EMITTER})
        return [(entry["blockHash"], int(entry["logIndex"], 16)) for entry in entries]

    def finals(self) -> list[tuple[str, int]]:
        return [(row["block_hash"], row["log_index"]) for row in self.state.of_type("transfer.final")]


def emission(count: int = 1, first: int = 1) -> Row:
    """The transaction that emits."""
    return {
        "from": DEV,
        "to": EMITTER,
        "gas": "0xb71b00",
        "data": "0x" + count.to_bytes(32, "big").hex() + first.to_bytes(32, "big").hex(),
    }


def with_depth(depth: int) -> Network:
    """The local chain, final at a depth."""
    return replace(LOCAL, finality=FinalityRule("depth", depth))


@contextmanager
def node_of(network: Network, *, slots_in_epoch: int = 1) -> Generator[str]:
    """A node of its own with the network's chain id; a block for each transaction. finalized: 2 * slots below the head, safe: 1 * slots."""
    with scratch_folder("anvil") as folder:
        node = Anvil(folder, ports.free_port(), None)
        spec = node.spec()
        command = [str(network.chain_id) if part == str(CHAIN_ID) else part for part in spec.command]
        command[command.index("--slots-in-an-epoch") + 1] = str(slots_in_epoch)
        own = replace(spec, command=tuple(command), probe=chain_probe(node.url, network.chain_id))
        with foreground.run(own, folder / "anvil.log"):
            yield node.url


@asynccontextmanager
async def world(target: str, *, network: Network = LOCAL, habits: list[Habits] | None = None, state: JournalState | None = None, bus: Any = None,
                journal: Any = None) -> AsyncGenerator[World]:  # fmt: skip
    """A listener on the node at `target`. state of an earlier one: the life after a crash."""
    async with AsyncExitStack() as stack:
        proxies = [await stack.enter_async_context(habit_proxy(target, one)) for one in habits or [Habits()]]
        rpc = Rpc([proxy.url for proxy in proxies])
        stack.push_async_callback(rpc.close)
        node = EvmNode(network, rpc)
        await proxies[0].ask("anvil_setCode", EMITTER, emitter_code())
        registry = ContractRegistry()
        registry.add("StableCoin", EMITTER, {})
        state = state or JournalState()
        stand_ins: Any = (journal or StateJournal(state, network.chain_id), bus or SilentBus())
        publisher = Publisher(*stand_ins)
        reorgs: list[int] = []

        async def on_final(_number: int) -> None:
            pass

        async def on_reorg(above: int) -> None:
            reorgs.append(above)

        reader = LogReader(Artifacts(ROOT / "contracts"), registry, OperationIndex())
        follower = Follower(node, reader, publisher, on_final=on_final, on_reorg=on_reorg)
        follower.restore(await publisher.load())
        yield World(target, network, proxies, rpc, node, state, publisher, follower, reorgs)
