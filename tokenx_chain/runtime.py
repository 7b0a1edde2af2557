"""One chain at work: lease, journal, listener, transactions, operations. Started by the app, one per chain id."""

import asyncio
from typing import Any, Final

from fastapi import Request

from tokenx_chain.chain import Chain
from tokenx_chain.contracts.artifacts import Artifacts
from tokenx_chain.contracts.errors import Refusal
from tokenx_chain.journal import Journal
from tokenx_chain.listener.events import LogReader
from tokenx_chain.listener.follower import Follower
from tokenx_chain.listener.publisher import Publisher
from tokenx_chain.monitor import Monitor
from tokenx_chain.networks.base import Network
from tokenx_chain.networks.evm import EvmNode, Receipt
from tokenx_chain.networks.rpc import Rpc, RpcError, RpcUnavailable
from tokenx_chain.operations.gas import USUAL_GAS
from tokenx_chain.operations.index import OperationIndex
from tokenx_chain.operations.keys import ATS_SUBMITTER, PLATFORM
from tokenx_chain.operations.runner import Runner
from tokenx_chain.policy.defaults import DEFAULT_RULES
from tokenx_chain.policy.gate import Gate
from tokenx_chain.registry import ContractRegistry
from tokenx_chain.settings import EndpointSettings
from tokenx_chain.signers.base import Signer
from tokenx_chain.signers.errors import SignerError
from tokenx_chain.transactions.desk import TransactionDesk
from tokenx_chain.transactions.replacer import Replacer
from tokenx_chain.transactions.sender import Senders
from tokenx_chain.transactions.tracker import Tracked, Tracker
from tokenx_common.bus import Bus
from tokenx_common.clock import rfc3339
from tokenx_common.errors import DependencyUnavailable, NotFound
from tokenx_common.http import ServiceClient
from tokenx_common.lease import Lease
from tokenx_common.log import get_logger
from tokenx_common.stream import beat

log = get_logger(__name__)

HEARTBEAT_S: Final = 1.0
RETRY_S: Final = 0.5
_DEV_WEI: Final = 10**24
_DEV_ENOUGH_WEI: Final = 10**21


