"""One scenario for every public network: a node with its chain id behind endpoints with its habits, the listener and the signed bytes as in production."""

import asyncio
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from tests.networks.habit_proxy import NO_HASH, Habits, habits_of
from tests.networks.world import EMITTER, World, node_of, world
from tests.support.seed_signer import SeedSigner
from tokenx_chain.listener.follower import ChainHalted
from tokenx_chain.networks import rules
from tokenx_chain.networks.base import Network
from tokenx_chain.networks.catalog import NETWORKS
from tokenx_chain.networks.rpc import RpcError, RpcUnavailable
from tokenx_chain.signers.base import UnsignedTransaction

pytestmark = pytest.mark.stack

PUBLIC = [network for network in NETWORKS.values() if not network.is_dev]
GWEI = 10**9
GAS = 200_000
L1_FEE = 123_456_789
KEY = "test:conformance"


@pytest.fixture(scope="module", params=PUBLIC, ids=lambda network: network.name)
def network(request: pytest.FixtureRequest) -> Network:
    found: Network = request.param
    return found


@pytest.fixture(scope="module")
def node_url(network: Network) -> Iterator[str]:
    with node_of(network) as url:
        yield url


class Sender:
    """Signs for one network and hands the bytes to the endpoint."""

    def __init__(self, w: World, key: str) -> None:
        self._world = w
        self._signer = SeedSigner(b"5eed" * 16)
        self._key = key

    async def fund(self) -> None:
        await self._world.ask("anvil_setBalance", await self._signer.address(self._key), hex(10**24))

    async def nonce(self) -> int:
        return await self._world.node.nonce(await self._signer.address(self._key))

    async def signed(
        self, *, nonce: int, value: int = 0, tip: int | None = None, chain_id: int | None = None
    ) -> tuple[str, bytes]:
        """Hash and bytes of one emission."""
        network = self._world.network
        tip = rules.offered_tip(network, suggested=0) if tip is None else tip
        data = (1).to_bytes(32, "big") + nonce.to_bytes(32, "big")
        price = 20 * GWEI + tip
        unsigned = UnsignedTransaction(chain_id or network.chain_id, nonce, EMITTER, value, data, GAS, price, tip)
        done = await self._signer.sign_transaction(self._key, unsigned)
        return done.tx_hash, done.raw

    async def send(self, **fields: int) -> str:
        """Send one and wait until it is mined; its hash. Raises RpcError when the endpoint refuses."""
        tx_hash, raw = await self.signed(nonce=await self.nonce(), **fields)
        await self.hand_over(raw)
        async with asyncio.timeout(20):
            while (await self._world.node.receipts([tx_hash]))[0] is None:
                await asyncio.sleep(0.01)
        return tx_hash

    async def hand_over(self, raw: bytes) -> None:
        """Raises what the endpoint says against the bytes."""
        for told in await self._world.node.send_raw([raw]):
            if told:
                raise told[0]


@asynccontextmanager
async def place(
    network: Network, url: str, habits: Sequence[Habits] | None = None
) -> AsyncGenerator[tuple[World, Sender]]:
    """A listener that has looked once, and a funded sender."""
    async with world(url, network=network, habits=list(habits or [habits_of(network)])) as w:
        await w.mine(3)
        await w.look()
        sender = Sender(w, f"{KEY}:{network.name}")
        await sender.fund()
        yield w, sender


def blocks_to_final(network: Network) -> int:
    """Blocks that must stand on one before it is final here: the node's tag stands two below its head."""
    return 2 if network.finality.kind == "tag" else network.finality.depth


async def test_node_is_asked_for_its_chain_and_refuses_bytes_for_another(network: Network, node_url: str) -> None:
    async with place(network, node_url) as (w, sender):
        assert await w.node.chain_id() == network.chain_id
        _, foreign = await sender.signed(nonce=await sender.nonce(), chain_id=network.chain_id + 1)
        with pytest.raises(RpcError, match=r"(?i)chain"):
            await sender.hand_over(foreign)


async def test_transfer_is_seen_at_once_and_final_when_the_rule_says(network: Network, node_url: str) -> None:
    async with place(network, node_url) as (w, sender):
        tx_hash = await sender.send()
        wait = blocks_to_final(network)
        for _ in range(wait):
            await w.look()
            assert w.kinds(tx_hash) == ["seen"]
            await w.mine()
        await w.look()
        assert w.kinds(tx_hash) == ["seen", "final"]
        assert (w.follower.safe_number is not None) == network.finality.has_safe
        assert w.follower.condition == "ok"


async def test_reorganisation_before_finality_is_undone_and_after_it_halts(network: Network, node_url: str) -> None:
    async with place(network, node_url) as (w, sender):
        wait = blocks_to_final(network)
        if wait:
            lost = await sender.send()
            await w.look()
            await w.reorg(1)
            await w.look()
            assert w.kinds(lost) == ["seen", "reverted"]
        kept = await sender.send()
        await w.mine(wait)
        await w.look()
        assert w.kinds(kept)[-1] == "final"
        told = len(w.state.events)
        await w.reorg(wait + 1)
        with pytest.raises(ChainHalted):
            await w.look()
        assert len(w.state.events) == told


