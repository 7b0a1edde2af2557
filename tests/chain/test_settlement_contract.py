"""Settlement.sol and TestUSD.sol alone on a node: who may settle what, and that a fill is whole or nothing."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.chain.harness import ROOT
from tests.support.servers import AnvilServer, anvil_server
from tokenx_chain.contracts.artifacts import Artifacts
from tokenx_chain.contracts.calls import Call
from tokenx_chain.contracts.errors import decode_revert
from tokenx_chain.contracts.settlement import BASE_GAS, Fill, Settlement
from tokenx_chain.contracts.stablecoin import StableCoin
from tokenx_chain.networks.catalog import NETWORKS
from tokenx_chain.networks.evm import EvmNode, Receipt
from tokenx_chain.networks.rpc import Rpc, RpcError

pytestmark = pytest.mark.stack

FOREVER = 2**40


@dataclass
class Bench:
    """Contracts driven from the node's unlocked accounts. `units` is a second coin standing in for the security token."""

    node: EvmNode
    rpc: Rpc
    artifacts: Artifacts
    owner: str
    operator: str
    seller: str
    buyer: str
    stranger: str
    cash: StableCoin
    units: StableCoin
    settlement: Settlement

    async def send(self, call: Call, sender: str) -> Receipt:
        request = {
            "from": sender,
            "data": "0x" + call.data.hex(),
            **({"to": call.to} if call.to else {}),
            **({"gas": hex(call.gas)} if call.gas else {}),
        }
        tx_hash = await self.rpc.call("eth_sendTransaction", request)
        return await _mined(self.node, tx_hash)

    async def refusal(self, call: Call, sender: str) -> str:
        with pytest.raises(RpcError) as caught:
            await self.node.simulate(call, sender=sender)
        return self.code(bytes.fromhex((caught.value.data or "0x").removeprefix("0x")))

    def code(self, reason: bytes) -> str:
        return decode_revert(reason, self.artifacts.custom_errors).code

    def fill(self, settlement_id: str = "set_1", **changes: Any) -> Fill:
        usual = {
            "token": self.units.address,
            "seller": self.seller,
            "buyer": self.buyer,
            "units": 10,
            "cash_amount": 500,
            "expires_at": FOREVER,
        }
        values: Any = usual | changes
        return Fill(settlement_id, **values)

    async def settle(self, *fills: Fill) -> list[str | None]:
        """Per fill: None when settled, else the reason's code."""
        receipt = await self.send(self.settlement.settle(list(fills)), self.operator)
        assert receipt.ok
        return [None if o.reason is None else self.code(o.reason) for o in self.settlement.outcomes(receipt.logs)]

    async def holdings(self) -> tuple[int, int, int, int]:
        """(seller units, buyer units, seller cash, buyer cash)."""
        reads = [coin.balance(who) for coin in (self.units, self.cash) for who in (self.seller, self.buyer)]
        found = await self.node.read_all(reads)
        return (found[0], found[1], found[2], found[3])


async def _create(rpc: Rpc, node: EvmNode, artifacts: Artifacts, sender: str, name: str, *args: object) -> str:
    call = artifacts[name].deployment(*args)
    tx_hash = await rpc.call(
        "eth_sendTransaction", {"from": sender, "data": "0x" + call.data.hex(), "gas": hex(call.gas or 0)}
    )
    assert (await _mined(node, tx_hash)).ok
    return (await rpc.call("eth_getTransactionReceipt", tx_hash))["contractAddress"].lower()


async def _mined(node: EvmNode, tx_hash: str) -> Receipt:
    """The node mines a moment after it has answered."""
    while (receipt := (await node.receipts([tx_hash]))[0]) is None:
        await asyncio.sleep(0.005)
    return receipt


@pytest.fixture(scope="module")
def automine() -> Iterator[AnvilServer]:
    with anvil_server(None) as server:
        yield server


@pytest.fixture
async def bench(automine: AnvilServer) -> AsyncIterator[Bench]:
    rpc, artifacts = Rpc([automine.url]), Artifacts(ROOT / "contracts")
    node = EvmNode(NETWORKS[31337], rpc)
    owner, operator, seller, buyer, stranger = [a.lower() for a in (await rpc.call("eth_accounts"))[:5]]
    coins = [
        StableCoin(artifacts.abi("TestUSD"), await _create(rpc, node, artifacts, owner, "TestUSD", owner))
        for _ in range(2)
    ]
    address = await _create(rpc, node, artifacts, owner, "Settlement", owner, coins[0].address)
    b = Bench(
        node,
        rpc,
        artifacts,
        owner,
        operator,
        seller,
        buyer,
        stranger,
        coins[0],
        coins[1],
        Settlement(artifacts.abi("Settlement"), address),
    )
    await b.send(b.settlement.set_operator(operator, allowed=True), owner)
    await b.send(b.settlement.set_listed(b.units.address, listed=True), owner)
    await b.send(b.cash.mint(to=buyer, amount=10_000), owner)
    await b.send(b.units.mint(to=seller, amount=100), owner)
    await b.send(b.cash.approve(spender=address, amount=10_000), buyer)
    await b.send(b.units.approve(spender=address, amount=100), seller)
    yield b
    await rpc.close()


