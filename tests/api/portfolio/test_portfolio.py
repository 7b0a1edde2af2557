"""Cash and holdings through the life of a trade."""

from tests.api.orders.venue import Venue
from tokenx_api.settlement import service as settlement


async def test_portfolio_follows_order_trade_and_settlement(venue: Venue) -> None:
    seller, buyer = await venue.trader(units=10), await venue.trader(cash=10_000)
    await seller.place("sell", 6, "10.50")
    order = await buyer.place("buy", 4, "10.60")
    view = (await buyer.http.get("/v1/portfolio")).json()
    assert view["cash"] == {"currency": "USD", "balance": "100.00", "reserved": "42.40", "available": "57.60"}
    assert (view["holdings"], view["total_value_amount"]) == ([], "100.00")
    await venue.match()
    view = (await buyer.http.get("/v1/portfolio")).json()
    assert view["cash"]["available"] == "58.00"
    (holding,) = view["holdings"]
    assert (holding["units"], holding["pending_in_units"], holding["value_amount"], view["total_value_amount"]) == (
        "0",
        "4",
        "42.00",
        "100.00",
    )
    (mine,) = (await seller.http.get("/v1/portfolio")).json()["holdings"]
    assert (mine["units"], mine["reserved_units"], mine["available_units"], mine["last_price_amount"]) == (
        "6",
        "2",
        "4",
        "10.50",
    )
    settlement_id = await venue.seed.value(
        "SELECT settlement_id FROM api.settlements WHERE buyer_id = $1", buyer.investor_id
    )
    async with venue.context.db.write() as conn:
        await settlement.on_settlement_final(conn, {"settlement_id": settlement_id}, "0x1")
    await venue.seed.rows.execute(
        "INSERT INTO api.token_balances (chain_id, token, address, amount, last_seq) VALUES (31337, $1, $2, 4, 1)", venue.offering.token, buyer.investor.address,
    )  # fmt: skip
    (holding,) = (await buyer.http.get("/v1/portfolio")).json()["holdings"]
    assert (holding["units"], holding["pending_in_units"], holding["on_chain_units"]) == ("4", "0", "4")
    assert (await seller.http.get("/v1/portfolio")).json()["cash"]["balance"] == "42.00"
    assert (await buyer.get(order["order_id"]))["status"] == "filled"


async def test_portfolio_is_for_investors(venue: Venue) -> None:
    assert (await venue.api.as_actor(venue.offering.issuer).get("/v1/portfolio")).status_code == 403
    assert (await venue.api.anonymous().get("/v1/portfolio")).status_code == 401
