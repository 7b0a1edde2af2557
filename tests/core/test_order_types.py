"""Icebergs, hidden orders, post-only that slides, minimum quantities, and how long an order may wait. On both books."""

import pytest

from matcher_core import Accepted, Command, Decremented, Refreshed, Replaced, SelfTradePrevention, Trade
from matcher_core.types import MAX_PRICE_TICKS, BookState, Place
from tests.core.builders import (
    BUY,
    DAY,
    FOK,
    IOC,
    SELL,
    MakeBook,
    at_least,
    buy,
    cancel,
    canceled,
    code,
    hidden,
    iceberg,
    last,
    market,
    of,
    post_only,
    refreshed,
    replace,
    resting,
    sell,
    send,
    sliding,
    trades,
    until,
)

CANCEL_OLDEST, DECREMENT = SelfTradePrevention.CANCEL_OLDEST, SelfTradePrevention.DECREMENT


# ---- icebergs --------------------------------------------------------------------------------------------------------


def test_iceberg_when_it_rests_then_only_its_display_is_seen(make_book: MakeBook):
    book = make_book()
    assert last(book, iceberg(1, SELL, 100, 35, display=10)) == (Accepted(0, 1, SELL, 100, 35, 35),)
    assert [tuple(level) for level in book.depth(1)[1]] == [(100, 10, 1)]
    order = book.order(1)
    assert order is not None
    assert (order.open_lots, order.shown_lots) == (35, 10)


def test_iceberg_when_what_it_shows_is_used_up_then_the_next_part_is_last_in_the_queue(make_book: MakeBook):
    book = make_book()
    events = last(book, iceberg(1, SELL, 100, 35, display=10), sell(2, 100, 5), market(3, BUY, 17))
    assert events[1:] == (
        Trade(0, 3, 1, BUY, 100, 10, 7, 25),
        Refreshed(0, 1, SELL, 100, 10, 25),
        Trade(0, 3, 2, BUY, 100, 5, 2, 0),
        Trade(0, 3, 1, BUY, 100, 2, 0, 23),
    )
    assert [tuple(level) for level in book.depth(1)[1]] == [(100, 8, 1)]


def test_iceberg_when_alone_then_one_taker_takes_part_after_part(make_book: MakeBook):
    book = make_book()
    events = last(book, iceberg(1, SELL, 100, 25, display=10), market(3, BUY, 30))
    assert trades(events) == [(1, 3, 100, 10), (1, 3, 100, 10), (1, 3, 100, 5)]
    assert refreshed(events) == [(1, 10, 15), (1, 5, 5)]
    assert len(book) == 0


def test_iceberg_when_it_enters_then_it_trades_with_all_it_has(make_book: MakeBook):
    book = make_book()
    events = last(book, sell(1, 100, 30), iceberg(2, BUY, 100, 45, display=10))
    assert trades(events) == [(1, 2, 100, 30)]
    assert [tuple(level) for level in book.depth(1)[0]] == [(100, 10, 1)]


def test_iceberg_when_canceled_then_the_reserve_goes_too(make_book: MakeBook):
    book = make_book()
    assert canceled(last(book, iceberg(1, SELL, 100, 35, display=10), cancel(1))) == [(1, 35, "USER")]


@pytest.mark.parametrize(
    ("quantity", "shown"),
    [(20, 6), (6, 6), (4, 4)],
    ids=["reserve-first", "reserve-gone", "then-the-shown-part"],
)
def test_iceberg_when_it_shrinks_then_place_is_kept(make_book: MakeBook, quantity: int, shown: int):
    book = make_book()
    send(book, iceberg(1, SELL, 100, 30, display=10), sell(2, 100, 5), buy(3, 100, 4))
    assert last(book, replace(1, 100, quantity)) == (Replaced(0, 1, SELL, 100, quantity, quantity, True),)
    assert resting(book) == [(1, 100, quantity), (2, 100, 5)]
    assert book.depth(1)[1][0].quantity_lots == shown + 5


