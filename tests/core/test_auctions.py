"""Calls and uncrosses: what collects, at which price it trades, and what remains. On both books."""

import random

import pytest

from matcher_core import (
    Canceled,
    CancelReason,
    Decremented,
    Indicative,
    Refreshed,
    SelfTradePrevention,
    Side,
    StateChanged,
    Trade,
    Triggered,
    Uncrossed,
)
from matcher_core import records as r
from matcher_core.types import BookState, Place, TriggerReason
from tests.core.builders import (
    AUCTION,
    BUY,
    CLOSING,
    CLS,
    DAY,
    LONG_RUN,
    OPENING,
    OPG,
    SELL,
    UNCROSS,
    AnyBook,
    MakeBook,
    a_seed,
    at_auction,
    buy,
    cancel,
    canceled,
    code,
    deal_at,
    hidden,
    iceberg,
    last,
    market,
    of,
    places,
    replace,
    resting,
    sell,
    send,
    story,
    trades,
)

STATES = {state: r.set_state(state) for state in BookState}


# ---- states ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("call", [OPENING, CLOSING, AUCTION], ids=["opening", "closing", "auction"])
def test_call_when_orders_cross_then_they_collect(make_book: MakeBook, call: r.Command):
    book = make_book()
    send(book, call, buy(1, 105, 5), sell(2, 100, 5), iceberg(3, SELL, 99, 20, display=5), hidden(buy(4, 106, 1)))
    assert (book.best_bid, book.best_ask, len(book)) == (105, 99, 4)
    assert book.depth(1)[1][0].quantity_lots == 5


def test_call_when_replaced_then_collects_again(make_book: MakeBook):
    book = make_book()
    send(book, AUCTION, buy(1, 99, 5), sell(2, 100, 5), replace(1, 101, 7))
    assert resting(book) == [(1, 101, 7), (2, 100, 5)]


def test_call_when_pending_then_trading_begins_only_with_uncross(make_book: MakeBook):
    book = make_book()
    send(book, AUCTION)
    assert code(send(book, STATES[BookState.TRADING])) == "UNCROSS_FIRST"
    send(book, STATES[BookState.HALTED])
    assert code(send(book, STATES[BookState.TRADING])) == "UNCROSS_FIRST"
    assert last(book, UNCROSS)[-1] == StateChanged(0, BookState.TRADING, BookState.HALTED)


@pytest.mark.parametrize("after", [BookState.CANCEL_ONLY, BookState.HALTED])
def test_uncross_when_it_ends_in_another_state_then_trading_may_begin_later(make_book: MakeBook, after: BookState):
    book = make_book()
    send(book, AUCTION)
    assert last(book, r.uncross(after))[-1] == StateChanged(0, after, BookState.AUCTION)
    assert code(send(book, STATES[BookState.TRADING])) is None


def test_uncross_when_nothing_crosses_then_says_so_and_trades_on(make_book: MakeBook):
    book = make_book()
    events = last(book, AUCTION, buy(1, 99, 5), sell(2, 100, 5), UNCROSS)
    assert events == (Uncrossed(0, 0, 0, BUY, 0), StateChanged(0, BookState.TRADING, BookState.AUCTION))
    assert trades(send(book, market(3, BUY, 1))) == [(2, 3, 100, 1)]


# ---- the price -------------------------------------------------------------------------------------------------------


def price_of(make_book: MakeBook, *orders: r.Command, before: tuple[r.Command, ...] = ()) -> Indicative | None:
    book = make_book()
    send(book, *before, AUCTION, *orders)
    return book.indicative()


def test_price_when_one_has_the_largest_volume_then_that(make_book: MakeBook):
    orders = [buy(1, 102, 5), buy(2, 101, 5), sell(3, 100, 4), sell(4, 101, 6)]
    assert price_of(make_book, *orders) == Indicative(101, 10, BUY, 0)


def test_price_when_volumes_are_equal_then_the_smallest_surplus(make_book: MakeBook):
    orders = [buy(1, 102, 5), buy(2, 100, 3), sell(3, 100, 5), sell(4, 102, 9)]
    assert price_of(make_book, *orders) == Indicative(101, 5, BUY, 0)


def test_price_when_buys_are_left_at_all_of_them_then_the_highest(make_book: MakeBook):
    assert price_of(make_book, buy(1, 105, 9), sell(2, 100, 5)) == Indicative(105, 5, BUY, 4)


def test_price_when_sells_are_left_at_all_of_them_then_the_lowest(make_book: MakeBook):
    assert price_of(make_book, buy(1, 105, 5), sell(2, 100, 9)) == Indicative(100, 5, SELL, 4)


