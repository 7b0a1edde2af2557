"""Canceling and replacing: what is held before, while and after the matcher answers."""

import asyncio

from tests.api.orders.venue import Venue


async def test_cancel_is_pending_until_the_matcher_says_so(venue: Venue) -> None:
    buyer = await venue.trader(cash=100_000)
    order = await buyer.place("buy", 5)
    await venue.match()
    path = f"/v1/orders/{order['order_id']}"
    first, second = await buyer.http.delete(path), await buyer.http.delete(path)
    assert [(answer.status_code, answer.json()["status"]) for answer in (first, second)] == [
        (202, "pending_cancel")
    ] * 2
    assert await buyer.held() == {"USD": (100_000, 5_000)}
    assert await venue.seed.value("SELECT count(*) FROM matcher.commands WHERE body LIKE '%order.cancel%' AND offering_id = $1", venue.offering.offering_id) == 1  # fmt: skip
    await venue.match()
    closed = await buyer.get(order["order_id"])
    assert (closed["status"], closed["status_reason"], closed["remaining_quantity"]) == (
        "canceled",
        "user_request",
        "0",
    )
    assert await buyer.held() == {"USD": (100_000, 0)}
    again = await buyer.http.delete(path)
    assert (again.status_code, again.json()["code"], again.json()["order_status"]) == (
        409,
        "order.not_open",
        "canceled",
    )


async def test_cancel_before_the_matcher_has_seen_the_order(venue: Venue) -> None:
    buyer = await venue.trader(cash=100_000)
    order = await buyer.place("buy", 5)
    await buyer.http.delete(f"/v1/orders/{order['order_id']}")
    await venue.match()
    assert (await buyer.get(order["order_id"]))["status"] == "canceled"


async def test_cancel_that_comes_too_late_leaves_the_order_filled(venue: Venue) -> None:
    seller, buyer = await venue.trader(units=10), await venue.trader(cash=100_000)
    order = await buyer.place("buy", 5)
    await seller.place("sell", 5)
    assert (await buyer.http.delete(f"/v1/orders/{order['order_id']}")).status_code == 202
    await venue.match()
    assert (await buyer.get(order["order_id"]))["status"] == "filled"


async def test_operator_may_cancel_anybodys_order(venue: Venue) -> None:
    buyer = await venue.trader(cash=100_000)
    order = await buyer.place("buy", 5)
    operator = venue.api.as_actor(await venue.seed.user("ats_operator"))
    assert (await operator.delete(f"/v1/orders/{order['order_id']}")).status_code == 202
    await venue.match()
    assert (await buyer.get(order["order_id"]))["status_reason"] == "admin"


async def test_replace_holds_the_larger_terms_until_answered(venue: Venue) -> None:
    buyer = await venue.trader(cash=100_000)
    order = await buyer.place("buy", 5, "10.00")
    await venue.match()
    changed = await buyer.http.patch(f"/v1/orders/{order['order_id']}", json={"quantity": "8", "limit_price": "10.10"})
    assert (changed.status_code, changed.json()["status"], changed.json()["quantity"]) == (202, "pending_replace", "5")
    assert await buyer.held() == {"USD": (100_000, 8_080)}
    busy = await buyer.http.patch(f"/v1/orders/{order['order_id']}", json={"quantity": "9"})
    assert (busy.status_code, busy.json()["code"]) == (409, "order.change_pending")
    await venue.match()
    done = await buyer.get(order["order_id"])
    assert (done["status"], done["quantity"], done["limit_price"], done["revision"]) == ("new", "8", "10.10", 2)
    assert (await buyer.http.patch(f"/v1/orders/{order['order_id']}", json={"quantity": "2"})).status_code == 202
    assert await buyer.held() == {"USD": (100_000, 8_080)}, "less is only freed when the book has agreed"
    await venue.match()
    assert await buyer.held() == {"USD": (100_000, 2_020)}


async def test_replace_needs_only_the_difference(venue: Venue) -> None:
    """All cash is in the order."""
    buyer = await venue.trader(cash=5_100)
    order = await buyer.place("buy", 5, "10.00")
    await venue.match()
    assert (await buyer.http.patch(f"/v1/orders/{order['order_id']}", json={"limit_price": "10.20"})).status_code == 202
    assert await buyer.held() == {"USD": (5_100, 5_100)}
    await venue.match()
    assert (await buyer.get(order["order_id"]))["limit_price"] == "10.20"


