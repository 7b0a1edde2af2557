"""The register moves on final transfers, once each; the cap table says whether ledger and chain agree."""

import random
from typing import Any

import pytest

from tests.api.builders import CHAIN_ID, SeededInvestor, SeededOffering, address
from tests.api.in_process import Api
from tokenx_api.captable import service as captable
from tokenx_api.captable.errors import UnknownHolding
from tokenx_common.ids import new_id

NOBODY = captable.NOBODY


async def transfer(api: Api, seq: int, *, token: str, sender: str, receiver: str, amount: int) -> None:
    payload = {"token": token, "token_name": "token:x", "from": sender, "to": receiver, "amount": str(amount)}
    async with api.context.db.write() as conn:
        await captable.on_transfer_final(conn, CHAIN_ID, seq, payload)


async def held(api: Api, token: str) -> dict[str, int]:
    rows = await api.seed.rows.fetch("SELECT address, amount FROM api.token_balances WHERE token = $1", token)
    return {row["address"]: int(row["amount"]) for row in rows}


async def test_mint_transfer_burn_move_balances(api: Api) -> None:
    token, ann, bob = address(1), address(2), address(3)
    await transfer(api, 1, token=token, sender=NOBODY, receiver=ann, amount=10)
    await transfer(api, 2, token=token, sender=ann, receiver=bob, amount=4)
    await transfer(api, 3, token=token, sender=bob, receiver=NOBODY, amount=1)
    assert await held(api, token) == {ann: 6, bob: 3}


async def test_transfer_to_oneself_moves_nothing(api: Api) -> None:
    token, ann = address(1), address(2)
    await transfer(api, 1, token=token, sender=NOBODY, receiver=ann, amount=10)
    await transfer(api, 2, token=token, sender=ann, receiver=ann, amount=4)
    assert await held(api, token) == {ann: 10}


async def test_each_event_counts_once_whatever_is_replayed(api: Api) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    chance, token, people = random.Random(seed), address(1), [address(n) for n in range(2, 7)]
    expected = dict.fromkeys(people, 100)
    events: list[dict[str, Any]] = [{"sender": NOBODY, "receiver": one, "amount": 100} for one in people]
    for _ in range(60):
        sender, receiver = chance.sample(people, 2)
        amount = chance.randint(0, expected[sender])
        expected[sender] -= amount
        expected[receiver] += amount
        events.append({"sender": sender, "receiver": receiver, "amount": amount})
    for upto in (20, 45, len(events)):
        for seq, event in enumerate(events[:upto], 1):  # from the start again each time
            await transfer(api, seq, token=token, **event)
    assert await held(api, token) == expected


async def test_transfer_from_an_unknown_holder_is_refused(api: Api) -> None:
    with pytest.raises(UnknownHolding):
        await transfer(api, 1, token=address(1), sender=address(2), receiver=address(3), amount=1)
    assert await held(api, address(1)) == {}


@pytest.fixture
async def offering(api: Api) -> SeededOffering:
    return await api.seed.offering()


@pytest.fixture
async def ann(api: Api, offering: SeededOffering) -> SeededInvestor:
    """Holds 60 units, by the ledger and by the chain."""
    investor = await api.seed.investor()
    await api.seed.units(investor_id=investor.investor_id, offering_id=offering.offering_id, units=60)
    await transfer(api, 1, token=offering.token, sender=NOBODY, receiver=investor.address, amount=60)
    return investor


async def cap_table(api: Api, offering: SeededOffering, expect: int = 200) -> Any:
    async with api.as_actor(offering.issuer) as issuer:
        answer = await issuer.get(f"/v1/offerings/{offering.offering_id}/cap-table")
    assert answer.status_code == expect, answer.text
    return answer.json()


async def test_cap_table_agrees_when_both_sides_hold_the_same(
    api: Api, offering: SeededOffering, ann: SeededInvestor
) -> None:
    bob = await api.seed.investor()
    await api.seed.units(investor_id=bob.investor_id, offering_id=offering.offering_id, units=20)
    await transfer(api, 2, token=offering.token, sender=NOBODY, receiver=bob.address, amount=20)
    table = await cap_table(api, offering)
    assert (table["agrees"], table["total_units"], table["on_chain_supply"]) == (True, "80", "80")
    assert [(row["investor_id"], row["share_pct"]) for row in table["data"]] == [
        (ann.investor_id, "75.00"),
        (bob.investor_id, "25.00"),
    ]


