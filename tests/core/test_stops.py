"""Stops and trailing stops: what triggers them, in which order, and how they enter. On both books."""

import pytest

from matcher_core import Accepted, Canceled, CancelReason, Replaced, Trade, Triggered, TriggerReason
from matcher_core import records as r
from matcher_core.types import MAX_PRICE_TICKS, Place
from tests.core.builders import (
    AUCTION,
    BUY,
    SELL,
    UNCROSS,
    AnyBook,
    MakeBook,
    buy,
    cancel,
    canceled,
    code,
    deal_at,
    last,
    market,
    of,
    places,
    replace,
    resting,
    sell,
    send,
    stop,
    trades,
    trailing,
    triggered,
)


def test_stop_when_entered_then_it_waits_out_of_sight(make_book: MakeBook):
    book = make_book()
    assert last(book, stop(1, BUY, 105, 5)) == (Accepted(0, 1, BUY, 0, 5, 5),)
    assert (book.best_bid, places(book)) == (None, {1: Place.STOP})
    order = book.order(1)
    assert order is not None
    assert (order.stop_ticks, order.open_lots, order.shown_lots) == (105, 5, 0)


@pytest.mark.parametrize(("side", "below", "at"), [(BUY, 104, 105), (SELL, 106, 105)])
def test_stop_when_the_last_price_reaches_it_then_triggered(make_book: MakeBook, side: int, below: int, at: int):
    book = make_book()
    send(book, stop(1, BUY if side == BUY else SELL, 105, 5))
    assert triggered(send(book, *deal_at(below))) == []
    events = send(book, *deal_at(at))
    assert triggered(events) == [1]
    assert canceled(events) == [(1, 5, "REMAINDER")]  # a market order in an empty book


def test_stop_market_when_triggered_then_enters_as_a_market_order(make_book: MakeBook):
    book = make_book()
    send(book, stop(1, BUY, 100, 5), sell(2, 107, 3), sell(3, 100, 1))
    events = last(book, market(4, BUY, 1))
    assert events[1:] == (
        Trade(0, 4, 3, BUY, 100, 1, 0, 0),
        Triggered(0, 1, BUY, 0, 5, 0, TriggerReason.STOP),
        Trade(0, 1, 2, BUY, 107, 3, 2, 0),
        Canceled(0, 1, BUY, 0, 2, CancelReason.REMAINDER),
    )


def test_stop_market_when_protected_then_stops_there(make_book: MakeBook):
    book = make_book()
    send(book, stop(1, BUY, 100, 5, protection=105), sell(2, 107, 3))
    events = send(book, *deal_at(100))
    assert of(Triggered, events)[0].price_ticks == 105
    assert canceled(events) == [(1, 5, "REMAINDER")]


def test_stop_limit_when_triggered_then_rests_at_its_limit(make_book: MakeBook):
    book = make_book()
    send(book, stop(1, SELL, 100, 5, limit=98))
    events = send(book, *deal_at(100))
    assert of(Triggered, events)[0][2:] == (SELL, 98, 5, 5, TriggerReason.STOP)
    assert resting(book) == [(1, 98, 5)]
    assert places(book) == {1: Place.BOOK}


@pytest.mark.parametrize(("side", "price"), [(BUY, 100), (BUY, 99), (SELL, 100), (SELL, 101)])
def test_stop_when_the_last_price_is_there_already_then_enters_at_once(make_book: MakeBook, side: int, price: int):
    book = make_book()
    send(book, *deal_at(100))
    events = last(book, stop(1, BUY if side == BUY else SELL, price, 5, limit=50))
    assert isinstance(events[0], Accepted)
    assert triggered(events) == [1]


def test_stop_when_only_quotes_reach_it_then_it_waits(make_book: MakeBook):
    book = make_book()
    send(book, stop(1, BUY, 100, 5), buy(2, 110, 5), sell(3, 120, 5))
    assert places(book)[1] is Place.STOP


def test_stops_when_one_run_reaches_several_then_in_the_documented_order(make_book: MakeBook):
    book = make_book()
    send(book, *deal_at(100))
    send(book, stop(1, BUY, 103, 1), stop(2, BUY, 102, 1), stop(3, BUY, 102, 1), stop(9, BUY, 104, 1))
    send(book, trailing(4, BUY, 2, 1), trailing(5, BUY, 1, 1), stop(6, SELL, 98, 1))
    send(book, sell(50, 101, 1), sell(51, 103, 1))
    assert triggered(send(book, market(52, BUY, 2))) == [2, 3, 1, 5, 4]


