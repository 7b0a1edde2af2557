"""Pegged orders: what they follow, when they move, and what happens when they cannot. On both books."""

import pytest

from matcher_core import Accepted, Canceled, CancelReason, PegKind, Replaced, Repriced, SelfTradePrevention, Side, Trade
from matcher_core import records as r
from matcher_core.types import MAX_PRICE_TICKS, BookState, Place
from tests.core.builders import (
    AUCTION,
    BUY,
    SELL,
    UNCROSS,
    AnyBook,
    MakeBook,
    buy,
    cancel,
    hidden,
    last,
    market,
    peg,
    places,
    replace,
    repriced,
    resting,
    sell,
    send,
    stop,
    story,
    trades,
)

MIDPOINT, PRIMARY, MARKET = PegKind.MIDPOINT, PegKind.PRIMARY, PegKind.MARKET


def quoted(make_book: MakeBook, bid: int = 100, ask: int = 107) -> AnyBook:
    """A book with one displayed order on each side, ids 1 and 2."""
    book = make_book()
    send(book, buy(1, bid, 50), sell(2, ask, 50))
    return book


@pytest.mark.parametrize(
    ("side", "kind", "cap", "offset", "price"),
    [
        (BUY, MIDPOINT, 0, 0, 103),
        (SELL, MIDPOINT, 0, 0, 104),
        (BUY, PRIMARY, 0, 0, 100),
        (SELL, PRIMARY, 0, 0, 107),
        (BUY, PRIMARY, 0, 3, 97),
        (SELL, PRIMARY, 0, 3, 110),
        (BUY, MARKET, 0, 1, 106),
        (SELL, MARKET, 0, 2, 102),
        (BUY, MIDPOINT, 102, 0, 102),
        (SELL, MIDPOINT, 106, 0, 106),
        (BUY, MIDPOINT, 104, 0, 103),
        (SELL, PRIMARY, 1, 0, 107),
    ],
)
def test_peg_when_both_sides_are_quoted_then_its_price(
    make_book: MakeBook, side: Side, kind: PegKind, cap: int, offset: int, price: int
):
    book = quoted(make_book)
    events = last(book, peg(3, side, kind, 5, cap, offset))
    assert events == (Accepted(0, 3, side, cap, 5, 5), Repriced(0, 3, side, price, 5, 5))
    order = book.order(3)
    assert order is not None
    assert (order.place, order.price_ticks, order.shown_lots, order.peg) == (Place.HIDDEN, price, 0, kind)


@pytest.mark.parametrize(
    ("side", "kind", "offset"),
    [(BUY, MIDPOINT, 0), (SELL, PRIMARY, 0), (BUY, MARKET, 1), (BUY, PRIMARY, 100)],
    ids=["one-side-missing", "own-side-missing", "other-side-missing", "below-one-tick"],
)
def test_peg_when_there_is_nothing_to_follow_or_no_price_then_it_waits(
    make_book: MakeBook, side: Side, kind: PegKind, offset: int
):
    book = make_book()
    assert repriced(last(book, buy(1, 100, 5), peg(3, side, kind, 5, offset=offset))) == []
    assert places(book)[3] is Place.PEG


def test_peg_when_its_price_would_pass_the_largest_then_it_waits(make_book: MakeBook):
    book = make_book()
    send(book, sell(1, MAX_PRICE_TICKS, 5), peg(3, SELL, PRIMARY, 5, offset=1))
    assert places(book)[3] is Place.PEG


def test_peg_when_the_best_price_moves_then_it_follows(make_book: MakeBook):
    book = quoted(make_book)
    send(book, peg(3, BUY, PRIMARY, 5))
    assert repriced(last(book, buy(4, 102, 1))) == [(3, 102)]
    assert repriced(last(book, cancel(4))) == [(3, 100)]


def test_peg_when_what_it_follows_goes_then_it_loses_its_price(make_book: MakeBook):
    book = quoted(make_book)
    events = last(book, peg(3, BUY, MIDPOINT, 5), cancel(2))
    assert events[1:] == (Repriced(0, 3, BUY, 0, 5, 5),)
    assert places(book)[3] is Place.PEG


