"""A market that moves by itself: random flow through HTTP, Redis, the engine and back, and what must hold at the end."""

import asyncio
import os
import random

from tests.api.orders.venue import Trader, Venue
from tokenx_common.clock import monotonic_s

SEED = int(os.environ.get("TOKENX_SEED", "0")) or random.SystemRandom().randrange(1, 2**31)


async def test_wait_answers_with_the_matched_state(live: Venue) -> None:
    seller, buyer = await live.trader(units=10), await live.trader(cash=100_000)
    asked = await seller.http.post("/v1/orders", json=seller.order("sell", 5), headers={"Prefer": "wait=5"})
    started = monotonic_s()
    bid = await buyer.http.post("/v1/orders", json=buyer.order("buy", 5), headers={"Prefer": "wait=5"})
    assert (asked.json()["status"], bid.json()["status"]) == ("new", "filled")
    assert monotonic_s() - started < 4, "the bell rings, the timeout is not used up"
    book = (await buyer.http.get(f"/v1/offerings/{live.offering.offering_id}/book")).json()
    assert (book["bids"], book["asks"]) == ([], [])


async def test_random_flow_ends_with_ledger_reservations_and_logs_in_agreement(live: Venue) -> None:
    print(f"seed {SEED}")
    chance = random.Random(SEED)
    traders = [await live.trader(cash=10_000_000, units=2_000) for _ in range(5)]
    for _ in range(8):
        await asyncio.gather(*(_act(trader, random.Random(chance.random())) for trader in traders))
    await _quiet(live)
    await _check(live)
    for trader in traders:
        for order in (await trader.http.get("/v1/orders", params={"status": "open", "limit": 200})).json()["data"]:
            assert (await trader.http.delete(f"/v1/orders/{order['order_id']}")).status_code in (202, 409)
    await _quiet(live)
    await _check(live)
    held = await live.seed.value("SELECT coalesce(sum(amount), 0) FROM api.reservations")
    assert held == 0, "nothing is open, so nothing is held"
    assert await live.seed.value("SELECT count(*) FROM matcher.orders WHERE closed_at IS NULL") == 0
    assert await live.seed.value("SELECT count(*) FROM matcher.fills") > 10, "the flow did trade"


async def _act(trader: Trader, chance: random.Random) -> None:
    """Three requests of one trader, as they come."""
    for _ in range(3):
        price = f"{chance.randrange(970, 1031) / 100:.2f}"
        roll = chance.random()
        if roll < 0.7:
            tif = chance.choice(["gtc", "gtc", "ioc", "fok", "day"])
            body = trader.order(chance.choice(["buy", "sell"]), chance.randrange(1, 20), price, time_in_force=tif)
            answer = await trader.http.post("/v1/orders", json=body)
            assert answer.status_code in (201, 403), answer.text
            continue
        orders = (await trader.http.get("/v1/orders", params={"status": "open"})).json()["data"]
        if not orders:
            continue
        path = f"/v1/orders/{chance.choice(orders)['order_id']}"
        if roll < 0.85:
            answer = await trader.http.delete(path)
        else:
            answer = await trader.http.patch(
                path, json={"quantity": str(chance.randrange(1, 30)), "limit_price": price}
            )
        assert answer.status_code in (202, 403, 409, 422), answer.text


async def _quiet(live: Venue) -> None:
    """Until every command has its executions ingested."""
    async with asyncio.timeout(30):
        while await live.seed.value("SELECT count(*) FROM matcher.orders WHERE status LIKE 'pending_%'"):
            await asyncio.sleep(0.05)


async def _check(live: Venue) -> None:
    """The invariants of docs/architecture.md that concern orders and the ledger."""
    room, offering = live.room, live.offering.offering_id
    (head,) = await live.rows(
        "SELECT cmd_seq, cmd_hash, exec_seq, exec_hash FROM matcher.sequencers WHERE offering_id = $1", offering
    )
    engine = room.engines[offering]
    assert (engine.cmd_seq, engine.cmd_hash, engine.exec_seq, engine.exec_hash) == tuple(head.values())
    wrong_holds = await live.rows(
        """SELECT m.order_id, m.status, r.amount FROM matcher.orders m JOIN api.reservations r ON r.ref = m.order_id
           WHERE r.amount <> CASE WHEN m.side = 'buy' THEN m.remaining_lots * m.price_ticks ELSE m.remaining_lots END"""
    )
    assert not wrong_holds
    assert not await live.rows(
        """SELECT a.owner, a.asset FROM api.ledger_accounts a LEFT JOIN api.reservations r USING (account_id)
           GROUP BY a.account_id HAVING a.reserved <> coalesce(sum(r.amount), 0)"""
    )
    assert not await live.rows(
        """SELECT a.owner, a.asset FROM api.ledger_accounts a LEFT JOIN api.ledger_postings p USING (account_id)
           GROUP BY a.account_id HAVING a.balance <> coalesce(sum(p.amount), 0)"""
    )
    assert not await live.rows("SELECT asset FROM api.ledger_accounts GROUP BY asset HAVING sum(balance) <> 0")
    assert await live.seed.value("SELECT count(*) FROM matcher.fills") == await live.seed.value(
        "SELECT count(*) FROM api.settlements"
    )