def test_stop_sells_when_one_run_reaches_several_then_the_highest_first(make_book: MakeBook):
    book = make_book()
    send(book, *deal_at(100))
    send(book, stop(1, SELL, 97, 1), stop(2, SELL, 98, 1), stop(3, SELL, 98, 1), trailing(4, SELL, 2, 1))
    send(book, buy(50, 99, 1), buy(51, 97, 1))
    assert triggered(send(book, market(52, SELL, 2))) == [2, 3, 1, 4]


def test_cascade_when_a_triggered_order_trades_then_it_triggers_more_after_those_waiting(make_book: MakeBook):
    book = make_book()
    send(book, stop(1, BUY, 100, 1), stop(2, BUY, 100, 1), stop(3, BUY, 105, 1))
    send(book, sell(50, 100, 1), sell(51, 105, 1), sell(52, 106, 1), sell(53, 107, 1))
    events = last(book, market(54, BUY, 1))
    assert triggered(events) == [1, 2, 3]
    assert trades(events) == [(50, 54, 100, 1), (51, 1, 105, 1), (52, 2, 106, 1), (53, 3, 107, 1)]


def test_stop_when_canceled_then_gone(make_book: MakeBook):
    book = make_book()
    assert canceled(last(book, stop(1, BUY, 100, 5, limit=101), cancel(1))) == [(1, 5, "USER")]
    assert triggered(send(book, *deal_at(100))) == []


# ---- replace ---------------------------------------------------------------------------------------------------------


def test_stop_when_it_shrinks_then_keeps_its_place(make_book: MakeBook):
    book = make_book()
    send(book, stop(1, BUY, 105, 5, limit=110), stop(2, BUY, 105, 5, limit=110))
    assert last(book, replace(1, 110, 3)) == (Replaced(0, 1, BUY, 110, 3, 3, kept_priority=True),)
    assert triggered(send(book, *deal_at(105))) == [1, 2]


@pytest.mark.parametrize(
    "change",
    [
        replace(1, 110, 6),
        replace(1, 111, 5),
        r.replace(order_id=1, price=110, quantity=5, stop_price=104),
    ],
    ids=["larger", "limit", "stop"],
)
def test_stop_when_anything_else_changes_then_it_waits_as_new(make_book: MakeBook, change: r.Command):
    book = make_book()
    send(book, stop(1, BUY, 105, 5, limit=110), stop(2, BUY, change.stop_price or 105, 5, limit=110))
    (event,) = last(book, change)
    assert isinstance(event, Replaced)
    assert not event.kept_priority
    assert triggered(send(book, *deal_at(105))) == [2, 1]


def test_stop_when_its_new_stop_price_is_reached_already_then_enters_at_once(make_book: MakeBook):
    book = make_book()
    send(book, *deal_at(100))
    events = last(book, stop(1, BUY, 105, 5, limit=110), r.replace(order_id=1, price=110, quantity=5, stop_price=100))
    assert events[0] == Replaced(0, 1, BUY, 110, 5, 5, kept_priority=False)
    assert triggered(events) == [1]


@pytest.mark.parametrize(
    ("order", "change"),
    [
        (stop(1, BUY, 105, 5), replace(1, 100, 5)),
        (trailing(1, BUY, 5, 5), replace(1, 100, 5)),
        (trailing(1, BUY, 5, 5, limit=100), replace(1, 100, 5)),
        (buy(1, 100, 5), r.replace(order_id=1, price=100, quantity=5, stop_price=9)),
    ],
    ids=["no-limit", "trailing", "trailing-limit", "stop-for-a-limit-order"],
)
def test_replace_when_such_an_order_cannot_change_then_refused(
    make_book: MakeBook, order: r.Command, change: r.Command
):
    book = make_book()
    send(book, order)
    assert code(send(book, change)) == "NOT_REPLACEABLE"


# ---- trailing stops --------------------------------------------------------------------------------------------------


def stop_of(book: AnyBook, order_id: int) -> int:
    order = book.order(order_id)
    assert order is not None
    return order.stop_ticks


def test_trailing_when_nothing_has_traded_then_no_stop_yet(make_book: MakeBook):
    book = make_book()
    send(book, trailing(1, SELL, 5, 1), trailing(2, BUY, 5, 1))
    assert (stop_of(book, 1), stop_of(book, 2)) == (0, 0)
    send(book, *deal_at(100))
    assert (stop_of(book, 1), stop_of(book, 2)) == (95, 105)


def test_trailing_sell_when_the_price_rises_then_follows_and_never_back(make_book: MakeBook):
    book = make_book()
    send(book, *deal_at(100), trailing(1, SELL, 5, 1))
    assert stop_of(book, 1) == 95
    send(book, *deal_at(103))
    assert stop_of(book, 1) == 98
    send(book, *deal_at(99))
    assert stop_of(book, 1) == 98
    assert triggered(send(book, *deal_at(98))) == [1]


