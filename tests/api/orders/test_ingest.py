"""Taking in executions: once whatever happens, and never from a stale matcher."""

import asyncio
import json

import pytest

from tests.api.orders.venue import Trader, Venue
from tokenx_api.orders.consumer import ExecutionHandler
from tokenx_api.orders.errors import ExecutionLogBroken
from tokenx_api.orders.service.market import send_market_state
from tokenx_api.orders.service.sweep import sweep
from tokenx_common.canonical import canonical_json, rolling_hash
from tokenx_common.errors import StaleEpoch, TokenxError


async def traded(venue: Venue) -> tuple[Trader, Trader, dict[str, str], dict[str, str]]:
    """A seller's 10 at 10.00 met by a buyer's 4 at 10.50; commands are in the log, nothing is ingested."""
    seller, buyer = await venue.trader(units=100), await venue.trader(cash=100_000)
    ask = await seller.place("sell", 10, "10.00")
    bid = await buyer.place("buy", 4, "10.50")
    return seller, buyer, ask, bid


async def effects(venue: Venue) -> dict[str, object]:
    """Everything ingestion may change."""
    offering = venue.offering.offering_id
    return {
        "orders": await venue.rows("SELECT order_id, status, filled_lots, remaining_lots, last_exec_seq FROM matcher.orders WHERE offering_id = $1 ORDER BY 1", offering),
        "executions": await venue.seed.value("SELECT count(*) FROM matcher.executions WHERE offering_id = $1", offering),
        "fills": await venue.seed.value("SELECT count(*) FROM matcher.fills WHERE offering_id = $1", offering),
        "settlements": await venue.seed.value("SELECT count(*) FROM api.settlements WHERE offering_id = $1", offering),
        "accounts": await venue.rows("SELECT owner, asset, balance, reserved FROM api.ledger_accounts ORDER BY 1, 2"),
        "audit": await venue.seed.value("SELECT count(*) FROM audit.events"),
        "cursor": await venue.rows("SELECT exec_seq, exec_cmd_seq, exec_hash, epoch FROM matcher.sequencers WHERE offering_id = $1", offering),
    }  # fmt: skip


async def test_trade_moves_money_units_orders_and_settlement(venue: Venue) -> None:
    seller, buyer, ask, bid = await traded(venue)
    assert await venue.match() is True
    maker, taker = await seller.get(ask["order_id"]), await buyer.get(bid["order_id"])
    assert (maker["status"], maker["filled_quantity"], maker["remaining_quantity"]) == ("partially_filled", "4", "6")
    assert (taker["status"], taker["average_price"], taker["closed_at"] is not None) == ("filled", "10.00", True)
    assert await buyer.held() == {"USD": (96_000, 0)}, "the price improvement of 0.50 a unit is free again"
    assert await seller.held() == {venue.offering.offering_id: (96, 6)}
    clearing = await venue.rows("SELECT asset, balance FROM api.ledger_accounts WHERE owner = $1 ORDER BY asset", f"clearing:{venue.offering.offering_id}")  # fmt: skip
    assert {row["asset"]: row["balance"] for row in clearing} == {"USD": 4_000, venue.offering.offering_id: 4}
    (settlement,) = await venue.rows("SELECT status, units, amount_minor, buyer_id, seller_id FROM api.settlements WHERE offering_id = $1", venue.offering.offering_id)  # fmt: skip
    assert settlement == {"status": "pending", "units": 4, "amount_minor": 4_000, "buyer_id": buyer.investor_id, "seller_id": seller.investor_id}  # fmt: skip
    executions = (await buyer.http.get("/v1/executions", params={"offering_id": venue.offering.offering_id})).json()["data"]  # fmt: skip
    assert [(row["side"], row["price"], row["quantity"], row["amount"], row["liquidity"]) for row in executions] == [("buy", "10.00", "4", "40.00", "taker")]  # fmt: skip
    after = await buyer.http.get("/v1/executions", params={"offering_id": venue.offering.offering_id, "after_seq": executions[0]["seq"]})  # fmt: skip
    assert after.json()["data"] == []


async def test_same_batch_twice_counts_once(venue: Venue) -> None:
    await traded(venue)
    batch = await venue.decide()
    assert batch is not None
    handler = ExecutionHandler(venue.context)
    assert await handler.commit(batch) is True
    before = await effects(venue)
    assert await handler.commit(batch) is False
    assert await effects(venue) == before


