"""Deploying the platform is asked for once, and staff see what the chain is doing."""

import asyncio

from tests.api.builders import CHAIN_ID
from tests.api.in_process import Api


async def test_deploying_the_platform_twice_gives_one_operation(api: Api) -> None:
    agent = await api.seed.user("tokenization_agent")
    async with api.as_actor(agent) as client:
        answers = await asyncio.gather(*(client.post("/v1/chain/platform:deploy") for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 200, 202]
    assert len({answer.json()["operation_id"] for answer in answers}) == 1
    assert await api.seed.value("SELECT count(*) FROM api.outbox WHERE kind = 'chain_operation'") == 1
    assert await api.seed.value("SELECT count(*) FROM audit.events WHERE action = 'platform.deployment_requested'") == 1


async def test_failed_deployment_may_be_asked_for_again(api: Api) -> None:
    failed = await api.seed.operation(f"platform:{CHAIN_ID}", kind="platform.deploy")
    await api.seed.rows.execute("UPDATE chain.operations SET state = 'failed'")
    async with api.as_actor(await api.seed.user("tokenization_agent")) as client:
        answer = await client.post("/v1/chain/platform:deploy")
    assert answer.status_code == 202
    assert answer.json()["operation_id"] != failed


async def test_operations_page_newest_first(api: Api) -> None:
    made = [await api.seed.operation(f"investor:inv_{n}") for n in range(3)]
    async with api.as_actor(await api.seed.user("admin")) as client:
        first = (await client.get("/v1/chain/operations?limit=2")).json()
        second = (await client.get("/v1/chain/operations", params={"limit": 2, "cursor": first["next_cursor"]})).json()
        one = (await client.get(f"/v1/chain/operations/{made[0]}")).json()
    assert [row["operation_id"] for row in first["data"] + second["data"]] == sorted(made, reverse=True)
    assert second["next_cursor"] is None
    assert one["business_ref"] == "investor:inv_0"


async def test_bad_cursor_is_invalid(api: Api) -> None:
    async with api.as_actor(await api.seed.user("admin")) as client:
        assert (await client.get("/v1/chain/operations?cursor=%FF")).status_code == 422


async def test_status_before_the_first_report_is_unknown(api: Api) -> None:
    async with api.as_actor(await api.seed.user("ats_operator")) as client:
        status = (await client.get("/v1/chain/status")).json()
    assert (status["status"], status["platform"], status["event_seq"]) == ("unknown", "absent", 0)


async def test_investors_do_not_see_chain_work(api: Api) -> None:
    async with api.as_actor((await api.seed.investor()).actor) as client:
        assert (await client.get("/v1/chain/status")).status_code == 403
        assert (await client.post("/v1/chain/platform:deploy")).status_code == 403
