"""Stored decisions, and that the recorded rules are the ones that are evaluated."""

import asyncpg

from tests.api.orders.venue import Venue
from tokenx_api.compliance import service
from tokenx_api.compliance.models import Question
from tokenx_api.compliance.rules import RULES


def a_question(investor_id: str, offering_id: str) -> Question:
    return Question(stage="pre_trade", subject_type="order", subject_id="ord_x", investor_id=investor_id, offering_id=offering_id,
                    side="buy", units=1, price_minor=1000, notional_minor=1000)  # fmt: skip


async def test_recorded_rules_are_the_evaluated_ones(venue: Venue) -> None:
    rows = await venue.rows(
        "SELECT rule_id, version, source FROM compliance.rules WHERE status = 'active' ORDER BY rule_id"
    )
    assert rows == [
        {"rule_id": rule.rule_id, "version": rule.version, "source": rule.source}
        for rule in sorted(RULES, key=lambda rule: rule.rule_id)
    ]


async def test_decision_is_stored_with_facts_and_every_rule(venue: Venue) -> None:
    buyer = await venue.trader(cash=500)
    async with venue.context.db.write() as conn:
        decision = await service.decide(
            conn, a_question(buyer.investor_id, venue.offering.offering_id), now=venue.context.clock.now()
        )
    assert not decision.allowed
    row = await venue.seed.value(
        "SELECT to_jsonb(d)::text FROM compliance.decisions d WHERE decision_id = $1", decision.decision_id
    )
    assert '"INSUFFICIENT_FUNDS"' in row
    assert row.count('"rule_id"') == len([rule for rule in RULES if "pre_trade" in rule.stages])
    try:
        async with venue.context.db.write() as conn:
            await conn.execute("UPDATE compliance.decisions SET outcome = 'allow'")
    except asyncpg.InsufficientPrivilegeError:
        return
    raise AssertionError("decisions must be append-only")


async def test_nobody_and_nothing_is_denied_for_missing_facts(venue: Venue) -> None:
    async with venue.context.db.read() as conn:
        decision = await service.preview(conn, a_question("inv_none", "off_none"), now=venue.context.clock.now())
    assert {reason["code"] for reason in decision.reasons} >= {"FACT_MISSING"}
    assert not decision.allowed


async def test_restrictions_bind_sellers_until_lifted(venue: Venue) -> None:
    seller = await venue.trader(units=100)
    agent = venue.api.as_actor(await venue.seed.user("transfer_agent"))
    body = {
        "offering_id": venue.offering.offering_id,
        "investor_id": seller.investor_id,
        "kind": "lock_up",
        "units": "60",
        "reason": "offering terms",
    }
    assert (await agent.post("/v1/compliance/restrictions", json=body)).json()["code"] == "restriction.until_required"
    body["until"] = "2999-01-01T00:00:00Z"
    made = (await agent.post("/v1/compliance/restrictions", json=body)).json()
    assert (made["units"], made["until"], made["lifted_at"]) == ("60", "2999-01-01T00:00:00.000000Z", None)
    assert (await seller.http.post("/v1/orders", json=seller.order("sell", 40))).status_code == 201
    denied = await seller.http.post("/v1/orders", json=seller.order("sell", 1))
    assert [reason["code"] for reason in denied.json()["reasons"]] == ["LOCKUP"]
    path = f"/v1/compliance/restrictions/{made['restriction_id']}:lift"
    assert (await agent.post(path)).json()["lifted_at"] is not None
    assert (await agent.post(path)).json()["code"] == "restriction.already_lifted"
    assert (await seller.http.post("/v1/orders", json=seller.order("sell", 60))).status_code == 201
    assert (await seller.http.post("/v1/compliance/restrictions", json=body)).status_code == 403
    assert (await agent.post("/v1/compliance/restrictions", json=body | {"offering_id": "off_none"})).status_code == 404
    listed = (
        await agent.get("/v1/compliance/restrictions", params={"offering_id": venue.offering.offering_id})
    ).json()["data"]
    assert [row["restriction_id"] for row in listed] == [made["restriction_id"]]


async def test_officer_reads_why_an_order_was_refused(venue: Venue) -> None:
    buyer = await venue.trader()
    problem = (await buyer.http.post("/v1/orders", json=buyer.order("buy", 1))).json()
    officer = venue.api.as_actor(await venue.seed.user("compliance_officer"))
    stored = (await officer.get(f"/v1/compliance/decisions/{problem['decision_id']}")).json()
    assert (stored["outcome"], stored["stage"], stored["facts"]["cash.available_minor"]) == ("deny", "pre_trade", 0)
    of_subject = (await officer.get("/v1/compliance/decisions", params={"subject_id": stored["subject_id"]})).json()[
        "data"
    ]
    assert of_subject == [stored]
    assert {row["rule_id"] for row in (await officer.get("/v1/compliance/rules")).json()["data"]} == {
        rule.rule_id for rule in RULES
    }
    assert (await officer.get("/v1/compliance/decisions/dec_none")).json()["code"] == "decision.not_found"
    assert (await buyer.http.get("/v1/compliance/decisions")).status_code == 403
