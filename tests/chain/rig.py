"""Sender and tracker in this process, on a real node behind fault proxies, with the journal in memory: fast enough for thousands of steps."""

import asyncio
import itertools
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import httpx

from tests.chain.fault_proxy import FaultProxy, Faults
from tests.chain.harness import SEED
from tests.chain.journal_stand_in import JournalState, Row
from tests.support.seed_signer import SeedSigner
from tokenx_chain.contracts.calls import Call
from tokenx_chain.contracts.errors import Refusal, decode_revert
from tokenx_chain.journal import JournaledTransaction, Record, Unsigned, sign_job
from tokenx_chain.networks.base import Network
from tokenx_chain.networks.catalog import NETWORKS
from tokenx_chain.networks.evm import EvmNode, Receipt
from tokenx_chain.networks.rpc import Rpc, RpcError, RpcUnavailable
from tokenx_chain.policy.gate import Gate
from tokenx_chain.signers.base import Signer
from tokenx_chain.transactions.codec import unsigned_of
from tokenx_chain.transactions.replacer import Replacer
from tokenx_chain.transactions.sender import Intent, Senders
from tokenx_chain.transactions.tracker import Tracked, Tracker
from tokenx_cli.runtime import ports
from tokenx_common.clock import monotonic_s

DEPTH = 2
PATIENCE_S = 30.0
COUNTER = "0x" + "c0" * 20
"""Counts calls by the first word of their data, and lets them repeat."""
ONCE = "0x" + "c1" * 20
"""The same, but reverts on a repeat."""
REVERTS = "0x" + "c2" * 20
"""Always reverts with Error("wallet is frozen")."""
CODE = {
    COUNTER: "0x6000358054600101905500",
    ONCE: "0x600035805415600d57600080fd5b6001905500",
}
_FROZEN = (
    bytes.fromhex("08c379a0")
    + (32).to_bytes(32, "big")
    + (16).to_bytes(32, "big")
    + b"wallet is frozen".ljust(32, b"\0")
)
FAST = replace(NETWORKS[31337], block_time_s=0.2, receipt_poll_s=0.02, bump_after_s=1.5)
_numbers = itertools.count(1)


def reverting_code() -> str:
    """Runtime code that reverts with the text: copies its own tail to memory and reverts with it."""
    size = len(_FROZEN)
    head = bytes.fromhex(f"60{size:02x}600c60003960{size:02x}6000fd")
    return "0x" + (head + _FROZEN).hex()


class MemoryJournal:
    """Stands where the journal stands; `state` outlives the objects that write to it, as the api does a killed process."""

    def __init__(self, state: JournalState) -> None:
        self.state = state
        self.before: Callable[[Sequence[Record]], Awaitable[None]] | None = None
        """May wait or raise before anything is durable."""

    async def write(self, records: Sequence[Record]) -> None:
        if self.before:
            await self.before(records)
        await asyncio.sleep(0)
        for record in records:
            self.state.write({**record})


