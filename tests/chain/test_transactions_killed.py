"""kill -9 at nine named places (T7): after the restart every intent has been executed once, no nonce is missing, every event was published once.
Also: Redis emptied and killed in flight (T21, T22), and a second instance taking over from a frozen one (T25)."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from tests.chain.crash_at import FILE, PLACES, STUMBLE
from tests.chain.harness import Stack, chain_stack
from tests.chain.journal_stand_in import Row
from tests.support.servers import ServiceKeys, ValkeyServer, valkey_server
from tokenx_common.errors import EXIT_STALE_EPOCH

pytestmark = pytest.mark.stack

COIN_BALANCE = "0x70a08231"


@pytest.fixture(scope="module")
def own_valkey() -> Iterator[ValkeyServer]:
    """Of its own: it is emptied and killed here."""
    with valkey_server() as server:
        yield server


@pytest.fixture(scope="module")
def crash_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("crash") / "place"


@pytest.fixture(scope="module")
def running(service_keys: ServiceKeys, own_valkey: ValkeyServer, crash_file: Path) -> Iterator[Stack]:
    with chain_stack(
        service_keys, own_valkey, steered=True, module="tests.chain.crash_at", extra={FILE: str(crash_file)}
    ) as stack:
        yield stack


@pytest.fixture
async def stack(running: Stack, crash_file: Path) -> AsyncIterator[Stack]:
    if "StableCoin" not in running.state.contracts:
        await running.run("platform.deploy")
    yield running
    crash_file.unlink(missing_ok=True)
    running.proxy.faults.clear()


async def minted_to(stack: Stack, address: str) -> int:
    data = COIN_BALANCE + address.removeprefix("0x").rjust(64, "0")
    coin = stack.state.contracts["StableCoin"]["address"]
    return int(await stack.rpc("eth_call", {"to": coin, "data": data}, "latest"), 16)


def fresh(stack: Stack, count: int) -> list[str]:
    start = len(stack.state.operations)
    return [f"0x{0xD0 << 152 | start + n:040x}" for n in range(count)]


def rows_of(stack: Stack, operation_id: str) -> list[Row]:
    return [row for row in stack.state.transactions.values() if row["operation_id"] == operation_id]


@pytest.mark.parametrize("place", PLACES)
async def test_killed_at_a_named_place_executes_each_intent_once(stack: Stack, crash_file: Path, place: str) -> None:
    receivers = fresh(stack, 6)
    if place == "during_bump":
        # The pool refuses what is offered at first, so that it has to be replaced.
        head = await stack.rpc("eth_getBlockByNumber", "latest", False)
        stack.proxy.faults.floor_wei = 3 * int(head["baseFeePerGas"], 16) + 10**9
    skip = 1 if place in ("after_bind", "after_sign") else 0
    crash_file.write_text(f"{place} {skip}")
    operations = [await stack.submit("cash.mint", to=to, amount=str(n + 1)) for n, to in enumerate(receivers[:3])]
    await stack.until(lambda: stack.service.process.poll() is not None, f"the service to die {place}")
    stack.state.holder = ""
    await stack.restart()
    for n, to in enumerate(receivers[3:], 3):
        operations.append(await stack.submit("cash.mint", to=to, amount=str(n + 1)))
    for operation_id in operations:
        await stack.hand_over(operation_id)
        assert (await stack.closed(operation_id))["state"] == "final"
    assert [await minted_to(stack, to) for to in receivers] == [1, 2, 3, 4, 5, 6]
    for operation_id in operations:
        (row,) = rows_of(stack, operation_id)
        finals = [e for attempt in row["attempts"] for e in stack.transfers_of(attempt["tx_hash"])]
        assert len(finals) == 1, (place, row)
        assert (
            len([e for e in stack.state.of_type("operation.final") if e["payload"]["operation_id"] == operation_id])
            == 1
        )
    await nonces_are_dense(stack)


async def nonces_are_dense(stack: Stack) -> None:
    by_address: dict[str, set[int]] = {}
    for row in stack.state.transactions.values():
        by_address.setdefault(row["from_address"], set()).update(attempt["nonce"] for attempt in row["attempts"])
    for address, used in by_address.items():
        mined = int(await stack.rpc("eth_getTransactionCount", address, "latest"), 16)
        assert used >= set(range(mined)), f"{address}: a nonce of nobody's"
        assert used == set(range(len(used))), f"{address}: a gap in {sorted(used)}"


async def test_t21_t22_redis_emptied_and_killed_in_flight_changes_nothing(
    stack: Stack, own_valkey: ValkeyServer
) -> None:
    """No nonce, no binding and no lease lives there."""
    receivers = fresh(stack, 6)
    operations = [await stack.submit("cash.mint", to=to, amount="3") for to in receivers[:3]]
    admin: Any = Redis.from_url(own_valkey.admin_url)  # pyright: ignore[reportUnknownMemberType]  # untyped in redis-py
    await admin.execute_command("FLUSHALL")
    await admin.aclose()
    operations += [await stack.submit("cash.mint", to=to, amount="3") for to in receivers[3:]]
    own_valkey.running.kill()
    for operation_id in operations:
        assert (await stack.closed(operation_id))["state"] == "final"
    await asyncio.to_thread(own_valkey.running.restart)
    assert [await minted_to(stack, to) for to in receivers] == [3] * 6
    await nonces_are_dense(stack)


async def test_operation_that_crashed_is_run_on_when_people_say_so_and_not_before(
    stack: Stack, crash_file: Path
) -> None:
    """A fault of ours after the mint is mined: a dead letter, an open operation. Run on, it repeats nothing that was signed."""
    (to,) = fresh(stack, 1)
    crash_file.write_text(f"{STUMBLE} 0")
    operation_id = await stack.submit("cash.mint", to=to, amount="5")
    await stack.until(lambda: [x for x in stack.state.dead_letters if x["ref_id"] == operation_id], "the dead letter")
    assert (await stack.hand_over(operation_id))["state"] == "running"
    await asyncio.sleep(0.5)
    assert stack.state.operations[operation_id]["state"] == "running", (
        "a late repeat of the relay is no order to run on"
    )
    row = stack.state.operations[operation_id]
    body = {key: row[key] for key in ("operation_id", "kind", "chain_id", "params", "correlation_id")}
    for _ in range(2):
        await stack.client.post("/v1/operations", body | {"rerun": True})
    assert (await stack.closed(operation_id))["state"] == "final"
    assert await minted_to(stack, to) == 5
    assert len(rows_of(stack, operation_id)) == 1
    await nonces_are_dense(stack)


async def test_t25_frozen_instance_that_wakes_after_a_takeover_writes_and_sends_nothing(stack: Stack) -> None:
    """The old one is stopped with work in hand; its lease passes on; awake again, its next write is refused and it leaves."""
    old = stack.service.process
    operation_id = stack.state.request("cash.mint", {"to": fresh(stack, 1)[0], "amount": "4"})
    os.killpg(old.pid, signal.SIGSTOP)
    hand_over = asyncio.create_task(late_hand_over(stack, operation_id))
    await asyncio.sleep(0.2)
    stack.state.epoch, stack.state.holder = stack.state.epoch + 1, "the other instance"
    written = len(stack.state.history)
    sent = len(stack.proxy.faults.sent)
    os.killpg(old.pid, signal.SIGCONT)
    await stack.until(lambda: old.poll() is not None, "the old instance to leave")
    assert old.returncode == EXIT_STALE_EPOCH
    assert len(stack.state.history) == written
    assert len(stack.proxy.faults.sent) == sent
    await hand_over
    stack.state.holder = ""
    await stack.restart()
    await stack.hand_over(operation_id)
    assert (await stack.closed(operation_id))["state"] == "final"
    assert len(rows_of(stack, operation_id)) == 1


async def late_hand_over(stack: Stack, operation_id: str) -> None:
    """The relay's request reaches the frozen process; whether it is ever answered does not matter."""
    try:
        await stack.hand_over(operation_id)
    except Exception as error:  # noqa: BLE001  # cut off when the process leaves, in whichever way
        print("hand-over:", type(error).__name__)
