"""One test per rule of the book, on both implementations."""

from collections.abc import Callable

import pytest

from matcher_core import (
    Accepted,
    Canceled,
    CancelReason,
    Command,
    MassCanceled,
    Op,
    RejectCode,
    Rejected,
    Replaced,
    RestingOrder,
    SelfTradePrevention,
    StateChanged,
    Trade,
)
from matcher_core.records import mass_cancel
from matcher_core.types import MAX_PRICE_TICKS, MAX_QUANTITY_LOTS, BookState
from tests.core.builders import (
    BUY,
    FOK,
    IOC,
    SELL,
    AnyBook,
    buy,
    cancel,
    code,
    market,
    post_only,
    replace,
    resting,
    sell,
    send,
    standing,
    state,
    trades,
)

MakeBook = Callable[..., AnyBook]


# ---- priority and trading ---------------------------------------------------------------------------------------------


def test_limit_when_nothing_crosses_then_rests(make_book: MakeBook):
    book = make_book()
    assert send(book, buy(1, 100, 5)) == (Accepted(1, 1, BUY, 100, 5, 5),)
    assert (book.best_bid, book.best_ask, len(book)) == (100, None, 1)


def test_limit_when_it_crosses_then_trades_at_the_resting_price(make_book: MakeBook):
    book = make_book()
    events = send(book, sell(1, 100, 5), buy(2, 103, 8))
    assert events[1:] == (Accepted(2, 2, BUY, 103, 8, 3), Trade(2, 2, 1, BUY, 100, 5, 3, 0))
    assert resting(book) == [(2, 103, 3)]


def test_match_when_several_prices_then_best_price_first(make_book: MakeBook):
    book = make_book()
    events = send(book, sell(1, 102, 5), sell(2, 100, 5), sell(3, 101, 5), buy(4, 102, 12))
    assert trades(events) == [(2, 4, 100, 5), (3, 4, 101, 5), (1, 4, 102, 2)]


def test_match_when_same_price_then_oldest_first(make_book: MakeBook):
    book = make_book()
    events = send(book, buy(1, 100, 5), buy(2, 100, 5), buy(3, 100, 5), sell(4, 100, 12))
    assert trades(events) == [(1, 4, 100, 5), (2, 4, 100, 5), (3, 4, 100, 2)]


def test_ioc_when_book_is_thin_then_remainder_is_dropped(make_book: MakeBook):
    book = make_book()
    events = send(book, sell(1, 100, 5), buy(2, 100, 8, tif=IOC))
    assert events[-1] == Canceled(2, 2, BUY, 100, 3, CancelReason.REMAINDER)
    assert len(book) == 0


def test_fok_when_not_all_can_trade_then_nothing_happens(make_book: MakeBook):
    book = make_book()
    events = send(book, sell(1, 100, 5), sell(2, 101, 5), buy(3, 100, 6, tif=FOK))
    assert events[-1] == Rejected(3, 3, RejectCode.FOK_NOT_FILLABLE)
    assert resting(book) == [(1, 100, 5), (2, 101, 5)]
    assert trades(send(book, buy(4, 101, 10, tif=FOK))) == [(1, 4, 100, 5), (2, 4, 101, 5)]


def test_post_only_when_it_would_trade_then_refused(make_book: MakeBook):
    book = make_book()
    send(book, sell(1, 100, 5))
    assert code(send(book, post_only(buy(2, 100, 1)))) == "POST_ONLY_WOULD_TRADE"
    assert send(book, post_only(buy(3, 99, 1))) == (Accepted(3, 3, BUY, 99, 1, 1),)


def test_market_when_no_limit_then_walks_the_book(make_book: MakeBook):
    book = make_book()
    events = send(book, sell(1, 100, 5), sell(2, MAX_PRICE_TICKS, 5), market(3, BUY, 12))
    assert trades(events) == [(1, 3, 100, 5), (2, 3, MAX_PRICE_TICKS, 5)]
    assert events[-1] == Canceled(0, 3, BUY, 0, 2, CancelReason.REMAINDER)


def test_market_when_protected_then_stops_at_the_protection_price(make_book: MakeBook):
    book = make_book()
    events = send(book, buy(1, 100, 5), buy(2, 98, 5), market(3, SELL, 8, protection=99))
    assert trades(events) == [(1, 3, 100, 5)]
    assert resting(book) == [(2, 98, 5)]


def test_market_fok_when_too_thin_then_refused(make_book: MakeBook):
    book = make_book()
    assert code(send(book, market(1, BUY, 1, fok=True))) == "FOK_NOT_FILLABLE"


