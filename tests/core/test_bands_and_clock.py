"""Price bands, the clock and what expires, mass cancels and statistics. On both books."""

import pytest

from matcher_core import (
    Accepted,
    BandHit,
    BandKind,
    BandsSet,
    BookStatistics,
    Canceled,
    CancelReason,
    ClockSet,
    Decremented,
    MassCanceled,
    PegKind,
    Replaced,
    Repriced,
    SelfTradePrevention,
    Side,
    StateChanged,
    Trade,
    Triggered,
    TriggerReason,
)
from matcher_core import records as r
from matcher_core.types import MAX_QUANTITY_LOTS, BookState
from tests.core.builders import (
    AUCTION,
    BUY,
    CLOSING,
    CLS,
    DAY,
    FOK,
    IOC,
    OPENING,
    OPG,
    SELL,
    UNCROSS,
    AnyBook,
    MakeBook,
    at_auction,
    at_least,
    buy,
    canceled,
    code,
    deal_at,
    hidden,
    iceberg,
    last,
    market,
    of,
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
    trailing,
    triggered,
    until,
)

TO_AUCTION = StateChanged(0, BookState.AUCTION, BookState.TRADING)


def banded(
    make_book: MakeBook, *, static: int = 0, dynamic: int = 0, stp: SelfTradePrevention | None = None
) -> AnyBook:
    """A book with bands around 100 and a last price of 100."""
    book = make_book() if stp is None else make_book(stp=stp)
    send(book, *deal_at(100), r.set_bands(reference=100 if static else 0, static_width=static, dynamic_width=dynamic))
    return book


# ---- bands -----------------------------------------------------------------------------------------------------------


def test_bands_when_set_then_told(make_book: MakeBook):
    bands = r.set_bands(reference=100, static_width=5, dynamic_width=3)
    assert last(make_book(), bands) == (BandsSet(0, 100, 5, 3),)


@pytest.mark.parametrize(
    ("static", "dynamic", "price", "band"),
    [
        (5, 0, 105, None),
        (5, 0, 106, BandKind.STATIC),
        (0, 3, 103, None),
        (0, 3, 104, BandKind.DYNAMIC),
        (5, 3, 104, BandKind.DYNAMIC),
        (5, 3, 106, BandKind.STATIC),
        (0, 0, 999, None),
    ],
)
def test_band_when_a_trade_would_be_outside_then_an_auction_begins(
    make_book: MakeBook, static: int, dynamic: int, price: int, band: BandKind | None
):
    book = banded(make_book, static=static, dynamic=dynamic)
    events = last(book, sell(1, price, 5), buy(2, price, 3))
    if band is None:
        assert trades(events) == [(1, 2, price, 3)]
        return
    assert events == (Accepted(0, 2, BUY, price, 3, 3), BandHit(0, 2, BUY, price, 3, band), TO_AUCTION)
    assert (book.state, book.best_bid, book.best_ask) == (BookState.AUCTION, price, price)


def test_band_when_hit_from_above_then_the_same(make_book: MakeBook):
    book = banded(make_book, static=5)
    events = last(book, buy(1, 94, 5), sell(2, 94, 3))
    assert of(BandHit, events) == [BandHit(0, 2, SELL, 94, 3, BandKind.STATIC)]


def test_band_when_hit_after_some_trades_then_those_stand(make_book: MakeBook):
    book = banded(make_book, static=5)
    events = last(book, sell(1, 105, 2), sell(3, 106, 5), buy(2, 110, 3))
    assert story(events) == ["Accepted", "Trade", "BandHit", "StateChanged"]
    assert of(BandHit, events)[0].quantity_lots == 1
    assert book.last_price == 105


@pytest.mark.parametrize(
    "order",
    [buy(2, 110, 3, tif=IOC), market(2, BUY, 3), at_least(buy(2, 110, 3, tif=IOC), 1)],
    ids=["ioc", "market", "min"],
)
def test_band_when_the_order_may_not_wait_then_its_rest_is_canceled(make_book: MakeBook, order: r.Command):
    book = banded(make_book, static=5)
    events = last(book, sell(1, 105, 1), sell(3, 106, 5), order)
    assert story(events) == ["Accepted", "Trade", "BandHit", "StateChanged", "Canceled"]
    assert canceled(events) == [(2, 2, "PRICE_BAND")]


