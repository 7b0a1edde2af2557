"""The whole chain service when the node is restarted, money runs out, or two instances think they are in charge (T8, T25, T27)."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.chain.harness import Stack, chain_stack
from tests.chain.journal_stand_in import Row
from tests.support.servers import ServiceKeys, ValkeyServer
from tokenx_cli.runtime import foreground, ports
from tokenx_cli.runtime.probes import service_probe
from tokenx_common.errors import EXIT_STALE_EPOCH

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def running(service_keys: ServiceKeys, valkey: ValkeyServer) -> Iterator[Stack]:
    with chain_stack(service_keys, valkey, steered=True) as stack:
        yield stack


@pytest.fixture
async def stack(running: Stack) -> AsyncIterator[Stack]:
    if "StableCoin" not in running.state.contracts:
        await running.run("platform.deploy")
    yield running
    running.miner.hold.clear()


def fresh(stack: Stack, count: int) -> list[str]:
    start = len(stack.state.operations)
    return [f"0x{0xFA << 152 | start + n:040x}" for n in range(count)]


async def held_back(stack: Stack, receivers: list[str]) -> list[str]:
    """Mints that are out and not mined; their operations."""
    stack.miner.hold.set()
    await stack.rpc("evm_setAutomine", False)
    operations = [await stack.submit("cash.mint", to=to, amount="5") for to in receivers]
    await stack.until(lambda: all(row_of(stack, operation_id) for operation_id in operations), "all to be journaled")
    for operation_id in operations:
        while await stack.rpc("eth_getTransactionByHash", row_of(stack, operation_id)["tx_hash"]) is None:
            await asyncio.sleep(0.02)
    return operations


def row_of(stack: Stack, operation_id: str) -> Row:
    """Its transaction, empty before there is one with a nonce."""
    rows = [
        row
        for row in stack.state.transactions.values()
        if row["operation_id"] == operation_id and row["nonce"] is not None
    ]
    return rows[0] if rows else {}


async def minted(stack: Stack, receivers: list[str]) -> list[int]:
    coin = stack.state.contracts["StableCoin"]["address"]
    calls = ["0x70a08231" + to.removeprefix("0x").rjust(64, "0") for to in receivers]
    return [int(await stack.rpc("eth_call", {"to": coin, "data": data}, "latest"), 16) for data in calls]


async def nonces_are_dense(stack: Stack) -> None:
    platform = await stack.address("platform")
    used = {
        a["nonce"]
        for row in stack.state.transactions.values()
        if row["from_address"] == platform
        for a in row["attempts"]
    }
    assert used == set(range(len(used)))
    assert int(await stack.rpc("eth_getTransactionCount", platform, "latest"), 16) == len(used)


async def test_t8_node_restarted_with_its_state_gets_what_its_pool_lost(stack: Stack) -> None:
    receivers = fresh(stack, 3)
    operations = await held_back(stack, receivers)
    await asyncio.to_thread(stack.anvil.running.stop)
    await asyncio.to_thread(stack.anvil.running.restart)
    stack.miner.hold.clear()
    for operation_id in operations:
        assert (await stack.closed(operation_id))["state"] == "final"
    assert await minted(stack, receivers) == [5, 5, 5]
    assert await stack.rpc("txpool_status") == {"pending": "0x0", "queued": "0x0"}
    await nonces_are_dense(stack)


async def test_t25_two_live_instances_execute_each_intent_once(stack: Stack, tmp_path: Path) -> None:
    """The lease is given to a second one while the first is at work: the first leaves with status 70, what it had signed is not signed again."""
    receivers = fresh(stack, 4)
    operations = await held_back(stack, receivers[:3])
    signed = {operation_id: row_of(stack, operation_id)["attempts"][0] for operation_id in operations}
    first = stack.service.process
    spec, port = stack.service.spec, ports.free_port()
    second = replace(
        spec, port=port, env={**spec.env, "PORT": str(port)}, probe=service_probe(f"http://127.0.0.1:{port}")
    )
    stack.state.waiting = ""
    with ExitStack() as started:
        starting = asyncio.create_task(
            asyncio.to_thread(started.enter_context, foreground.run(second, tmp_path / "second.log"))
        )
        await stack.until(lambda: stack.state.waiting, "the second instance to ask for the lease")
        assert first.poll() is None
        stack.state.epoch, stack.state.holder = stack.state.epoch + 1, stack.state.waiting
        await starting
        await stack.until(lambda: first.poll() is not None, "the first instance to leave")
        assert first.returncode == EXIT_STALE_EPOCH
        await stack.rpc("evm_setAutomine", True)
        stack.miner.hold.clear()
        for operation_id in operations:
            assert (await stack.closed(operation_id))["state"] == "final"
        await asyncio.to_thread(started.close)
    stack.state.holder = ""
    await stack.restart()
    operations.append(await stack.submit("cash.mint", to=receivers[3], amount="5"))
    assert (await stack.closed(operations[3]))["state"] == "final"
    assert await minted(stack, receivers) == [5, 5, 5, 5]
    for operation_id, attempt in signed.items():
        assert row_of(stack, operation_id)["attempts"][0] == attempt
    await nonces_are_dense(stack)


async def test_t27_money_that_runs_out_pauses_the_key_and_is_told_until_there_is_some(stack: Stack) -> None:
    receivers = fresh(stack, 5)
    platform = await stack.address("platform")
    operations = [await stack.submit("cash.mint", to=to, amount="5") for to in receivers[:2]]
    for operation_id in operations:
        await stack.closed(operation_id)
    await stack.rpc("anvil_setBalance", platform, "0x1")
    broke = [await stack.submit("cash.mint", to=to, amount="5") for to in receivers[2:]]
    await stack.until(lambda: paused_for_money(stack, broke), "the pause")
    assert all(row_of(stack, operation_id) == {} for operation_id in broke), "nothing is signed that cannot be paid"
    status = await stack.client.get("/v1/chains/31337/status")
    assert (status["status"], status["detail"]["senders_paused"]) == ("degraded", {"platform": "insufficient_funds"})
    await stack.rpc("anvil_setBalance", platform, hex(10**20))
    for operation_id in broke:
        assert (await stack.closed(operation_id))["state"] == "final"
    assert await minted(stack, receivers) == [5] * 5
    await nonces_are_dense(stack)


def paused_for_money(stack: Stack, operations: list[str]) -> bool:
    reasons: dict[Any, Any] = {row["operation_id"]: row.get("reason") for row in stack.state.transactions.values()}
    return all(reasons.get(operation_id) == "insufficient_funds" for operation_id in operations)


async def test_t8_node_restarted_without_its_state_halts_the_chain_and_ends_nothing(stack: Stack) -> None:
    """Last: another chain under the same id. What was final there is not on it, so nothing it says may count."""
    operations = await held_back(stack, fresh(stack, 2))
    events = len(stack.state.events)
    stack.anvil.running.kill()
    (stack.anvil.node.home / "state.json").unlink(missing_ok=True)
    await asyncio.to_thread(stack.anvil.running.restart)
    checkpoint = stack.state.checkpoint["block_number"]
    await stack.rpc("anvil_mine", hex(checkpoint + 10))
    stack.miner.hold.clear()
    for _ in range(1000):
        if (await stack.client.get("/v1/chains/31337/status"))["status"] == "halted":
            break
        await asyncio.sleep(0.02)
    assert (await stack.client.get("/v1/chains/31337/status"))["status"] == "halted"
    assert len(stack.state.events) == events
    assert {stack.state.operations[operation_id]["state"] for operation_id in operations} == {"running"}
