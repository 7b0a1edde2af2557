"""Decimals in, whole ticks and lots inside, decimals out: exactly, or not at all."""

import decimal
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matcher_core.instrument import Instrument, OffGrid
from matcher_core.types import MAX_PRICE_TICKS, MAX_QUANTITY_LOTS

BERG = Instrument("BERG", "0.05", "10", currency="EUR")
ES = Instrument("ES", "0.25", "1", currency="USD", multiplier="50")


def a_step(digits: int, places: int) -> Decimal:
    return Decimal(digits).scaleb(-places)


STEPS = st.builds(a_step, st.integers(1, 10**15), st.integers(0, 28))
INSTRUMENTS = st.builds(Instrument, st.just("X"), STEPS, STEPS)
PRICES = st.integers(1, MAX_PRICE_TICKS)
QUANTITIES = st.integers(1, MAX_QUANTITY_LOTS)


# ---- there and back -------------------------------------------------------------------------------------------------


@given(INSTRUMENTS, PRICES, QUANTITIES)
def test_grid_when_there_and_back_then_the_same(instrument: Instrument, ticks: int, lots: int):
    assert instrument.ticks(instrument.price(ticks)) == ticks
    assert instrument.lots(instrument.quantity(lots)) == lots


@given(INSTRUMENTS, PRICES)
def test_grid_when_written_out_then_the_same(instrument: Instrument, ticks: int):
    """A price survives a log line or a JSON string, with or without an exponent."""
    price = instrument.price(ticks)
    assert instrument.ticks(str(price)) == instrument.ticks(f"{price:f}") == instrument.ticks(f"{price:e}") == ticks


@given(INSTRUMENTS, st.integers(1, MAX_PRICE_TICKS - 1), st.integers(1, 999))
def test_grid_when_between_ticks_then_the_error_names_both_neighbours(instrument: Instrument, ticks: int, part: int):
    with decimal.localcontext(prec=200):
        between = instrument.price(ticks) + instrument.tick_size * part / 1000
    with pytest.raises(OffGrid) as caught:
        instrument.ticks(between)
    assert (caught.value.below, caught.value.above) == (instrument.price(ticks), instrument.price(ticks + 1))
    assert instrument.prices.floor(between) == caught.value.below < between
    assert instrument.prices.ceil(between) == caught.value.above > between


@given(INSTRUMENTS, PRICES)
def test_floor_and_ceil_when_on_the_grid_then_unchanged(instrument: Instrument, ticks: int):
    price = instrument.price(ticks)
    assert instrument.prices.floor(price) == instrument.prices.ceil(price) == price


@given(INSTRUMENTS, PRICES, QUANTITIES)
def test_notional_when_large_then_still_exact(instrument: Instrument, ticks: int, lots: int):
    price, quantity = instrument.price(ticks), instrument.quantity(lots)
    exact = price.as_integer_ratio(), quantity.as_integer_ratio()
    numerator, denominator = instrument.notional(price, quantity).as_integer_ratio()
    assert numerator * exact[0][1] * exact[1][1] == exact[0][0] * exact[1][0] * denominator


@given(INSTRUMENTS, PRICES, st.integers(1, 10**9))
def test_affordable_when_bought_then_within_the_money_and_one_lot_more_is_not(
    instrument: Instrument, ticks: int, lots: int
):
    price = instrument.price(ticks)
    money = instrument.notional(price, instrument.quantity(lots))
    assert instrument.affordable(money, price) == instrument.quantity(lots)
    with decimal.localcontext(prec=200):
        less = money - money / 10**30
    assert instrument.affordable(less, price) == instrument.quantity(lots - 1)


# ---- cases ----------------------------------------------------------------------------------------------------------


def test_price_when_shown_then_has_the_places_of_the_tick():
    assert (str(BERG.price(2020)), str(BERG.quantity(5)), str(ES.price(4))) == ("101.00", "50", "1.00")


def test_step_when_written_with_an_exponent_then_shown_without():
    assert str(Instrument("X", "1E+2", "1E-3").price(5)) == "500"