@dataclass
class Rig:
    """One life of the chain service's sending half."""

    url: str
    proxies: list[FaultProxy]
    network: Network
    node: EvmNode
    rpc: Rpc
    signer: Signer
    journal: MemoryJournal
    tracker: Tracker
    senders: Senders
    key: str
    tasks: list[asyncio.Task[None]] = field(default_factory=list[asyncio.Task[None]])

    @property
    def state(self) -> JournalState:
        return self.journal.state

    @property
    def faults(self) -> Faults:
        return self.proxies[0].faults

    async def address(self) -> str:
        return await self.signer.address(self.key)

    def intent(self, to: str | None = COUNTER, *, number: int | None = None, value: int = 0, gas: int = 80_000, safe_to_rebind: bool = False,
               data: bytes | None = None) -> Intent:  # fmt: skip
        """An intent whose executions the counter contract counts under its number."""
        operation_id = self.state.request("test", {"number": number or next(_numbers)})
        number = int(self.state.operations[operation_id]["params"]["number"])
        return Intent(operation_id, "send", Call(to, number.to_bytes(32, "big") if data is None else data, gas, value), gas, safe_to_rebind=safe_to_rebind)  # fmt: skip

    def number(self, intent: Intent) -> int:
        return self.state.operations[intent.operation_id]["params"]["number"]

    async def send(self, *intents: Intent, key: str | None = None) -> list[asyncio.Future[JournaledTransaction]]:
        """Hand intents to the sender."""
        sender = await self.senders.of(key or self.key)
        return [sender.enqueue(intent) for intent in intents]

    async def final(self, *intents: Intent) -> list[Receipt]:
        """Send and wait for finality."""
        futures = await self.send(*intents)
        entries = await asyncio.wait_for(asyncio.gather(*futures), PATIENCE_S)
        return await asyncio.wait_for(asyncio.gather(*(self.tracker.final(entry) for entry in entries)), PATIENCE_S)

    async def executions(self, intent: Intent, contract: str = COUNTER) -> int:
        """How often the chain has executed it."""
        return int(await self.ask("eth_getStorageAt", contract, hex(self.number(intent)), "latest"), 16)

    async def ask(self, method: str, *params: Any) -> Any:
        """Straight to the node, past the proxies."""
        return await ask(self.url, method, *params)

    async def mine(self, count: int = 1) -> None:
        for _ in range(count):
            async with _moving:
                await self.ask("evm_mine")

    async def reorganise(self, depth: int = 1) -> None:
        """Replace the last blocks by empty ones. Not while a block is being made: the node would then take back more than it was told."""
        async with _moving:
            await self.ask("anvil_reorg", depth, [])

    def row(self, intent: Intent) -> Row:
        """The journal's row of an intent."""
        return self.state.transactions[intent.tx_id]

    def states(self, intent: Intent) -> list[str]:
        """What it went through."""
        return [state for tx_id, state, _ in self.state.history if tx_id == intent.tx_id]

    def reasons(self, intent: Intent) -> list[str]:
        return [reason for tx_id, _, reason in self.state.history if tx_id == intent.tx_id and reason]

    async def until(self, condition: Callable[[], bool], what: str, *, patience_s: float = PATIENCE_S) -> None:
        started = monotonic_s()
        while not condition():
            for task in self.tasks:
                if task.done():
                    task.result()
            assert monotonic_s() - started < patience_s, f"waited for {what}"
            await asyncio.sleep(0.02)

    async def nonce_gaps(self) -> int:
        """Mined nonces that no attempt of ours has: a key of its own starts at 0."""
        address = await self.address()
        used = {
            attempt["nonce"]
            for row in self.state.transactions.values()
            if row["from_address"] == address
            for attempt in row["attempts"]
        }
        mined = int(await self.ask("eth_getTransactionCount", address, "latest"), 16)
        return len(set(range(mined)) - used)


_moving = asyncio.Lock()
"""Blocks are made and taken back one at a time."""


@cache
def _http() -> httpx.AsyncClient:
    """One for the whole run, which has one event loop: making a client costs more than asking."""
    return httpx.AsyncClient(timeout=30)


async def ask(url: str, method: str, *params: Any) -> Any:
    answer = (await _http().post(url, json={"jsonrpc": "2.0", "id": 1, "method": method, "params": params})).json()
    assert "error" not in answer, (method, answer["error"])
    return answer["result"]


@asynccontextmanager
async def rig(url: str, *, state: JournalState | None = None, network: Network = FAST, endpoints: int = 1, key: str | None = None, signer: Signer | None = None,
              gate: Gate | None = None, mining: bool = True, timeout_s: float = 10.0, funded_wei: int | None = 10**20) -> AsyncGenerator[Rig]:  # fmt: skip
    """A rig with a key of its own. state and key of an earlier one: the life after a crash."""
    async with AsyncExitStack() as stack:
        proxies = [FaultProxy(url, ports.free_port()) for _ in range(endpoints)]
        for proxy in proxies:
            proxy.start()
            stack.callback(proxy.stop)
        rpc = Rpc([proxy.url for proxy in proxies], timeout_s=timeout_s)
        stack.push_async_callback(rpc.close)
        node, signer = EvmNode(network, rpc), signer or SeedSigner(SEED)
        journal = MemoryJournal(state or JournalState())
        used: Any = journal  # stands in for the real one: it is only ever written to
        key = key or f"test:{next(_numbers)}-{ports.free_port()}"
        for address, code in {**CODE, REVERTS: reverting_code()}.items():
            await ask(url, "anvil_setCode", address, code)
        if funded_wei is not None:
            await ask(url, "anvil_setBalance", await signer.address(key), hex(funded_wei))
        tracker = Tracker(node, used, replacer=Replacer(node, signer, used, lambda _before, _after: None), explain=_explainer(node))  # fmt: skip
        tasks = _Tasks()
        group: Any = tasks  # stands in for a task group: only create_task is used
        stack.push_async_callback(tasks.stop)
        senders = Senders(
            node=node,
            signer=signer,
            journal=used,
            tracker=tracker,
            tasks=group,
            journaled_nonces=_nonces(journal.state),
            gate=gate,
        )
        made = Rig(url, proxies, network, node, rpc, signer, journal, tracker, senders, key, tasks.running)
        tasks.create_task(tracker.run())
        tasks.create_task(_follow(node, tracker))
        if mining:
            tasks.create_task(_mine(url))
        found = journal.state.unsigned()
        await senders.take_up(Unsigned(tuple(sign_job(row, network.chain_id) for row in found["jobs"]), ()))
        for row in journal.state.transactions.values():
            if row["nonce"] is not None and row["state"] not in ("final", "reverted", "cancelled"):
                tracker.adopt(journaled(row))
        yield made