@pytest.mark.parametrize(("reference", "price"), [(103, 103), (90, 100), (120, 105)])
def test_price_when_nothing_is_left_then_the_one_nearest_to_the_last_price(
    make_book: MakeBook, reference: int, price: int
):
    found = price_of(make_book, buy(1, 105, 5), sell(2, 100, 5), before=deal_at(reference))
    assert found == Indicative(price, 5, BUY, 0)


def test_price_when_there_was_no_trade_then_the_static_reference_counts(make_book: MakeBook):
    bands = r.set_bands(reference=104, static_width=0)
    assert price_of(make_book, buy(1, 105, 5), sell(2, 100, 5), before=(bands,)) == Indicative(104, 5, BUY, 0)


def test_price_when_there_is_no_reference_then_the_middle_rounded_down(make_book: MakeBook):
    assert price_of(make_book, buy(1, 105, 5), sell(2, 100, 5)) == Indicative(102, 5, BUY, 0)


@pytest.mark.parametrize(("reference", "price", "surplus"), [(101, 101, SELL), (90, 100, BUY), (0, 100, BUY)])
def test_price_when_the_surplus_changes_sides_then_nearest_to_the_reference(
    make_book: MakeBook, reference: int, price: int, surplus: Side
):
    orders = [buy(1, 101, 4), buy(2, 100, 2), sell(3, 100, 4), sell(4, 101, 2)]
    before = deal_at(reference) if reference else ()
    assert price_of(make_book, *orders, before=before) == Indicative(price, 4, surplus, 2)


def test_price_when_market_orders_meet_only_each_other_then_the_reference(make_book: MakeBook):
    book = make_book()
    send(book, *deal_at(77), OPENING, at_auction(1, BUY, 5, OPG), at_auction(2, SELL, 3, OPG))
    assert book.indicative() == Indicative(77, 3, BUY, 2)


def test_price_when_market_orders_meet_without_reference_then_none(make_book: MakeBook):
    book = make_book()
    send(book, OPENING, at_auction(1, BUY, 5, OPG), at_auction(2, SELL, 3, OPG))
    assert book.indicative() is None
    events = last(book, UNCROSS)
    assert events[0] == Uncrossed(0, 0, 0, BUY, 0)
    assert canceled(events) == [(1, 5, "REMAINDER"), (2, 3, "REMAINDER")]


def test_indicative_when_trading_then_none(make_book: MakeBook):
    book = make_book()
    send(book, buy(1, 99, 5), sell(2, 100, 5))
    assert book.indicative() is None


def by_trying_every_tick(orders: list[tuple[int, int, int]], reference: int) -> tuple[int, int, int, int] | None:
    """The four steps, word by word. Orders are (side, price or 0, lots)."""
    limits = [price for _, price, _ in orders if price]
    ticks = range(min(limits), max(limits) + 1) if limits else [reference] * (reference > 0)
    offers: list[tuple[int, int, int]] = []
    for tick in ticks:
        demand = sum(lots for side, price, lots in orders if side == BUY and (price >= tick or price == 0))
        supply = sum(lots for side, price, lots in orders if side == SELL and price <= tick)
        offers.append((tick, min(demand, supply), demand - supply))
    most = max((volume for _, volume, _ in offers), default=0)
    if most == 0:
        return None
    offers = [o for o in offers if o[1] == most]
    least = min(abs(surplus) for *_, surplus in offers)
    offers = [o for o in offers if abs(o[2]) == least]
    if all(surplus > 0 for *_, surplus in offers):
        tick = max(o[0] for o in offers)
    elif all(surplus < 0 for *_, surplus in offers):
        tick = min(o[0] for o in offers)
    elif reference:
        tick = min((o[0] for o in offers), key=lambda t: abs(t - reference))
    else:
        tick = (min(o[0] for o in offers) + max(o[0] for o in offers)) // 2
    surplus = next(o[2] for o in offers if o[0] == tick)
    return tick, most, SELL if surplus < 0 else BUY, least


def random_call(rng: random.Random, book: AnyBook) -> list[tuple[int, int, int]]:
    """Collect a few random orders, some without a price, some hidden, some icebergs. Returns (side, price, lots)."""
    send(book, OPENING)
    orders: list[tuple[int, int, int]] = []
    for order_id in range(1, rng.randrange(2, 12)):
        side, lots = rng.choice([BUY, SELL]), rng.randrange(1, 9)
        price = 0 if rng.random() < 0.2 else 100 + rng.randrange(-5, 6) + (2 if side == BUY else -2)
        command = at_auction(order_id, side, lots, OPG)
        if price:
            command = buy(order_id, price, lots) if side == BUY else sell(order_id, price, lots)
            roll = rng.random()
            command = hidden(command) if roll < 0.2 else command
            command = iceberg(order_id, side, price, lots, display=2) if roll > 0.8 else command
        assert code(send(book, command)) is None
        orders.append((side, price, lots))
    return orders