# ---- cancel, replace, mass cancel -----------------------------------------------------------------------------------


def test_cancel_when_owned_then_gone(make_book: MakeBook):
    book = make_book()
    send(book, buy(1, 100, 5, owner=7))
    assert send(book, cancel(1, owner=7)) == (Canceled(0, 1, BUY, 100, 5, CancelReason.USER),)
    assert code(send(book, cancel(1, owner=7))) == "UNKNOWN_ORDER"


def test_replace_when_smaller_at_the_same_price_then_keeps_priority(make_book: MakeBook):
    book = make_book()
    send(book, buy(1, 100, 5), buy(2, 100, 5))
    assert send(book, replace(1, 100, 3)) == (Replaced(0, 1, BUY, 100, 3, 3, kept_priority=True),)
    assert resting(book) == [(1, 100, 3), (2, 100, 5)]


def test_replace_when_unchanged_then_keeps_priority(make_book: MakeBook):
    book = make_book()
    send(book, buy(1, 100, 5), buy(2, 100, 5), replace(1, 100, 5))
    assert resting(book) == [(1, 100, 5), (2, 100, 5)]


def test_replace_when_larger_then_loses_priority(make_book: MakeBook):
    book = make_book()
    send(book, buy(1, 100, 5), buy(2, 100, 5))
    assert send(book, replace(1, 100, 6)) == (Replaced(0, 1, BUY, 100, 6, 6, kept_priority=False),)
    assert resting(book) == [(2, 100, 5), (1, 100, 6)]


def test_replace_when_the_new_price_crosses_then_trades(make_book: MakeBook):
    book = make_book()
    send(book, buy(1, 100, 5), sell(2, 105, 3))
    events = send(book, replace(1, 106, 5))
    assert events == (Replaced(0, 1, BUY, 106, 5, 2, kept_priority=False), Trade(0, 1, 2, BUY, 105, 3, 2, 0))
    assert resting(book) == [(1, 106, 2)]


def test_replace_when_post_only_and_crossing_then_the_old_order_stays(make_book: MakeBook):
    book = make_book()
    send(book, buy(1, 100, 5), sell(2, 105, 3))
    assert code(send(book, post_only(replace(1, 105, 5)))) == "POST_ONLY_WOULD_TRADE"
    assert resting(book) == [(1, 100, 5), (2, 105, 3)]


def test_mass_cancel_when_owner_has_orders_then_only_theirs_go(make_book: MakeBook):
    book = make_book()
    send(book, buy(1, 100, 5, owner=7), buy(2, 101, 5, owner=8), sell(3, 110, 5, owner=7), buy(4, 101, 1, owner=7))
    events = send(book, mass_cancel(owner=7))
    assert [e.order_id for e in events if isinstance(e, Canceled)] == [4, 1, 3]
    assert events[-1] == MassCanceled(0, 7, 3)
    assert resting(book) == [(2, 101, 5)]


# ---- self-trade prevention ------------------------------------------------------------------------------------------


def self_trade(make_book: MakeBook, stp: SelfTradePrevention) -> tuple[AnyBook, list[tuple[int, int, int, int]]]:
    """Owner 7 buys through somebody else's offer, its own, and somebody else's again."""
    book = make_book(stp=stp)
    send(book, sell(1, 100, 5, owner=8), sell(2, 100, 5, owner=7), sell(3, 100, 5, owner=8))
    return book, trades(send(book, buy(4, 100, 12, owner=7)))


def test_stp_when_cancel_newest_then_the_taker_stops(make_book: MakeBook):
    book, traded = self_trade(make_book, SelfTradePrevention.CANCEL_NEWEST)
    assert traded == [(1, 4, 100, 5)]
    assert resting(book) == [(2, 100, 5), (3, 100, 5)]


def test_stp_when_cancel_oldest_then_the_maker_goes(make_book: MakeBook):
    book, traded = self_trade(make_book, SelfTradePrevention.CANCEL_OLDEST)
    assert traded == [(1, 4, 100, 5), (3, 4, 100, 5)]
    assert resting(book) == [(4, 100, 2)]


def test_stp_when_cancel_both_then_both_go(make_book: MakeBook):
    book, traded = self_trade(make_book, SelfTradePrevention.CANCEL_BOTH)
    assert traded == [(1, 4, 100, 5)]
    assert resting(book) == [(3, 100, 5)]


def test_stp_when_off_then_they_trade(make_book: MakeBook):
    _, traded = self_trade(make_book, SelfTradePrevention.OFF)
    assert traded == [(1, 4, 100, 5), (2, 4, 100, 5), (3, 4, 100, 2)]


