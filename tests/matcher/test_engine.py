"""The engine as a pure function of the command log: meaning of each command, determinism, chain of hashes."""

import json
import random
from typing import Any

import pytest

from matcher_core import Book, ReferenceBook
from tests.matcher.commandlog import CommandLog, random_log
from tokenx_common.canonical import ZERO_HASH, rolling_hash
from tokenx_common.events import EXECUTION
from tokenx_common.stream import Item
from tokenx_matcher.commands import CommandLogBroken
from tokenx_matcher.engine import OfferingEngine, replay

Body = dict[str, Any]


def bodies(log: CommandLog) -> list[Body]:
    """The executions of a whole log, without cmd_seq."""
    found = [json.loads(item["body"]) for item in replay(log.items)]
    return [{key: value for key, value in body.items() if key != "cmd_seq"} for body in found]


def last(log: CommandLog) -> list[Body]:
    """The executions of the last command."""
    found = [json.loads(item["body"]) for item in replay(log.items) if item["cmd_seq"] == log.head]
    return [{key: value for key, value in body.items() if key != "cmd_seq"} for body in found]


def canceled(order: int, reason: str, lots: int) -> Body:
    return {"type": "order.canceled", "order_id": f"ord_{order}", "reason": reason, "canceled_lots": lots}


def accepted(order: int, resting: int) -> Body:
    return {"type": "order.accepted", "order_id": f"ord_{order}", "resting_lots": resting}


def refused(kind: str, order: int, code: str, number: int) -> Body:
    return {"type": kind, "order_id": f"ord_{order}", "code": code, "number": number}


@pytest.fixture
def log() -> CommandLog:
    return CommandLog()


def test_order_is_accepted_before_its_trades_and_says_what_rests(log: CommandLog) -> None:
    maker = log.order("sell", 100, 4, owner=7)
    taker = log.order("buy", 101, 10, owner=8)
    assert bodies(log) == [
        accepted(maker, 4),
        accepted(taker, 6),
        {
            "type": "trade",
            "maker_order_id": "ord_1",
            "taker_order_id": "ord_2",
            "maker_owner": 7,
            "taker_owner": 8,
            "maker_book_order_id": 1,
            "taker_book_order_id": 2,
            "taker_side": "buy",
            "price_ticks": 100,
            "quantity_lots": 4,
            "maker_remaining_lots": 0,
            "taker_remaining_lots": 6,
        },
    ]


def test_ioc_remainder_is_canceled_when_the_book_is_thin(log: CommandLog) -> None:
    log.order("sell", 100, 4, owner=7)
    taker = log.order("buy", 100, 10, owner=8, tif="ioc")
    first, trade, rest = last(log)
    assert (first, trade["type"], rest) == (accepted(taker, 0), "trade", canceled(taker, "ioc_remainder", 6))


def test_fok_that_cannot_fill_is_accepted_and_canceled_whole(log: CommandLog) -> None:
    log.order("sell", 100, 4, owner=7)
    taker = log.order("buy", 100, 5, owner=8, tif="fok")
    assert last(log) == [accepted(taker, 0), canceled(taker, "fok_unfilled", 5)]


def test_self_trade_cancels_the_newest(log: CommandLog) -> None:
    log.order("sell", 99, 2, owner=8)
    log.order("sell", 100, 4, owner=7)
    taker = log.order("buy", 100, 5, owner=7)
    first, trade, rest = last(log)
    assert (first, trade["quantity_lots"]) == (accepted(taker, 0), 2)
    assert rest == canceled(taker, "self_trade_prevention", 3)


@pytest.mark.parametrize("reason", ["user_request", "compliance_revoked", "admin", "day_end"])
def test_cancel_carries_its_reason(log: CommandLog, reason: str) -> None:
    order = log.order("buy", 90, 5)
    log.cancel(order, reason=reason)
    assert last(log) == [canceled(order, reason, 5)]


def test_cancel_of_an_unknown_or_closed_order_is_rejected(log: CommandLog) -> None:
    order = log.order("buy", 90, 5)
    log.cancel(order)
    log.cancel(order)
    assert last(log) == [refused("cancel.rejected", order, "UNKNOWN_ORDER", 302)]
    log.cancel(999)
    assert last(log) == [refused("cancel.rejected", 999, "UNKNOWN_ORDER", 302)]


def test_another_owner_may_neither_cancel_nor_replace(log: CommandLog) -> None:
    order = log.order("buy", 90, 5, owner=1)
    log.cancel(order, owner=2)
    assert last(log) == [refused("cancel.rejected", order, "NOT_OWNER", 303)]
    log.replace(order, 91, 5, owner=2)
    assert last(log) == [refused("replace.rejected", order, "NOT_OWNER", 303)]
    log.cancel(order, owner=1)
    assert last(log) == [canceled(order, "user_request", 5)]


@pytest.mark.parametrize(("state", "code", "number"), [("halted", "HALTED", 201), ("cancel_only", "CANCEL_ONLY", 202)])
def test_market_that_is_not_continuous_refuses_orders_and_allows_cancels(
    log: CommandLog, state: str, code: str, number: int
) -> None:
    order = log.order("buy", 90, 5)
    log.state(state)
    assert last(log) == [{"type": "market.state_changed", "state": state}]
    refused_order = log.order("buy", 91, 1)
    assert last(log) == [refused("order.rejected", refused_order, code, number)]
    log.replace(order, 92, 5)
    assert last(log) == [refused("replace.rejected", order, code, number)]
    log.cancel(order)
    assert last(log) == [canceled(order, "user_request", 5)]
    log.state("continuous")
    again = log.order("buy", 91, 1)
    assert last(log) == [accepted(again, 1)]