def test_dynamic_band_when_one_order_sweeps_then_around_the_price_before_it(make_book: MakeBook):
    book = banded(make_book, dynamic=2)
    events = last(book, sell(1, 102, 1), sell(3, 104, 1), buy(2, 110, 2))
    assert trades(events) == [(1, 2, 102, 1)]
    assert of(BandHit, events) == [BandHit(0, 2, BUY, 104, 1, BandKind.DYNAMIC)]


def test_dynamic_band_when_nothing_has_traded_then_none(make_book: MakeBook):
    book = make_book()
    send(book, r.set_bands(reference=0, static_width=0, dynamic_width=1), sell(1, 500, 1))
    assert trades(send(book, market(2, BUY, 1))) == [(1, 2, 500, 1)]


@pytest.mark.parametrize(
    ("order", "answer"),
    [
        (buy(2, 110, 3, tif=FOK), "FOK_NOT_FILLABLE"),
        (at_least(buy(2, 110, 3), 3), "MIN_QUANTITY_NOT_MET"),
    ],
)
def test_band_when_the_rest_is_outside_then_it_does_not_count(make_book: MakeBook, order: r.Command, answer: str):
    book = banded(make_book, static=5)
    send(book, sell(1, 105, 2), sell(3, 106, 5))
    assert code(send(book, order)) == answer
    assert book.state is BookState.TRADING


def test_band_when_the_maker_is_of_the_same_group_then_the_band_is_looked_at_first(make_book: MakeBook):
    book = banded(make_book, static=5, stp=SelfTradePrevention.CANCEL_OLDEST)
    events = last(book, sell(1, 106, 5, owner=7), buy(2, 110, 3, owner=7))
    assert story(events) == ["Accepted", "BandHit", "StateChanged"]


def test_band_when_a_replace_hits_it_then_the_rest_rests(make_book: MakeBook):
    book = banded(make_book, static=5)
    events = last(book, sell(1, 106, 5), buy(2, 90, 3), replace(2, 110, 4))
    assert events == (
        Replaced(0, 2, BUY, 110, 4, 4, kept_priority=False),
        BandHit(0, 2, BUY, 106, 4, BandKind.STATIC),
        TO_AUCTION,
    )


def test_band_when_a_stop_market_hits_it_then_canceled_and_later_stops_wait(make_book: MakeBook):
    book = banded(make_book, static=5)
    send(book, stop(1, BUY, 103, 4), stop(2, BUY, 103, 4), sell(3, 106, 9), sell(4, 103, 1))
    events = last(book, market(5, BUY, 1))
    assert events[2:] == (
        Triggered(0, 1, BUY, 0, 4, 0, TriggerReason.STOP),
        BandHit(0, 1, BUY, 106, 4, BandKind.STATIC),
        TO_AUCTION,
        Canceled(0, 1, BUY, 0, 4, CancelReason.PRICE_BAND),
    )
    assert places(book)[2].name == "ARMED"
    assert triggered(last(book, UNCROSS)) == [2]


def test_band_when_a_stop_limit_hits_it_then_it_rests(make_book: MakeBook):
    book = banded(make_book, static=5)
    send(book, stop(1, BUY, 103, 4, limit=110), sell(3, 106, 9), sell(4, 103, 1), market(5, BUY, 1))
    assert (1, 110, 4) in resting(book)


def test_band_when_pegs_have_prices_then_they_lose_them_after_the_rest(make_book: MakeBook):
    book = banded(make_book, static=5)
    send(book, buy(1, 98, 5), sell(3, 106, 5), peg(4, BUY, PegKind.PRIMARY, 2))
    events = last(book, market(2, BUY, 3))
    assert story(events) == ["Accepted", "BandHit", "StateChanged", "Canceled", "Repriced"]
    assert repriced(events) == [(4, 0)]


