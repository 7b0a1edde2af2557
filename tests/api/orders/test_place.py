"""Accepting orders: what is stored, what is refused, and that a repetition changes nothing."""

import asyncio
import hashlib
import json
from typing import Any

import pytest

from tests.api.orders.venue import Trader, Venue


async def counts(venue: Venue) -> dict[str, int]:
    """Rows that an order leaves behind; a refused one may only add a decision and an audit line."""
    tables = (
        "matcher.orders",
        "matcher.commands",
        "api.reservations",
        "api.ledger_entries",
        "compliance.decisions",
        "audit.events",
    )
    return {table: await venue.seed.value(f"SELECT count(*) FROM {table}") for table in tables}


async def test_place_stores_order_reservation_command_decision_and_audit(venue: Venue) -> None:
    buyer = await venue.trader(cash=100_000)
    before = await counts(venue)
    order = await buyer.place("buy", 7, "10.50")
    after = await counts(venue)
    assert {table: after[table] - before[table] for table in after} == {
        "matcher.orders": 1, "matcher.commands": 1, "api.reservations": 1, "api.ledger_entries": 0, "compliance.decisions": 1, "audit.events": 1,
    }  # fmt: skip
    assert order["status"] == "pending_new"
    assert (order["quantity"], order["limit_price"], order["remaining_quantity"]) == ("7", "10.50", "7")
    assert await buyer.held() == {"USD": (100_000, 7_350)}
    (command,) = await venue.rows(
        "SELECT body, cmd_seq FROM matcher.commands WHERE cmd_seq = 2 AND offering_id = $1", venue.offering.offering_id
    )
    body = json.loads(command["body"])
    assert body["book_order_id"] == command["cmd_seq"]
    assert command["body"] == json.dumps(body, sort_keys=True, separators=(",", ":"))


async def test_place_same_body_again_returns_the_same_order(venue: Venue) -> None:
    buyer = await venue.trader(cash=100_000)
    body = buyer.order("buy", 1)
    first = await buyer.http.post("/v1/orders", json=body)
    await venue.match()
    before = await counts(venue)
    second = await buyer.http.post("/v1/orders", json=body)
    assert (first.status_code, second.status_code) == (201, 200)
    assert second.json()["order_id"] == first.json()["order_id"]
    assert second.json()["status"] == "new", "the order as it is now"
    assert await counts(venue) == before


async def test_place_same_client_order_id_other_body_is_refused(venue: Venue) -> None:
    buyer = await venue.trader(cash=100_000)
    body = buyer.order("buy", 1)
    await buyer.http.post("/v1/orders", json=body)
    before = await counts(venue)
    answer = await buyer.http.post("/v1/orders", json=body | {"quantity": "2"})
    assert (answer.status_code, answer.json()["code"]) == (422, "order.client_order_id_reused")
    assert await counts(venue) == before


async def test_client_order_id_is_per_investor(venue: Venue) -> None:
    ann, bob = await venue.trader(cash=100_000), await venue.trader(cash=100_000)
    body = ann.order("buy", 1)
    answers = [await trader.http.post("/v1/orders", json=body) for trader in (ann, bob)]
    assert [answer.status_code for answer in answers] == [201, 201]