def test_replace_keeps_priority_only_when_it_shrinks_in_place(log: CommandLog) -> None:
    order = log.order("buy", 90, 5)
    log.replace(order, 90, 3)
    shrunk = {"type": "order.replaced", "order_id": "ord_1", "price_ticks": 90, "remaining_lots": 3}
    assert last(log) == [shrunk | {"kept_priority": True}]
    log.replace(order, 91, 3)
    assert last(log) == [shrunk | {"price_ticks": 91, "kept_priority": False}]


def test_replace_into_the_other_side_trades_after_it_is_told(log: CommandLog) -> None:
    log.order("sell", 100, 4, owner=7)
    order = log.order("buy", 90, 5, owner=8)
    log.replace(order, 100, 6, owner=8)
    told, trade = last(log)
    assert (told["type"], told["remaining_lots"]) == ("order.replaced", 6)
    assert (trade["taker_order_id"], trade["quantity_lots"], trade["taker_remaining_lots"]) == ("ord_2", 4, 2)
    log.cancel(order, owner=8)
    assert last(log) == [canceled(order, "user_request", 2)]


def test_post_only_that_would_trade_is_rejected(log: CommandLog) -> None:
    log.order("sell", 100, 4, owner=7)
    order = log.order("buy", 100, 1, owner=8, post_only=True)
    assert last(log) == [refused("order.rejected", order, "POST_ONLY_WOULD_TRADE", 501)]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"price_ticks": 2**63}, "BAD_PRICE"),
        ({"quantity_lots": 2**64}, "BAD_QUANTITY"),
        ({"owner": 2**64}, "BAD_ORDER_ID"),
        ({"book_order_id": 77}, "BAD_ORDER_ID"),
        ({"stp": "cancel_both"}, "STP_MODE_UNSUPPORTED"),
    ],
)
def test_order_the_book_cannot_take_is_rejected_before_it(log: CommandLog, change: Body, code: str) -> None:
    body = json.loads(random_order_body()) | change
    log.append(**body)
    (only,) = last(log)
    assert (only["type"], only["code"]) == ("order.rejected", code)


def random_order_body() -> str:
    log = CommandLog()
    log.order("buy", 100, 1)
    return str(log.items[0]["body"])


def test_clock_tick_is_answered(log: CommandLog) -> None:
    log.tick("2026-11-22T16:00:00Z")
    assert bodies(log) == [{"type": "clock.ticked", "at": "2026-11-22T16:00:00Z"}]


def test_every_command_has_an_execution_and_every_execution_is_in_the_schema() -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    log = random_log(seed, 3000)
    executions = list(replay(log.items))
    assert {item["cmd_seq"] for item in executions} == set(range(1, log.head + 1))
    assert [item["seq"] for item in executions] == list(range(1, len(executions) + 1))
    for item in executions:
        assert EXECUTION.validate_json(item["body"]).cmd_seq == item["cmd_seq"]
        assert "seq" not in json.loads(item["body"])


def test_same_commands_give_same_bodies_and_hashes_however_they_are_batched() -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    rng, log = random.Random(seed), random_log(seed, 2000)
    whole = list(replay(log.items))
    engine = OfferingEngine("off_a")
    pieces: list[Item] = []
    while engine.cmd_seq < log.head:
        pieces += engine.apply(log.items[engine.cmd_seq : engine.cmd_seq + rng.randint(1, 70)])
    assert pieces == whole
    running = ZERO_HASH
    for item in whole:
        running = rolling_hash(running, item["body"])
        assert item["hash"] == running.hex()


def test_compiled_and_reference_book_give_the_same_log() -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    log = random_log(seed, 2000)
    fast, slow = OfferingEngine("off_a", Book()), OfferingEngine("off_a", ReferenceBook())
    assert fast.apply(log.items) == slow.apply(log.items)
    assert fast.state_hash() == slow.state_hash()


def test_engine_restored_at_any_step_goes_on_as_if_it_had_never_stopped() -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    log = random_log(seed, 300)
    whole = list(replay(log.items))
    engine = OfferingEngine("off_a")
    for step in range(log.head):
        resumed = OfferingEngine.restore(engine.image())
        rest = resumed.apply(log.items[step:])
        assert rest == whole[engine.exec_seq :], f"restored after command {step}"
        engine.apply(log.items[step : step + 1])
        if step == log.head - 1:
            assert (resumed.state_hash(), resumed.market_state) == (engine.state_hash(), engine.market_state)


def test_two_engines_never_share_state() -> None:
    one, two = random_log(1, 200), random_log(2, 200)
    first, second = OfferingEngine("off_a"), OfferingEngine("off_b")
    mixed: tuple[list[Any], list[Any]] = ([], [])
    for step in range(200):
        mixed[0].extend(first.apply(one.items[step : step + 1]))
        mixed[1].extend(second.apply(two.items[step : step + 1]))
    assert mixed == (list(replay(one.items)), list(replay(two.items)))


@pytest.mark.parametrize("damage", ["body", "hash", "gap", "repeat"])
def test_log_that_does_not_continue_is_refused_without_effect(damage: str) -> None:
    log = random_log(5, 20)
    engine = OfferingEngine("off_a")
    engine.apply(log.items[:10])
    before = engine.image()
    items = [dict(item) for item in log.items[10:]]
    if damage == "body":
        items[3]["body"] = items[3]["body"].replace(" ", "") + " "
    elif damage == "hash":
        items[3]["hash"] = "00" * 32
    elif damage == "gap":
        del items[3]
    else:
        items.insert(0, log.items[9])
    with pytest.raises(CommandLogBroken):
        engine.apply(items)
    assert engine.image() == before


def test_body_that_is_no_command_is_refused() -> None:
    log = CommandLog()
    log.append(type="order.invent")
    with pytest.raises(CommandLogBroken):
        OfferingEngine("off_a").apply(log.items)
