"""From the fill to the chain and back: batches, retries, unwinding, and news that comes twice."""

import asyncio
from typing import Any

from tests.api.orders.venue import Trader, Venue
from tokenx_api.settlement import service
from tokenx_api.settlement.service.batch import instruct_all
from tokenx_common.ids import new_id


async def a_trade(venue: Venue, *, units: int = 4) -> tuple[Trader, Trader, dict[str, Any]]:
    """A seller, a buyer, and their pending settlement at 10.00."""
    seller, buyer = await venue.trader(units=100), await venue.trader(cash=100_000)
    await seller.place("sell", units)
    await buyer.place("buy", units)
    await venue.match()
    return seller, buyer, await of(venue, buyer)


async def of(venue: Venue, buyer: Trader) -> dict[str, Any]:
    (row,) = await venue.rows("SELECT * FROM api.settlements WHERE buyer_id = $1", buyer.investor_id)
    return row


async def due_now(venue: Venue) -> None:
    await venue.seed.rows.execute("UPDATE api.settlements SET next_attempt_at = now() - interval '1 second'")


async def instructed(venue: Venue, buyer: Trader) -> dict[str, Any]:
    """The settlement after the batcher has passed by."""
    await due_now(venue)
    await instruct_all(venue.context)
    return await of(venue, buyer)


async def final(venue: Venue, settlement: dict[str, Any], tx_hash: str = "0xabc") -> None:
    async with venue.context.db.write() as conn:
        await service.on_settlement_final(conn, {"settlement_id": settlement["settlement_id"]}, tx_hash)


async def clearing(venue: Venue) -> dict[str, int]:
    rows = await venue.rows(
        "SELECT asset, balance FROM api.ledger_accounts WHERE owner = $1", f"clearing:{venue.offering.offering_id}"
    )
    return {"cash" if row["asset"] == "USD" else "units": row["balance"] for row in rows}


async def test_batch_names_keys_token_units_and_base_units(venue: Venue) -> None:
    seller, buyer, _ = await a_trade(venue)
    row = await instructed(venue, buyer)
    assert (row["status"], row["decision_id"] is not None) == ("instructed", True)
    (operation,) = await venue.rows(
        "SELECT kind, chain_id, params, business_ref FROM chain.operations WHERE operation_id = $1", row["operation_id"]
    )
    assert (operation["kind"], operation["chain_id"]) == ("settlement.batch", 31337)
    assert operation["business_ref"].startswith("settlement:set_")
    assert f'"seller_key_ref": "investor:{seller.investor_id}"' in operation["params"]
    for text in (
        f'"buyer_key_ref": "investor:{buyer.investor_id}"',
        '"units": "4"',
        '"cash_amount": "40000000"',
        venue.offering.token,
        row["settlement_id"],
    ):
        assert text in operation["params"]
    outbox = await venue.seed.value(
        "SELECT count(*) FROM api.outbox WHERE dedupe_key = $1", f"chain_operation:{row['operation_id']}"
    )
    assert outbox == 1


async def test_final_gives_units_to_the_buyer_and_cash_to_the_seller_once(venue: Venue) -> None:
    seller, buyer, _ = await a_trade(venue)
    row = await instructed(venue, buyer)
    for _ in range(2):
        await final(venue, row)
    assert await clearing(venue) == {"cash": 0, "units": 0}
    assert await seller.held() == {venue.offering.offering_id: (96, 0), "USD": (4_000, 0)}
    assert await buyer.held() == {"USD": (96_000, 0), venue.offering.offering_id: (4, 0)}
    settled = await of(venue, buyer)
    assert (settled["status"], settled["tx_hash"], settled["settled_at"] is not None) == ("settled", "0xabc", True)
    async with venue.context.db.write() as conn:
        await service.on_operation_final(
            conn,
            "set_batch",
            row["operation_id"],
            {"settled": [row["settlement_id"]], "failed": [], "tx_hash": "0xabc"},
        )
        await service.on_settlement_failed(
            conn, {"settlement_id": row["settlement_id"], "operation_id": row["operation_id"], "reason": "late"}
        )
    assert (await of(venue, buyer))["status"] == "settled"


async def test_three_failures_unwind_the_trade(venue: Venue) -> None:
    seller, buyer, _ = await a_trade(venue)
    for attempt in (1, 2, 3):
        row = await instructed(venue, buyer)
        news = {"settlement_id": row["settlement_id"], "operation_id": row["operation_id"], "reason": "NoFunds"}
        for _ in range(2):  # the same news twice is one attempt
            async with venue.context.db.write() as conn:
                await service.on_settlement_failed(conn, news)
        after = await of(venue, buyer)
        assert (after["status"], after["attempts"], after["failure_reason"]) == (
            "failed" if attempt == 3 else "pending",
            attempt,
            "NoFunds",
        )
    assert await clearing(venue) == {"cash": 0, "units": 0}
    assert await seller.held() == {venue.offering.offering_id: (100, 0)}
    assert await buyer.held() == {"USD": (100_000, 0)}
    assert (
        await venue.seed.value(
            "SELECT count(*) FROM api.ledger_entries WHERE kind = 'unwind' AND ref = $1", row["settlement_id"]
        )
        == 1
    )