def test_stp_when_owners_differ_but_share_a_group_then_prevented(make_book: MakeBook):
    book = make_book()
    events = send(book, sell(1, 100, 5, owner=7, group=50), buy(2, 100, 5, owner=8, group=50))
    assert events[-1] == Canceled(2, 2, BUY, 100, 5, CancelReason.SELF_TRADE)


def test_stp_when_owner_is_zero_then_never_applies(make_book: MakeBook):
    book = make_book()
    assert trades(send(book, sell(1, 100, 5), buy(2, 100, 5))) == [(1, 2, 100, 5)]


@pytest.mark.parametrize(
    ("stp", "quantity", "fills"),
    [
        (SelfTradePrevention.CANCEL_NEWEST, 5, True),  # all of it is ahead of the own order
        (SelfTradePrevention.CANCEL_NEWEST, 6, False),  # the own order is in the way
        (SelfTradePrevention.CANCEL_BOTH, 6, False),
        (SelfTradePrevention.CANCEL_OLDEST, 10, True),  # the own order would go, the rest is enough
        (SelfTradePrevention.CANCEL_OLDEST, 11, False),  # own quantity never counts
        (SelfTradePrevention.OFF, 15, True),
    ],
)
def test_fok_when_own_quantity_is_in_the_way_then_counts_what_can_trade(
    make_book: MakeBook, stp: SelfTradePrevention, quantity: int, fills: bool
):
    book = make_book(stp=stp)
    send(book, sell(1, 100, 5, owner=8), sell(2, 100, 5, owner=7), sell(3, 100, 5, owner=8))
    events = send(book, buy(4, 100, quantity, owner=7, tif=FOK))
    assert (sum(q for *_, q in trades(events)) == quantity) is fills
    assert (code(events) == "FOK_NOT_FILLABLE") is not fills


# ---- states, identity, room -----------------------------------------------------------------------------------------


def test_halt_when_halted_then_nothing_but_state_changes(make_book: MakeBook):
    book = make_book()
    send(book, buy(1, 100, 5))
    assert send(book, state(BookState.HALTED)) == (StateChanged(0, BookState.HALTED, BookState.TRADING),)
    refused = [buy(2, 100, 5), market(3, SELL, 1), cancel(1), replace(1, 100, 1), mass_cancel(owner=0)]
    assert {code(send(book, c)) for c in refused} == {"HALTED"}
    send(book, state(BookState.TRADING))
    assert trades(send(book, sell(2, 100, 5))) == [(1, 2, 100, 5)]


def test_cancel_only_when_set_then_orders_leave_but_none_enter(make_book: MakeBook):
    book = make_book()
    send(book, buy(1, 100, 5), buy(2, 100, 5), state(BookState.CANCEL_ONLY))
    assert {code(send(book, c)) for c in (buy(3, 99, 1), market(4, SELL, 1), replace(1, 100, 1))} == {"CANCEL_ONLY"}
    send(book, cancel(1), mass_cancel(owner=0))
    assert len(book) == 0


def test_duplicate_id_when_it_would_trade_then_refused_before_matching(make_book: MakeBook):
    book = make_book()
    send(book, buy(1, 100, 5), sell(2, 105, 5))
    assert send(book, buy(1, 105, 5)) == (Rejected(1, 1, RejectCode.DUPLICATE_ORDER_ID),)
    assert resting(book) == [(1, 100, 5), (2, 105, 5)]


def test_book_full_when_the_limit_is_reached_then_only_resting_orders_are_refused(make_book: MakeBook):
    book = make_book(max_orders=2)
    send(book, buy(1, 100, 5), buy(2, 100, 5))
    assert code(send(book, buy(3, 100, 5))) == "BOOK_FULL"
    assert trades(send(book, sell(3, 100, 5, tif=IOC))) == [(1, 3, 100, 5)]
    assert code(send(book, buy(4, 100, 5))) is None


def test_side_total_when_it_would_pass_64_bits_then_refused(make_book: MakeBook):
    book = make_book()
    send(book, buy(1, 100, MAX_QUANTITY_LOTS - 1))
    assert code(send(book, buy(2, 100, 2))) == "SIDE_QUANTITY_TOO_LARGE"
    assert code(send(book, buy(3, 100, 1))) is None
    assert code(send(book, replace(3, 100, 2))) == "SIDE_QUANTITY_TOO_LARGE"
    assert trades(send(book, sell(4, 100, MAX_QUANTITY_LOTS))) == [(1, 4, 100, MAX_QUANTITY_LOTS - 1), (3, 4, 100, 1)]