def test_price_when_compared_with_trying_every_tick_then_equal(make_book: MakeBook):
    rng = random.Random(a_seed())
    for _ in range(20_000 if LONG_RUN else 1_500):
        book = make_book(stp=SelfTradePrevention.OFF)
        reference = rng.choice([0, 90, 98, 101, 110])
        if reference:
            send(book, *deal_at(reference))
        orders = random_call(rng, book)
        expected = by_trying_every_tick(orders, reference)
        found = book.indicative()
        assert (found and tuple(found)) == expected, orders
        events = send(book, UNCROSS)
        assert sum(lots for *_, lots in trades(events)) == (expected[1] if expected else 0)
        assert {price for _, _, price, _ in trades(events)} == ({expected[0]} if expected else set())
        book.check_invariants()


# ---- who trades ------------------------------------------------------------------------------------------------------


def test_uncross_when_there_are_market_orders_then_they_come_first(make_book: MakeBook):
    book = make_book()
    send(book, OPENING, sell(1, 100, 4), buy(2, 101, 3), at_auction(3, BUY, 3, OPG))
    assert [level.price_ticks for level in book.depth(5)[0]] == [0, 101]
    assert book.best_bid == 101
    assert trades(send(book, UNCROSS)) == [(1, 3, 101, 3), (1, 2, 101, 1)]


def test_uncross_when_prices_are_equal_then_displayed_first_and_the_oldest_first(make_book: MakeBook):
    book = make_book()
    send(book, AUCTION, hidden(buy(1, 100, 2)), buy(2, 100, 2), buy(3, 100, 2), buy(4, 101, 2), sell(5, 90, 7))
    assert trades(send(book, UNCROSS)) == [(5, 4, 100, 2), (5, 2, 100, 2), (5, 3, 100, 2), (5, 1, 100, 1)]


def test_uncross_when_traded_then_the_events_say_so_and_that_it_was_an_auction(make_book: MakeBook):
    book = make_book()
    events = last(book, AUCTION, buy(1, 105, 5), sell(2, 100, 8), UNCROSS)
    assert events == (
        Uncrossed(0, 100, 5, SELL, 3),
        Trade(0, 1, 2, BUY, 100, 5, 0, 3, auction=True),
        StateChanged(0, BookState.TRADING, BookState.AUCTION),
    )
    assert book.last_price == 100


def test_uncross_when_an_iceberg_takes_part_then_with_all_it_has_and_no_refresh(make_book: MakeBook):
    book = make_book()
    events = last(book, AUCTION, iceberg(1, SELL, 100, 30, display=10), sell(2, 100, 5), buy(3, 100, 23), UNCROSS)
    assert trades(events) == [(1, 3, 100, 23)]
    assert of(Refreshed, events) == []
    assert resting(book) == [(1, 100, 7), (2, 100, 5)]
    assert book.depth(1)[1][0].quantity_lots == 12


@pytest.mark.parametrize("stp", [mode for mode in SelfTradePrevention if mode])
def test_uncross_when_two_of_a_group_meet_then_both_lose_it_in_every_mode(
    make_book: MakeBook, stp: SelfTradePrevention
):
    book = make_book(stp=stp)
    send(book, AUCTION, buy(1, 100, 5, owner=7), sell(2, 100, 3, owner=7), sell(3, 100, 2, owner=8))
    events = last(book, UNCROSS)
    assert events[1:3] == (Decremented(0, 1, 2, BUY, 100, 3, 2, 0), Trade(0, 1, 3, BUY, 100, 2, 0, 0, auction=True))


def test_uncross_when_prevention_is_off_then_one_group_trades(make_book: MakeBook):
    book = make_book(stp=SelfTradePrevention.OFF)
    send(book, AUCTION, buy(1, 100, 5, owner=7), sell(2, 100, 5, owner=7))
    assert trades(send(book, UNCROSS)) == [(2, 1, 100, 5)]


def test_uncross_when_nothing_but_decrements_then_there_is_no_last_price(make_book: MakeBook):
    book = make_book()
    send(book, AUCTION, buy(1, 100, 5, owner=7), sell(2, 100, 5, owner=7), UNCROSS)
    assert (book.last_price, len(book)) == (None, 0)