def journaled(row: Row) -> JournaledTransaction:
    """A row of the journal as the service reads it after a restart."""
    from tokenx_chain.journal import _transaction  # pyright: ignore[reportPrivateUsage]  # the very function the service uses

    return _transaction(row["operation_id"], row)


def _nonces(state: JournalState) -> dict[str, int]:
    highest: dict[str, int] = {}
    for row in state.transactions.values():
        for attempt in row["attempts"]:
            highest[row["from_address"]] = max(attempt["nonce"], highest.get(row["from_address"], -1))
    for job in state.sign_jobs.values():
        if job["state"] == "open":
            highest[job["from_address"]] = max(job["nonce"], highest.get(job["from_address"], -1))
    return highest


class _Tasks:
    """As much of a task group as is needed, stopped like a crash: nothing is waited for."""

    def __init__(self) -> None:
        self.running: list[asyncio.Task[None]] = []

    def create_task(self, coro: Any, *, name: str | None = None, context: Any = None) -> asyncio.Task[None]:
        task: asyncio.Task[None] = asyncio.get_running_loop().create_task(coro, name=name, context=context)
        self.running.append(task)
        return task

    async def stop(self) -> None:
        for task in self.running:
            task.cancel()
        await asyncio.gather(*self.running, return_exceptions=True)


async def _mine(url: str) -> None:
    while True:
        await asyncio.sleep(0.1)
        async with _moving:
            await ask(url, "evm_mine")


async def _follow(node: EvmNode, tracker: Tracker) -> None:
    """As much of the listener as the tracker needs: what became final, what was taken back. A final block that changes ends it, as it halts the real one."""
    known: dict[int, str] = {}
    final: dict[int, str] = {}
    while True:
        await asyncio.sleep(0.05)
        try:
            head = await node.head()
            numbers = range(max(0, head.number - 8), head.number + 1)
            blocks = [block for block in await node.blocks(numbers) if block is not None]
        except (RpcUnavailable, RpcError):
            continue
        broken = [block.number for block in blocks if final.get(block.number, block.hash) != block.hash]
        assert not broken, f"the node took back final blocks {broken}: nothing can be promised on it"
        changed = [block.number for block in blocks if known.get(block.number, block.hash) != block.hash]
        shrunk = [number for number in known if number > head.number]
        known = {block.number: block.hash for block in blocks}
        try:
            if changed or shrunk:
                await tracker.take_back(min([*changed, *shrunk]) - 1)
            await tracker.finalize(head.number - DEPTH)
            final = {block.number: block.hash for block in blocks if block.number <= head.number - DEPTH}
        except (RpcUnavailable, RpcError):
            continue


def _explainer(node: EvmNode) -> Callable[[Tracked, Receipt], Awaitable[Refusal]]:
    async def explain(tracked: Tracked, receipt: Receipt) -> Refusal:
        fields = unsigned_of(tracked.active.raw)
        try:
            await node.simulate(
                Call(fields.to, fields.data, value=fields.value),
                sender=tracked.entry.from_address,
                at=receipt.block_number,
            )
        except RpcError as error:
            return decode_revert(bytes.fromhex((error.data or "0x")[2:]), {})
        return Refusal("contract.reverted", "no reason")

    return explain
