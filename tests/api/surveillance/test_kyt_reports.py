"""What kyt reports is taken in once, densely numbered, and only from the current holder of its lease."""

import asyncio

import pytest

from tests.api.in_process import Api
from tests.api.surveillance.reports import STREAM, kyt_alert, report, score, surveillance_alert


@pytest.fixture(autouse=True)
async def lease(api: Api) -> None:
    await api.seed.lease("kyt")


async def test_scores_alerts_and_cursor_commit_together(api: Api) -> None:
    answer = await report(api, scores=[score(1)], alerts=[kyt_alert(1, score_id="scr_1")], seq=7)
    assert answer.json() == {"stream": STREAM, "seq": 7, "alerts_head": 1}
    async with api.service("kyt") as kyt:
        assert (await kyt.get("/internal/cursors?consumer=kyt")).json() == {STREAM: 7}
        assert (await kyt.get("/internal/alerts/heads")).json() == {"alerts:kyt": 1, "alerts:surveillance": 0}


async def test_same_batch_again_is_refused_with_the_cursor(api: Api) -> None:
    await report(api, alerts=[kyt_alert(1)], seq=7)
    answer = await report(api, alerts=[kyt_alert(1)], seq=7)
    assert (answer.status_code, answer.json()["code"], answer.json()["head"]) == (409, "stream.conflict", 7)


async def test_alerts_that_leave_a_gap_are_refused(api: Api) -> None:
    answer = await report(api, scores=[score(1)], alerts=[kyt_alert(2)])
    assert (answer.json()["code"], answer.json()["head"]) == ("alerts.not_dense", 0)
    assert await api.seed.value("SELECT count(*) FROM kyt.tx_risk_scores") == 0


async def test_alert_raised_before_is_named(api: Api) -> None:
    await report(api, alerts=[kyt_alert(1)], seq=1)
    again = kyt_alert(2, dedupe_key="k1")
    answer = await report(api, alerts=[again, kyt_alert(3)], prev_seq=1, seq=2)
    assert (answer.json()["code"], answer.json()["duplicates"], answer.json()["head"]) == (
        "alerts.duplicate",
        ["k1"],
        1,
    )


async def test_alert_twice_in_a_batch_is_named(api: Api) -> None:
    answer = await report(api, alerts=[kyt_alert(1), kyt_alert(2, dedupe_key="k1")])
    assert (answer.json()["code"], answer.json()["duplicates"]) == ("alerts.duplicate", ["k1"])


async def test_stale_epoch_reports_nothing(api: Api) -> None:
    assert (await report(api, scores=[score(1)], epoch=2)).json()["code"] == "lease.stale_epoch"
    assert await api.seed.value("SELECT count(*) FROM kyt.tx_risk_scores") == 0


async def test_reports_of_two_streams_at_once_number_their_alerts_once(api: Api) -> None:
    offering = await api.seed.offering()
    body = {"epoch": 1, "prev_seq": 0, "seq": 5, "alerts": [surveillance_alert(1, offering.offering_id)]}
    async with api.service("kyt") as kyt:
        answers = await asyncio.gather(
            *(kyt.post("/internal/surveillance/batches", json={**body, "stream": f"ev:{n}"}) for n in range(4))
        )
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
    assert await api.seed.value("SELECT count(*) FROM surveillance.alerts") == 1


async def test_reference_data_names_links_owners_and_offerings(api: Api) -> None:
    offering, ann, bob, eve = await api.seed.offering(), *[await api.seed.investor() for _ in range(3)]
    await api.seed.rows.execute(
        "UPDATE api.investors SET legal_name = 'Twin' WHERE investor_id = ANY($1)", [bob.investor_id, eve.investor_id]
    )
    async with api.as_actor(await api.seed.user("compliance_officer")) as officer:
        link = {
            "investor_a": bob.investor_id,
            "investor_b": ann.investor_id,
            "confidence_pct": 95,
            "basis": "same bank account",
        }
        assert (await officer.post("/v1/compliance/owner-links", json=link)).status_code == 201
        await officer.post("/v1/compliance/owner-links", json=link | {"confidence_pct": 90})
        listed = (await officer.get("/v1/compliance/owner-links")).json()["data"]
    async with api.service("kyt") as kyt:
        reference = (await kyt.get("/internal/reference/links")).json()
    assert [row["confidence_pct"] for row in listed] == [90]
    assert reference["links"] == [
        {"a": ann.owner_group, "b": bob.owner_group, "confidence_pct": 90, "basis": "same bank account"},
        {"a": bob.owner_group, "b": eve.owner_group, "confidence_pct": 60, "basis": "same legal name"},
    ]
    assert reference["owners"][str(ann.owner_group)] == ann.investor_id
    assert reference["offerings"][0]["offering_id"] == offering.offering_id


async def test_investor_is_not_linked_to_itself(api: Api) -> None:
    ann = await api.seed.investor()
    async with api.as_actor(await api.seed.user("compliance_officer")) as officer:
        link = {"investor_a": ann.investor_id, "investor_b": ann.investor_id, "confidence_pct": 95, "basis": "the same"}
        answer = await officer.post("/v1/compliance/owner-links", json=link)
    assert (answer.status_code, answer.json()["code"]) == (422, "owner_link.same_investor")