GOOD = Command(Op.LIMIT, BUY, 0, 0, 0, 1, 1, 7, 0, 100, 5, 0)
MALFORMED = [
    (GOOD._replace(op=0), "UNKNOWN_OP"),
    (GOOD._replace(op=10), "UNKNOWN_OP"),
    (GOOD._replace(symbol=1), "WRONG_SYMBOL"),
    (GOOD._replace(reserved=1), "RESERVED_NOT_ZERO"),
    (GOOD._replace(side=2), "BAD_SIDE"),
    (GOOD._replace(tif=7), "BAD_TIME_IN_FORCE"),
    (GOOD._replace(op=Op.MARKET), "BAD_TIME_IN_FORCE"),
    (GOOD._replace(flags=2), "BAD_FLAGS"),
    (GOOD._replace(flags=1, tif=IOC), "BAD_FLAGS"),
    (GOOD._replace(op=Op.CANCEL, flags=1), "BAD_FLAGS"),
    (GOOD._replace(order_id=0), "BAD_ORDER_ID"),
    (GOOD._replace(price=0), "BAD_PRICE"),
    (GOOD._replace(price=-1), "BAD_PRICE"),
    (GOOD._replace(op=Op.MARKET, tif=IOC, price=-1), "BAD_PRICE"),
    (GOOD._replace(op=Op.REPLACE, price=0), "BAD_PRICE"),
    (GOOD._replace(quantity=0), "BAD_QUANTITY"),
    (GOOD._replace(op=Op.REPLACE, quantity=0), "BAD_QUANTITY"),
    (GOOD._replace(op=Op.SET_STATE, quantity=0), "BAD_STATE"),
    (GOOD._replace(op=Op.SET_STATE, quantity=7), "BAD_STATE"),
    (GOOD._replace(op=16, symbol=1, reserved=1), "UNKNOWN_OP"),  # the first check that fails answers
    (GOOD._replace(symbol=1, reserved=1, side=9), "WRONG_SYMBOL"),
    (GOOD._replace(side=9, tif=9, flags=9), "BAD_SIDE"),
    (GOOD._replace(order_id=0, price=0, quantity=0), "BAD_ORDER_ID"),
]


@pytest.mark.parametrize(
    ("command", "expected"), MALFORMED, ids=[f"{i}-{name}" for i, (_, name) in enumerate(MALFORMED)]
)
def test_malformed_when_sent_then_the_documented_code_and_no_effect(
    make_book: MakeBook, command: Command, expected: str
):
    book = make_book()
    before = standing(book)
    assert code(send(book, command)) == expected
    assert standing(book) == before


def test_checks_when_several_fail_then_the_lower_hundred_answers(make_book: MakeBook):
    book = make_book(max_orders=1)
    send(book, sell(1, 100, 5, owner=7))
    assert code(send(book, buy(1, 100, 5))) == "DUPLICATE_ORDER_ID"  # before BOOK_FULL
    assert code(send(book, post_only(buy(2, 100, 5)))) == "BOOK_FULL"  # before POST_ONLY_WOULD_TRADE
    send(book, state(BookState.HALTED))
    assert code(send(book, buy(1, 0, 5))) == "BAD_PRICE"  # before HALTED
    assert code(send(book, buy(1, 100, 5))) == "HALTED"  # before DUPLICATE_ORDER_ID


# ---- queries --------------------------------------------------------------------------------------------------------


def test_depth_when_asked_for_two_levels_then_the_best_two(make_book: MakeBook):
    book = make_book()
    send(book, buy(1, 100, 5), buy(2, 100, 6), buy(3, 98, 1), buy(4, 1, 1), sell(5, MAX_PRICE_TICKS, 2))
    bids, asks = book.depth(2)
    assert [tuple(level) for level in bids] == [(100, 11, 2), (98, 1, 1)]
    assert [tuple(level) for level in asks] == [(MAX_PRICE_TICKS, 2, 1)]
    assert book.depth(0) == ([], [])
    with pytest.raises(ValueError, match="was -1"):
        book.depth(-1)


def test_order_when_live_then_found_by_id(make_book: MakeBook):
    book = make_book()
    send(book, buy(1, 100, 5, owner=7), sell(2, 100, 2))
    found = book.order(1)
    assert found is not None
    assert found == RestingOrder(1, BUY, 100, 3, 7, 7, shown_lots=3)
    assert book.order(2) is None
    assert book.order(0) is None