async def test_two_ingesters_race_and_one_wins(venue: Venue) -> None:
    await traded(venue)
    batch = await venue.decide()
    assert batch is not None
    handler = ExecutionHandler(venue.context)
    whole, half = batch, venue.batch(batch.items[:2])
    results = await asyncio.gather(*(handler.commit(candidate) for candidate in (whole, half, whole, half)))
    assert sorted(results) == [False, False, False, True]
    rest = await handler.cursor(batch.stream)
    if rest < batch.seq:  # the half won: the rest goes on from there
        assert await handler.commit(venue.batch(batch.items[rest - batch.prev_seq :])) is True
    assert (
        await venue.seed.value("SELECT count(*) FROM matcher.fills WHERE offering_id = $1", venue.offering.offering_id)
        == 1
    )


async def test_replica_that_lost_the_race_wakes_its_own_waiters(venue: Venue) -> None:
    _, buyer, _, bid = await traded(venue)
    batch = await venue.decide()
    assert batch is not None
    handler = ExecutionHandler(venue.context)
    assert await handler.commit(batch) is True
    waiter = asyncio.create_task(venue.context.wakeups.wait(f"order:{bid['order_id']}", timeout_s=5))
    await asyncio.sleep(0)
    assert await handler.commit(batch) is False
    assert await waiter is True
    assert (await buyer.get(bid["order_id"]))["status"] == "filled"


async def test_batches_cut_anywhere_give_the_same_rows(venue: Venue) -> None:
    seller, buyer, ask, bid = await traded(venue)
    batch = await venue.decide()
    assert batch is not None
    handler = ExecutionHandler(venue.context)
    for item in batch.items:
        assert await handler.commit(venue.batch([item])) is True
    assert (await buyer.get(bid["order_id"]))["status"] == "filled"
    assert (await seller.get(ask["order_id"]))["remaining_quantity"] == "6"
    assert await buyer.held() == {"USD": (96_000, 0)}


async def test_stale_epoch_is_refused_and_changes_nothing(venue: Venue) -> None:
    await traded(venue)
    batch = await venue.decide()
    assert batch is not None
    before = await effects(venue)
    await venue.seed.lease("matcher", 2)
    try:
        with pytest.raises(StaleEpoch):
            await ExecutionHandler(venue.context).commit(batch)
        assert await effects(venue) == before
        assert await ExecutionHandler(venue.context).commit(venue.batch(batch.items, epoch=2)) is True
    finally:
        await venue.seed.rows.execute("DELETE FROM api.leases")


async def test_epoch_written_once_fences_older_ones_even_without_a_lease(venue: Venue) -> None:
    await traded(venue)
    batch = await venue.decide()
    assert batch is not None
    handler = ExecutionHandler(venue.context)
    assert await handler.commit(venue.batch(batch.items[:1], epoch=5)) is True
    with pytest.raises(StaleEpoch):
        await handler.commit(venue.batch(batch.items[1:], epoch=4))


@pytest.mark.parametrize("damage", ["body", "hash", "cmd_seq", "unknown_order", "overfill", "not_json"])
async def test_damaged_executions_are_refused_whole(venue: Venue, damage: str) -> None:
    await traded(venue)
    batch = await venue.decide()
    assert batch is not None
    items = [dict(item) for item in batch.items]
    if damage == "hash":
        items[-1]["hash"] = "00" * 32
    elif damage == "cmd_seq":
        items[-1]["cmd_seq"] = 1
    else:
        items = _forged(items, damage, await venue.seed.value("SELECT exec_hash FROM matcher.sequencers WHERE offering_id = $1", venue.offering.offering_id))  # fmt: skip
    before = await effects(venue)
    with pytest.raises((ExecutionLogBroken, TokenxError)):
        await ExecutionHandler(venue.context).commit(venue.batch(items))
    assert await effects(venue) == before


def _forged(items: list[dict[str, object]], damage: str, digest: bytes) -> list[dict[str, object]]:
    """The last body changed; for all damages but 'body' with a hash chain that fits, as a broken matcher would make it."""
    body = json.loads(str(items[-1]["body"]))
    if damage == "unknown_order":
        body["maker_order_id"] = "ord_" + "0" * 32
    if damage in ("overfill", "body"):
        body["quantity_lots"] = 50
    text = "no json" if damage == "not_json" else canonical_json(body)
    items[-1]["body"] = text
    if damage == "body":
        return items
    for item in items:
        digest = rolling_hash(digest, str(item["body"]))
        item["hash"] = digest.hex()
    return items