async def test_endpoint_that_lags_delays_finality_and_nothing_else(network: Network, node_url: str) -> None:
    slow = replace(habits_of(network), lag=3)
    async with place(network, node_url, [habits_of(network), slow]) as (w, sender):
        slow.lag = 0
        await w.look()
        slow.lag = 3
        tx_hash = await sender.send()
        for _ in range(4):
            w.rpc.endpoints.reverse()
            await w.look()
        assert (w.reorgs, w.kinds(tx_hash)) == ([], ["seen"])
        await w.mine(blocks_to_final(network) + 3)
        await w.look(2)
        assert (w.reorgs, w.kinds(tx_hash)) == ([], ["seen", "final"])
        assert w.follower.condition == "ok"


async def test_long_gap_is_filled_within_the_range_the_provider_allows(network: Network, node_url: str) -> None:
    habits = habits_of(network)
    habits.range_limit = min(habits.range_limit or 150, 150)
    async with place(network, node_url, [habits]) as (w, sender):
        sent: list[str] = []
        for _ in range(3):
            sent.append(await sender.send())
            await w.mine(300)
        await w.look()
        assert [row["tx_hash"] for row in w.state.of_type("transfer.final")] == sent
        refused = [asked for asked in habits.ranges if asked > 150]
        assert refused
        assert max(habits.ranges) <= (network.logs.limit or network.logs.most)


async def test_finality_that_stands_still_degrades_the_chain_and_settles_nothing(
    network: Network, node_url: str
) -> None:
    """T32 where finality is a tag; elsewhere the final block cannot fall behind."""
    async with place(network, node_url) as (w, sender):
        if network.finality.stalled_after is None:
            await w.mine(100)
            await w.look()
            assert w.follower.condition == "ok"
            assert w.follower.head is not None
            assert w.follower.head.number - w.follower.finalized_number == network.finality.depth
            return
        w.habits.finality_at = w.follower.finalized_number
        tx_hash = await sender.send()
        await w.mine(network.finality.stalled_after)
        await w.look()
        assert (w.kinds(tx_hash), w.follower.condition) == (["seen"], "degraded")
        w.habits.finality_at = None
        await w.look()
        assert (w.kinds(tx_hash), w.follower.condition) == (["seen", "final"], "ok")


async def test_fees_and_amounts_are_what_the_pool_takes(network: Network, node_url: str) -> None:
    async with place(network, node_url) as (_, sender):
        if floor := habits_of(network).tip_floor:
            with pytest.raises(RpcError, match="underpriced"):
                await sender.send(tip=floor - 1)
        if network.value_unit_wei > 1:
            with pytest.raises(RpcError, match="tinybar"):
                await sender.send(value=1)
            assert not rules.is_payable(network, 1)
        await sender.send(value=rules.rounded_up(network, 1))


async def test_future_nonce_is_lost_exactly_where_only_one_may_be_in_flight(network: Network, node_url: str) -> None:
    """T30."""
    async with place(network, node_url) as (w, sender):
        nonce = await sender.nonce()
        ahead_hash, ahead = await sender.signed(nonce=nonce + 1)
        await sender.hand_over(ahead)
        await sender.send()
        if network.in_flight == 1:
            await w.mine()
            assert (await w.node.receipts([ahead_hash, NO_HASH])) == [None, None]
            await sender.hand_over(ahead)  # the same bytes again, in their turn
        async with asyncio.timeout(20):
            while await sender.nonce() < nonce + 2:
                await w.mine()
        (receipt,) = await w.node.receipts([ahead_hash])
        assert receipt is not None


async def test_first_layer_and_operator_fee_are_told_where_there_is_one(network: Network, node_url: str) -> None:
    """T31: what must be in the balance on top of gas."""
    async with place(network, node_url) as (w, _):
        if network.l1_oracle is None:
            assert await w.node.l1_fee(b"\x01" * 100, gas=1000) == 0
            return
        await w.ask("anvil_setCode", network.l1_oracle, "0x")
        with pytest.raises(RpcUnavailable, match="another chain"):
            await w.node.l1_fee(b"", gas=1000)
        await w.ask("anvil_setCode", network.l1_oracle, oracle_code(has_operator=True))
        assert await w.node.l1_fee(b"\x01" * 100, gas=1000) == L1_FEE + 3 * 1000
        await w.ask("anvil_setCode", network.l1_oracle, oracle_code(has_operator=False))
        assert await w.node.l1_fee(b"\x01" * 100, gas=1000) == L1_FEE


def oracle_code(*, has_operator: bool) -> str:
    """A GasPriceOracle stand-in: getL1Fee is L1_FEE, getOperatorFee(gas) is 3 * gas; without it, as before Isthmus, it reverts."""
    head = bytes.fromhex("60003560e01c" "80" "6349948e0e" "14" "60") + b"\x00" + bytes.fromhex("57")  # fmt: skip
    operator = bytes.fromhex("63275aedd2" "14" "60") + b"\x00" + bytes.fromhex("57") if has_operator else b""  # fmt: skip
    revert = bytes.fromhex("60006000fd")
    first = bytes.fromhex("5b63") + L1_FEE.to_bytes(4, "big") + bytes.fromhex("60005260206000f3")
    second = bytes.fromhex("5b" "600435" "6003" "02" "60005260206000f3")  # fmt: skip
    at_first = len(head) + len(operator) + len(revert)
    head = head[:-2] + bytes([at_first]) + head[-1:]
    operator = operator[:-2] + bytes([at_first + len(first)]) + operator[-1:] if has_operator else b""
    return "0x" + (head + operator + revert + first + second).hex()
