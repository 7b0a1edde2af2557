"""One intent is executed once, whatever breaks in between: kills, lost answers, an absent api, an absent node, a second instance."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from tests.chain.harness import Stack, chain_stack
from tests.chain.journal_stand_in import Row
from tests.support.servers import ServiceKeys, ValkeyServer
from tokenx_common.errors import EXIT_STALE_EPOCH, DependencyUnavailable

pytestmark = pytest.mark.stack

TO = "0x" + "ab" * 20


@pytest.fixture(scope="module")
def running(service_keys: ServiceKeys, valkey: ValkeyServer) -> Iterator[Stack]:
    with chain_stack(service_keys, valkey, steered=True) as stack:
        yield stack


@pytest.fixture
async def stack(running: Stack) -> AsyncIterator[Stack]:
    """The stack with the platform deployed and every fault switched off again afterwards."""
    if "StableCoin" not in running.state.contracts:
        await running.run("platform.deploy")
    yield running
    running.state.on_signed = None
    running.state.away = False
    running.proxy.faults.refuse = False
    running.proxy.faults.lose_answers.clear()


async def minted_to(stack: Stack, address: str) -> int:
    data = "0x70a08231" + address.removeprefix("0x").rjust(64, "0")
    coin = stack.state.contracts["StableCoin"]["address"]
    return int(await stack.rpc("eth_call", {"to": coin, "data": data}, "latest"), 16)


def sent_by(stack: Stack, operation_id: str) -> list[Row]:
    return [row for row in stack.state.transactions.values() if row["operation_id"] == operation_id]


def fresh_address(stack: Stack) -> str:
    return "0x" + f"{len(stack.state.operations):040x}".replace("0x", "")[:40].rjust(40, "c")


async def test_kill_between_journal_and_broadcast_executes_once(stack: Stack) -> None:
    to, at_the_moment = fresh_address(stack), asyncio.Event()
    loop = asyncio.get_running_loop()

    def kill(_record: Row) -> None:
        stack.state.on_signed = None
        stack.kill()
        loop.call_soon_threadsafe(at_the_moment.set)

    stack.state.on_signed = kill
    operation_id = await stack.submit("cash.mint", to=to, amount="5")
    await at_the_moment.wait()
    (row,) = sent_by(stack, operation_id)
    assert await stack.rpc("eth_getTransactionByHash", row["tx_hash"]) is None, "it must not have been broadcast yet"
    await stack.restart()
    await stack.closed(operation_id)
    assert stack.state.operations[operation_id]["state"] == "final"
    assert await minted_to(stack, to) == 5
    assert len(sent_by(stack, operation_id)) == 1
    assert len(stack.transfers_of(row["tx_hash"])) == 1


async def test_lost_answer_after_broadcast_executes_once(stack: Stack) -> None:
    to = fresh_address(stack)
    stack.proxy.faults.lose_answers["eth_sendRawTransaction"] = 2
    await stack.run("cash.mint", to=to, amount="7")
    assert stack.proxy.faults.lose_answers["eth_sendRawTransaction"] < 2, "the fault must have happened"
    assert await minted_to(stack, to) == 7


async def test_resumed_program_does_not_repeat_its_steps(stack: Stack) -> None:
    """Killed after the first of two dependent transactions: the second run sends only the second."""
    offering = await stack.run("offering.deploy", offering_id="off_resume", name="Resume", symbol="RSM")
    await stack.run("investor.register", investor_id="inv_r", key_ref="investor:inv_r", country="DE")
    wallet = await stack.address("investor:inv_r")
    await stack.run("cash.mint", to=wallet, amount="100")
    gone = asyncio.Event()
    loop = asyncio.get_running_loop()

    def kill_at_mint(record: Row) -> None:
        if record["step"] == "mint":
            stack.state.on_signed = None
            stack.kill()
            loop.call_soon_threadsafe(gone.set)

    stack.state.on_signed = kill_at_mint
    operation_id = await stack.submit("subscription.issue", subscription_id="sub_r", token=offering["token"], to_key_ref="investor:inv_r", units="3",
                                      cash_from_key_ref="investor:inv_r", cash_to_key_ref="issuer:iss_r", cash_amount="60")  # fmt: skip
    await gone.wait()
    await stack.restart()
    await stack.closed(operation_id)
    assert await minted_to(stack, await stack.address("issuer:iss_r")) == 60
    assert await stack.balance(offering["token"], wallet) == 3
    assert sorted(row["step"] for row in sent_by(stack, operation_id)) == ["cash", "mint"]


async def test_repeated_hand_over_after_the_end_and_a_restart_does_nothing(stack: Stack) -> None:
    to = fresh_address(stack)
    operation_id = await stack.submit("cash.mint", to=to, amount="3")
    await stack.closed(operation_id)
    stack.kill()
    await stack.restart()
    assert (await stack.hand_over(operation_id))["state"] == "final"
    assert await minted_to(stack, to) == 3
    assert len(sent_by(stack, operation_id)) == 1


async def test_absent_api_pauses_and_loses_nothing(stack: Stack) -> None:
    to = fresh_address(stack)
    operation_id = await stack.submit("cash.mint", to=to, amount="4")
    stack.state.away = True
    await asyncio.sleep(0.8)
    with pytest.raises(DependencyUnavailable):
        await stack.hand_over(stack.state.request("cash.mint", {"to": to, "amount": "1"}))
    stack.state.away = False
    await stack.closed(operation_id)
    assert await minted_to(stack, to) == 4


async def test_absent_node_pauses_and_fails_nothing(stack: Stack) -> None:
    to = fresh_address(stack)
    stack.proxy.faults.refuse = True
    operation_id = await stack.submit("cash.mint", to=to, amount="6")
    await asyncio.sleep(0.8)
    assert stack.state.operations[operation_id]["state"] == "running"
    stack.proxy.faults.refuse = False
    row = await stack.closed(operation_id)
    assert row["state"] == "final"
    assert await minted_to(stack, to) == 6


async def test_transaction_dropped_from_the_pool_is_sent_again(stack: Stack) -> None:
    to = fresh_address(stack)
    await stack.rpc("evm_setAutomine", False)
    stack.miner.hold.set()
    try:
        operation_id = await stack.submit("cash.mint", to=to, amount="8")
        await stack.until(lambda: sent_by(stack, operation_id), "the transaction to be journaled")
        (row,) = sent_by(stack, operation_id)
        while await stack.rpc("eth_getTransactionByHash", row["tx_hash"]) is None:
            await asyncio.sleep(0.02)
        await stack.rpc("anvil_dropTransaction", row["tx_hash"])
    finally:
        await stack.rpc("evm_setAutomine", True)
        stack.miner.hold.clear()
    await stack.closed(operation_id)
    assert await minted_to(stack, to) == 8


async def test_lost_answer_of_an_append_is_recognised_as_our_own(stack: Stack) -> None:
    stack.state.lose_next_append_answer = True
    await stack.run("cash.mint", to=fresh_address(stack), amount="2")
    assert not stack.state.lose_next_append_answer
    assert [event["seq"] for event in stack.state.events] == list(range(1, len(stack.state.events) + 1))


async def test_stuck_nonce_used_by_someone_else_ends_in_proof_and_not_in_silence(stack: Stack) -> None:
    """The key signs outside this service: our bytes can never be mined, which the final nonce proves."""
    await stack.run("redemption.payout", redemption_id="red_0", to_key_ref="issuer:x", amount="1")
    treasury = await stack.address("treasury")
    nonce = int(await stack.rpc("eth_getTransactionCount", treasury, "latest"), 16)
    stack.state.on_signed = lambda record: _take_nonce(stack, record, treasury, nonce)
    assert await stack.refused("redemption.payout", redemption_id="red_1", to_key_ref="issuer:x", amount="1") == "chain.nonce_lost"  # fmt: skip
    assert [letter["error"] for letter in stack.state.dead_letters] == ["nonce used by another transaction"]


def _take_nonce(stack: Stack, record: Row, address: str, nonce: int) -> None:
    """Called on the stand-in's thread between journal and broadcast."""
    import httpx

    if record["from_address"] != address:
        return
    assert record["nonce"] == nonce
    for method, params in (
        ("anvil_impersonateAccount", [address]),
        ("eth_sendTransaction", [{"from": address, "to": TO, "value": "0x1"}]),
        ("anvil_stopImpersonatingAccount", [address]),
    ):
        answer = httpx.post(
            stack.anvil.url, json={"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        ).json()
        assert "error" not in answer, answer


async def test_superseded_instance_ends_with_status_70(stack: Stack) -> None:
    stack.state.epoch, stack.state.holder = stack.state.epoch + 1, "another instance"
    await stack.until(lambda: stack.service.process.poll() is not None, "the service to leave")
    assert stack.service.process.returncode == EXIT_STALE_EPOCH
    stack.state.holder = ""
    await stack.restart()