async def test_fill_moves_both_legs(bench: Bench) -> None:
    assert await bench.settle(bench.fill()) == [None]
    assert await bench.holdings() == (90, 10, 500, 9_500)


async def test_one_bad_fill_does_not_hold_up_the_batch(bench: Bench) -> None:
    outcomes = await bench.settle(bench.fill("set_1"), bench.fill("set_2", units=1_000), bench.fill("set_3"))
    assert outcomes == [None, "cash.allowance_insufficient", None]
    assert await bench.holdings() == (80, 20, 1_000, 9_000)


async def test_settlement_id_is_spent_for_ever_but_not_by_a_failure(bench: Bench) -> None:
    assert await bench.settle(bench.fill("set_1", units=1_000)) == ["cash.allowance_insufficient"]
    assert await bench.settle(bench.fill("set_1"), bench.fill("set_1")) == [None, "settlement.already_settled"]
    assert await bench.settle(bench.fill("set_1")) == ["settlement.already_settled"]
    assert await bench.holdings() == (90, 10, 500, 9_500)


async def test_cash_stays_when_the_token_leg_fails(bench: Bench) -> None:
    await bench.send(bench.units.approve(spender=bench.settlement.address, amount=0), bench.seller)
    assert await bench.settle(bench.fill()) == ["cash.allowance_insufficient"]
    assert await bench.holdings() == (100, 0, 0, 10_000)


async def test_token_stays_when_the_cash_leg_fails(bench: Bench) -> None:
    assert await bench.settle(bench.fill(cash_amount=10_001)) == ["cash.allowance_insufficient"]
    assert await bench.holdings() == (100, 0, 0, 10_000)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"expires_at": 1}, "settlement.expired"),
        ({"units": 0}, "settlement.empty_leg"),
        ({"cash_amount": 0}, "settlement.empty_leg"),
        ({"token": "0x" + "99" * 20}, "settlement.token_not_listed"),
    ],
)
async def test_malformed_fill_is_refused_by_name(bench: Bench, changes: dict[str, Any], code: str) -> None:
    assert await bench.settle(bench.fill(**changes)) == [code]
    assert await bench.holdings() == (100, 0, 0, 10_000)


async def test_self_trade_is_refused(bench: Bench) -> None:
    assert await bench.settle(bench.fill(buyer=bench.seller)) == ["settlement.self_trade"]


async def test_worthless_own_token_cannot_reach_a_standing_allowance(bench: Bench) -> None:
    """The fault of the stock contract: an outsider names a victim as buyer of a token he made up."""
    own = StableCoin(
        bench.artifacts.abi("TestUSD"),
        await _create(bench.rpc, bench.node, bench.artifacts, bench.stranger, "TestUSD", bench.stranger),
    )
    attack = bench.settlement.settle([bench.fill(token=own.address, seller=bench.stranger)])
    assert await bench.refusal(attack, bench.stranger) == "role.not_operator"
    assert await bench.settle(bench.fill(token=own.address, seller=bench.stranger)) == ["settlement.token_not_listed"]


async def test_only_the_owner_names_operators_and_tokens(bench: Bench) -> None:
    for call in (
        bench.settlement.set_operator(bench.stranger, allowed=True),
        bench.settlement.set_listed(bench.units.address, listed=False),
    ):
        assert await bench.refusal(call, bench.operator) == "role.not_owner"


async def test_inner_call_is_closed_to_everyone(bench: Bench) -> None:
    inner = bench.artifacts.abi("Settlement").call(bench.settlement.address, "settleOne", bench.fill().as_struct())
    assert await bench.refusal(inner, bench.operator) == "settlement.internal_call"


async def test_batch_with_too_little_gas_reverts_instead_of_failing_good_fills(bench: Bench) -> None:
    whole = bench.settlement.settle([bench.fill(f"set_{n}") for n in range(5)])
    starved = Call(to=whole.to, data=whole.data, gas=BASE_GAS + 450_000)
    receipt = await bench.send(starved, bench.operator)
    assert not receipt.ok
    assert await bench.holdings() == (100, 0, 0, 10_000)


async def test_ownership_moves_in_two_steps(bench: Bench) -> None:
    abi = bench.artifacts.abi("Settlement")
    await bench.send(abi.call(bench.settlement.address, "offerOwnership", bench.stranger), bench.owner)
    accept = abi.call(bench.settlement.address, "acceptOwnership")
    assert await bench.refusal(accept, bench.buyer) == "contract.reverted"
    await bench.send(accept, bench.stranger)
    assert (
        await bench.refusal(bench.settlement.set_operator(bench.buyer, allowed=True), bench.owner) == "role.not_owner"
    )


async def test_coin_is_minted_by_minters_only(bench: Bench) -> None:
    assert await bench.refusal(bench.cash.mint(to=bench.stranger, amount=1), bench.stranger) == "role.not_minter"