async def test_halt_stops_trading_but_not_cancels_and_resume_goes_on(venue: Venue) -> None:
    seller, buyer, ask, _ = await traded(venue)
    await venue.match()
    operator = venue.api.as_actor(await venue.seed.user("ats_operator"))
    path = f"/v1/offerings/{venue.offering.offering_id}"
    assert (await operator.post(f"{path}:halt", json={"reason": "news pending"})).json()["market_state"] == "halted"
    assert (await operator.post(f"{path}:halt", json={"reason": "again"})).json()["code"] == "market.wrong_state"
    refused = await buyer.http.post("/v1/orders", json=buyer.order("buy", 1))
    assert [reason["code"] for reason in refused.json()["reasons"]] == ["MARKET_NOT_OPEN"]
    assert (await seller.http.delete(f"/v1/orders/{ask['order_id']}")).status_code == 202
    await venue.match()
    assert (await seller.get(ask["order_id"]))["status"] == "canceled"
    assert (await operator.post(f"{path}:resume")).json()["market_state"] == "continuous"
    assert (await buyer.http.post("/v1/orders", json=buyer.order("buy", 1))).status_code == 201
    assert (await buyer.http.post(f"{path}:halt", json={"reason": "me too"})).status_code == 403


async def test_order_that_reaches_a_halted_book_is_rejected_and_freed(venue: Venue) -> None:
    """The gate looked before the halt, the log has the halt first: the log decides."""
    buyer = await venue.trader(cash=100_000)
    async with venue.context.db.write() as conn:
        await send_market_state(conn, venue.offering.offering_id, "halted")
    await venue.seed.rows.execute("UPDATE api.offerings SET market_state = 'continuous' WHERE offering_id = $1", venue.offering.offering_id)  # fmt: skip
    order = await buyer.place("buy", 1)
    await venue.match()
    rejected = await buyer.get(order["order_id"])
    assert (rejected["status"], rejected["status_reason"]) == ("rejected", "halted")
    assert await buyer.held() == {"USD": (100_000, 0)}


async def test_frozen_investors_open_orders_are_canceled(venue: Venue) -> None:
    """R21: freeze after the order rests."""
    buyer = await venue.trader(cash=100_000)
    order = await buyer.place("buy", 1)
    await venue.match()
    assert await sweep(venue.context) == 0
    await venue.seed.rows.execute("UPDATE api.investors SET frozen = true WHERE investor_id = $1", buyer.investor_id)
    assert await sweep(venue.context) == 1
    assert await sweep(venue.context) == 0, "a cancel is sent once"
    await venue.match()
    closed = await buyer.get(order["order_id"])
    assert (closed["status"], closed["status_reason"]) == ("canceled", "compliance_revoked")
    assert await buyer.held() == {"USD": (100_000, 0)}


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE api.investors SET revoked_at = now() WHERE investor_id = $1 AND $2::text <> ''",
        "INSERT INTO api.holding_freezes (investor_id, offering_id, wallet_frozen) VALUES ($1, $2, true)",
    ],
    ids=["revoked", "wallet-frozen"],
)
async def test_open_orders_go_with_a_revocation_and_with_a_frozen_wallet(venue: Venue, statement: str) -> None:
    """R26, R27: after the order rests."""
    seller = await venue.trader(units=10)
    order = await seller.place("sell", 1)
    await venue.match()
    assert await sweep(venue.context) == 0
    await venue.seed.rows.execute(statement, seller.investor_id, venue.offering.offering_id)
    assert await sweep(venue.context) == 1
    await venue.match()
    closed = await seller.get(order["order_id"])
    assert (closed["status"], closed["status_reason"]) == ("canceled", "compliance_revoked")


async def test_day_orders_of_earlier_days_expire(venue: Venue) -> None:
    buyer = await venue.trader(cash=100_000)
    today = await buyer.place("buy", 1, time_in_force="day")
    earlier = await buyer.place("buy", 2, time_in_force="day")
    await venue.match()
    await venue.seed.rows.execute("UPDATE matcher.orders SET created_at = created_at - interval '1 day' WHERE order_id = $1", earlier["order_id"])  # fmt: skip
    assert await sweep(venue.context) == 1
    await venue.match()
    expired = await buyer.get(earlier["order_id"])
    assert (expired["status"], expired["status_reason"]) == ("expired", "day_end")
    assert (await buyer.get(today["order_id"]))["status"] == "new"