def test_iceberg_when_it_grows_then_it_is_last_and_shows_its_display_again(make_book: MakeBook):
    book = make_book()
    send(book, iceberg(1, SELL, 100, 30, display=10), sell(2, 100, 5), buy(3, 100, 4), replace(1, 100, 40))
    assert resting(book) == [(2, 100, 5), (1, 100, 40)]
    assert book.depth(1)[1][0].quantity_lots == 15


def test_iceberg_when_display_is_not_less_than_the_quantity_then_all_is_shown(make_book: MakeBook):
    book = make_book()
    events = last(book, iceberg(1, SELL, 100, 5, display=50), sell(2, 100, 5), market(3, BUY, 6))
    assert (trades(events), refreshed(events)) == ([(1, 3, 100, 5), (2, 3, 100, 1)], [])


def test_iceberg_when_it_would_need_too_many_parts_after_a_replace_then_refused(make_book: MakeBook):
    book = make_book()
    send(book, iceberg(1, SELL, 100, 1000, display=1))
    assert code(send(book, replace(1, 100, 1001))) == "DISPLAY_TOO_SMALL"
    assert code(send(book, replace(1, 101, 1000))) is None


def test_decrement_when_an_iceberg_is_met_then_part_after_part_is_taken_off(make_book: MakeBook):
    book = make_book(stp=DECREMENT)
    events = last(book, iceberg(1, SELL, 100, 15, display=10, owner=7), market(2, BUY, 12, owner=7))
    assert events[1:] == (
        Decremented(0, 2, 1, BUY, 100, 10, 2, 5),
        Refreshed(0, 1, SELL, 100, 5, 5),
        Decremented(0, 2, 1, BUY, 100, 2, 0, 3),
    )


# ---- hidden orders ---------------------------------------------------------------------------------------------------


def test_hidden_when_it_rests_then_nobody_sees_it(make_book: MakeBook):
    book = make_book()
    send(book, hidden(buy(1, 100, 5)))
    assert (book.best_bid, book.depth(5)[0], len(book)) == (None, [], 1)
    order = book.order(1)
    assert order is not None
    assert (order.place, order.open_lots, order.shown_lots) == (Place.HIDDEN, 5, 0)


def test_hidden_when_at_the_same_price_then_displayed_orders_go_first(make_book: MakeBook):
    book = make_book()
    send(book, hidden(sell(1, 100, 5)), sell(2, 100, 5), iceberg(3, SELL, 100, 15, display=5))
    taken = trades(send(book, market(4, BUY, 30)))
    assert taken == [(2, 4, 100, 5), (3, 4, 100, 5), (3, 4, 100, 5), (3, 4, 100, 5), (1, 4, 100, 5)]


def test_hidden_when_at_a_better_price_then_it_goes_first(make_book: MakeBook):
    book = make_book()
    send(book, hidden(sell(1, 99, 5)), sell(2, 100, 5))
    assert trades(send(book, market(4, BUY, 8))) == [(1, 4, 99, 5), (2, 4, 100, 3)]


def test_hidden_when_replaced_then_stays_hidden(make_book: MakeBook):
    book = make_book()
    send(book, hidden(buy(1, 100, 5)), replace(1, 101, 9))
    assert book.best_bid is None
    assert trades(send(book, sell(2, 101, 9))) == [(1, 2, 101, 9)]


# ---- post-only -------------------------------------------------------------------------------------------------------


def test_post_only_when_a_hidden_order_stands_in_its_way_then_refused(make_book: MakeBook):
    book = make_book()
    send(book, hidden(sell(1, 100, 5)))
    assert code(send(book, post_only(buy(2, 100, 1)))) == "POST_ONLY_WOULD_TRADE"


