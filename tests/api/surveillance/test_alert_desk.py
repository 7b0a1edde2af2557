"""Working on alerts: who sees them, who may assign, and that high ones take four eyes to close."""

from typing import Any

import httpx
import pytest

from tests.api.builders import address
from tests.api.in_process import Api
from tests.api.surveillance.reports import kyt_alert, report, score, surveillance_alert
from tokenx_api.auth.models import Actor

ALERT = "/v1/kyt/alerts/alr_k1"
CLOSING = {"outcome": "explained", "reason": "known treasury address"}


@pytest.fixture(autouse=True)
async def lease(api: Api) -> None:
    await api.seed.lease("kyt")


@pytest.fixture
async def officer(api: Api) -> Actor:
    return await api.seed.user("compliance_officer")


async def post(api: Api, actor: Actor, path: str, body: dict[str, Any] | None = None) -> httpx.Response:
    async with api.as_actor(actor) as client:
        return await client.post(path, json=body or {})


async def test_alerts_page_newest_first_by_status(api: Api, officer: Actor) -> None:
    await report(api, alerts=[kyt_alert(n, severity="low") for n in (1, 2, 3)])
    await post(api, officer, f"{ALERT}:close", CLOSING)
    async with api.as_actor(officer) as client:
        first = (await client.get("/v1/kyt/alerts?status=open&limit=1")).json()
        second = (await client.get("/v1/kyt/alerts", params={"status": "open", "cursor": first["next_cursor"]})).json()
    assert [row["alert_id"] for row in first["data"] + second["data"]] == ["alr_k3", "alr_k2"]


async def test_low_alert_is_closed_by_one_person(api: Api, officer: Actor) -> None:
    await report(api, alerts=[kyt_alert(1, severity="low")])
    closed = (await post(api, officer, f"{ALERT}:close", CLOSING)).json()
    assert (closed["status"], closed["outcome"], closed["closed_by"]) == ("closed", "explained", officer.user_id)
    assert (await post(api, officer, f"{ALERT}:close", CLOSING)).json()["code"] == "alert.illegal_move"


async def test_high_alert_takes_four_eyes(api: Api, officer: Actor) -> None:
    await report(api, alerts=[kyt_alert(1, severity="severe")])
    second = await api.seed.user("compliance_officer")
    assert (await post(api, officer, f"{ALERT}:close", CLOSING)).json()["code"] == "alert.illegal_move"
    assert (await post(api, officer, f"{ALERT}:assign")).json()["assigned_to"] == officer.user_id
    refused = await post(api, officer, f"{ALERT}:close", CLOSING)
    assert (refused.status_code, refused.json()["code"]) == (403, "alert.four_eyes")
    assert (await post(api, second, f"{ALERT}:close", CLOSING)).status_code == 200
    assert await api.seed.value("SELECT count(*) FROM audit.events WHERE subject_id = 'alr_k1'") == 2


async def test_alert_is_assigned_to_officers_only(api: Api, officer: Actor) -> None:
    await report(api, alerts=[kyt_alert(1)])
    operator = await api.seed.user("ats_operator")
    answer = await post(api, officer, f"{ALERT}:assign", {"assignee": operator.user_id})
    assert answer.json()["code"] == "alert.assignee_not_an_officer"


async def test_unknown_alert_is_not_found(api: Api, officer: Actor) -> None:
    assert (await post(api, officer, f"{ALERT}:assign")).json()["code"] == "alert.not_found"


async def test_ats_operator_sees_market_alerts_only(api: Api, officer: Actor) -> None:
    offering = await api.seed.offering()
    body = {
        "epoch": 1,
        "stream": "ev:x",
        "prev_seq": 0,
        "seq": 5,
        "alerts": [surveillance_alert(1, offering.offering_id)],
    }
    async with api.service("kyt") as kyt:
        assert (await kyt.post("/internal/surveillance/batches", json=body)).status_code == 200
    async with api.as_actor(await api.seed.user("ats_operator")) as client:
        [alert] = (await client.get("/v1/surveillance/alerts")).json()["data"]
        assert (alert["detector"], alert["replay_hash"]) == ("S03_wash_ring", "cd" * 32)
        assert (await client.get("/v1/kyt/alerts")).status_code == 403
    assert (await post(api, officer, "/v1/surveillance/alerts/alr_s1:assign")).json()["status"] == "assigned"
    assert (await post(api, officer, "/v1/surveillance/alerts/alr_s1:close", CLOSING)).json()["status"] == "closed"


async def test_scores_are_found_by_either_side(api: Api, officer: Actor) -> None:
    await report(api, scores=[score(1), score(2), score(3, from_address=address(3), to_address=address(9), score=None)])
    async with api.as_actor(officer) as client:
        first = (await client.get(f"/v1/kyt/scores?address={address(3)}&limit=2")).json()
        rest = (await client.get("/v1/kyt/scores", params={"limit": 2, "cursor": first["next_cursor"]})).json()
        other = (await client.get(f"/v1/kyt/scores?address={address(2)}")).json()
    assert [row["score_id"] for row in first["data"] + rest["data"]] == ["scr_3", "scr_2", "scr_1"]
    assert [row["score_id"] for row in other["data"]] == ["scr_2", "scr_1"]
    assert (first["data"][0]["amount"], first["data"][0]["score"]) == ("1000000000000000000000", None)
