"""settlement.batch on a real node: signed by one key, sent by another, exact allowances that leave nothing behind, rules that refuse."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.chain.harness import ROOT, Stack, chain_stack
from tests.chain.journal_stand_in import Row
from tests.support.servers import ServiceKeys, ValkeyServer
from tokenx_chain.contracts.artifacts import Artifacts
from tokenx_chain.contracts.calls import Read
from tokenx_chain.contracts.settlement import Settlement
from tokenx_chain.contracts.stablecoin import StableCoin
from tokenx_chain.contracts.token import Token
from tokenx_chain.operations.keys import ATS_OPERATOR, ATS_SUBMITTER, TREASURY

pytestmark = pytest.mark.stack

ARTIFACTS = Artifacts(ROOT / "contracts")
PEOPLE = ("ann", "bob", "cat", "dan", "eve", "fay")
CASH = 10**9
RULES: Row = {
    "max_holders": 4, "max_holders_by_country": {"DE": 1}, "max_units_per_holder": "600", "allowed_countries": ["US", "DE"],
    "volume_window": {"days": 30, "max_units": "50"},
}  # fmt: skip


@dataclass
class Floor:
    """A platform, a token without rules, and people who hold 1,000 units and plenty of cash. The last two live in Germany."""

    stack: Stack
    token: str
    coin: str
    settlement: Settlement
    wallets: dict[str, str]

    def fill(self, name: str, seller: str, buyer: str, **changes: Any) -> Row:
        usual = {"settlement_id": name, "token": self.token, "seller_key_ref": key(seller), "buyer_key_ref": key(buyer), "units": "10", "cash_amount": "500"}  # fmt: skip
        return usual | changes

    async def read(self, read: Read[Any]) -> Any:
        answer = await self.stack.rpc("eth_call", {"to": read.to, "data": "0x" + read.data.hex()}, "latest")
        return read.decode(bytes.fromhex(answer[2:]))

    async def allowances(self) -> set[int]:
        """Of every wallet and both assets, for the settlement contract."""
        spender = self.settlement.address
        token, coin = Token(ARTIFACTS.abi("Token"), self.token), StableCoin(ARTIFACTS.abi("TestUSD"), self.coin)
        reads = [asset.allowance(holder=wallet, spender=spender) for wallet in self.wallets.values() for asset in (token, coin)]  # fmt: skip
        return set(await asyncio.gather(*(self.read(read) for read in reads)))

    def steps(self, operation_id: str) -> dict[str, Row]:
        """Journaled transactions of an operation by step."""
        return {row["step"]: row for row in self.stack.state.transactions.values() if row["operation_id"] == operation_id}  # fmt: skip


def key(name: str) -> str:
    return f"investor:{name}"


@pytest.fixture(scope="module")
def stack(service_keys: ServiceKeys, valkey: ValkeyServer) -> Iterator[Stack]:
    with chain_stack(service_keys, valkey) as running:
        yield running


_floors: dict[int, Floor] = {}


@pytest.fixture
async def floor(stack: Stack) -> Floor:
    if id(stack) not in _floors:
        _floors[id(stack)] = await _build(stack)
    return _floors[id(stack)]


async def _build(stack: Stack) -> Floor:
    contracts = (await stack.run("platform.deploy"))["contracts"]
    offering = await stack.run("offering.deploy", offering_id="off_a", name="Acme", symbol="ACME")
    made = await asyncio.gather(
        *(stack.run("investor.register", investor_id=name, key_ref=key(name), country="DE" if name in PEOPLE[-2:] else "US") for name in PEOPLE)
    )  # fmt: skip
    wallets = {name: result["address"] for name, result in zip(PEOPLE, made, strict=True)}
    await asyncio.gather(
        *(stack.run("token.mint", token=offering["token"], to=wallet, units="1000") for wallet in wallets.values()),
        *(stack.run("cash.mint", to=wallets[name], amount=str(CASH)) for name in PEOPLE[:4]),
    )
    settlement = Settlement(ARTIFACTS.abi("Settlement"), contracts["Settlement"])
    return Floor(stack, offering["token"], contracts["StableCoin"], settlement, wallets)


async def test_batch_with_bad_fills_settles_the_good_ones_and_leaves_no_allowance(floor: Floor) -> None:
    fills = [
        floor.fill("set_1", "ann", "bob"),
        floor.fill("set_2", "ann", "eve"),  # eve has no cash
        floor.fill("set_3", "ann", "bob", units="5000"),  # more than ann has
        floor.fill("set_4", "ann", "bob"),
    ]
    operation_id = await floor.stack.submit("settlement.batch", fills=fills)
    result = (await floor.stack.closed(operation_id))["result"]
    assert result["settled"] == ["set_1", "set_4"]
    assert result["failed"] == [{"settlement_id": "set_2", "reason": "cash.insufficient"}, {"settlement_id": "set_3", "reason": "balance.insufficient"}]  # fmt: skip
    assert await floor.stack.balance(floor.token, floor.wallets["bob"]) == 1_020
    assert await floor.allowances() == {0}
    assert {step for step in floor.steps(operation_id) if step.startswith("take-back")} == {
        f"take-back:{key('ann')}:{floor.token}", f"take-back:{key('bob')}:{floor.coin}", f"take-back:{key('eve')}:{floor.coin}",
    }  # fmt: skip


async def test_events_name_every_leg_and_the_reason_of_a_failure(floor: Floor) -> None:
    await floor.stack.run("settlement.batch", fills=[floor.fill("set_10", "ann", "cat", fee_amount="5"), floor.fill("set_11", "ann", "fay")])  # fmt: skip
    events = {e["payload"]["settlement_id"]: e["payload"] for e in floor.stack.state.of_type("settlement.final", "settlement.failed")}  # fmt: skip
    settled, failed = events["set_10"], events["set_11"]
    ann, cat = floor.wallets["ann"], floor.wallets["cat"]
    assert (settled["seller"], settled["buyer"], settled["units"], settled["cash_amount"]) == (ann, cat, "10", "500")
    assert settled["legs"] == [
        {"kind": "delivery", "asset": floor.token, "from": ann, "to": cat, "amount": "10"},
        {"kind": "payment", "asset": floor.coin, "from": cat, "to": ann, "amount": "500"},
        {"kind": "fee", "asset": floor.coin, "from": cat, "to": await floor.stack.address(TREASURY), "amount": "5"},
    ]
    assert (failed["reason"], failed["leg"]) == ("cash.insufficient", 1)
    assert await floor.allowances() == {0}


async def test_batches_under_way_at_once_do_not_take_each_others_allowance(floor: Floor) -> None:
    """The same wallets sell and buy in all of them; one fill of each fails and is taken back while the others are still on their way."""
    batches = [
        [floor.fill(f"set_{n}_good", "ann", "bob"), floor.fill(f"set_{n}_back", "bob", "ann", cash_amount="40"), floor.fill(f"set_{n}_bad", "ann", "bob", cash_amount=str(2 * CASH))]
        for n in range(20, 26)
    ]  # fmt: skip
    results = await asyncio.gather(*(floor.stack.run("settlement.batch", fills=fills) for fills in batches))
    assert [result["settled"] for result in results] == [[f"set_{n}_good", f"set_{n}_back"] for n in range(20, 26)]
    assert {failed["reason"] for result in results for failed in result["failed"]} == {"cash.insufficient"}
    assert await floor.allowances() == {0}


async def test_operator_signs_and_is_custodian_and_only_the_submitter_sends(floor: Floor) -> None:
    operator, submitter = await floor.stack.address(ATS_OPERATOR), await floor.stack.address(ATS_SUBMITTER)
    assert operator != submitter
    await floor.stack.run("settlement.batch", fills=[floor.fill("set_30", "dan", "cat")])
    assert await floor.read(floor.settlement.custodian_of(floor.wallets["dan"])) == operator
    again = await floor.stack.submit("settlement.batch", fills=[floor.fill("set_31", "dan", "cat")])
    await floor.stack.closed(again)
    assert not [step for step in floor.steps(again) if step.startswith("custody")], "consent to custody is given once"
    rows = list(floor.stack.state.transactions.values())
    assert operator not in {row["from_address"] for row in rows}
    assert {row["from_address"] for row in rows if row["step"].startswith("settle:")} == {submitter}


async def test_service_killed_between_allowance_and_settlement_leaves_nothing_behind(floor: Floor) -> None:
    operation_id = await floor.stack.submit("settlement.batch", fills=[floor.fill("set_40", "bob", "cat"), floor.fill("set_41", "bob", "fay")])  # fmt: skip
    await floor.stack.until(lambda: f"allow:{key('cat')}:{floor.coin}" in floor.steps(operation_id), "the allowance")
    floor.stack.kill()
    await floor.stack.restart()
    row = await floor.stack.closed(operation_id)
    assert (row["state"], row["result"]["settled"]) == ("final", ["set_40"])
    assert await floor.allowances() == {0}


async def test_settlement_named_twice_in_a_batch_is_refused(floor: Floor) -> None:
    twice = [floor.fill("set_50", "ann", "bob"), floor.fill("set_50", "ann", "bob")]
    assert await floor.stack.refused("settlement.batch", fills=twice) == "chain.bad_params"


async def test_offering_with_rules_refuses_by_each_of_them(floor: Floor) -> None:
    stack, wallets = floor.stack, floor.wallets
    token = (await stack.run("offering.deploy", offering_id="off_rules", name="Ruled", symbol="RULE", transfer_rules=RULES))["token"]  # fmt: skip
    await stack.run("token.mint", token=token, to=wallets["ann"], units="500")
    await stack.run("token.mint", token=token, to=wallets["eve"], units="10")
    refusals = {
        "max_units_per_holder": await simulated(stack, "token.mint", token=token, to=wallets["ann"], units="101"),
        "max_holders_by_country": await simulated(stack, "token.mint", token=token, to=wallets["fay"], units="1"),
        "volume_window": await simulated(stack, "token.transfer", token=token, from_key_ref=key("ann"), to=wallets["bob"], units="51"),
    }  # fmt: skip
    assert refusals == {
        "max_units_per_holder": "compliance.max_balance",
        "max_holders_by_country": "compliance.country_holder_cap",
        "volume_window": "compliance.volume_window",
    }
    fills = [floor.fill("set_60", "ann", "bob", token=token, units="50"), floor.fill("set_61", "ann", "cat", token=token, units="1")]  # fmt: skip
    result = await stack.run("settlement.batch", fills=fills)
    assert result["settled"] == ["set_60"]
    assert result["failed"] == [{"settlement_id": "set_61", "reason": "transfer.refused"}]
    await stack.run("token.mint", token=token, to=wallets["cat"], units="1")
    assert await simulated(stack, "token.mint", token=token, to=wallets["dan"], units="1") == "compliance.holder_cap"


async def simulated(stack: Stack, kind: str, **params: Any) -> str | None:
    """The pre-check's code."""
    return (await stack.client.post("/v1/simulate", {"chain_id": 31337, "kind": kind, "params": params}))["reason_code"]


async def test_holder_who_comes_back_from_another_country_is_counted_there(floor: Floor) -> None:
    """The registry tells the rules nothing: registering a wallet that holds units has them look again."""
    stack, wallets = floor.stack, floor.wallets
    rules = {"max_holders_by_country": {"DE": 1}}
    token = (await stack.run("offering.deploy", offering_id="off_sync", name="Sync", symbol="SYNC", transfer_rules=rules))["token"]  # fmt: skip
    await stack.run("token.mint", token=token, to=wallets["dan"], units="1")
    assert await simulated(stack, "token.mint", token=token, to=wallets["fay"], units="1") is None
    await stack.run("investor.revoke", investor_id="dan", wallet=wallets["dan"])
    await stack.run("investor.register", investor_id="dan", key_ref=key("dan"), country="DE", claim_serial=2)
    assert await simulated(stack, "token.mint", token=token, to=wallets["fay"], units="1") == "compliance.country_holder_cap"  # fmt: skip