class ChainRuntime:
    """Owns everything about one chain. `run` works until cancelled."""

    def __init__(self, network: Network, reach: EndpointSettings, *, api: ServiceClient, bus: Bus, signer: Signer, artifacts: Artifacts,
                 backend: str = "local", most_open: int = 1000) -> None:  # fmt: skip
        self._most_open = most_open
        self._backend = backend
        self._rpc = Rpc(reach.urls, private_urls=reach.private_urls, rate_per_s=reach.rate_per_s, burst=reach.burst)
        self._bus = bus
        self._lease = Lease(api, f"chain:{network.chain_id}")
        self._journal = Journal(api, self._lease, network.chain_id)
        self._index = OperationIndex()
        self.chain = Chain(network, EvmNode(network, self._rpc), artifacts, ContractRegistry(), signer)
        self.publisher = Publisher(self._journal, bus)
        replacer = Replacer(self.chain.node, signer, self._journal, self._index.rename)
        self.tracker = self._tracker = Tracker(
            self.chain.node, self._journal, replacer=replacer, explain=self._why_reverted
        )
        reader = LogReader(artifacts, self.chain.registry, self._index)
        self.follower = Follower(self.chain.node, reader, self.publisher, on_final=self._tracker.finalize, on_reorg=self._tracker.take_back)  # fmt: skip
        self._runner: Runner | None = None
        self._desk: TransactionDesk | None = None
        self._gate: Gate | None = None

    @property
    def runner(self) -> Runner:
        """The operations. Raises DependencyUnavailable until the lease is held and the journal read."""
        if self._runner is None:
            raise DependencyUnavailable(
                f"chain {self.chain.network.chain_id} is starting: waiting for the lease, the api or the node"
            )
        return self._runner

    @property
    def desk(self) -> TransactionDesk:
        """Transactions one by one. Raises as runner."""
        _ = self.runner
        assert self._desk is not None, "made before the runner is shown"
        return self._desk

    async def run(self) -> None:
        """Work for ever. Runs as a task that its owner cancels; gives the lease back on the way out."""
        await self._lease.acquire()
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._lease.keep(), name="lease")
                await self._start(tasks)
        finally:
            self._runner = None
            if self._lease.epoch:
                await self._lease.release()
            await self._rpc.close()

    async def _start(self, tasks: asyncio.TaskGroup) -> None:
        """Everything durable first, then the chain: what is known decides what is done."""
        await self.chain.registry.load(self._journal)
        self.chain.book.load(await self._journal.key_switches())
        self.follower.restore(await self.publisher.load())
        await self._node_is_right()
        gate = self._gate = await self._make_gate()
        senders = Senders(node=self.chain.node, signer=self.chain.signer, journal=self._journal, tracker=self._tracker, tasks=tasks,
                          journaled_nonces=await self._journal.nonces(), gate=gate, current=self.chain.key)  # fmt: skip
        runner = Runner(self.chain, journal=self._journal, publisher=self.publisher, senders=senders, tracker=self._tracker,
                        index=self._index, tasks=tasks)  # fmt: skip
        self._desk = TransactionDesk(
            self.chain, journal=self._journal, senders=senders, tracker=self._tracker, gate=gate, open_calls=runner.open_calls,
            most_open=self._most_open,
        )  # fmt: skip
        await senders.take_up(await self._journal.unsigned())
        runner.resume(await self._journal.open_operations())
        tasks.create_task(self._tracker.run(), name="tracker")
        tasks.create_task(self.follower.run(), name="follower")
        tasks.create_task(beat(self._bus, self.publisher.heads, every_s=HEARTBEAT_S), name="heartbeat")
        tasks.create_task(self._monitor(gate, self._desk).run(), name="monitor")
        tasks.create_task(self._watch_policy(), name="policy")
        self._runner = runner
        log.info(
            "chain.started", chain_id=self.chain.network.chain_id, epoch=self._lease.epoch, head_seq=self.publisher.head
        )

    async def _why_reverted(self, tracked: Tracked, receipt: Receipt) -> Refusal:
        return await self.chain.why_reverted(tracked.active.raw, sender=tracked.entry.from_address, at=receipt.block_number)  # fmt: skip

    async def _make_gate(self) -> Gate:
        """The rules an operator has set, else the built-in ones."""
        policy = await self._journal.policy()
        rules = DEFAULT_RULES if policy.rules is None else policy.rules
        return Gate(rules, self.chain.registry, used=policy.used, approvals=self._journal.approvals, version=policy.version)  # fmt: skip

    @property
    def gate(self) -> Gate:
        """What decides before every signature. Raises as runner."""
        _ = self.runner
        assert self._gate is not None, "made before the runner is shown"
        return self._gate

    @property
    def journal(self) -> Journal:
        """What is durable about this chain. Raises as runner."""
        _ = self.runner
        return self._journal

    async def reload_policy(self) -> int:
        """Take over the rules as they are now; their version. Raises DependencyUnavailable as runner."""
        policy = await self._journal.policy()
        self.gate.replace(DEFAULT_RULES if policy.rules is None else policy.rules, policy.version)
        log.info("policy.reloaded", chain_id=self.chain.network.chain_id, version=policy.version)
        return policy.version

    async def _watch_policy(self) -> None:
        """Should the call that tells of a change be lost, the next answer of the journal tells."""
        while True:
            await self._journal.answered.wait()
            self._journal.answered.clear()
            if self._runner is not None and self._journal.policy_version != self.gate.version:
                await self.reload_policy()

    def _monitor(self, gate: Gate, desk: TransactionDesk) -> Monitor:
        return Monitor(
            self.chain.network.chain_id, desk=desk, journal=self._journal, endpoints=self._rpc.endpoints, status=self.status,
            backend=self._backend, block_time_s=self.chain.network.block_time_s, event_seq=lambda: self.publisher.head,
            policy_version=lambda: gate.version,
        )  # fmt: skip

    async def _node_is_right(self) -> None:
        """Waits for an endpoint that serves the chain it is configured for: a signature for another chain must never leave."""
        wanted = self.chain.network.chain_id
        while True:
            try:
                found = await self.chain.node.chain_id()
                if found == wanted:
                    return await self._see_to_gas()
                log.error("chain.wrong_node", wanted=wanted, found=found)
            except (RpcUnavailable, RpcError) as error:
                log.warning("chain.node_away", chain_id=wanted, reason=str(error))
            except SignerError as error:
                log.warning("chain.signer_away", chain_id=wanted, code=error.code, reason=error.detail)
            await asyncio.sleep(RETRY_S)

    async def _see_to_gas(self) -> None:
        """On the development chain coins are made out of nothing. Anywhere else someone must fund the platform's address."""
        if self.chain.network.is_dev:
            # Also who sends them, so that no batch of settlements has to wait for a top-up.
            for key_ref in (PLATFORM, ATS_SUBMITTER):
                address = await self.chain.address(key_ref)
                if await self.chain.node.balance(address) < _DEV_ENOUGH_WEI:
                    await self.chain.node.conjure(address, _DEV_WEI)
        elif await self._gas_is_low():
            address = await self.chain.address(PLATFORM)
            log.warning("platform.needs_gas", chain_id=self.chain.network.chain_id, address=address, coin=self.chain.network.coin)  # fmt: skip

    async def _gas_is_low(self) -> bool:
        head = await self.chain.node.head()
        price = 2 * head.base_fee + self.chain.network.min_tip_wei
        return await self.chain.node.balance(await self.chain.address(PLATFORM)) < USUAL_GAS * price

    async def probe_node(self) -> str:
        """Health: raises when the chain cannot be acted on."""
        if self.follower.halted:
            raise RpcUnavailable(f"halted: {self.follower.halted}")
        head = await self.chain.node.head()
        return f"block {head.number}, final {self.follower.finalized_number}"

    async def probe_lease(self) -> str:
        """Health: raises until this instance works."""
        return f"epoch {self._lease.epoch}, {self.runner.running} operations under way"

    async def probe_gas(self) -> str:
        """Health: raises when the platform cannot pay for a transaction."""
        address = await self.chain.address(PLATFORM)
        if await self._gas_is_low():
            raise RpcUnavailable(f"{address} needs {self.chain.network.coin} for gas")
        return address

    def status(self) -> dict[str, Any]:
        """What GET /v1/chains/{id}/status answers, and what is written to chain.monitoring."""
        head = self.follower.head
        return {
            "chain_id": self.chain.network.chain_id,
            "name": self.chain.network.name,
            "status": self._state(),
            "head_number": head.number if head else 0,
            "head_hash": head.hash if head else "",
            "finalized_number": max(0, self.follower.finalized_number),
            "observed_at": rfc3339(self.follower.observed_at) if self.follower.observed_at else None,
            "detail": {"endpoints": self._rpc.report(), "listener": self.follower.report(), **(self._desk.report() if self._desk else {})},
        }  # fmt: skip

    def _state(self) -> str:
        """halted: until a person has looked. down: not at work yet. degraded: at work, but not all of it moves; `detail` says what does not."""
        if self.follower.halted:
            return "halted"
        if self.follower.head is None or self._runner is None:
            return "down"
        is_paused = self._desk is not None and bool(self._desk.report()["senders_paused"])
        return "degraded" if is_paused else self.follower.condition


def runtime_of(request: Request, chain_id: int) -> ChainRuntime:
    """The runtime of a chain this service serves. Raises NotFound 'chain.not_found'."""
    runtimes: dict[int, ChainRuntime] = request.app.state.runtimes
    if chain_id not in runtimes:
        raise NotFound("chain")
    return runtimes[chain_id]
