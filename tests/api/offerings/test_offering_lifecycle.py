"""Offerings from draft to open, and issuers' KYB."""

import json
from typing import Any

import pytest

from tests.api.world import REASON, World, terms, token_of
from tokenx_api.auth.models import Persona
from tokenx_api.offerings import service
from tokenx_chain.operations.catalog import parse_params
from tokenx_chain.operations.params import DeployOffering


async def test_offering_goes_from_draft_to_open(world: World) -> None:
    issuer, issuer_id = await world.issuer()
    draft = await world.offering(issuer, until="draft")
    offering_id = draft["offering_id"]
    assert (draft["status"], draft["market_state"], draft["unit_price_amount"]) == ("draft", "closed", "100.00")
    assert (draft["issuer_id"], draft["issuer_name"], draft["last_price_amount"]) == (
        issuer_id,
        "Acme Holdings Inc.",
        None,
    )
    officer, agent = await world.staff("compliance_officer"), await world.staff("tokenization_agent")
    path = f"/v1/offerings/{offering_id}"
    assert (await officer.post(f"{path}:approve", expect=200))["status"] == "approved"
    deploying = await agent.post(f"{path}:deploy", expect=200)
    assert (deploying["status"], deploying["chain_id"], deploying["token_address"]) == ("deploying", 31337, None)
    operation = await world.operation(f"offering:{offering_id}")
    assert operation["kind"] == "offering.deploy"
    assert '"blocked_countries": ["KP"]' in operation["params"]
    await world.deployed(offering_id)
    await world.deployed(offering_id)
    deployed = await issuer.get(path)
    assert (deployed["status"], deployed["token_address"]) == ("deployed", token_of(offering_id))
    assert (await issuer.post(f"{path}:open", expect=200))["status"] == "open"
    assert await world.actions(offering_id) == [
        "offering.created", "offering.approved", "offering.deployment_requested", "offering.deployed", "offering.opened",
    ]  # fmt: skip


async def test_transfer_rules_are_kept_shown_and_handed_to_the_chain(world: World) -> None:
    limit: dict[str, Any] = {"exchange": "0x" + "ab" * 20, "day_units": "5", "month_total_units": "0"}
    stated: dict[str, Any] = {
        "allowed_countries": ["US", "DE"], "max_holders": 99, "max_holders_by_country": {"DE": 10}, "max_units_per_holder": "500",
        "lock_up_days": 180, "volume_window": {"days": 30, "max_units": "50"},
        "exchange_limits": [limit],
    }  # fmt: skip
    issuer, _ = await world.issuer()
    draft = await issuer.post("/v1/offerings", terms(transfer_rules=stated))
    shown = (await issuer.get(f"/v1/offerings/{draft['offering_id']}"))["transfer_rules"]
    assert shown == stated | {"exchange_limits": [limit | {"month_units": None, "day_total_units": None}]}
    await (await world.staff("compliance_officer")).post(f"/v1/offerings/{draft['offering_id']}:approve", expect=200)
    await (await world.staff("tokenization_agent")).post(f"/v1/offerings/{draft['offering_id']}:deploy", expect=200)
    operation = await world.operation(f"offering:{draft['offering_id']}")
    params = parse_params("offering.deploy", json.loads(operation["params"]))
    assert isinstance(params, DeployOffering)
    assert params.transfer_rules.max_units_per_holder == 500
    assert params.transfer_rules.exchange_limits[0].month_total_units == 0


async def test_failed_deployment_can_be_repeated(world: World) -> None:
    issuer, _ = await world.issuer()
    offering = await world.offering(issuer, until="deploying")
    operation = await world.operation(f"offering:{offering['offering_id']}")
    async with world.api.context.db.write() as conn:
        await service.on_operation_failed(
            conn, offering["offering_id"], operation["operation_id"], "chain.reverted", "x"
        )
    path = f"/v1/offerings/{offering['offering_id']}"
    assert (await issuer.get(path))["status"] == "approved"
    agent = await world.staff("tokenization_agent")
    assert (await agent.post(f"{path}:deploy", expect=200))["status"] == "deploying"


@pytest.mark.parametrize(
    ("until", "persona", "step"),
    [
        ("approved", "compliance_officer", "approve"),
        ("draft", "tokenization_agent", "deploy"),
        ("deploying", "tokenization_agent", "deploy"),
        ("open", "compliance_officer", "approve"),
    ],
)
async def test_step_out_of_order_is_refused(world: World, until: str, persona: Persona, step: str) -> None:
    issuer, _ = await world.issuer()
    offering = await world.offering(issuer, until=until)
    staff = await world.staff(persona)
    answer = await staff.post(f"/v1/offerings/{offering['offering_id']}:{step}", expect=409)
    assert answer["code"] == "offering.wrong_status"


async def test_draft_is_hidden_from_strangers(world: World) -> None:
    issuer, _ = await world.issuer()
    stranger, _ = await world.issuer()
    draft = await world.offering(issuer, until="draft")
    path = f"/v1/offerings/{draft['offering_id']}"
    assert (await stranger.get(path, expect=404))["code"] == "offering.not_found"
    assert draft["offering_id"] not in [row["offering_id"] for row in (await stranger.get("/v1/offerings"))["data"]]
    assert draft["offering_id"] in [row["offering_id"] for row in (await issuer.get("/v1/offerings"))["data"]]
    await (await world.staff("ats_operator")).get(path)
    await stranger.post(f"{path}:open", expect=404)
    await issuer.post(f"{path}:open", expect=409)