@pytest.mark.parametrize(("side", "price"), [(BUY, 99), (SELL, 101)])
def test_slide_when_it_would_trade_then_rests_one_tick_short(make_book: MakeBook, side: int, price: int):
    book = make_book()
    send(book, sell(1, 100, 5) if side == BUY else buy(1, 100, 5))
    order = buy(2, 105, 3) if side == BUY else sell(2, 95, 3)
    (event,) = last(book, sliding(order))
    assert isinstance(event, Accepted)
    assert (event.price_ticks, event.resting_lots) == (price, 3)
    assert (2, price, 3) in resting(book)


def test_slide_when_a_hidden_order_is_nearer_then_short_of_that(make_book: MakeBook):
    book = make_book()
    send(book, sell(1, 100, 5), hidden(sell(2, 98, 5)), sliding(buy(3, 100, 1)))
    assert book.best_bid == 97


def test_slide_when_it_would_not_trade_then_keeps_its_price(make_book: MakeBook):
    book = make_book()
    send(book, sell(1, 100, 5), sliding(buy(2, 95, 1)))
    assert book.best_bid == 95


def test_slide_when_there_is_no_price_left_then_refused(make_book: MakeBook):
    book = make_book()
    send(book, sell(1, 1, 5))
    assert code(send(book, sliding(buy(2, 1, 1)))) == "POST_ONLY_WOULD_TRADE"
    other = make_book()
    send(other, buy(1, MAX_PRICE_TICKS, 5))
    assert code(send(other, sliding(sell(2, 5, 1)))) == "POST_ONLY_WOULD_TRADE"


def test_slide_when_replaced_then_tells_the_price_it_got(make_book: MakeBook):
    book = make_book()
    events = last(book, sell(1, 100, 5), buy(2, 90, 5), sliding(replace(2, 100, 5)))
    assert events == (Replaced(0, 2, BUY, 99, 5, 5, kept_priority=False),)


def test_slide_when_it_slides_to_where_it_stands_then_keeps_its_place(make_book: MakeBook):
    book = make_book()
    send(book, sell(1, 100, 5), buy(2, 99, 5), buy(3, 99, 5))
    assert last(book, sliding(replace(2, 100, 4))) == (Replaced(0, 2, BUY, 99, 4, 4, kept_priority=True),)
    assert resting(book)[:2] == [(2, 99, 4), (3, 99, 5)]


# ---- minimum quantity and fill-or-kill -------------------------------------------------------------------------------


def test_minimum_when_less_could_trade_then_refused(make_book: MakeBook):
    book = make_book()
    send(book, sell(1, 100, 5))
    assert code(send(book, at_least(buy(2, 100, 10), 6))) == "MIN_QUANTITY_NOT_MET"


def test_minimum_when_enough_trades_then_the_rest_waits_without_it(make_book: MakeBook):
    book = make_book()
    send(book, sell(1, 100, 5), at_least(buy(2, 100, 10), 5))
    assert resting(book) == [(2, 100, 5)]
    assert trades(send(book, sell(3, 100, 1))) == [(2, 3, 100, 1)]


def test_minimum_when_immediate_then_the_rest_is_dropped(make_book: MakeBook):
    book = make_book()
    events = last(book, sell(1, 100, 5), at_least(buy(2, 100, 10, tif=IOC), 5))
    assert (trades(events), canceled(events)) == ([(1, 2, 100, 5)], [(2, 5, "REMAINDER")])


def test_fok_when_reserves_and_hidden_orders_are_enough_then_fills(make_book: MakeBook):
    book = make_book()
    send(book, iceberg(1, SELL, 100, 15, display=5), hidden(sell(2, 100, 5)))
    assert code(send(book, buy(3, 100, 21, tif=FOK))) == "FOK_NOT_FILLABLE"
    assert sum(lots for *_, lots in trades(send(book, buy(3, 100, 20, tif=FOK)))) == 20


