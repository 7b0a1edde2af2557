"""The redemption workflow on a real Temporal server: whatever is killed, everything happens once."""

import os
from pathlib import Path

import pytest
from temporalio.client import Client

from tests.support.servers import PostgresServer, ServiceKeys, ValkeyServer, scratch_folder
from tests.workflows.stage import Stage, raise_stage, until
from tokenx_cli.runtime import foreground, ports
from tokenx_cli.runtime.temporal import Temporal

pytestmark = pytest.mark.stack
HISTORIES = Path(__file__).parent / "histories"


async def play(stage: Stage) -> None:
    """The people's and the chain's part, from a request to the statement."""
    driver = stage.driver
    assert (await driver.request()).status_code == 201
    await stage.until_status("awaiting_approval")
    await driver.decide("approve")
    await stage.until_status("burning")
    await driver.chain_says("burn")
    await until(lambda: operations(stage), 2)
    await driver.chain_says("payout")
    await stage.until_status("closed")


async def operations(stage: Stage) -> int:
    return await stage.driver.api.seed.value(
        "SELECT count(*) FROM chain.operations WHERE business_ref LIKE 'redemption:%'"
    )


async def assert_everything_happened_once(stage: Stage) -> None:
    driver, value = stage.driver, stage.driver.api.seed.value
    assert (await driver.units(), await driver.cash()) == ((60, 0), 40_000)
    assert await operations(stage) == 2
    assert await value("SELECT count(*) FROM api.payments") == 1
    assert await value("SELECT count(*) FROM api.ledger_entries WHERE kind IN ('redeem', 'payout')") == 2
    assert await value("SELECT sum(amount) FROM api.reservations") == 0
    assert await value("SELECT count(*) FROM chain.dead_letters") == 0
    assert await value("SELECT count(*) FROM audit.events WHERE action = 'redemption.closed'") == 1


async def record_history(stage: Stage, name: str) -> None:
    """TOKENX_RECORD_HISTORIES=1 writes the run's history, to be committed with a release."""
    if os.environ.get("TOKENX_RECORD_HISTORIES") != "1":
        return
    client = await Client.connect(stage.temporal)
    history = await client.get_workflow_handle(f"redemption:{stage.driver.redemption_id}").fetch_history()
    (HISTORIES / f"{name}.json").write_text(history.to_json() + "\n")


async def result(stage: Stage) -> object:
    client = await Client.connect(stage.temporal)
    return await client.get_workflow_handle(f"redemption:{stage.driver.redemption_id}").result()


async def test_redemption_from_request_to_statement(stage: Stage) -> None:
    await stage.start_worker()
    await play(stage)
    await assert_everything_happened_once(stage)
    assert await result(stage) == {"phase": "closed"}
    await record_history(stage, "redemption_closed")
    assert await stage.stop_worker() == 0


@pytest.mark.fault
async def test_worker_killed_in_every_activity_gives_the_same_outcome(stage: Stage) -> None:
    """Each step twice: killed before the api hears of it, and after its effect is committed but before the answer arrives."""
    driver, proxy = stage.driver, stage.proxy

    async def killed_in(step: str) -> None:
        for when in ("before", "after"):
            await proxy.held.wait()
            await stage.kill_worker()
            if when == "before":
                proxy.hold(step, "after")
            await stage.start_worker()

    await stage.start_worker()
    proxy.hold("open", "before")
    await driver.request()
    await killed_in("open")
    await stage.until_status("awaiting_approval")
    proxy.hold("burn", "before")
    await driver.decide("approve")
    await killed_in("burn")
    await stage.until_status("burning")
    proxy.hold("payout", "before")
    await driver.chain_says("burn")
    await killed_in("payout")
    await until(lambda: operations(stage), 2)
    proxy.hold("close", "before")
    await driver.chain_says("payout")
    await killed_in("close")
    assert await result(stage) == {"phase": "closed"}
    await assert_everything_happened_once(stage)


async def test_rejection_ends_the_workflow(stage: Stage) -> None:
    await stage.start_worker()
    await stage.driver.request()
    await stage.until_status("awaiting_approval")
    await stage.driver.decide("reject")
    assert await result(stage) == {"phase": "rejected"}
    assert await stage.driver.units() == (100, 0)
    await record_history(stage, "redemption_rejected")


async def test_failed_burn_ends_the_workflow(stage: Stage) -> None:
    await stage.start_worker()
    await stage.driver.request()
    await stage.driver.decide("approve")
    await stage.until_status("burning")
    await stage.driver.chain_says("burn", error="chain.reverted")
    assert await result(stage) == {"phase": "failed"}
    assert await stage.driver.units() == (100, 0)
    await record_history(stage, "redemption_burn_failed")


async def test_requests_wait_for_a_server_that_appears_later(
    postgres: PostgresServer, valkey: ValkeyServer, service_keys: ServiceKeys
) -> None:
    """Api and worker start without one; health says so; the request is taken and its workflow starts once."""
    with scratch_folder("late-temporal") as folder, postgres.new_database() as database:
        server = Temporal(folder, ports.free_port())
        async with raise_stage(database, valkey.url("api"), service_keys, server.address) as stage:
            await stage.start_worker()
            assert (await stage.driver.request()).status_code == 201
            async with stage.driver.api.anonymous() as client:
                health = (await client.get("/health/ready")).json()
            assert (health["dependencies"]["temporal"]["status"], health["status"]) == ("down", "degraded")
            await until(lambda: refusals(stage), True)
            with foreground.run(server.spec(), folder / "temporal.log"):
                await stage.until_status("awaiting_approval")
                await stage.stop_worker()


async def refusals(stage: Stage) -> bool:
    """Whether the relay has tried and found nobody."""
    return await stage.driver.api.seed.value(
        "SELECT last_error LIKE '%emporal%' FROM api.outbox WHERE kind = 'workflow_start'"
    )