async def test_answer_lost_after_commit_then_repetition_finds_the_order(
    venue: Venue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A crash between commit and reply: everything after the commit fails, and the client asks again."""
    buyer = await venue.trader(cash=100_000)
    body = buyer.order("buy", 1)
    with monkeypatch.context() as broken:
        broken.setattr(venue.context.announcer, "put", _crash)
        assert (await buyer.http.post("/v1/orders", json=body)).status_code == 500
    again = await buyer.http.post("/v1/orders", json=body)
    assert again.status_code == 200
    by_client_id = await buyer.http.get("/v1/orders:by-client-order-id", params={"client_order_id": body["client_order_id"]})  # fmt: skip
    assert by_client_id.json() == again.json()
    assert await venue.match() is True, "the command is in the log although nobody announced it"
    assert (await buyer.get(again.json()["order_id"]))["status"] == "new"


def _crash(*_arguments: Any) -> None:
    raise RuntimeError("killed")


async def test_crash_inside_the_transaction_leaves_nothing(venue: Venue, monkeypatch: pytest.MonkeyPatch) -> None:
    buyer = await venue.trader(cash=100_000)
    before = await counts(venue)
    monkeypatch.setattr("tokenx_api.orders.queries.insert_order", _crash)
    assert (await buyer.http.post("/v1/orders", json=buyer.order("buy", 1))).status_code == 500
    assert await counts(venue) == before
    assert await buyer.held() == {"USD": (100_000, 0)}


async def test_text_that_cannot_be_stored_is_a_plain_refusal(venue: Venue) -> None:
    buyer = await venue.trader(cash=100_000)
    answer = await buyer.http.post("/v1/orders", json=buyer.order("buy", 1) | {"offering_id": "off_\0"})
    assert (answer.status_code, answer.json()["code"]) == (422, "request.text_not_storable")


async def test_lost_database_connections_are_503_and_a_repetition_goes_through(venue: Venue) -> None:
    buyer = await venue.trader(cash=100_000)
    body = buyer.order("buy", 1)
    await venue.seed.rows.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND usename = 'tokenx_api'"
    )
    answers = [await buyer.http.post("/v1/orders", json=body) for _ in range(20)]
    refused = [answer for answer in answers if answer.status_code not in (200, 201)]
    assert {(answer.status_code, answer.json()["code"], answer.headers.get("Retry-After")) for answer in refused} <= {
        (503, "dependency.unavailable", "1")
    }
    assert sorted(answer.status_code for answer in answers if answer not in refused)[-1] == 201
    assert len(await venue.rows("SELECT 1 FROM matcher.orders WHERE investor_id = $1", buyer.investor_id)) == 1


async def test_concurrent_placement_keeps_the_log_dense_and_chained(venue: Venue) -> None:
    traders = [await venue.trader(cash=1_000_000, units=1000) for _ in range(6)]
    sides = ("buy", "sell")
    orders = [trader.place(sides[number % 2], 1 + number % 5, "10.00") for number, trader in enumerate(traders * 10)]
    await asyncio.gather(*orders)
    rows = await venue.rows("SELECT cmd_seq, body, hash FROM matcher.commands WHERE offering_id = $1 ORDER BY cmd_seq", venue.offering.offering_id)  # fmt: skip
    assert [row["cmd_seq"] for row in rows] == list(range(1, 62))
    digest = bytes(32)
    for row in rows:
        digest = hashlib.sha256(digest + row["body"].encode()).digest()
        assert row["hash"] == digest
    (sequencer,) = await venue.rows("SELECT cmd_seq, cmd_hash FROM matcher.sequencers WHERE offering_id = $1", venue.offering.offering_id)  # fmt: skip
    assert sequencer == {"cmd_seq": 61, "cmd_hash": digest}


async def test_concurrent_repetitions_make_one_order(venue: Venue) -> None:
    buyer = await venue.trader(cash=100_000)
    body = buyer.order("buy", 1)
    answers = await asyncio.gather(*(buyer.http.post("/v1/orders", json=body) for _ in range(8)))
    assert sorted(answer.status_code for answer in answers) == [200] * 7 + [201]
    assert len({answer.json()["order_id"] for answer in answers}) == 1
    assert await buyer.held() == {"USD": (100_000, 1_000)}


async def test_concurrent_orders_never_hold_more_than_there_is(venue: Venue) -> None:
    """Ten orders of 10.00 against 35.00: three go through, seven are denied with a decision."""
    buyer = await venue.trader(cash=3_500)
    answers = await asyncio.gather(*(buyer.http.post("/v1/orders", json=buyer.order("buy", 1)) for _ in range(10)))
    assert sorted(answer.status_code for answer in answers) == [201] * 3 + [403] * 7
    assert {answer.json()["reasons"][0]["code"] for answer in answers if answer.status_code == 403} == {
        "INSUFFICIENT_FUNDS"
    }
    assert await buyer.held() == {"USD": (3_500, 3_000)}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (
            "UPDATE api.investors SET kyc_status = 'pending', kyc_expires_at = NULL WHERE investor_id = $1",
            "KYC_NOT_APPROVED",
        ),
        ("UPDATE api.investors SET kyc_expires_at = now() - interval '1 second' WHERE investor_id = $1", "KYC_EXPIRED"),
        ("UPDATE api.investors SET frozen = true WHERE investor_id = $1", "ACCOUNT_FROZEN"),
        ("UPDATE api.wallets SET status = 'created' WHERE investor_id = $1", "WALLET_UNVERIFIED"),
        ("DELETE FROM api.wallets WHERE investor_id = $1", "WALLET_UNVERIFIED"),
        ("UPDATE api.offerings SET blocked_countries = '{US}' WHERE $1::text <> ''", "JURISDICTION_BLOCKED"),
        ("UPDATE api.offerings SET market_state = 'halted' WHERE $1::text <> ''", "MARKET_NOT_OPEN"),
    ],
)
async def test_refused_by_the_gate_stores_a_decision_and_no_order(venue: Venue, change: str, code: str) -> None:
    buyer = await venue.trader(cash=100_000)
    await venue.seed.rows.execute(change, buyer.investor_id)
    before = await counts(venue)
    answer = await buyer.http.post("/v1/orders", json=buyer.order("buy", 1))
    after = await counts(venue)
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (403, "compliance.denied")
    assert [reason["code"] for reason in problem["reasons"]] == [code]
    assert problem["reasons"][0]["remedy"].keys() == {"type", "value"}
    assert {table: after[table] - before[table] for table in after if after[table] != before[table]} == {
        "compliance.decisions": 1, "audit.events": 1,
    }  # fmt: skip
    assert (
        await venue.seed.value(
            "SELECT outcome FROM compliance.decisions WHERE decision_id = $1", problem["decision_id"]
        )
        == "deny"
    )
    assert await buyer.held() == {"USD": (100_000, 0)}


@pytest.mark.parametrize(
    ("changes", "pointer", "code"),
    [
        ({"quantity": 1}, "/quantity", "number_not_string"),
        ({"quantity": "0"}, "/quantity", "not_positive"),
        ({"quantity": "-1"}, "/quantity", "not_a_decimal"),
        ({"quantity": "1e3"}, "/quantity", "not_a_decimal"),
        ({"quantity": "NaN"}, "/quantity", "not_a_decimal"),
        ({"quantity": "1.5"}, "/quantity", "not_a_decimal"),
        ({"quantity": "15"}, "/quantity", "order.quantity_not_lot_multiple"),
        ({"quantity": "9223372036854775808"}, "/quantity", "not_a_decimal"),
        (
            {"quantity": "9223372036854775800", "limit_price": "92233720368547758.00"},
            "/quantity",
            "order.quantity_too_large",
        ),
        ({"quantity": "2000000"}, "/quantity", "order.quantity_too_large"),
        ({"limit_price": 10.5}, "/limit_price", "number_not_string"),
        ({"limit_price": "0.00"}, "/limit_price", "not_positive"),
        ({"limit_price": "-10.00"}, "/limit_price", "not_a_decimal"),
        ({"limit_price": "10.001"}, "/limit_price", "not_a_decimal"),
        ({"limit_price": "10.03"}, "/limit_price", "order.price_off_tick"),
        ({"limit_price": "Infinity"}, "/limit_price", "not_a_decimal"),
        ({"limit_price": None}, "/limit_price", "order.limit_price_required"),
        ({"type": "market", "time_in_force": "ioc"}, "/limit_price", "order.limit_price_not_allowed"),
        ({"type": "market", "limit_price": None}, "/time_in_force", "order.time_in_force_not_allowed"),
        ({"type": "stop"}, "/type", "literal_error"),
        ({"side": "short"}, "/side", "literal_error"),
        ({"time_in_force": "ioc", "post_only": True}, "/post_only", "order.post_only_not_allowed"),
        ({"post_only": "yes"}, "/post_only", "bool_type"),
        ({"client_order_id": ""}, "/client_order_id", "string_pattern_mismatch"),
        ({"client_order_id": "x" * 65}, "/client_order_id", "string_pattern_mismatch"),
        ({"client_order_id": "a b"}, "/client_order_id", "string_pattern_mismatch"),
        ({"client_order_id": "a\u0000"}, "/client_order_id", "string_pattern_mismatch"),
        ({"owner": 7}, "/owner", "extra_forbidden"),
        ({"offering_id": ""}, "/offering_id", "string_too_short"),
    ],
    ids=lambda value: json.dumps(value) if isinstance(value, dict) else value.strip("/"),
)
async def test_bad_input_is_422_with_pointer_and_code_and_stores_nothing(wide: Venue, changes: dict[str, Any], pointer: str, code: str) -> None:  # fmt: skip
    buyer = await wide.trader(cash=100_000)
    before = await counts(wide)
    answer = await buyer.http.post("/v1/orders", json=buyer.order("buy", 10, "10.00") | changes)
    problem = answer.json()
    assert answer.status_code == 422, answer.text
    assert {"pointer": pointer, "code": code} in [{"pointer": error["pointer"], "code": error["code"]} for error in problem["errors"]]  # fmt: skip
    assert problem["code"] == "validation_failed"
    assert await counts(wide) == before


async def test_unknown_offering_is_404(venue: Venue) -> None:
    buyer = await venue.trader(cash=100)
    answer = await buyer.http.post("/v1/orders", json=buyer.order("buy", 1, offering_id="off_nothing"))
    assert (answer.status_code, answer.json()["code"]) == (404, "offering.not_found")


async def test_market_order_is_sent_as_ioc_at_the_protection_price(venue: Venue) -> None:
    """Reference 10.00, collar 10 %: a buy pays at most 11.00, and that is what is held."""
    buyer = await venue.trader(cash=100_000)
    order = await buyer.place("buy", 3, None)
    assert (order["type"], order["limit_price"], order["protection_price"]) == ("market", None, "11.00")
    assert await buyer.held() == {"USD": (100_000, 3_300)}
    (command,) = await venue.rows(
        "SELECT body FROM matcher.commands WHERE cmd_seq = 2 AND offering_id = $1", venue.offering.offering_id
    )
    assert {key: json.loads(command["body"])[key] for key in ("order_type", "tif", "price_ticks")} == {"order_type": "limit", "tif": "ioc", "price_ticks": 1100}  # fmt: skip
    await venue.match()
    done = await buyer.get(order["order_id"])
    assert (done["status"], done["status_reason"]) == ("expired", "ioc_remainder")
    assert await buyer.held() == {"USD": (100_000, 0)}


async def test_preview_answers_like_the_gate_and_stores_nothing(venue: Venue) -> None:
    buyer = await venue.trader(cash=1_000)
    before = await counts(venue)
    allowed = await buyer.http.post("/v1/orders:preview", json=buyer.order("buy", 1))
    denied = await buyer.http.post("/v1/orders:preview", json=buyer.order("buy", 2))
    assert (allowed.status_code, allowed.json()["outcome"], allowed.json()["notional_amount"]) == (
        200,
        "allow",
        "10.00",
    )
    assert (denied.status_code, denied.json()["outcome"]) == (200, "deny")
    assert denied.json()["reasons"][0]["code"] == "INSUFFICIENT_FUNDS"
    assert await counts(venue) == before


async def test_investor_without_profile_is_told_so(venue: Venue) -> None:
    user = await venue.seed.user("investor")
    trader = await venue.trader()
    answer = await venue.api.as_actor(user).post("/v1/orders", json=trader.order("buy", 1))
    assert (answer.status_code, answer.json()["code"]) == (409, "investor.profile_required")


async def test_other_persona_is_403_and_stranger_is_404(venue: Venue) -> None:
    buyer, other = await venue.trader(cash=100_000), await venue.trader()
    order = await buyer.place("buy", 1)
    issuer = venue.api.as_actor(venue.offering.issuer)
    assert (await issuer.post("/v1/orders", json=buyer.order("buy", 1))).status_code == 403
    assert (await issuer.get("/v1/orders")).status_code == 403
    for path in (
        f"/v1/orders/{order['order_id']}",
        f"/v1/orders:by-client-order-id?client_order_id={order['client_order_id']}",
    ):
        answer = await other.http.get(path)
        assert (answer.status_code, answer.json()["code"]) == (404, "order.not_found")
    assert (await other.http.delete(f"/v1/orders/{order['order_id']}")).status_code == 404
    assert (await other.http.patch(f"/v1/orders/{order['order_id']}", json={"quantity": "2"})).status_code == 404


async def test_list_pages_newest_first_and_staff_sees_all(venue: Venue) -> None:
    buyer, other = await venue.trader(cash=100_000), await venue.trader(cash=100_000)
    placed = [(await buyer.place("buy", 1))["order_id"] for _ in range(5)]
    await other.place("buy", 1)
    found = await _pages(buyer, limit=2)
    assert found == placed[::-1]
    operator = venue.api.as_actor(await venue.seed.user("ats_operator"))
    of_this = {"offering_id": venue.offering.offering_id}
    assert len((await operator.get("/v1/orders", params={"status": "open"} | of_this)).json()["data"]) == 6
    assert (await operator.get("/v1/orders", params={"status": "filled"} | of_this)).json()["data"] == []
    assert (await buyer.http.get("/v1/orders", params={"cursor": "%%%"})).status_code == 422


async def _pages(trader: Trader, *, limit: int) -> list[str]:
    found: list[str] = []
    cursor: str | None = None
    while True:
        params = {"limit": limit, "status": "open"} | ({"cursor": cursor} if cursor else {})
        page = (await trader.http.get("/v1/orders", params=params)).json()
        found += [order["order_id"] for order in page["data"]]
        cursor = page["next_cursor"]
        if cursor is None:
            return found
