"""The operator's monitor and the market's states."""

from typing import Any

import httpx

from tests.api.orders.venue import Venue


async def test_monitor_shows_top_day_and_lag(venue: Venue) -> None:
    seller, buyer = await venue.trader(units=10), await venue.trader(cash=100_000)
    operator = venue.api.as_actor(await venue.seed.user("ats_operator"))
    await seller.place("sell", 5, "10.10")
    await buyer.place("buy", 2, "10.10")
    await buyer.place("buy", 1, "9.90")
    await venue.match()
    await buyer.place("buy", 1, "9.80")
    row = await _mine(venue, operator)
    assert (row["best_bid"], row["best_ask"], row["spread"], row["last_price"]) == ("9.90", "10.10", "0.20", "10.10")
    assert (row["volume_units_24h"], row["trades_24h"], row["open_orders"], row["lag"]) == ("2", 1, 3, 1)
    await venue.match()
    assert (await _mine(venue, operator))["lag"] == 0
    assert (await buyer.http.get("/v1/ats/markets")).status_code == 403


async def test_start_trading_needs_a_deployed_token_and_a_closed_market(venue: Venue) -> None:
    operator = venue.api.as_actor(await venue.seed.user("ats_operator"))
    offering = await venue.seed.offering()
    path = f"/v1/offerings/{offering.offering_id}:start-trading"
    again = await operator.post(path)
    assert (again.status_code, again.json()["code"]) == (409, "market.wrong_state")
    await venue.seed.rows.execute(
        "UPDATE api.offerings SET market_state = 'closed', token_address = NULL WHERE offering_id = $1",
        offering.offering_id,
    )
    assert (await operator.post(path)).status_code == 409
    await venue.seed.rows.execute(
        "UPDATE api.offerings SET token_address = $2 WHERE offering_id = $1", offering.offering_id, offering.token
    )
    assert (await operator.post(path)).json()["market_state"] == "continuous"
    assert (await operator.post("/v1/offerings/off_" + "0" * 32 + ":start-trading")).status_code == 404
    assert (await operator.post("/v1/offerings/nonsense:start-trading")).status_code == 422
    actions = await venue.rows("SELECT action FROM audit.events WHERE subject_id = $1", offering.offering_id)
    assert [row["action"] for row in actions] == ["market.started"]


async def _mine(venue: Venue, operator: httpx.AsyncClient) -> dict[str, Any]:
    rows = (await operator.get("/v1/ats/markets")).json()["data"]
    return next(row for row in rows if row["offering_id"] == venue.offering.offering_id)
