"""The typed calls say what the packed commands say, and the queries tell what happened. On both books."""

from collections.abc import Callable

import pytest

from matcher_core import Command, PegKind, Place, RestingOrder, TimeInForce
from matcher_core import records as r
from matcher_core.types import BookState
from tests.core.builders import (
    BUY,
    CLS,
    DAY,
    GTD,
    OPENING,
    SELL,
    AnyBook,
    MakeBook,
    at_auction,
    at_least,
    buy,
    hidden,
    iceberg,
    market,
    peg,
    replace,
    resting,
    sell,
    send,
    sliding,
    stop,
    trailing,
    until,
)

CALLS: dict[str, tuple[Callable[[AnyBook], object], Command]] = {
    "limit": (lambda b: b.limit(5, BUY, 90, 4, owner=7, group=8, tif=DAY), buy(5, 90, 4, 7, DAY, 8)),
    "limit-slide": (lambda b: b.limit(5, BUY, 120, 4, post_only=True, slide=True), sliding(buy(5, 120, 4))),
    "limit-hidden": (lambda b: b.limit(5, BUY, 90, 4, hidden=True), hidden(buy(5, 90, 4))),
    "limit-iceberg": (lambda b: b.limit(5, BUY, 90, 40, display_lots=4), iceberg(5, BUY, 90, 40, 4)),
    "limit-minimum": (lambda b: b.limit(5, BUY, 120, 4, min_lots=2), at_least(buy(5, 120, 4), 2)),
    "limit-gtd": (lambda b: b.limit(5, BUY, 90, 4, tif=GTD, expire_at=9), until(buy(5, 90, 4), 9)),
    "market": (lambda b: b.market(5, BUY, 4, owner=3, protection_ticks=111), market(5, BUY, 4, 3, 111)),
    "market-minimum": (lambda b: b.market(5, BUY, 4, min_lots=3), at_least(market(5, BUY, 4), 3)),
    "market-close": (lambda b: b.market(5, BUY, 4, tif=CLS), at_auction(5, BUY, 4, CLS)),
    "stop": (lambda b: b.stop(5, BUY, 120, 4, owner=7), stop(5, BUY, 120, 4, owner=7)),
    "stop-limit": (lambda b: b.stop(5, SELL, 80, 4, limit_ticks=70, tif=DAY), stop(5, SELL, 80, 4, 70, tif=DAY)),
    "stop-gtd": (lambda b: b.stop(5, BUY, 120, 4, tif=GTD, expire_at=3), stop(5, BUY, 120, 4, tif=GTD, expire_at=3)),
    "trailing": (lambda b: b.trailing_stop(5, SELL, 6, 4), trailing(5, SELL, 6, 4)),
    "trailing-limit": (lambda b: b.trailing_stop(5, BUY, 6, 4, limit_ticks=130), trailing(5, BUY, 6, 4, 130)),
    "peg": (
        lambda b: b.peg(5, BUY, PegKind.MARKET, 4, limit_ticks=99, offset_ticks=2, owner=4),
        peg(5, BUY, PegKind.MARKET, 4, 99, 2, 4),
    ),
    "cancel": (lambda b: b.cancel(1), r.cancel(order_id=1)),
    "replace": (lambda b: b.replace(1, 99, 3), replace(1, 99, 3)),
    "replace-slide": (lambda b: b.replace(1, 120, 3, post_only=True, slide=True), sliding(replace(1, 120, 3))),
    "replace-stop": (
        lambda b: b.replace(3, 130, 3, stop_ticks=118),
        r.replace(order_id=3, price=130, quantity=3, stop_price=118),
    ),
    "mass-cancel": (lambda b: b.mass_cancel(owner=0), r.mass_cancel(owner=0)),
    "mass-cancel-all": (lambda b: b.mass_cancel(side=SELL), r.mass_cancel(owner=None, side=SELL)),
    "set-state": (lambda b: b.set_state(BookState.CLOSING_AUCTION), r.set_state(BookState.CLOSING_AUCTION)),
    "clock": (lambda b: b.clock(77, end_of_day=True), r.clock(77, end_of_day=True)),
    "uncross": (lambda b: b.uncross(BookState.HALTED), r.uncross(BookState.HALTED)),
    "bands": (lambda b: b.set_bands(100, 20, 5), r.set_bands(reference=100, static_width=20, dynamic_width=5)),
}