async def test_replace_waits_for_a_fill_that_is_under_way(venue: Venue) -> None:
    """Otherwise two would be bought on top of the five that were asked for."""
    buyer, seller = await venue.trader(cash=100_000), await venue.trader(units=10)
    order = await buyer.place("buy", 5, "10.00")
    await venue.match()
    await seller.place("sell", 2, "9.90")
    change = asyncio.create_task(buyer.http.patch(f"/v1/orders/{order['order_id']}", json={"limit_price": "10.20"}))
    await asyncio.sleep(0.1)
    assert not change.done()
    await venue.match()
    assert (await change).status_code == 202
    await venue.match()
    done = await buyer.get(order["order_id"])
    assert (done["quantity"], done["filled_quantity"], done["remaining_quantity"]) == ("5", "2", "3")
    assert await buyer.held() == {"USD": (98_000, 3_060)}


async def test_replace_gives_up_when_the_matcher_does_not_answer(venue: Venue) -> None:
    buyer = await venue.trader(cash=100_000)
    order = await buyer.place("buy", 5, "10.00")
    busy = await buyer.http.patch(f"/v1/orders/{order['order_id']}", json={"limit_price": "10.20"})
    assert (busy.status_code, busy.json()["code"]) == (409, "order.change_pending")
    assert await buyer.held() == {"USD": (100_000, 5_000)}
    assert (await buyer.get(order["order_id"]))["status"] == "pending_new"


async def test_replace_does_not_wait_for_orders_that_cannot_trade_with_it(venue: Venue) -> None:
    buyer, other = await venue.trader(cash=100_000), await venue.trader(cash=5_000, units=10)
    order = await buyer.place("buy", 5, "10.00")
    await venue.match()
    await other.place("buy", 1, "10.50")
    await other.place("sell", 1, "10.60")
    assert (await buyer.http.patch(f"/v1/orders/{order['order_id']}", json={"limit_price": "10.20"})).status_code == 202


async def test_replace_beyond_the_cash_is_denied_and_the_order_stays(venue: Venue) -> None:
    buyer = await venue.trader(cash=5_100)
    order = await buyer.place("buy", 5, "10.00")
    await venue.match()
    denied = await buyer.http.patch(f"/v1/orders/{order['order_id']}", json={"quantity": "6"})
    assert (denied.status_code, denied.json()["reasons"][0]["code"]) == (403, "INSUFFICIENT_FUNDS")
    assert (await buyer.get(order["order_id"]))["status"] == "new"
    assert await buyer.held() == {"USD": (5_100, 5_000)}


async def test_replace_that_crosses_trades_at_once(venue: Venue) -> None:
    seller, buyer = await venue.trader(units=10), await venue.trader(cash=100_000)
    await seller.place("sell", 3, "10.50")
    order = await buyer.place("buy", 5, "10.00")
    await venue.match()
    await buyer.http.patch(f"/v1/orders/{order['order_id']}", json={"limit_price": "10.60"})
    await venue.match()
    changed = await buyer.get(order["order_id"])
    assert (changed["status"], changed["filled_quantity"], changed["average_price"]) == (
        "partially_filled",
        "3",
        "10.50",
    )
    assert await buyer.held() == {"USD": (100_000 - 3_150, 2 * 1_060)}


async def test_replace_refusals_name_the_field(venue: Venue) -> None:
    seller, buyer = await venue.trader(units=10), await venue.trader(cash=100_000)
    await seller.place("sell", 3)
    order = await buyer.place("buy", 5)
    await venue.match()
    path = f"/v1/orders/{order['order_id']}"
    for body, pointer, code in (
        ({}, "/", "order.nothing_to_change"),
        ({"quantity": "3"}, "/quantity", "order.quantity_already_filled"),
        ({"limit_price": "10.001"}, "/limit_price", "not_a_decimal"),
        ({"limit_price": 10}, "/limit_price", "number_not_string"),
        ({"side": "sell"}, "/side", "extra_forbidden"),
    ):
        answer = await buyer.http.patch(path, json=body)
        assert answer.status_code == 422, answer.text
        assert (pointer, code) in [(error["pointer"], error["code"]) for error in answer.json()["errors"]]
