"""Defects that other matching engines shipped. Each test names the class of bug; the books here must not have it."""

from collections.abc import Callable

from matcher_core import Rejected, SelfTradePrevention
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
    replace,
    resting,
    sell,
    send,
    standing,
    trades,
)

MakeBook = Callable[..., AnyBook]


def test_ioc_residue_rests(make_book: MakeBook):
    """liquibook 43: the residue of a partly filled IOC stays and trades with the next order."""
    book = make_book()
    send(book, sell(1, 100, 5), buy(2, 100, 9, tif=IOC))
    assert trades(send(book, sell(3, 100, 4))) == []
    assert resting(book) == [(3, 100, 4)]


def test_market_residue_rests(make_book: MakeBook):
    """liquibook: the residue of a market order stays at no price."""
    book = make_book()
    send(book, sell(1, 100, 5), market(2, BUY, 9))
    assert len(book) == 0


def test_replace_counts_from_the_original_quantity(make_book: MakeBook):
    """liquibook 32, opexdev 688: after a partial fill the new quantity is taken as original, so new - filled rests."""
    book = make_book()
    send(book, buy(1, 100, 10), sell(2, 100, 4), replace(1, 101, 10))
    assert resting(book) == [(1, 101, 10)]


def test_shrink_at_the_same_price_loses_priority(make_book: MakeBook):
    """CppTrader: a smaller quantity at the same price goes to the back."""
    book = make_book()
    send(book, sell(1, 100, 9), sell(2, 100, 9), replace(1, 100, 4))
    assert trades(send(book, buy(3, 100, 1))) == [(1, 3, 100, 1)]


def test_phantom_best_after_cancelling_the_top(make_book: MakeBook):
    """osmosis 211: the best price is stale after its last order went."""
    book = make_book()
    send(book, sell(1, 100, 5), sell(2, 103, 5), buy(3, 90, 5), buy(4, 95, 5), cancel(1), cancel(4))
    assert (book.best_bid, book.best_ask) == (90, 103)
    assert trades(send(book, buy(5, 102, 5))) == []


def test_partly_filled_maker_goes_to_the_tail(make_book: MakeBook):
    """OrderBook-rs 88: a maker that was hit loses its place."""
    book = make_book()
    send(book, sell(1, 100, 5), sell(2, 100, 5), buy(3, 100, 2))
    assert trades(send(book, buy(4, 100, 4))) == [(1, 4, 100, 3), (2, 4, 100, 1)]


def test_residue_cancelled_by_self_trade_prevention_rests(make_book: MakeBook):
    """OrderBook-rs 138: what self-trade prevention cancelled rests anyway, here crossed."""
    for stp in (SelfTradePrevention.CANCEL_NEWEST, SelfTradePrevention.CANCEL_BOTH):
        book = make_book(stp=stp)
        send(book, sell(1, 100, 5, owner=7), buy(2, 101, 9, owner=7))
        assert all(order_id != 2 for order_id, _, _ in resting(book))


def test_zero_quantity_phantom_trade(make_book: MakeBook):
    """matchina 3, matchengine-raft 1: a filled order gives a trade of zero."""
    book = make_book()
    events = send(book, sell(1, 100, 5), sell(2, 100, 5), buy(3, 100, 5), buy(4, 100, 5))
    assert trades(events) == [(1, 3, 100, 5), (2, 4, 100, 5)]


def test_stale_id_is_acknowledged_after_full_fill(make_book: MakeBook):
    """go-trader 23: cancelling or replacing a finished order succeeds."""
    book = make_book()
    send(book, sell(1, 100, 5), buy(2, 100, 5))
    stale = [cancel(1), cancel(2), replace(1, 100, 5), replace(2, 100, 5)]
    assert {code(send(book, c)) for c in stale} == {"UNKNOWN_ORDER"}


def test_sibling_is_lost_or_reordered_by_cancel_or_reprice(make_book: MakeBook):
    """StockSharp 681: taking an order out of the middle of a price disturbs its neighbours."""
    book = make_book()
    send(book, *[buy(i, 100, 1) for i in range(1, 7)], cancel(3), replace(5, 99, 1), cancel(1))
    assert resting(book) == [(2, 100, 1), (4, 100, 1), (6, 100, 1), (5, 99, 1)]
    assert [maker for maker, *_ in trades(send(book, sell(9, 99, 4)))] == [2, 4, 6, 5]


def test_crossing_reprice_rests_crossed(make_book: MakeBook):
    """Several: a replace through the other side is queued without matching."""
    book = make_book()
    send(book, buy(1, 100, 5), sell(2, 102, 5), replace(2, 99, 5))
    assert len(book) == 0


def test_order_id_is_a_capability(make_book: MakeBook):
    """FLOX 472: whoever knows an id may cancel or change the order."""
    book = make_book()
    send(book, buy(1, 100, 5, owner=7))
    before = standing(book)
    for owner in (0, 8, 7 + 2**32, 2**64 - 1):
        assert code(send(book, cancel(1, owner=owner))) == "NOT_OWNER"
        assert code(send(book, replace(1, 100, 1, owner=owner))) == "NOT_OWNER"
    assert standing(book) == before


def test_duplicate_id_trades_before_it_is_found(make_book: MakeBook):
    """exchange-core: the duplicate is noticed after it matched."""
    book = make_book()
    send(book, sell(1, 100, 5), buy(2, 90, 1))
    events = send(book, buy(2, 100, 5))
    assert isinstance(events[0], Rejected)
    assert trades(events) == []
    assert resting(book) == [(2, 90, 1), (1, 100, 5)]


def test_fok_fills_in_part(make_book: MakeBook):
    """Several: the pre-check counts prices beyond the limit."""
    book = make_book()
    send(book, buy(1, 100, 5), buy(2, 99, 5))
    assert code(send(book, sell(3, 100, 6, tif=FOK))) == "FOK_NOT_FILLABLE"
    assert len(book) == 2


def test_dense_ids_weld_the_id_map_together(make_book: MakeBook):
    """Identity hash with linear probing: old live orders make every lookup scan. All must stay findable as others go."""
    book = make_book()
    send(book, *[buy(i, 100 + i % 7, 1) for i in range(1, 3000)])
    send(book, *[cancel(i) for i in range(1, 3000) if i % 3])
    assert all((book.order(i) is not None) == (i % 3 == 0) for i in range(1, 3000))


def test_self_trade_when_only_hashes_of_groups_are_equal(make_book: MakeBook):
    """A 32-bit tag stands for the group in the hot half of an order; groups with equal tags must still trade."""
    golden = 0x9E3779B97F4A7C15
    group = 5
    twin = (group + pow(golden, -1, 2**64)) % 2**64  # its product with golden is one more, so the high half is equal
    assert (twin * golden - group * golden) % 2**64 == 1
    book = make_book()
    assert trades(send(book, sell(1, 100, 1, owner=group), buy(2, 100, 1, owner=twin))) == [(1, 2, 100, 1)]


def test_sell_market_when_only_far_bids_then_trades_at_them(make_book: MakeBook):
    """Price ladders with a fixed window lose orders outside it."""
    book = make_book()
    send(book, buy(1, 1, 1), buy(2, 10**6, 1), buy(3, 10**12, 1), buy(4, 10**6 + 1, 1))
    assert [price for *_, price, _ in trades(send(book, market(9, SELL, 9)))] == [10**12, 10**6 + 1, 10**6, 1]