def some_orders(make_book: MakeBook) -> AnyBook:
    book = make_book()
    send(book, buy(1, 100, 5), sell(2, 110, 5, tif=DAY), stop(3, BUY, 119, 4, limit=130))
    return book


@pytest.mark.parametrize(("call", "command"), CALLS.values(), ids=CALLS)
def test_typed_call_when_made_then_as_the_packed_command(
    make_book: MakeBook, call: Callable[[AnyBook], object], command: Command
):
    called, sent = some_orders(make_book), some_orders(make_book)
    assert call(called) == send(sent, command._replace(seq=0))
    assert called.snapshot() == sent.snapshot()


def test_typed_call_when_given_a_seq_then_every_event_has_it(make_book: MakeBook):
    book = some_orders(make_book)
    assert {event.seq for event in book.limit(9, SELL, 90, 9, seq=55)} == {55}


def test_orders_when_listed_then_each_tells_where_it_is(make_book: MakeBook):
    book = make_book()
    send(book, r.clock(1), r.set_state(BookState.HALTED), OPENING)
    send(book, iceberg(1, BUY, 100, 30, display=4, owner=7), hidden(sell(2, 120, 5)), stop(3, BUY, 119, 4, limit=130))
    send(book, trailing(4, SELL, 3, 2), at_auction(5, SELL, 3, CLS, price=101), at_auction(6, BUY, 3, CLS))
    send(book, until(peg(7, BUY, PegKind.PRIMARY, 3, cap=90), 8), at_auction(8, SELL, 6, TimeInForce.OPG))
    gtc, opg = TimeInForce.GTC, TimeInForce.OPG
    assert book.orders() == [
        RestingOrder(1, BUY, 100, 30, 7, 7, Place.BOOK, gtc, shown_lots=4),
        RestingOrder(8, SELL, 0, 6, 0, 0, Place.BOOK, opg, shown_lots=6),
        RestingOrder(2, SELL, 120, 5, 0, 0, Place.HIDDEN),
        RestingOrder(3, BUY, 130, 4, 0, 0, Place.STOP, stop_ticks=119),
        RestingOrder(4, SELL, 0, 2, 0, 0, Place.TRAILING),
        RestingOrder(6, BUY, 0, 3, 0, 0, Place.CLOSE, CLS),
        RestingOrder(5, SELL, 101, 3, 0, 0, Place.CLOSE, CLS),
        RestingOrder(7, BUY, 90, 3, 0, 0, Place.PEG, GTD, expire_at=8, peg=PegKind.PRIMARY),
    ]
    assert [book.order(order.order_id) for order in book.orders()] == book.orders()
    assert (book.best_bid, book.best_ask, book.last_price, book.clock_now) == (100, None, None, 1)


def test_depth_when_icebergs_and_market_orders_rest_then_what_is_shown(make_book: MakeBook):
    book = make_book()
    send(book, OPENING, iceberg(1, BUY, 100, 30, display=4), buy(2, 100, 5), at_auction(3, BUY, 7, TimeInForce.OPG))
    send(book, hidden(buy(4, 100, 5)), buy(5, 99, 1))
    assert [tuple(level) for level in book.depth(9)[0]] == [(0, 7, 1), (100, 9, 2), (99, 1, 1)]
    assert [tuple(level) for level in book.depth(1)[0]] == [(0, 7, 1)]


def test_replace_when_a_market_order_waits_at_the_same_side_then_nothing_else_changes(make_book: MakeBook):
    book = make_book()
    send(book, OPENING, buy(1, 100, 5), at_auction(2, BUY, 7, TimeInForce.OPG), replace(1, 101, 5))
    assert resting(book) == [(2, 0, 7), (1, 101, 5)]
