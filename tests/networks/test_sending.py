"""The sending half on networks with rules of their own, behind endpoints with their habits: what cannot be taken never gets a nonce (T30, T31)."""

from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace

import pytest

from tests.chain.rig import Rig, rig
from tests.networks.habit_proxy import Habits, habit_proxy, habits_of
from tests.networks.world import node_of
from tokenx_chain.networks.base import Network
from tokenx_chain.networks.catalog import NETWORKS
from tokenx_chain.transactions.codec import unsigned_of
from tokenx_chain.transactions.errors import IntentRefused

pytestmark = pytest.mark.stack

GWEI = 10**9
COIN = 10**18
TINYBAR = 10**10
ONE_COIN_FOR_ANYTHING = "0x670de0b6b3a764000060005260206000f3"
ONE_COIN_FOR_DATA_ONLY = "0x60003560e01c6349948e0e14601457" + "60006000fd" + "5b670de0b6b3a764000060005260206000f3"
"""GasPriceOracle stand-ins: the second reverts for getOperatorFee, as before Isthmus."""


@contextmanager
def quick(chain_id: int) -> Generator[tuple[Network, str]]:
    """A network as it is, but with the block time of a test, and a node with its chain id."""
    network = NETWORKS[chain_id]
    with node_of(network) as url:
        yield replace(network, block_time_s=0.2, receipt_poll_s=0.02), url


@asynccontextmanager
async def sending(chain_id: int, habits: Habits | None = None, funded_wei: int = 10**20) -> AsyncGenerator[Rig]:
    with quick(chain_id) as (network, url):
        async with (
            habit_proxy(url, habits or habits_of(network)) as proxy,
            rig(proxy.url, network=network, funded_wei=funded_wei) as r,
        ):
            yield r


@pytest.mark.parametrize("chain_id", [295, 296])
async def test_t30_hedera_is_served_in_order_and_a_part_of_a_tinybar_is_refused_without_a_nonce(chain_id: int) -> None:
    async with sending(chain_id) as r:
        whole = [r.intent(value=TINYBAR * number) for number in range(4)]
        part = r.intent(value=TINYBAR + 1)
        futures = await r.send(whole[0], part, *whole[1:])
        with pytest.raises(IntentRefused, match="whole multiples of 10,000,000,000 wei") as refused:
            await futures[1]
        assert refused.value.code == "network.amount_not_payable"
        assert (r.row(part)["state"], r.row(part)["nonce"]) == ("failed_presubmit", None)
        await r.until(lambda: all(r.row(intent).get("state") == "final" for intent in whole if intent.tx_id in r.state.transactions)
                      and len(r.state.transactions) == 5, "finality")  # fmt: skip
        assert [r.row(intent)["nonce"] for intent in whole] == [0, 1, 2, 3]
        assert [await r.executions(intent) for intent in (*whole, part)] == [1, 1, 1, 1, 0]
        assert await r.nonce_gaps() == 0


@pytest.mark.parametrize("chain_id", [10, 8453])
@pytest.mark.parametrize("has_operator", [True, False], ids=["operator fee", "before Isthmus"])
async def test_t31_rollup_waits_until_both_fees_on_top_of_gas_are_in_the_balance(chain_id: int, has_operator: bool) -> None:  # fmt: skip
    async with sending(chain_id, funded_wei=COIN) as r:
        oracle = NETWORKS[chain_id].l1_oracle
        await r.ask("anvil_setCode", oracle, ONE_COIN_FOR_ANYTHING if has_operator else ONE_COIN_FOR_DATA_ONLY)
        intent = r.intent()
        await r.send(intent)
        await r.until(lambda: r.reasons(intent) == ["insufficient_funds"], "the pause")
        await r.ask("anvil_setBalance", await r.address(), hex(2 * COIN))
        if has_operator:
            asked = r.faults.seen.count("eth_getBalance")
            await r.until(lambda: r.faults.seen.count("eth_getBalance") > asked + 1, "two more looks")
            assert (r.row(intent)["state"], r.row(intent)["nonce"]) == ("paused", None)
            await r.ask("anvil_setBalance", await r.address(), hex(3 * COIN))
        await r.until(lambda: r.row(intent)["state"] == "final", "finality")
        assert r.row(intent)["nonce"] == 0


async def test_gas_above_the_cap_of_ethereum_is_refused_without_a_nonce() -> None:
    async with sending(11_155_111) as r:
        huge, plain = r.intent(gas=16_777_217), r.intent()
        refused, taken = await r.send(huge, plain)
        with pytest.raises(IntentRefused) as error:
            await refused
        assert error.value.code == "network.gas_above_cap"
        assert (await taken).nonce == 0


@pytest.mark.parametrize(
    ("told", "offered"), [(3, 25 * GWEI), (40 * GWEI, 40 * GWEI), (10**15, 200 * GWEI), (None, 25 * GWEI)]
)
async def test_tip_on_polygon_follows_the_node_between_the_floor_and_a_tenth_of_the_cap(told: int | None, offered: int) -> None:  # fmt: skip
    habits = habits_of(NETWORKS[137])
    habits.suggested_tip = told
    async with sending(137, habits) as r:
        intent = r.intent()
        await r.final(intent)
        assert unsigned_of(bytes.fromhex(r.row(intent)["raw"].removeprefix("0x"))).max_tip == offered