def test_band_when_a_peg_hits_it_then_it_waits_without_a_price_where_it_was_in_the_list(make_book: MakeBook):
    book = make_book()
    send(book, buy(1, 100, 5), sell(2, 110, 5), peg(3, SELL, PegKind.PRIMARY, 2), hidden(sell(4, 105, 1)))
    send(book, r.set_bands(reference=100, static_width=3), peg(5, BUY, PegKind.PRIMARY, 2))
    events = last(book, peg(6, BUY, PegKind.MIDPOINT, 4))
    assert events == (
        Accepted(0, 6, BUY, 0, 4, 4),
        Repriced(0, 6, BUY, 105, 4, 4),
        BandHit(0, 6, BUY, 105, 4, BandKind.STATIC),
        TO_AUCTION,
        Repriced(0, 3, SELL, 0, 2, 2),
        Repriced(0, 5, BUY, 0, 2, 2),
        Repriced(0, 6, BUY, 0, 4, 4),
    )


def test_band_when_hit_then_the_auction_ends_it_and_moves_the_static_band(make_book: MakeBook):
    book = banded(make_book, static=5)
    send(book, sell(1, 106, 5), buy(2, 106, 3))
    assert trades(send(book, UNCROSS)) == [(1, 2, 106, 3)]
    send(book, sell(3, 111, 5))
    assert trades(send(book, buy(4, 111, 3))) == [(1, 4, 106, 2), (3, 4, 111, 1)]
    assert code(send(book, buy(5, 111, 1))) is None


# ---- clock and expiry ------------------------------------------------------------------------------------------------


def test_clock_when_set_then_told_and_never_back(make_book: MakeBook):
    book = make_book()
    assert last(book, r.clock(5)) == (ClockSet(0, 5, 0),)
    assert code(send(book, r.clock(4))) == "CLOCK_BACKWARDS"
    assert code(send(book, r.clock(5))) is None
    assert book.clock_now == 5


def test_gtd_when_its_time_has_come_then_expired_in_order_of_entry(make_book: MakeBook):
    book = make_book()
    send(book, until(buy(1, 90, 1), 10), until(sell(2, 110, 1), 9), until(buy(3, 100, 1), 11), until(buy(4, 95, 1), 10))
    events = last(book, r.clock(10))
    assert events == (
        Canceled(0, 1, BUY, 90, 1, CancelReason.EXPIRED),
        Canceled(0, 2, SELL, 110, 1, CancelReason.EXPIRED),
        Canceled(0, 4, BUY, 95, 1, CancelReason.EXPIRED),
        ClockSet(0, 10, 3),
    )


def test_gtd_when_replaced_without_its_place_then_its_age_begins_again(make_book: MakeBook):
    book = make_book()
    send(book, until(buy(1, 90, 1), 10), until(buy(2, 90, 1), 10), replace(1, 91, 1))
    assert [order_id for order_id, *_ in canceled(last(book, r.clock(10)))] == [2, 1]


def test_gtd_when_it_waits_elsewhere_then_it_expires_too(make_book: MakeBook):
    book = make_book()
    send(book, stop(1, BUY, 105, 1, limit=106, tif=r.TimeInForce.GTD, expire_at=10))
    send(book, until(peg(2, BUY, PegKind.PRIMARY, 1, cap=50), 10), until(iceberg(3, SELL, 100, 9, display=3), 10))
    assert canceled(last(book, r.clock(10))) == [(1, 1, "EXPIRED"), (2, 1, "EXPIRED"), (3, 9, "EXPIRED")]


@pytest.mark.parametrize("now", [9, 10])
def test_gtd_when_its_time_is_past_then_refused(make_book: MakeBook, now: int):
    book = make_book()
    send(book, r.clock(now))
    assert code(send(book, until(buy(1, 90, 1), 10))) == ("ALREADY_EXPIRED" if now == 10 else None)