# ---- orders for one auction ------------------------------------------------------------------------------------------


def test_opg_when_it_is_not_filled_then_canceled_at_the_uncross(make_book: MakeBook):
    book = make_book()
    send(book, OPENING, at_auction(1, BUY, 5, OPG, price=100), sell(2, 100, 3), buy(3, 90, 1))
    events = last(book, UNCROSS)
    assert story(events) == ["Uncrossed", "Trade", "Canceled", "StateChanged"]
    assert events[2] == Canceled(0, 1, BUY, 100, 2, CancelReason.REMAINDER)
    assert resting(book) == [(3, 90, 1)]


@pytest.mark.parametrize("state", [s for s in BookState if s not in (BookState.OPENING_AUCTION, BookState.HALTED)])
def test_opg_when_it_is_not_the_opening_then_refused(make_book: MakeBook, state: BookState):
    book = make_book()
    send(book, STATES[state])
    expected = "CANCEL_ONLY" if state is BookState.CANCEL_ONLY else "ONLY_IN_OPENING_AUCTION"
    assert code(send(book, at_auction(1, BUY, 5, OPG))) == expected
    assert code(send(book, at_auction(1, BUY, 5, OPG, price=100))) == expected


def test_cls_when_entered_before_the_close_then_waits_without_trading(make_book: MakeBook):
    book = make_book()
    send(book, sell(1, 100, 5), at_auction(2, BUY, 3, CLS), at_auction(3, BUY, 3, CLS, price=110))
    assert (len(book), book.best_bid, places(book)[2], places(book)[3]) == (3, None, Place.CLOSE, Place.CLOSE)


def test_cls_when_the_closing_auction_begins_then_they_join_in_priority_order(make_book: MakeBook):
    book = make_book()
    send(book, at_auction(1, SELL, 5, CLS, price=100), at_auction(2, BUY, 5, CLS, price=99))
    send(book, at_auction(3, BUY, 5, CLS, price=101), at_auction(4, BUY, 5, CLS), buy(5, 99, 1))
    events = last(book, CLOSING)
    assert events[0] == StateChanged(0, BookState.CLOSING_AUCTION, BookState.TRADING)
    assert events[1] == Triggered(0, 4, BUY, 0, 5, 5, TriggerReason.CLOSE)
    assert [e.order_id for e in of(Triggered, events)] == [4, 3, 2, 1]
    assert [i for i, *_ in resting(book)] == [4, 3, 5, 2, 1]


def test_cls_when_entered_in_the_closing_auction_then_rests_at_once(make_book: MakeBook):
    book = make_book()
    send(book, CLOSING, at_auction(1, BUY, 5, CLS), at_auction(2, SELL, 3, CLS, price=100))
    assert set(places(book).values()) == {Place.BOOK}
    assert trades(events := send(book, UNCROSS)) == [(2, 1, 100, 3)]
    assert canceled(events) == [(1, 2, "REMAINDER")]


def test_cls_when_another_auction_uncrosses_then_those_waiting_stay(make_book: MakeBook):
    book = make_book()
    send(book, at_auction(1, BUY, 5, CLS), OPENING, UNCROSS)
    assert places(book) == {1: Place.CLOSE}


def test_cls_when_replaced_before_the_close_then_keeps_its_place_only_if_it_shrinks(make_book: MakeBook):
    book = make_book()
    send(book, at_auction(1, BUY, 5, CLS, price=100), at_auction(2, BUY, 5, CLS, price=100), replace(1, 100, 4))
    assert resting(book) == [(1, 100, 4), (2, 100, 5)]
    send(book, replace(1, 100, 6))
    assert resting(book) == [(2, 100, 5), (1, 100, 6)]


@pytest.mark.parametrize("when", ["closing", "before"])
def test_market_order_for_an_auction_when_replaced_then_refused(make_book: MakeBook, when: str):
    book = make_book()
    send(book, *[CLOSING] * (when == "closing"), at_auction(1, BUY, 5, CLS))
    assert code(send(book, replace(1, 100, 4))) == "NOT_REPLACEABLE"


def test_market_order_for_an_auction_when_canceled_then_told_at_price_zero(make_book: MakeBook):
    book = make_book()
    assert last(book, OPENING, at_auction(1, BUY, 5, OPG), cancel(1)) == (Canceled(0, 1, BUY, 0, 5, CancelReason.USER),)


def test_day_order_when_the_opening_uncrosses_then_it_stays(make_book: MakeBook):
    book = make_book()
    send(book, OPENING, buy(1, 100, 5, tif=DAY), UNCROSS)
    assert resting(book) == [(1, 100, 5)]
