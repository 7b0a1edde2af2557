"""InstrumentBook is its book in other units: every call and every answer, compared with the same thing in ticks and lots."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import NamedTuple, TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matcher_core import (
    Book,
    BookState,
    Engine,
    Event,
    PegKind,
    ReferenceBook,
    RejectCode,
    Rejected,
    SelfTradePrevention,
    Side,
    TimeInForce,
)
from matcher_core.decimal_events import DecimalAccepted, DecimalBandHit, DecimalBandsSet, DecimalLevel, DecimalTrade
from matcher_core.instrument import Amount, Instrument, InstrumentBook, OffGrid
from tests.core.builders import AnyBook

BERG = Instrument("BERG", "0.05", "10", currency="EUR")
BUY, SELL = Side.BUY, Side.SELL
D = Decimal
MakeBook: TypeAlias = Callable[..., AnyBook]


@pytest.fixture
def book(make_book: MakeBook) -> InstrumentBook:
    return InstrumentBook(BERG, make_book())


def p(ticks: int) -> Decimal:
    return BERG.price(ticks)


def q(lots: int) -> Decimal:
    return BERG.quantity(lots)


# ---- the same as in ticks and lots ----------------------------------------------------------------------------------


class Script:
    """Says everything twice: to a book in ticks and lots, and to an InstrumentBook over another one in decimals."""

    def __init__(self, make_book: MakeBook) -> None:
        self.plain = make_book(stp=SelfTradePrevention.DECREMENT)
        self.decimal = InstrumentBook(BERG, make_book(stp=SelfTradePrevention.DECREMENT))
        self.kinds = set[str]()

    def says(self, told: tuple[NamedTuple, ...], in_ticks: tuple[Event, ...]) -> None:
        assert [type(event).__name__.removeprefix("Decimal") for event in told] == [type(e).__name__ for e in in_ticks]
        for event, plain in zip(told, in_ticks, strict=True):
            assert not isinstance(event, Rejected), event
            assert in_units(event) == tuple(plain)
            self.kinds.add(type(plain).__name__)
        assert self.decimal.state_hash() == self.plain.state_hash()
        assert self.decimal.rolling_hash == self.plain.rolling_hash


def in_units(record: NamedTuple) -> tuple[object, ...]:
    """A decimal event or answer as its plain sister would be: None as 0, decimals as whole ticks or lots."""
    return tuple(_unit(name, value) for name, value in record._asdict().items())


PRICES = {"reference", "static_width", "dynamic_width"}


def _unit(name: str, value: object) -> object:
    if isinstance(value, Decimal):
        return BERG.ticks(value) if name in PRICES or name.endswith("price") else int(value / BERG.lot_size)
    return 0 if value is None else value


def test_every_call_when_made_in_decimals_then_the_same_as_in_ticks(make_book: MakeBook):
    script = Script(make_book)
    says, d, t = script.says, script.decimal, script.plain
    says(d.set_bands("100", "5", "2.5", seq=1), t.set_bands(2000, 100, 50, seq=1))
    says(d.clock(5), t.clock(5))
    says(d.limit(1, SELL, "101", "500", owner=7, display="100"), t.limit(1, SELL, 2020, 50, owner=7, display_lots=10))
    says(d.limit(2, BUY, "99", "300", owner=8, post_only=True), t.limit(2, BUY, 1980, 30, owner=8, post_only=True))
    says(d.limit(3, SELL, "100.95", "40", hidden=True), t.limit(3, SELL, 2019, 4, hidden=True))
    says(
        d.limit(4, BUY, "101", "150", owner=9, minimum="20", tif=TimeInForce.IOC),
        t.limit(4, BUY, 2020, 15, owner=9, min_lots=2, tif=TimeInForce.IOC),
    )
    says(
        d.limit(5, BUY, "105", "20", owner=9, post_only=True, slide=True),
        t.limit(5, BUY, 2100, 2, owner=9, post_only=True, slide=True),
    )
    says(d.stop(6, SELL, "98", "50", limit="97", owner=9), t.stop(6, SELL, 1960, 5, limit_ticks=1940, owner=9))
    says(d.stop(7, BUY, "101.5", "10"), t.stop(7, BUY, 2030, 1))
    says(d.trailing_stop(8, SELL, "0.5", "10"), t.trailing_stop(8, SELL, 10, 1))
    says(
        d.peg(9, BUY, PegKind.PRIMARY, "60", offset="0.1", limit="100"),
        t.peg(9, BUY, PegKind.PRIMARY, 6, offset_ticks=2, limit_ticks=2000),
    )
    says(d.peg(10, SELL, PegKind.MIDPOINT, "60", owner=3), t.peg(10, SELL, PegKind.MIDPOINT, 6, owner=3))
    says(d.limit(11, BUY, "101", "30", owner=7), t.limit(11, BUY, 2020, 3, owner=7))
    says(d.replace(6, "97.5", "40", owner=9, stop="98.5"), t.replace(6, 1950, 4, owner=9, stop_ticks=1970))
    says(d.replace(2, "99", "200", owner=8), t.replace(2, 1980, 20, owner=8))
    says(
        d.market(12, SELL, "20", protection="99", minimum="10", owner=4),
        t.market(12, SELL, 2, protection_ticks=1980, min_lots=1, owner=4),
    )
    says(d.market(13, SELL, "4000", owner=4), t.market(13, SELL, 400, owner=4))
    says(
        d.limit(14, BUY, "90", "10", tif=TimeInForce.GTD, expire_at=9),
        t.limit(14, BUY, 1800, 1, tif=TimeInForce.GTD, expire_at=9),
    )
    assert in_units_all(d.orders()) == [tuple(o) for o in t.orders()]
    assert [in_units_all(side) for side in d.depth(9)] == [[tuple(level) for level in side] for side in t.depth(9)]
    assert (d.order(1), d.order(99)) == (next(o for o in d.orders() if o.order_id == 1), None)
    says(d.limit(15, BUY, "99.5", "30", owner=5), t.limit(15, BUY, 1990, 3, owner=5))
    says(d.limit(16, SELL, "90", "40", owner=6), t.limit(16, SELL, 1800, 4, owner=6))
    says(d.set_state(BookState.AUCTION), t.set_state(BookState.AUCTION))
    says(d.limit(17, BUY, "102", "700", owner=5), t.limit(17, BUY, 2040, 70, owner=5))
    indicative, plain = d.indicative(), t.indicative()
    assert indicative is not None
    assert plain is not None
    assert in_units(indicative) == tuple(plain)
    says(d.uncross(), t.uncross())
    says(d.clock(9, end_of_day=True), t.clock(9, end_of_day=True))
    says(d.limit(18, BUY, "50", "10", owner=7), t.limit(18, BUY, 1000, 1, owner=7))
    says(d.cancel(18, owner=7), t.cancel(18, owner=7))
    says(d.mass_cancel(side=BUY), t.mass_cancel(side=BUY))
    says(d.mass_cancel(owner=6), t.mass_cancel(owner=6))
    assert in_units(d.statistics()) == tuple(t.statistics())
    assert (d.last_price, d.clock_now, d.state, len(d)) == (p(t.last_price or 0), 9, t.state, len(t))
    assert script.kinds == {
        "Accepted", "Trade", "Canceled", "Replaced", "MassCanceled", "StateChanged", "Decremented", "Triggered",
        "Refreshed", "Repriced", "Uncrossed", "BandHit", "ClockSet", "BandsSet",
    }  # fmt: skip


def in_units_all(records: Sequence[NamedTuple]) -> list[tuple[object, ...]]:
    return [in_units(record) for record in records]


@given(st.lists(st.tuples(st.sampled_from(Side), st.integers(1, 40), st.integers(1, 40)), max_size=30))
def test_book_when_random_orders_then_the_same_as_in_ticks(orders: list[tuple[Side, int, int]]):
    for make in (Book, ReferenceBook):
        script = Script(make)
        for number, (side, ticks, lots) in enumerate(orders, 1):
            script.says(
                script.decimal.limit(number, side, str(p(ticks)), q(lots)),
                script.plain.limit(number, side, ticks, lots),
            )
        assert script.decimal.best_bid == (p(script.plain.best_bid) if script.plain.best_bid else None)
        assert script.decimal.best_ask == (p(script.plain.best_ask) if script.plain.best_ask else None)


# ---- what decimals say ------------------------------------------------------------------------------------------------


def test_trade_when_told_then_price_and_quantities_are_decimals(book: InstrumentBook):
    book.limit(1, SELL, "101.05", "50", owner=7, seq=1)
    assert book.limit(2, BUY, D("101.10"), D("20"), owner=8, seq=2) == (
        DecimalAccepted(2, 2, BUY, D("101.10"), D("20"), D("0")),
        DecimalTrade(2, 2, 1, BUY, D("101.05"), D("20"), D("0"), D("30"), False),
    )
    assert book.depth(5) == ([], [DecimalLevel(D("101.05"), D("30"), 1)])
    assert str(book.best_ask) == "101.05"


def test_event_when_it_has_no_price_then_none(book: InstrumentBook):
    accepted = book.market(1, BUY, "10")[0]
    assert isinstance(accepted, DecimalAccepted)
    assert accepted.price is None
    assert book.set_bands(None, None)[0] == DecimalBandsSet(0, None, None, None)
    book.set_state(BookState.AUCTION)
    assert book.indicative() is None
    uncrossed = book.uncross()[0]
    assert tuple(uncrossed) == (0, None, D("0"), None, D("0"))
    assert (book.best_bid, book.best_ask, book.last_price, book.statistics().last_price) == (None, None, None, None)


def test_band_when_hit_then_told_at_its_decimal_price(book: InstrumentBook):
    book.set_bands("100", "1")
    book.limit(1, SELL, "101.05", "10", owner=1)
    hit = next(e for e in book.limit(2, BUY, "102", "10", owner=2) if isinstance(e, DecimalBandHit))
    assert (hit.price, hit.quantity) == (D("101.05"), D("10"))


def test_depth_when_market_orders_wait_in_a_call_then_their_level_has_no_price(book: InstrumentBook):
    book.set_state(BookState.OPENING_AUCTION)
    book.market(1, BUY, "30", tif=TimeInForce.OPG)
    book.limit(2, BUY, "100", "10")
    assert book.depth(2)[0] == [DecimalLevel(None, D("30"), 1), DecimalLevel(D("100"), D("10"), 1)]
    assert (book.best_bid, book.cost(SELL, "10")) == (D("100"), D("1000"))


def test_refusal_when_the_book_refuses_then_its_own_code(book: InstrumentBook):
    assert book.cancel(1) == (Rejected(0, 1, RejectCode.UNKNOWN_ORDER),)


OFF_GRID: list[Callable[[InstrumentBook], object]] = [
    lambda b: b.limit(1, BUY, "101.03", "10"), lambda b: b.limit(1, BUY, "101.05", "15"),
    lambda b: b.limit(1, BUY, "101.05", "100", display="1"), lambda b: b.limit(1, BUY, "101.05", "100", minimum="1"),
    lambda b: b.market(1, BUY, "15"), lambda b: b.market(1, BUY, "10", protection="0.01"),
    lambda b: b.stop(1, BUY, "101.03", "10"), lambda b: b.stop(1, BUY, "101.05", "10", limit="101.03"),
    lambda b: b.trailing_stop(1, BUY, "0.01", "10"), lambda b: b.peg(1, BUY, PegKind.PRIMARY, "10", offset="0.01"),
    lambda b: b.replace(1, "101.03", "10"), lambda b: b.set_bands("100", "0.01"), lambda b: b.cost(BUY, "15"),
]  # fmt: skip


@pytest.mark.parametrize("call", OFF_GRID)
def test_amount_when_off_the_grid_then_refused_before_the_book_hears_of_it(
    book: InstrumentBook, call: Callable[[InstrumentBook], object]
):
    before = book.rolling_hash
    with pytest.raises(OffGrid):
        call(book)
    assert (len(book), book.rolling_hash) == (0, before)


@pytest.mark.parametrize("price", ["0", "-1"])
def test_protection_when_zero_then_an_error_and_never_no_protection(book: InstrumentBook, price: Amount):
    with pytest.raises(ValueError, match="price must be positive"):
        book.market(1, BUY, "10", protection=price)


# ---- helpers and whole state ------------------------------------------------------------------------------------------


def test_cost_when_the_book_is_deep_enough_then_the_exact_sum(book: InstrumentBook):
    book.limit(1, SELL, "101.05", "50", owner=1)
    book.limit(2, SELL, "101.15", "50", owner=1)
    book.limit(3, BUY, "100", "10", owner=2)
    assert book.cost(BUY, "60") == D("50") * D("101.05") + D("10") * D("101.15")
    assert book.cost(BUY, "100") == D("10110")
    assert book.cost(BUY, "110") is None
    assert book.cost(SELL, "10") == D("1000")


def test_snapshot_when_restored_then_the_same_book(book: InstrumentBook):
    book.limit(1, SELL, "101.05", "50", owner=7, display="20")
    again = InstrumentBook.restore(BERG, book.snapshot())
    assert again.orders() == book.orders()
    assert again.state_hash() == book.state_hash()
    again.check_invariants()
    assert again.memory_bytes() > 0


def test_book_when_it_is_another_instruments_then_value_error(make_book: MakeBook):
    with pytest.raises(ValueError, match="book of BERG must have symbol 0, was 3"):
        InstrumentBook(BERG, make_book(3))
    with pytest.raises(ValueError, match="book of BERG must have symbol 0, was 3"):
        InstrumentBook.restore(BERG, make_book(3).snapshot())


def test_book_when_not_given_then_a_new_one_with_the_options():
    other = Instrument("OTHER", "1", "1", number=3)
    book = InstrumentBook(other, stp=SelfTradePrevention.OFF, max_orders=1)
    assert (book.book.symbol, book.symbol, book.stp, book.max_orders) == (3, "OTHER", SelfTradePrevention.OFF, 1)
    book.limit(1, BUY, "5", "5")
    assert book.limit(2, BUY, "5", "5") == (Rejected(0, 2, RejectCode.BOOK_FULL),)


def test_book_when_it_is_one_of_an_engine_then_shared_with_it():
    engine = Engine((3, 5))
    book = InstrumentBook(Instrument("OTHER", "0.25", "1", number=5), engine.book(5))
    book.limit(1, BUY, "5.25", "7")
    assert (len(engine), len(book), engine.book(5).best_bid, len(engine.book(3))) == (1, 1, 21, 0)