def test_message_when_off_the_tick_then_says_what_would_do():
    with pytest.raises(
        ValueError, match=r"^price must be a multiple of 0\.05, was 101\.03: nearest are 101\.00 and 101\.05$"
    ):
        BERG.ticks("101.03")
    with pytest.raises(ValueError, match=r"^quantity must be a multiple of 10, was 4: nearest are 0 and 10$"):
        BERG.lots("4")


@pytest.mark.parametrize("value", [101.05, 101, True, None, b"101.05"], ids=repr)
def test_price_when_no_decimal_then_type_error(value: object):
    with pytest.raises(TypeError, match="price must be a Decimal or a str, which are exact, not"):
        BERG.ticks(value)  # pyright: ignore[reportArgumentType]  # what callers without types do


@pytest.mark.parametrize("value", ["", "ten", "1,5", "NaN", "sNaN", "Infinity", "-Infinity"])
def test_price_when_no_number_then_value_error(value: str):
    with pytest.raises(ValueError, match=r"price must be (a decimal number|finite), was"):
        BERG.ticks(value)
    with pytest.raises(ValueError, match=r"tick_size must be (a decimal number|finite), was"):
        Instrument("X", value, "1")


@pytest.mark.parametrize("value", ["0", "-0", "-101.05", "-1E-999999"])
def test_price_when_not_positive_then_value_error(value: str):
    with pytest.raises(ValueError, match="price must be positive, was"):
        BERG.ticks(value)
    with pytest.raises(ValueError, match="tick_size must be positive, was"):
        Instrument("X", value, "1")


def test_price_when_the_largest_then_accepted_and_one_more_refused():
    assert BERG.ticks(BERG.price(MAX_PRICE_TICKS)) == MAX_PRICE_TICKS
    with pytest.raises(ValueError, match="price must be at most"):
        BERG.ticks(BERG.price(MAX_PRICE_TICKS + 1))
    assert BERG.lots(BERG.quantity(MAX_QUANTITY_LOTS)) == MAX_QUANTITY_LOTS
    with pytest.raises(ValueError, match="quantity must be at most"):
        BERG.lots(BERG.quantity(MAX_QUANTITY_LOTS + 1))


@pytest.mark.parametrize("value", ["1E+999999", "1E+999999999999999999", "1E-999999", "0." + "0" * 5000 + "1"])
def test_price_when_absurd_then_refused_at_once(value: str):
    with pytest.raises(ValueError, match="price must be"):
        BERG.ticks(value)


@pytest.mark.parametrize("value", ["1E+28", "1E-29", "1E+999999"])
def test_step_when_too_long_then_value_error(value: str):
    with pytest.raises(ValueError, match="lot_size must have at most 28 digits on each side of the point"):
        Instrument("X", "1", value)


def test_program_when_its_decimal_context_is_coarse_then_nothing_is_rounded():
    with decimal.localcontext(decimal.Context(prec=3, rounding=decimal.ROUND_UP, traps=[])) as context:
        assert BERG.ticks("123456.75") == 2469135
        assert BERG.notional("123456.75", "1230") == Decimal("151851802.50")
        assert not context.flags[decimal.Inexact]


def test_notional_when_there_is_a_multiplier_then_counted():
    assert ES.notional("4800.25", "2") == Decimal("480025.00")
    assert ES.affordable("500000", "4800.25") == 2


def test_affordable_when_not_one_lot_then_nothing():
    assert BERG.affordable("1010.49", "101.05") == 0


def test_instruments_when_the_same_then_equal_and_frozen():
    assert Instrument("BERG", Decimal("0.050"), "10", currency="EUR") == BERG != ES
    assert len({BERG, Instrument("BERG", "0.05", "10", currency="EUR")}) == 1
    with pytest.raises(AttributeError):
        BERG.symbol = "OTHER"  # pyright: ignore[reportAttributeAccessIssue]  # that it is refused is the point
    assert repr(BERG).startswith("Instrument(symbol='BERG', tick_size=Decimal('0.05'), lot_size=Decimal('10')")