async def test_symbol_is_unique(world: World) -> None:
    issuer, _ = await world.issuer()
    offering = await world.offering(issuer, until="draft")
    answer = await issuer.post("/v1/offerings", terms(symbol=offering["symbol"]), expect=409)
    assert answer["code"] == "offering.symbol_taken"


async def test_offering_needs_approved_kyb(world: World) -> None:
    unapproved, issuer_id = await world.issuer(approved=False)
    assert (await unapproved.post("/v1/offerings", terms(), expect=409))["code"] == "issuer.kyb_required"
    officer = await world.staff("compliance_officer")
    rejected = await officer.post(f"/v1/issuers/{issuer_id}:reject-kyb", REASON, expect=200)
    assert rejected["kyb_status"] == "rejected"
    answer = await officer.post(f"/v1/issuers/{issuer_id}:approve-kyb", REASON, expect=409)
    assert answer["code"] == "issuer.wrong_kyb_status"
    assert await world.actions(issuer_id) == ["issuer.created", "issuer.kyb_rejected"]


async def test_kyb_approval_closes_the_case_and_opens_the_wallet(world: World) -> None:
    _, issuer_id = await world.issuer()
    [case] = await world.api.fetch(
        "SELECT status, reviewer_id, reason FROM compliance.kyb WHERE issuer_id = $1", issuer_id
    )
    officer = await world.staff("compliance_officer")
    assert case == {"status": "approved", "reviewer_id": officer.user_id, "reason": REASON["reason"]}
    [wallet] = await world.api.fetch("SELECT key_ref, status FROM api.wallets WHERE issuer_id = $1", issuer_id)
    assert wallet == {"key_ref": f"issuer:{issuer_id}", "status": "created"}
    await officer.post("/v1/issuers/iss_0:approve-kyb", REASON, expect=404)
    await officer.post("/v1/issuers/iss_0:reject-kyb", REASON, expect=404)


@pytest.mark.parametrize(
    ("change", "pointer", "code"),
    [
        ({"symbol": "acme"}, "/symbol", "string_pattern_mismatch"),
        ({"symbol": "A"}, "/symbol", "string_pattern_mismatch"),
        ({"name": ""}, "/name", "string_too_short"),
        ({"exemption": "reg_z"}, "/exemption", "literal_error"),
        ({"unit_price_amount": 100}, "/unit_price_amount", "number_not_string"),
        ({"unit_price_amount": "1.001"}, "/unit_price_amount", "not_a_decimal"),
        ({"unit_price_amount": "-1"}, "/unit_price_amount", "not_a_decimal"),
        ({"unit_price_amount": "0"}, "/unit_price_amount", "not_positive"),
        ({"unit_price_amount": "100.01", "tick_size_amount": "0.05"}, "/unit_price_amount", "not_on_tick_grid"),
        ({"max_units": "1.5"}, "/max_units", "not_a_decimal"),
        ({"max_units": "105", "lot_size_units": "10"}, "/max_units", "not_whole_lots"),
        ({"max_units": "9223372036854775807"}, "/max_units", "out_of_range"),
        ({"max_units": "9223372036854775808"}, "/max_units", "not_a_decimal"),
        ({"collar_bps": 0}, "/collar_bps", "greater_than_equal"),
        ({"collar_bps": "1000"}, "/collar_bps", "int_type"),
        ({"blocked_countries": ["ZZ"]}, "/blocked_countries/0", "not_a_country"),
        ({"issuer_id": "iss_1"}, "/issuer_id", "extra_forbidden"),
        ({"transfer_rules": {"max_holder": 3}}, "/transfer_rules/max_holder", "extra_forbidden"),
        ({"transfer_rules": {"max_holders": 0}}, "/transfer_rules/max_holders", "greater_than_equal"),
        ({"transfer_rules": {"max_units_per_holder": 5}}, "/transfer_rules/max_units_per_holder", "number_not_string"),
        ({"transfer_rules": {"lock_up_days": 3651}}, "/transfer_rules/lock_up_days", "less_than_equal"),
        ({"transfer_rules": {"allowed_countries": ["KP"]}}, "/transfer_rules/allowed_countries", "blocked_too"),
        (
            {"lot_size_units": "10", "transfer_rules": {"max_units_per_holder": "9"}},
            "/transfer_rules/max_units_per_holder",
            "less_than_a_lot",
        ),
        (
            {"transfer_rules": {"exchange_limits": [{"exchange": "0x" + "aB" * 20}, {"exchange": "0x" + "ab" * 20}]}},
            "/transfer_rules/exchange_limits",
            "named_twice",
        ),
        (
            {"transfer_rules": {"exchange_limits": [{"exchange": "0x" + "ab" * 20, "day_units": "-1"}]}},
            "/transfer_rules/exchange_limits/0/day_units",
            "not_a_decimal",
        ),
    ],
)
async def test_wrong_terms_are_named(world: World, change: dict[str, Any], pointer: str, code: str) -> None:
    issuer, _ = await world.issuer()
    answer = await issuer.post("/v1/offerings", terms(**change), expect=422)
    assert [(error["pointer"], error["code"]) for error in answer["errors"]] == [(pointer, code)]
