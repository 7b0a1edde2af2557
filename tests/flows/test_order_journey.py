"""One order's whole journey through every service, on the real stack. Reads like docs/order-journey.md; each test is one of its chapters."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.support.stack import Stack
from tokenx_cli.journey.cast import MAIN, THIN, TRADERS, UNVERIFIED, WASH_PAIR, Passwords
from tokenx_cli.journey.journey import Journey
from tokenx_cli.replay.commands import read_messages
from tokenx_cli.verify.commands import verify_folder

FLOW = Path(__file__).parents[2] / "tokenx_cli" / "replay" / "demo_flow.csv"

pytestmark = [pytest.mark.flow, pytest.mark.stack]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def journey(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Journey]:
    passwords = Passwords(tmp_path_factory.mktemp("journey") / "investors.json", stack.logins)
    walk = Journey(stack.urls["api"], stack.urls["rpc"], passwords)
    yield walk
    await walk.close()


async def test_1_an_issuer_tokenizes(journey: Journey) -> None:
    offering = await journey.tokenize()
    assert offering["status"] == "open"
    assert offering["token_address"].startswith("0x")


async def test_2_investors_are_onboarded_and_one_is_not(journey: Journey) -> None:
    investors = await journey.onboard()
    for role in (*TRADERS, *WASH_PAIR):
        assert investors[role.key]["kyc_status"] == "approved"
        assert investors[role.key]["wallets"][0]["identity"]
    assert investors[UNVERIFIED.key]["kyc_status"] == "pending"


async def test_3_the_primary_offering_is_issued_on_chain(journey: Journey) -> None:
    await journey.primary()
    table = await journey.register_agrees(MAIN)
    held = {row["legal_name"]: row["on_chain_units"] for row in table["data"]}
    for role in TRADERS:
        assert held[role.name] == str(role.units[MAIN])
    assert table["on_chain_supply"] == table["total_units"]


async def test_4_orders_trade_and_the_unverified_investor_is_refused_before_the_book(journey: Journey) -> None:
    await journey.open_market()
    refusal = await journey.refuse_unverified()
    assert refusal.status == 403
    assert refusal.code == "compliance.denied"
    assert "KYC_NOT_APPROVED" in refusal.reason_codes()
    assert await (await journey.trader(UNVERIFIED)).everything("/v1/orders") == []

    tally = await journey.replay(read_messages(FLOW, limit=400))
    assert tally.accepted > 200
    assert tally.replaced > 10
    assert tally.canceled > 10
    assert not tally.problems, tally.problems
    assert await journey.matched() > 50


async def test_5_fills_settle_on_chain_and_the_register_agrees(journey: Journey) -> None:
    counts = await journey.settle()
    assert set(counts) == {"settled"}
    table = await journey.register_agrees(MAIN)
    assert table["on_chain_supply"] == table["total_units"]
    assert "Transfer not possible" in await journey.refused_on_chain()


async def test_6_every_transfer_is_scored_and_planted_abuse_is_found(journey: Journey) -> None:
    listed = await journey.plant_listed_transfer()
    await journey.plant_wash_trades()
    await journey.settle()
    assert await journey.every_transfer_scored() > len(TRADERS)
    kyt = await journey.alerts("kyt")
    assert any(listed in str(alert["facts"]).lower() for alert in kyt)
    assert "unscored_event" not in {alert["kind"] for alert in kyt}
    surveillance = await journey.alerts("surveillance")
    assert {alert["offering_id"] for alert in surveillance} == {journey.offerings[THIN]["offering_id"]}


async def test_7_a_redemption_survives_the_death_of_its_worker(journey: Journey, stack: Stack) -> None:
    before = int((await journey.cap_table())["total_units"])

    async def kill_the_worker() -> None:
        stack.kill("worker")

    statement = await journey.redeem(in_the_middle=kill_the_worker, units="50")
    assert statement["units"] == "50"
    table = await journey.register_agrees(MAIN)
    assert int(table["total_units"]) == before - 50
    assert table["on_chain_supply"] == table["total_units"]


async def test_8_every_invariant_holds(journey: Journey, stack: Stack) -> None:
    await journey.settle()
    broken = [f"{result['name']}: {line}" for result in await verify_folder(stack.folder) for line in result["broken"]]
    assert not broken, "\n".join(broken)
    agent = await journey.staff("tokenization-agent")
    assert await agent.everything("/v1/chain/dead-letters", status="open") == []