def test_end_of_day_when_told_then_day_and_auction_orders_expire_in_place_order(make_book: MakeBook):
    book = make_book()
    send(book, buy(1, 90, 1, tif=DAY), sell(2, 110, 1, tif=DAY), hidden(buy(3, 95, 1, tif=DAY)), buy(4, 91, 1, tif=DAY))
    send(book, stop(5, BUY, 120, 1, tif=DAY), at_auction(6, SELL, 1, CLS), buy(7, 80, 1), until(buy(8, 80, 1), 5))
    events = last(book, r.clock(5, end_of_day=True))
    assert [order_id for order_id, *_ in canceled(events)] == [8, 4, 1, 2, 3, 5, 6]
    assert events[-1] == ClockSet(0, 5, 7)
    assert resting(book) == [(7, 80, 1)]


def test_end_of_day_when_a_call_is_on_then_its_orders_expire(make_book: MakeBook):
    book = make_book()
    send(book, OPENING, at_auction(1, BUY, 1, OPG), at_auction(2, BUY, 1, OPG, price=100))
    assert len(canceled(last(book, r.clock(0, end_of_day=True)))) == 2


def test_clock_when_an_expiry_moves_the_best_price_then_pegs_follow(make_book: MakeBook):
    book = make_book()
    send(book, buy(1, 100, 1), until(buy(2, 101, 1), 5), peg(3, BUY, PegKind.PRIMARY, 1))
    assert story(last(book, r.clock(5))) == ["Canceled", "ClockSet", "Repriced"]


# ---- mass cancel -----------------------------------------------------------------------------------------------------


def everywhere(make_book: MakeBook) -> AnyBook:
    """An order in each place and direction, ids in place order; odd ids belong to owner 7."""
    book = make_book()
    send(book, buy(1, 90, 1, owner=7), sell(2, 110, 1, owner=8))
    send(book, hidden(buy(3, 89, 1, owner=7)), hidden(sell(4, 111, 1, owner=8)))
    send(book, stop(5, BUY, 120, 1, owner=7), stop(6, SELL, 80, 1, owner=8))
    send(book, trailing(7, BUY, 5, 1, owner=7), trailing(8, SELL, 5, 1, owner=8))
    send(book, at_auction(9, BUY, 1, CLS, owner=7), at_auction(10, SELL, 1, CLS, owner=8))
    send(
        book,
        peg(11, BUY, PegKind.PRIMARY, 1, offset=100, owner=7),
        peg(12, SELL, PegKind.MARKET, 1, offset=2**62, owner=8),
    )
    send(book, r.set_state(BookState.HALTED), r.set_state(BookState.CANCEL_ONLY))
    assert [order.order_id for order in book.orders()] == list(range(1, 13))
    return book


@pytest.mark.parametrize(
    ("owner", "side", "gone"),
    [
        (7, None, [1, 3, 5, 7, 9, 11]),
        (None, SELL, [2, 4, 6, 8, 10, 12]),
        (None, None, list(range(1, 13))),
        (8, BUY, []),
        (8, SELL, [2, 4, 6, 8, 10, 12]),
    ],
)
def test_mass_cancel_when_asked_then_those_go_in_place_order(
    make_book: MakeBook, owner: int | None, side: Side | None, gone: list[int]
):
    book = everywhere(make_book)
    events = last(book, r.mass_cancel(owner=owner, side=side))
    assert [order_id for order_id, *_ in canceled(events)] == gone
    assert events[-1] == MassCanceled(0, owner or 0, len(gone))


@pytest.mark.parametrize(("side", "byte"), [(None, 0), (BUY, 0), (SELL, 1)])
def test_mass_cancel_when_one_side_then_the_record_names_it(make_book: MakeBook, side: Side | None, byte: int):
    raw = bytes(make_book().process(r.mass_cancel(owner=7, side=side).pack()))
    assert raw[1] == byte


def test_mass_cancel_when_orders_are_armed_then_they_go_too(make_book: MakeBook):
    book = banded(make_book, static=5)
    send(book, stop(1, BUY, 103, 4), stop(2, BUY, 103, 4), sell(3, 106, 9), sell(4, 103, 1), market(5, BUY, 1))
    assert canceled(last(book, r.mass_cancel(owner=None)))[-1] == (2, 4, "MASS_CANCEL")


