"""What the listener says when the chain changes its mind, and that it only calls final what is final."""

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.chain.harness import Stack, chain_stack
from tests.chain.journal_stand_in import Row
from tests.support.servers import ServiceKeys, ValkeyServer

pytestmark = pytest.mark.stack

TO = "0x" + "cd" * 20


@pytest.fixture(scope="module")
def running(service_keys: ServiceKeys, valkey: ValkeyServer) -> Iterator[Stack]:
    with chain_stack(service_keys, valkey, steered=True) as stack:
        yield stack


@pytest.fixture
async def stack(running: Stack) -> AsyncIterator[Stack]:
    """The platform deployed, all published, and no block mined unless the test does it."""
    if "StableCoin" not in running.state.contracts:
        await running.run("platform.deploy")
    running.miner.hold.set()
    yield running
    running.miner.hold.clear()


async def mint(stack: Stack) -> tuple[str, Row]:
    """A mint that is mined and seen, with nothing on top of it: (operation id, its transaction)."""
    operation_id = await stack.submit("cash.mint", to=TO, amount="10")
    await stack.until(lambda: of_operation(stack, operation_id, "transfer.seen"), "the transfer to be seen")
    (row,) = [row for row in stack.state.transactions.values() if row["operation_id"] == operation_id]
    return operation_id, row


def of_operation(stack: Stack, operation_id: str, kind: str) -> list[Row]:
    hashes = {row["tx_hash"] for row in stack.state.transactions.values() if row["operation_id"] == operation_id}
    return [event for event in stack.state.of_type(kind) if event["tx_hash"] in hashes]


async def chain_state(stack: Stack) -> str:
    return (await stack.client.get("/v1/chains/31337/status"))["status"]


async def test_transfer_is_final_only_two_blocks_deep(stack: Stack) -> None:
    operation_id, _ = await mint(stack)
    await stack.rpc("evm_mine")
    assert await chain_state(stack) == "ok"
    assert of_operation(stack, operation_id, "transfer.final") == []
    assert stack.state.operations[operation_id]["state"] == "running"
    await stack.rpc("evm_mine")
    await stack.closed(operation_id)
    (final,) = of_operation(stack, operation_id, "transfer.final")
    head = int(await stack.rpc("eth_blockNumber"), 16)
    assert head - final["block_number"] == 2


async def test_reorganisation_reverts_the_seen_transfer_and_ends_in_one_final(stack: Stack) -> None:
    operation_id, row = await mint(stack)
    await stack.rpc("anvil_reorg", 1, [])
    await stack.until(lambda: of_operation(stack, operation_id, "transfer.reverted"), "the transfer to be reverted")
    stack.miner.hold.clear()
    await stack.closed(operation_id)
    kinds = [event["type"] for event in stack.state.events if event["tx_hash"] == row["tx_hash"]]
    assert kinds == ["transfer.seen", "transfer.reverted", "transfer.seen", "transfer.final"]
    blocks = [event["block_hash"] for event in stack.state.events if event["tx_hash"] == row["tx_hash"]]
    assert blocks[0] == blocks[1] != blocks[2] == blocks[3]
    assert len({event["event_id"] for event in stack.state.events}) == len(stack.state.events)


async def test_reorganisation_while_nobody_looks_is_found_after_the_restart(stack: Stack) -> None:
    operation_id, row = await mint(stack)
    stack.kill()
    await stack.rpc("anvil_reorg", 1, [])
    await stack.restart()
    stack.miner.hold.clear()
    await stack.closed(operation_id)
    kinds = [event["type"] for event in stack.state.events if event["tx_hash"] == row["tx_hash"]]
    assert kinds.count("transfer.reverted") == 1
    assert kinds.count("transfer.final") == 1
    assert stack.state.operations[operation_id]["state"] == "final"


async def test_restart_publishes_nothing_twice(stack: Stack) -> None:
    operation_id, row = await mint(stack)
    stack.kill()
    await stack.restart()
    stack.miner.hold.clear()
    await stack.closed(operation_id)
    kinds = [event["type"] for event in stack.state.events if event["tx_hash"] == row["tx_hash"]]
    assert kinds == ["transfer.seen", "transfer.final"]


async def test_reorganisation_of_a_final_block_halts_the_chain(stack: Stack) -> None:
    operation_id, _ = await mint(stack)
    for _ in range(3):
        await stack.rpc("evm_mine")
    await stack.closed(operation_id)
    events = len(stack.state.events)
    await stack.rpc("anvil_reorg", 4, [])
    for _ in range(100):
        if await chain_state(stack) == "halted":
            break
        await stack.rpc("evm_mine")
    assert await chain_state(stack) == "halted"
    assert len(stack.state.events) == events