async def test_failed_attempt_waits_before_the_next_one(venue: Venue) -> None:
    _, buyer, _ = await a_trade(venue)
    row = await instructed(venue, buyer)
    async with venue.context.db.write() as conn:
        await service.on_operation_failed(conn, "set_batch", row["operation_id"], "chain.reverted", "out of gas")
    await instruct_all(venue.context)
    waiting = await of(venue, buyer)
    assert (waiting["status"], waiting["failure_reason"]) == ("pending", "chain.reverted: out of gas")


async def test_old_news_does_not_count_against_a_new_attempt(venue: Venue) -> None:
    _, buyer, _ = await a_trade(venue)
    first = await instructed(venue, buyer)
    async with venue.context.db.write() as conn:
        await service.on_operation_failed(conn, "set_batch", first["operation_id"], "chain.reverted", "")
    second = await instructed(venue, buyer)
    async with venue.context.db.write() as conn:
        await service.on_settlement_failed(
            conn, {"settlement_id": first["settlement_id"], "operation_id": first["operation_id"], "reason": "late"}
        )
    assert (await of(venue, buyer))["attempts"] == 1
    assert second["operation_id"] != first["operation_id"]


async def test_operation_final_closes_what_got_no_event(venue: Venue) -> None:
    _, buyer, _ = await a_trade(venue)
    _, other, _ = await a_trade(venue)
    mine, theirs = await instructed(venue, buyer), await of(venue, other)
    assert mine["operation_id"] == theirs["operation_id"], "one batch"
    result = {
        "settled": [mine["settlement_id"]],
        "failed": [{"settlement_id": theirs["settlement_id"], "reason": "Frozen"}],
        "tx_hash": "0x1",
    }
    async with venue.context.db.write() as conn:
        await service.on_operation_final(conn, "set_batch", mine["operation_id"], result)
    assert ((await of(venue, buyer))["status"], (await of(venue, other))["failure_reason"]) == ("settled", "Frozen")


async def test_frozen_party_is_not_settled(venue: Venue) -> None:
    seller, buyer, _ = await a_trade(venue)
    await venue.seed.rows.execute("UPDATE api.investors SET frozen = true WHERE investor_id = $1", seller.investor_id)
    row = await instructed(venue, buyer)
    assert (row["status"], row["operation_id"], row["failure_reason"]) == (
        "pending",
        None,
        "compliance: ACCOUNT_FROZEN",
    )
    await venue.seed.rows.execute("UPDATE api.investors SET frozen = false WHERE investor_id = $1", seller.investor_id)
    assert (await instructed(venue, buyer))["status"] == "instructed"


async def test_two_batchers_never_instruct_a_fill_twice(venue: Venue) -> None:
    seller, buyer = await venue.trader(units=1000), await venue.trader(cash=10_000_000)
    for _ in range(60):
        await seller.place("sell", 1)
    await buyer.place("buy", 60)
    await venue.match()
    await due_now(venue)
    await asyncio.gather(*(instruct_all(venue.context) for _ in range(3)))
    rows = await venue.rows(
        """SELECT o.operation_id, count(*) AS fills FROM chain.operations o, jsonb_array_elements(o.params -> 'fills') AS fill
           JOIN api.settlements s ON s.settlement_id = fill ->> 'settlement_id' WHERE s.buyer_id = $1 GROUP BY 1""", buyer.investor_id,
    )  # fmt: skip
    assert sum(row["fills"] for row in rows) == 60
    assert max(row["fills"] for row in rows) <= 50
    assert (
        await venue.seed.value(
            "SELECT count(*) FROM api.settlements WHERE buyer_id = $1 AND status = 'instructed'", buyer.investor_id
        )
        == 60
    )


async def test_unknown_settlement_is_ignored(venue: Venue) -> None:
    async with venue.context.db.write() as conn:
        await service.on_settlement_final(conn, {"settlement_id": new_id("set")}, None)
        await service.on_settlement_failed(conn, {"settlement_id": new_id("set"), "operation_id": "op_1", "reason": ""})


async def test_lists_are_scoped_and_paged(venue: Venue) -> None:
    seller, buyer, row = await a_trade(venue)
    await a_trade(venue)
    for party in (seller, buyer):
        data = (await party.http.get("/v1/settlements")).json()["data"]
        assert [item["settlement_id"] for item in data] == [row["settlement_id"]]
    view = data[0]
    assert (view["units"], view["amount"], view["status"], view["settled_at"]) == ("4", "40.00", "pending", None)
    operator = venue.api.as_actor(await venue.seed.user("ats_operator"))
    first = (await operator.get("/v1/settlements", params={"limit": 1, "status": "pending"})).json()
    second = (
        await operator.get("/v1/settlements", params={"limit": 1, "status": "pending", "cursor": first["next_cursor"]})
    ).json()
    assert first["data"][0]["settlement_id"] > second["data"][0]["settlement_id"]
    assert (await operator.get("/v1/settlements", params={"status": "lost"})).status_code == 422
    issuer = venue.api.as_actor(venue.offering.issuer)
    assert (await issuer.get("/v1/settlements")).status_code == 403
