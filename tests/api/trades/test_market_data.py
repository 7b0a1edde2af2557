"""Book, trades and candles show what is committed, and nothing else."""

from tests.api.orders.venue import Venue


async def test_book_is_aggregated_best_first_and_leaves_out_what_the_book_has_not_taken(venue: Venue) -> None:
    maker, other = await venue.trader(cash=1_000_000, units=100), await venue.trader(cash=1_000_000, units=100)
    for trader, side, quantity, price in (
        (maker, "buy", 3, "9.90"), (other, "buy", 2, "9.90"), (maker, "buy", 1, "9.80"),
        (maker, "sell", 4, "10.10"), (other, "sell", 5, "10.20"),
    ):  # fmt: skip
        await trader.place(side, quantity, price)
    await venue.match()
    await maker.place("buy", 50, "10.00")  # not matched yet
    path = f"/v1/offerings/{venue.offering.offering_id}/book"
    book = (await maker.http.get(path)).json()
    assert book["bids"] == [
        {"price": "9.90", "quantity": "5", "orders": 2},
        {"price": "9.80", "quantity": "1", "orders": 1},
    ]
    assert book["asks"] == [
        {"price": "10.10", "quantity": "4", "orders": 1},
        {"price": "10.20", "quantity": "5", "orders": 1},
    ]
    assert book["exec_seq"] == 6
    assert [len((await maker.http.get(path, params={"depth": 1})).json()[side]) for side in ("bids", "asks")] == [1, 1]


async def test_empty_and_unknown_offerings(venue: Venue) -> None:
    someone = await venue.trader()
    path = f"/v1/offerings/{venue.offering.offering_id}"
    assert (await someone.http.get(f"{path}/book")).json() == {
        "offering_id": venue.offering.offering_id,
        "exec_seq": 1,
        "bids": [],
        "asks": [],
    }
    for name in ("trades", "candles"):
        assert (await someone.http.get(f"{path}/{name}")).json()["data"] == []
    for name in ("book", "trades", "candles"):
        answer = await someone.http.get(f"/v1/offerings/off_none/{name}")
        assert (answer.status_code, answer.json()["code"]) == (404, "offering.not_found")
        assert (await venue.api.anonymous().get(f"{path}/{name}")).status_code == 401


async def test_trades_newest_first_with_the_takers_side_and_candles_by_minute(venue: Venue) -> None:
    seller, buyer = await venue.trader(cash=1_000_000, units=100), await venue.trader(cash=1_000_000, units=100)
    for price, taker_sells in (("10.00", False), ("10.30", False), ("9.80", True), ("10.10", False)):
        maker, taker = (buyer, seller) if taker_sells else (seller, buyer)
        await maker.place("buy" if taker_sells else "sell", 2, price)
        await taker.place("sell" if taker_sells else "buy", 2, price)
    await venue.match()
    path = f"/v1/offerings/{venue.offering.offering_id}"
    page = (await buyer.http.get(f"{path}/trades", params={"limit": 3})).json()
    assert [(row["price"], row["quantity"], row["side"]) for row in page["data"]] == [
        ("10.10", "2", "buy"),
        ("9.80", "2", "sell"),
        ("10.30", "2", "buy"),
    ]
    rest = (await buyer.http.get(f"{path}/trades", params={"limit": 3, "cursor": page["next_cursor"]})).json()
    assert ([row["price"] for row in rest["data"]], rest["next_cursor"]) == (["10.00"], None)
    (candle,) = (await buyer.http.get(f"{path}/candles", params={"interval": "1h"})).json()["data"]
    assert [candle[name] for name in ("open", "high", "low", "close", "volume")] == [
        "10.00",
        "10.30",
        "9.80",
        "10.10",
        "8",
    ]
    assert candle["time"].endswith(":00:00.000000Z")
    assert (await buyer.http.get(f"{path}/candles", params={"interval": "1d"})).status_code == 422