@pytest.mark.parametrize(
    ("quantity", "fills"), [(5, True), (6, False)], ids=["shown-part-is-ahead", "reserve-is-behind"]
)
def test_fok_when_an_own_order_stands_behind_an_iceberg_then_its_reserve_is_behind_too(
    make_book: MakeBook, quantity: int, fills: bool
):
    book = make_book()
    send(book, iceberg(1, SELL, 100, 15, display=5, owner=8), sell(2, 100, 5, owner=7))
    answer = code(send(book, buy(3, 100, quantity, owner=7, tif=FOK)))
    assert answer == (None if fills else "FOK_NOT_FILLABLE")


def test_fok_when_the_own_order_would_go_then_the_reserve_counts(make_book: MakeBook):
    book = make_book(stp=CANCEL_OLDEST)
    send(book, iceberg(1, SELL, 100, 15, display=5, owner=8), sell(2, 100, 5, owner=7))
    assert code(send(book, buy(3, 100, 16, owner=7, tif=FOK))) == "FOK_NOT_FILLABLE"
    assert sum(lots for *_, lots in trades(send(book, buy(3, 100, 15, owner=7, tif=FOK)))) == 15


def test_fok_when_the_mode_is_decrement_then_stops_at_the_own_order(make_book: MakeBook):
    book = make_book(stp=DECREMENT)
    send(book, sell(1, 100, 5, owner=8), sell(2, 100, 5, owner=7), sell(3, 100, 5, owner=8))
    assert code(send(book, buy(4, 100, 6, owner=7, tif=FOK))) == "FOK_NOT_FILLABLE"
    assert trades(send(book, buy(4, 100, 5, owner=7, tif=FOK))) == [(1, 4, 100, 5)]


# ---- self-trade prevention by decrement ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("quantity", "left"),
    [(3, [(1, 100, 2)]), (5, []), (8, [(2, 100, 3)])],
    ids=["maker-stays", "both-go", "taker-rests"],
)
def test_decrement_when_two_of_a_group_meet_then_both_lose_it(
    make_book: MakeBook, quantity: int, left: list[tuple[int, int, int]]
):
    book = make_book(stp=DECREMENT)
    events = last(book, sell(1, 100, 5, owner=7), buy(2, 100, quantity, owner=7))
    lots = min(quantity, 5)
    assert of(Decremented, events) == [Decremented(0, 2, 1, BUY, 100, lots, quantity - lots, 5 - lots)]
    assert (canceled(events), resting(book), book.last_price) == ([], left, None)


def test_decrement_when_others_stand_behind_then_the_taker_goes_on(make_book: MakeBook):
    book = make_book(stp=DECREMENT)
    events = last(book, sell(1, 100, 5, owner=7), sell(2, 100, 5, owner=8), buy(3, 100, 8, owner=7))
    assert trades(events) == [(2, 3, 100, 3)]


# ---- time in force ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", [buy(1, 100, 5, tif=DAY), until(buy(1, 100, 5), 9)], ids=["day", "gtd"])
def test_lasting_order_when_entered_then_it_is_an_order_like_any(make_book: MakeBook, order: Command):
    book = make_book()
    send(book, order)
    assert trades(send(book, sell(2, 100, 3))) == [(1, 2, 100, 3)]
    found = book.order(1)
    assert found is not None
    assert (found.tif, found.expire_at) == (order.tif, order.expire_at)


def test_post_only_when_hidden_too_then_rests_hidden(make_book: MakeBook):
    book = make_book()
    send(book, hidden(post_only(buy(1, 100, 5))))
    assert book.best_bid is None
    assert len(book) == 1


def test_cancel_only_when_set_then_special_orders_are_refused_too(make_book: MakeBook):
    book = make_book()
    book.set_state(BookState.CANCEL_ONLY)
    refused = [iceberg(1, SELL, 100, 5, display=1), hidden(buy(2, 1, 1)), until(buy(3, 1, 1), 9)]
    assert {code(send(book, c)) for c in refused} == {"CANCEL_ONLY"}