async def test_units_sold_but_not_delivered_are_in_flight(
    api: Api, offering: SeededOffering, ann: SeededInvestor
) -> None:
    bob = await api.seed.investor()
    await sell_without_settling(api, offering, seller=ann, buyer=bob, units=25)
    table = await cap_table(api, offering)
    rows = [(row["ledger_units"], row["in_flight_units"], row["on_chain_units"]) for row in table["data"]]
    assert rows == [("35", "-25", "60"), ("25", "25", "0")]
    assert table["agrees"] is True


async def sell_without_settling(
    api: Api, offering: SeededOffering, *, seller: SeededInvestor, buyer: SeededInvestor, units: int
) -> None:
    """A fill whose settlement has not happened yet: the units wait in clearing."""
    rows, off = api.seed.rows, offering.offering_id
    decision = new_id("dec")
    await rows.execute(
        """INSERT INTO compliance.decisions (decision_id, stage, subject_type, subject_id, outcome, results, facts, engine_version, correlation_id)
           VALUES ($1, 'pre_trade', 'order', 'x', 'allow', '[]', '{}', '1', 'c')""",
        decision,
    )  # fmt: skip
    orders: list[str] = []
    for book_id, (investor, side) in enumerate(((seller, "sell"), (buyer, "buy")), 1):
        orders.append(new_id("ord"))
        await rows.execute(
            """INSERT INTO matcher.orders (order_id, offering_id, investor_id, client_order_id, body_sha256, book_order_id, side, type,
                   time_in_force, quantity_lots, price_ticks, remaining_lots, decision_id, correlation_id)
               VALUES ($1, $2, $3, $1, '', $4, $5, 'limit', 'gtc', $6, 1, 0, $7, 'c')""",
            orders[-1], off, investor.investor_id, book_id, side, units, decision,
        )  # fmt: skip
    await rows.execute(
        "INSERT INTO matcher.commands (offering_id, cmd_seq, body, hash) VALUES ($1, 1, '', $2)", off, bytes(32)
    )
    await rows.execute(
        "INSERT INTO matcher.executions (offering_id, exec_seq, cmd_seq, body, hash) VALUES ($1, 1, 1, '', $2)",
        off,
        bytes(32),
    )
    await rows.execute(
        """INSERT INTO matcher.fills (fill_id, offering_id, exec_seq, cmd_seq, maker_order_id, taker_order_id, buy_order_id, sell_order_id,
               price_ticks, quantity_lots, notional_minor) VALUES ($1, $2, 1, 1, $3, $4, $4, $3, 1, $5, $5)""",
        f"{off}:1", off, orders[0], orders[1], units,
    )  # fmt: skip
    await rows.execute(
        """INSERT INTO api.settlements (settlement_id, fill_id, offering_id, buyer_id, seller_id, units, amount_minor)
           VALUES ($1, $2, $3, $4, $5, $6, 1)""",
        new_id("set"), f"{off}:1", off, buyer.investor_id, seller.investor_id, units,
    )  # fmt: skip
    await api.seed.move_units(off, f"investor:{seller.investor_id}", f"clearing:{off}", units)


async def test_cap_table_disagrees_when_a_wallet_holds_more(
    api: Api, offering: SeededOffering, ann: SeededInvestor
) -> None:
    await transfer(api, 2, token=offering.token, sender=NOBODY, receiver=ann.address, amount=1)
    assert (await cap_table(api, offering))["agrees"] is False


async def test_unknown_address_is_shown_and_disagrees(api: Api, offering: SeededOffering, ann: SeededInvestor) -> None:
    await transfer(api, 2, token=offering.token, sender=ann.address, receiver=address(0xBAD), amount=10)
    table = await cap_table(api, offering)
    assert table["agrees"] is False
    assert (table["data"][1]["legal_name"], table["data"][1]["on_chain_units"]) == ("unknown address", "10")


async def test_another_issuer_sees_nothing(api: Api, offering: SeededOffering) -> None:
    other = await api.seed.offering()
    async with api.as_actor(other.issuer) as issuer:
        answer = await issuer.get(f"/v1/offerings/{offering.offering_id}/cap-table")
    assert (answer.status_code, answer.json()["code"]) == (404, "offering.not_found")


async def test_offering_without_holders_is_an_empty_table(api: Api, offering: SeededOffering) -> None:
    table = await cap_table(api, offering)
    assert (table["data"], table["agrees"], table["total_units"]) == ([], True, "0")