def test_trailing_buy_when_the_price_falls_then_follows_and_never_back(make_book: MakeBook):
    book = make_book()
    send(book, *deal_at(100), trailing(1, BUY, 5, 1))
    send(book, *deal_at(97))
    send(book, *deal_at(101))
    assert stop_of(book, 1) == 102
    assert triggered(send(book, *deal_at(102))) == [1]


def test_trailing_when_one_run_rises_past_it_then_the_first_price_moves_it_before_the_last_tests(make_book: MakeBook):
    """A buy that trails by 5 from 100: a run from 90 to 95 moves it to 95 at its first price and reaches it at its last."""
    book = make_book()
    send(book, *deal_at(100), trailing(1, BUY, 5, 1), sell(2, 90, 1), sell(3, 95, 1))
    assert triggered(send(book, market(4, BUY, 2))) == [1]


def test_trailing_when_both_ends_trigger_then_those_of_the_first_price_come_first(make_book: MakeBook):
    book = make_book()
    send(book, *deal_at(100), trailing(1, BUY, 20, 1), *deal_at(90), trailing(2, BUY, 8, 1))
    assert (stop_of(book, 1), stop_of(book, 2)) == (110, 98)
    send(book, sell(50, 98, 1), sell(51, 110, 1))
    assert triggered(send(book, market(52, BUY, 2))) == [2, 1]


def test_trailing_when_some_move_to_an_equal_stop_price_then_they_queue_behind(make_book: MakeBook):
    book = make_book()
    send(book, *deal_at(100), trailing(1, SELL, 7, 1), *deal_at(104), trailing(2, SELL, 8, 1))
    assert (stop_of(book, 1), stop_of(book, 2)) == (97, 96)
    book = make_book()
    send(book, *deal_at(104), trailing(1, SELL, 8, 1), *deal_at(100), trailing(2, SELL, 4, 1))
    assert (stop_of(book, 1), stop_of(book, 2)) == (96, 96)
    send(book, *deal_at(102), trailing(3, SELL, 6, 1))  # 2 moved to 98, 3 stands at 96 behind 1
    assert [order.order_id for order in book.orders()] == [2, 1, 3]
    send(book, *deal_at(106))  # all move: 2 to 102, 3 to 100, 1 to 98
    assert [order.order_id for order in book.orders()] == [2, 3, 1]


def test_trailing_when_its_stop_is_no_price_then_never_reached(make_book: MakeBook):
    book = make_book()
    send(book, *deal_at(5), trailing(1, SELL, 5, 1), trailing(2, SELL, 2**62, 1), trailing(3, BUY, 2**62, 1))
    assert (stop_of(book, 1), stop_of(book, 2), stop_of(book, 3)) == (0, 0, 5 + 2**62)
    assert triggered(send(book, *deal_at(1))) == []


def test_trailing_buy_when_its_stop_is_above_every_price_then_never_reached(make_book: MakeBook):
    book = make_book()
    send(book, sell(1, MAX_PRICE_TICKS - 1, 1), market(2, BUY, 1), trailing(3, BUY, 2, 1))
    assert stop_of(book, 3) == 0
    assert triggered(send(book, *deal_at(MAX_PRICE_TICKS))) == []


# ---- stops and calls -------------------------------------------------------------------------------------------------


def test_stop_when_entered_in_a_call_then_waits_until_trading(make_book: MakeBook):
    book = make_book()
    send(book, *deal_at(100), AUCTION)
    assert triggered(last(book, stop(1, BUY, 100, 1))) == []
    assert triggered(last(book, UNCROSS)) == [1]


def test_stop_when_the_uncross_price_reaches_it_then_triggered_after_the_state(make_book: MakeBook):
    book = make_book()
    send(book, stop(1, BUY, 105, 5, limit=105), AUCTION, buy(2, 105, 3), sell(3, 105, 3))
    events = last(book, UNCROSS)
    assert [type(event).__name__ for event in events] == ["Uncrossed", "Trade", "StateChanged", "Triggered"]


def test_stop_when_an_uncross_ends_in_a_halt_then_triggered_when_trading_begins(make_book: MakeBook):
    book = make_book()
    send(book, stop(1, BUY, 105, 5), AUCTION, buy(2, 105, 3), sell(3, 105, 3))
    assert triggered(last(book, r.uncross(r.BookState.HALTED))) == []
    assert triggered(last(book, r.set_state(r.BookState.TRADING))) == [1]