def test_peg_when_its_price_stays_then_it_keeps_its_place(make_book: MakeBook):
    book = quoted(make_book)
    send(book, peg(3, BUY, MIDPOINT, 5, cap=101), hidden(buy(4, 101, 5)))
    assert repriced(last(book, buy(5, 101, 1))) == []  # the middle moved from 103 to 104, the cap did not
    assert trades(send(book, market(6, SELL, 7))) == [(5, 6, 101, 1), (3, 6, 101, 5), (4, 6, 101, 1)]


def test_peg_when_it_moves_then_it_is_last_at_its_price(make_book: MakeBook):
    book = quoted(make_book)
    send(book, peg(3, BUY, PRIMARY, 5), hidden(buy(4, 102, 5)), buy(5, 102, 1))
    assert trades(send(book, market(6, SELL, 7))) == [(5, 6, 102, 1), (4, 6, 102, 5), (3, 6, 102, 1)]


def test_pegs_when_several_move_then_the_oldest_first(make_book: MakeBook):
    book = quoted(make_book)
    send(book, peg(3, SELL, MIDPOINT, 5), peg(4, BUY, PRIMARY, 5), peg(5, BUY, MIDPOINT, 5, cap=103))
    assert [order_id for order_id, _ in repriced(last(book, buy(6, 103, 1)))] == [3, 4]


def test_pegs_when_they_meet_at_the_middle_then_they_trade(make_book: MakeBook):
    book = quoted(make_book, bid=100, ask=106)
    events = last(book, peg(3, BUY, MIDPOINT, 5), peg(4, SELL, MIDPOINT, 8))
    assert events == (
        Accepted(0, 4, SELL, 0, 8, 8),
        Repriced(0, 4, SELL, 103, 8, 3),
        Trade(0, 4, 3, SELL, 103, 5, 3, 0),
    )


def test_pegs_when_the_middle_is_between_two_ticks_then_they_do_not_meet(make_book: MakeBook):
    book = quoted(make_book, bid=100, ask=107)
    send(book, peg(3, BUY, MIDPOINT, 5), peg(4, SELL, MIDPOINT, 8))
    assert {order.order_id: order.price_ticks for order in book.orders()} == {1: 100, 2: 107, 3: 103, 4: 104}


def test_peg_when_self_trade_prevention_stops_it_then_canceled(make_book: MakeBook):
    book = quoted(make_book, bid=100, ask=106)
    events = last(book, peg(3, BUY, MIDPOINT, 5, owner=7), peg(4, SELL, MIDPOINT, 8, owner=7))
    assert events[1:] == (
        Repriced(0, 4, SELL, 103, 8, 0),
        Canceled(0, 4, SELL, 103, 8, CancelReason.SELF_TRADE),
    )


def test_pegs_when_one_is_traded_away_during_the_pass_then_it_is_skipped(make_book: MakeBook):
    book = quoted(make_book, bid=100, ask=107)
    events = last(book, peg(3, BUY, MIDPOINT, 5), peg(4, SELL, MIDPOINT, 5), buy(5, 101, 1))
    assert events[1:] == (Repriced(0, 3, BUY, 104, 5, 0), Trade(0, 3, 4, BUY, 104, 5, 0, 0))


def test_peg_when_the_mode_is_cancel_oldest_then_the_peg_it_meets_goes(make_book: MakeBook):
    book = make_book(stp=SelfTradePrevention.CANCEL_OLDEST)
    send(book, buy(1, 100, 50), sell(2, 107, 50), peg(3, BUY, MIDPOINT, 5, owner=7), peg(4, SELL, MIDPOINT, 5, owner=7))
    events = last(book, buy(5, 101, 1))
    assert events[1:] == (
        Repriced(0, 3, BUY, 104, 5, 5),
        Canceled(0, 4, SELL, 104, 5, CancelReason.SELF_TRADE),
    )


def test_pegs_when_following_then_only_displayed_orders_count(make_book: MakeBook):
    book = quoted(make_book)
    send(book, peg(3, BUY, PRIMARY, 5))
    assert repriced(last(book, hidden(buy(4, 103, 1)))) == []


