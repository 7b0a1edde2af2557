"""Reading the audit trail over HTTP; the running api seals by itself."""

from tests.api.harness import Api
from tests.api.world import World, until


async def test_trail_of_one_subject_pages_newest_first(world: World) -> None:
    client, investor_id = await world.investor()
    admin = await world.staff("admin")
    first = await admin.get(f"/v1/audit/events?subject_id={investor_id}&limit=3")
    second = await admin.get(f"/v1/audit/events?subject_id={investor_id}&limit=3&cursor={first['next_cursor']}")
    rows = [*first["data"], *second["data"]]
    assert [row["action"] for row in reversed(rows)] == await world.actions(investor_id)
    assert rows[-1]["actor"] == client.user_id
    assert all(row["correlation_id"] for row in rows)
    await admin.get("/v1/audit/events?cursor=bm90YW51bWJlcg", expect=422)


async def test_running_api_seals_what_it_records(world: World) -> None:
    await world.investor()
    admin = await world.staff("admin")

    async def sealed() -> bool | None:
        found = await admin.get("/v1/audit/verification")
        assert found["ok"], found
        return (found["seals"] > 0 and found["unsealed"] == 0) or None

    await until(sealed)


async def test_operators_tool_may_verify(api: Api) -> None:
    assert (await api.service("cli").get("/internal/audit/verification"))["ok"] is True
    await api.service("matcher").get("/internal/audit/verification", expect=403)
    await api.anonymous.get("/internal/audit/verification", expect=401)