# ---- statistics and the rolling hash ---------------------------------------------------------------------------------


def test_statistics_when_orders_trade_then_counted(make_book: MakeBook):
    book = make_book(stp=SelfTradePrevention.DECREMENT)
    assert book.statistics() == BookStatistics(0, 0, 0, 0, 0, 0, 0, 0, 0)
    send(
        book,
        sell(1, 100, 5),
        sell(2, 102, 5),
        sell(3, 99, 1),
        market(4, BUY, 9),
        buy(1, 1, 1),
        buy(4, 50, 1),
        buy(4, 1, 1),
    )
    assert book.statistics() == BookStatistics(6, 1, 0, 3, 9, 99, 102, 99, 102)
    send(book, sell(9, 101, 3, owner=5), buy(10, 101, 2, owner=5), market(11, SELL, 9))
    assert book.statistics() == BookStatistics(9, 1, 1, 5, 11, 99, 102, 1, 1)


def test_statistics_when_the_volume_passes_64_bits_then_modulo(make_book: MakeBook):
    book = make_book()
    for _ in range(2):
        send(book, sell(1, 100, MAX_QUANTITY_LOTS), buy(2, 100, MAX_QUANTITY_LOTS))
    assert book.statistics().traded_lots == MAX_QUANTITY_LOTS - 1


def test_statistics_when_an_auction_trades_then_counted_and_decrements_are_not(make_book: MakeBook):
    book = make_book()
    send(
        book,
        AUCTION,
        buy(1, 100, 5),
        sell(2, 100, 3),
        sell(3, 100, 1),
        buy(4, 99, 3, owner=7),
        sell(5, 99, 1, owner=7),
        UNCROSS,
    )
    assert book.statistics()[3:] == (3, 5, 100, 100, 100, 100)


def test_rolling_hash_when_computed_from_the_events_then_equal(make_book: MakeBook):
    """The documented formula, written out once more."""
    book, raw = everywhere(make_book), b""
    fresh = make_book()
    commands = [buy(1, 100, 5), sell(2, 100, 7), buy(2, 1, 1), r.mass_cancel(owner=0, side=SELL)]
    raw = bytes(fresh.process(b"".join(c.pack() for c in commands)))
    assert fresh.rolling_hash == documented_hash(raw)
    assert make_book().rolling_hash == 0
    assert book.rolling_hash != fresh.rolling_hash


def documented_hash(raw: bytes) -> int:
    wrap, state, constants = 2**64, 0x746F6B656E782D78, list[int]()
    for _ in range(9):
        state = (state + 0x9E3779B97F4A7C15) % wrap
        z = (state ^ state >> 30) * 0xBF58476D1CE4E5B9 % wrap
        z = (z ^ z >> 27) * 0x94D049BB133111EB % wrap
        constants.append((z ^ z >> 31) | 1)
    h = 0
    for at in range(0, len(raw), 64):
        words = [int.from_bytes(raw[at + i : at + i + 8], "little") for i in range(0, 64, 8)]
        h ^= sum(word * constant for word, constant in zip(words, constants, strict=False)) % wrap
        h = (h << 29 | h >> 35) % wrap * constants[8] % wrap
    return h


def test_decrement_when_it_happens_then_no_trade_is_counted(make_book: MakeBook):
    book = make_book(stp=SelfTradePrevention.DECREMENT)
    events = last(book, sell(1, 100, 5, owner=7), buy(2, 100, 5, owner=7))
    assert isinstance(events[1], Decremented)
    assert of(Trade, events) == []
    assert (book.statistics().trades, book.last_price) == (0, None)


def test_closing_auction_when_it_begins_with_pegs_then_prices_go_before_orders_come(make_book: MakeBook):
    book = make_book()
    send(book, buy(1, 100, 5), peg(2, BUY, PegKind.PRIMARY, 5), at_auction(3, BUY, 5, CLS))
    assert story(last(book, CLOSING)) == ["StateChanged", "Repriced", "Triggered"]