def test_peg_when_a_trade_moves_the_best_price_then_after_the_trade(make_book: MakeBook):
    book = make_book()
    send(book, buy(1, 100, 5), sell(2, 106, 5), sell(3, 108, 5), peg(4, BUY, MIDPOINT, 5))
    events = last(book, market(5, BUY, 5))
    assert story(events) == ["Accepted", "Trade", "Repriced"]
    assert repriced(events) == [(4, 104)]


def test_peg_when_a_stop_is_armed_too_then_the_stop_enters_first(make_book: MakeBook):
    book = make_book()
    send(book, buy(1, 100, 5), sell(2, 106, 5), sell(3, 108, 5), sell(6, 110, 5))
    send(book, peg(4, BUY, MIDPOINT, 5), stop(7, BUY, 106, 5))
    events = last(book, market(5, BUY, 5))
    assert story(events) == ["Accepted", "Trade", "Triggered", "Trade", "Repriced"]
    assert repriced(events) == [(4, 105)]


# ---- replace ---------------------------------------------------------------------------------------------------------


def test_peg_when_it_shrinks_under_the_same_cap_then_keeps_place_and_price(make_book: MakeBook):
    book = quoted(make_book)
    events = last(book, peg(3, BUY, MIDPOINT, 5, cap=104), replace(3, 104, 2))
    assert events == (Replaced(0, 3, BUY, 104, 2, 2, kept_priority=True),)
    assert (3, 103, 2) in resting(book)


@pytest.mark.parametrize("change", [replace(3, 101, 5), replace(3, 104, 6)], ids=["cap", "larger"])
def test_peg_when_replaced_otherwise_then_it_is_a_new_peg(make_book: MakeBook, change: r.Command):
    book = quoted(make_book)
    events = last(book, peg(3, BUY, MIDPOINT, 5, cap=104), peg(4, BUY, MIDPOINT, 5), change)
    price = min(103, change.price)
    assert events == (
        Replaced(0, 3, BUY, change.price, change.quantity, change.quantity, kept_priority=False),
        Repriced(0, 3, BUY, price, change.quantity, change.quantity),
    )
    moved = repriced(last(book, cancel(2)))
    assert moved == [(4, 0), (3, 0)]  # the replaced one is last in the list


# ---- pegs and states -------------------------------------------------------------------------------------------------


def test_pegs_when_trading_ends_then_each_loses_its_price(make_book: MakeBook):
    book = quoted(make_book)
    send(book, peg(3, SELL, PRIMARY, 5), peg(4, BUY, MIDPOINT, 6))
    events = last(book, r.set_state(BookState.HALTED))
    assert story(events) == ["StateChanged", "Repriced", "Repriced"]
    assert repriced(events) == [(3, 0), (4, 0)]
    assert places(book)[3] is places(book)[4] is Place.PEG


@pytest.mark.parametrize(
    ("stopped", "going"),
    [(r.set_state(BookState.HALTED), r.set_state(BookState.TRADING)), (AUCTION, UNCROSS)],
    ids=["halt", "call"],
)
def test_pegs_when_trading_begins_then_they_are_priced_again(make_book: MakeBook, stopped: r.Command, going: r.Command):
    book = quoted(make_book)
    assert repriced(last(book, peg(3, BUY, MIDPOINT, 5), stopped, going)) == [(3, 103)]


def test_peg_when_entered_in_a_call_then_it_waits_and_takes_no_part(make_book: MakeBook):
    book = make_book()
    send(book, AUCTION, buy(1, 100, 5), sell(2, 110, 5))
    assert last(book, peg(3, BUY, MIDPOINT, 5, cap=200)) == (Accepted(0, 3, BUY, 200, 5, 5),)
    assert book.indicative() is None
    assert repriced(last(book, UNCROSS)) == [(3, 105)]


def test_peg_when_waiting_and_canceled_then_told_with_its_cap(make_book: MakeBook):
    book = make_book()
    events = last(book, peg(3, BUY, MIDPOINT, 5, cap=77), cancel(3))
    assert events == (Canceled(0, 3, BUY, 77, 5, CancelReason.USER),)
