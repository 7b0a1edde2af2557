"""Every reject code, and that the first check that fails answers. On both books."""

from collections.abc import Callable
from itertools import combinations

import pytest

from matcher_core import DETAILS, Command, CommandFlag, Op, PegKind, RejectCode, Rejected, Side, decode_events
from matcher_core import records as r
from matcher_core.records import with_details
from matcher_core.types import MAX_PRICE_TICKS, MAX_QUANTITY_LOTS, BookState, TimeInForce
from tests.core.builders import (
    AUCTION,
    BUY,
    CLS,
    DAY,
    FOK,
    GTC,
    GTD,
    IOC,
    OPENING,
    OPG,
    SELL,
    UNCROSS,
    AnyBook,
    MakeBook,
    at_least,
    buy,
    cancel,
    code,
    hidden,
    iceberg,
    market,
    peg,
    post_only,
    replace,
    sell,
    send,
    sliding,
    standing,
    stop,
    trailing,
    until,
)

FLAGS = CommandFlag
FAR = 2**62
LIMIT = buy(1, 100, 5, owner=7)
DETAILED = LIMIT._replace(flags=FLAGS.DETAILS)
MARKET = Command(Op.MARKET, tif=IOC, order_id=1, quantity=5)


def limit(**fields: int) -> Command:
    return DETAILED._replace(**fields)


def op(kind: Op, **fields: int) -> Command:
    return Command(kind, order_id=1, price=100, quantity=5)._replace(**fields)


# ---- 1xx: one command at a time, nothing else wrong with it ----------------------------------------------------------

MALFORMED: dict[str, list[Command]] = {
    "UNKNOWN_OP": [op(Op.DETAILS), Command(0), Command(10), Command(14), Command(255, flags=255)],
    "WRONG_SYMBOL": [LIMIT._replace(symbol=1), LIMIT._replace(symbol=2**32 - 1), r.clock(1, symbol=9)],
    "RESERVED_NOT_ZERO": [LIMIT._replace(reserved=1), r.uncross()._replace(reserved=1)],
    "BAD_SIDE": [LIMIT._replace(side=2), MARKET._replace(side=255), r.mass_cancel(owner=1, side=BUY)._replace(side=2)],
    "BAD_TIME_IN_FORCE": [
        LIMIT._replace(tif=7),
        *[MARKET._replace(tif=tif) for tif in (GTC, DAY, GTD, 7)],
        *[limit(tif=tif, stop_price=90) for tif in (IOC, FOK, OPG, CLS)],
        *[MARKET._replace(tif=tif, flags=FLAGS.DETAILS, trail_offset=1) for tif in (IOC, FOK, OPG, CLS)],
        MARKET._replace(tif=GTC, flags=FLAGS.DETAILS, min_quantity=1),
    ],
    "BAD_FLAGS": [
        LIMIT._replace(flags=FLAGS.SLIDE),
        *[LIMIT._replace(flags=flag) for flag in (FLAGS.ONE_SIDE, FLAGS.ALL_OWNERS, FLAGS.END_OF_DAY, 64)],
        *[post_only(LIMIT._replace(tif=tif)) for tif in (IOC, FOK, OPG, CLS)],
        *[hidden(LIMIT._replace(tif=tif)) for tif in (IOC, FOK, OPG, CLS)],
        *[MARKET._replace(flags=flag) for flag in (1, 2, 4, 8, 16, 32, 64)],
        *[op(Op.REPLACE, flags=flag) for flag in (2, 4, 8, 16, 32, 64)],
        *[op(Op.CANCEL, flags=1 << bit) for bit in range(8)],
        *[op(Op.MASS_CANCEL, flags=flag) for flag in (1, 2, 4, 32, 64, 128)],
        *[op(Op.SET_STATE, flags=1 << bit) for bit in range(8)],
        *[op(Op.CLOCK, flags=flag) for flag in (1, 2, 4, 8, 16, 64, 128)],
        *[op(Op.UNCROSS, flags=1 << bit) for bit in range(8)],
        *[op(Op.SET_BANDS, flags=1 << bit) for bit in range(8)],
    ],
    "BAD_ORDER_ID": [
        LIMIT._replace(order_id=0), MARKET._replace(order_id=0), op(Op.CANCEL, order_id=0), op(Op.REPLACE, order_id=0)
    ],
    "BAD_PRICE": [
        LIMIT._replace(price=0),
        LIMIT._replace(price=-1),
        limit(price=-1, peg=PegKind.MIDPOINT),
        limit(price=0, min_quantity=1),
        MARKET._replace(price=-1),
        MARKET._replace(price=1, tif=OPG),
        MARKET._replace(price=1, tif=CLS),
        op(Op.REPLACE, price=0),
        r.set_bands(reference=-1, static_width=0),
        r.set_bands(reference=0, static_width=1),
    ],
    "BAD_QUANTITY": [
        LIMIT._replace(quantity=0),
        MARKET._replace(quantity=0),
        op(Op.REPLACE, quantity=0),
        r.set_bands(reference=1, static_width=FAR + 1),
        r.set_bands(reference=0, static_width=0, dynamic_width=FAR + 1),
    ],
    "BAD_STATE": [
        op(Op.SET_STATE, quantity=0),
        op(Op.SET_STATE, quantity=7),
        op(Op.SET_STATE, quantity=2**32 + 1),
        *[op(Op.UNCROSS, quantity=state) for state in (0, 4, 5, 6, 7, 2**32 + 1)],
    ],
    "BAD_DETAILS": [
        *[op(Op.REPLACE, flags=FLAGS.DETAILS, **{name: 1})
          for name in ("peg", "trail_offset", "display_quantity", "min_quantity", "expire_at", "peg_offset")],
    ],
    "BAD_STOP": [
        limit(stop_price=-1),
        limit(stop_price=90, trail_offset=1),
        limit(trail_offset=FAR + 1),
        hidden(limit(stop_price=90)),
        post_only(limit(stop_price=90)),
        sliding(limit(trail_offset=1)),
        op(Op.REPLACE, flags=FLAGS.DETAILS, stop_price=-1),
    ],
    "BAD_DISPLAY": [
        MARKET._replace(flags=FLAGS.DETAILS, display_quantity=1),
        limit(stop_price=90, display_quantity=1),
        limit(peg=PegKind.PRIMARY, display_quantity=1),
        hidden(limit(display_quantity=1)),
        *[limit(tif=tif, display_quantity=1) for tif in (IOC, FOK, OPG, CLS)],
        limit(quantity=1001, display_quantity=1),
        limit(quantity=MAX_QUANTITY_LOTS, display_quantity=MAX_QUANTITY_LOTS // 1000),
    ],
    "BAD_MIN_QUANTITY": [
        limit(min_quantity=6),
        *[limit(tif=tif, min_quantity=1) for tif in (FOK, OPG, CLS)],
        post_only(limit(min_quantity=1)),
        limit(stop_price=90, min_quantity=1),
        limit(peg=PegKind.PRIMARY, min_quantity=1),
        MARKET._replace(flags=FLAGS.DETAILS, min_quantity=6),
    ],
    "BAD_PEG": [
        limit(peg=4),
        MARKET._replace(flags=FLAGS.DETAILS, peg=PegKind.MIDPOINT),
        limit(peg=PegKind.PRIMARY, stop_price=90),
        hidden(limit(peg=PegKind.PRIMARY)),
        post_only(limit(peg=PegKind.PRIMARY)),
        *[limit(peg=PegKind.PRIMARY, tif=tif) for tif in (IOC, FOK, OPG, CLS)],
        limit(peg_offset=1),
        MARKET._replace(flags=FLAGS.DETAILS, peg_offset=1),
        limit(peg=PegKind.MIDPOINT, peg_offset=1),
        limit(peg=PegKind.MARKET),
        limit(peg=PegKind.PRIMARY, peg_offset=FAR + 1),
    ],
    "BAD_EXPIRY": [
        LIMIT._replace(tif=GTD),
        limit(tif=GTD),
        *[limit(tif=tif, expire_at=9) for tif in TimeInForce if tif != GTD],
        MARKET._replace(tif=GTD, flags=FLAGS.DETAILS, stop_price=90),
        MARKET._replace(flags=FLAGS.DETAILS, expire_at=9),
    ],
}  # fmt: skip
MALFORMED_CASES = [(c, name) for name, commands in MALFORMED.items() for c in commands]


@pytest.mark.parametrize(
    ("command", "expected"), MALFORMED_CASES, ids=[f"{name}-{i}" for i, (_, name) in enumerate(MALFORMED_CASES)]
)
def test_command_when_malformed_then_the_documented_code_and_no_effect(
    make_book: MakeBook, command: Command, expected: str
):
    book = make_book()
    before = standing(book)
    assert code(send(book, command)) == expected
    assert standing(book) == before


# What may just be: one step beyond is in the table above.
FINE = [
    limit(quantity=1000, display_quantity=1),
    limit(quantity=MAX_QUANTITY_LOTS, display_quantity=MAX_QUANTITY_LOTS // 1000 + 1),
    limit(price=MAX_PRICE_TICKS),
    limit(trail_offset=FAR),
    limit(peg=PegKind.PRIMARY, peg_offset=FAR),
    limit(peg=PegKind.MARKET, peg_offset=1, price=0),
    limit(stop_price=MAX_PRICE_TICKS),
    limit(tif=GTD, expire_at=1),
    hidden(limit(tif=GTD, expire_at=MAX_QUANTITY_LOTS)),
    hidden(post_only(limit(tif=DAY))),
    hidden(sliding(LIMIT)),
    limit(),
    MARKET._replace(tif=CLS),
    MARKET._replace(tif=GTD, flags=FLAGS.DETAILS, stop_price=90, expire_at=9),
    LIMIT._replace(tif=CLS),
    r.set_bands(reference=1, static_width=FAR, dynamic_width=FAR),
    r.set_bands(reference=5, static_width=0),
    r.clock(2**64 - 1, end_of_day=True),
    Command(Op.MASS_CANCEL, side=77),
    Command(Op.SET_STATE, side=9, tif=9, quantity=2, price=-9, order_id=0),
]


@pytest.mark.parametrize("command", FINE, ids=range(len(FINE)))
def test_command_when_just_possible_then_accepted(make_book: MakeBook, command: Command):
    book = make_book()
    assert code(send(book, command)) is None
    book.check_invariants()


# ---- pairs of records ------------------------------------------------------------------------------------------------


def details(*, op: int = Op.DETAILS, zero: int = 0, symbol: int = 0, reserved: int = 0, stop_price: int = 0) -> bytes:
    return DETAILS.pack(op, 0, zero, symbol, stop_price, 0, 0, 0, 0, 0, reserved)


def first_record(command: Command) -> bytes:
    return command.pack()[:64]


def codes(book: AnyBook, data: bytes) -> list[str | None]:
    """The answer to each command: the name of its code, None when accepted."""
    answers = {e.seq: e.code.name if isinstance(e, Rejected) else None for e in decode_events(book.process(data))}
    return list(answers.values())


def test_pair_when_complete_then_one_command_and_one_answer(make_book: MakeBook):
    assert codes(make_book(), first_record(DETAILED) + details()) == [None]


@pytest.mark.parametrize(
    "wrong", [details(zero=1), details(symbol=1), details(reserved=1)], ids=["zero", "symbol", "reserved"]
)
def test_pair_when_its_details_are_wrong_then_both_records_are_used_up(make_book: MakeBook, wrong: bytes):
    following = buy(2, 100, 5).pack()
    assert codes(make_book(), first_record(DETAILED) + wrong + following) == ["BAD_DETAILS", None]


def test_pair_when_the_details_are_missing_then_the_next_record_is_a_command(make_book: MakeBook):
    book = make_book()
    assert codes(book, first_record(DETAILED) + buy(2, 100, 5).pack()) == ["BAD_DETAILS", None]
    assert codes(book, first_record(DETAILED)) == ["BAD_DETAILS"]
    assert [order.order_id for order in book.orders()] == [2]


def test_pair_when_the_command_cannot_have_details_then_they_are_a_command_that_is_unknown(make_book: MakeBook):
    flagged = op(Op.CANCEL, flags=FLAGS.DETAILS, seq=1)
    events = decode_events(make_book().process(flagged.pack() + details(stop_price=5)))
    assert [e.code.name for e in events if isinstance(e, Rejected)] == ["BAD_FLAGS", "UNKNOWN_OP"]
    assert events[1] == Rejected(5, 0, RejectCode.UNKNOWN_OP)  # seq is where the stop price stands


def test_pair_when_the_command_is_refused_then_its_details_are_used_up(make_book: MakeBook):
    refused = first_record(DETAILED._replace(side=9)) + details()
    assert codes(make_book(), refused + buy(2, 100, 5).pack()) == ["BAD_SIDE", None]


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (DETAILED._replace(side=9), "BAD_SIDE"),
        (MARKET._replace(tif=GTC, flags=FLAGS.DETAILS), "BAD_TIME_IN_FORCE"),
        (DETAILED._replace(price=0), "BAD_PRICE"),
        (DETAILED._replace(quantity=0), "BAD_QUANTITY"),
        (DETAILED._replace(tif=GTD), "BAD_DETAILS"),
        (DETAILED._replace(tif=IOC), "BAD_DETAILS"),
    ],
)
@pytest.mark.parametrize("rest", [b"", details(reserved=1)], ids=["missing", "wrong"])
def test_pair_when_broken_then_lower_checks_still_come_first(
    make_book: MakeBook, command: Command, expected: str, rest: bytes
):
    assert codes(make_book(), first_record(command) + rest) == [expected]


# ---- the order of the checks -----------------------------------------------------------------------------------------

Fault = Callable[[Command], Command]
FAULTS: dict[RejectCode, Fault] = {
    RejectCode.UNKNOWN_OP: lambda c: c._replace(op=99),
    RejectCode.WRONG_SYMBOL: lambda c: c._replace(symbol=9),
    RejectCode.RESERVED_NOT_ZERO: lambda c: c._replace(reserved=1),
    RejectCode.BAD_SIDE: lambda c: c._replace(side=2),
    RejectCode.BAD_TIME_IN_FORCE: lambda c: c._replace(tif=9),
    RejectCode.BAD_FLAGS: lambda c: c._replace(flags=c.flags | 64),
    RejectCode.BAD_ORDER_ID: lambda c: c._replace(order_id=0),
    RejectCode.BAD_PRICE: lambda c: c._replace(price=-1),
    RejectCode.BAD_QUANTITY: lambda c: c._replace(quantity=0),
    RejectCode.BAD_STOP: lambda c: c._replace(stop_price=-1),
    RejectCode.BAD_DISPLAY: lambda c: c._replace(flags=c.flags | FLAGS.HIDDEN, display_quantity=1),
    RejectCode.BAD_MIN_QUANTITY: lambda c: c._replace(min_quantity=MAX_QUANTITY_LOTS),
    RejectCode.BAD_PEG: lambda c: c._replace(peg=9),
    RejectCode.BAD_EXPIRY: lambda c: c._replace(expire_at=9),
}


PAIRS = list(combinations(FAULTS, 2))


@pytest.mark.parametrize(("first", "second"), PAIRS, ids=[f"{first.name}-{second.name}" for first, second in PAIRS])
def test_checks_when_two_fail_then_the_lower_number_answers(make_book: MakeBook, first: RejectCode, second: RejectCode):
    book = make_book()
    send(book, r.set_state(BookState.HALTED))  # 201 for all of them, were it asked first
    command = FAULTS[first](FAULTS[second](DETAILED))
    assert code(send(book, command)) == first.name


# ---- 2xx to 5xx ------------------------------------------------------------------------------------------------------

State = tuple[Command, ...]
HALT, CANCELS = r.set_state(BookState.HALTED), r.set_state(BookState.CANCEL_ONLY)
MINE = buy(1, 100, 5, owner=7)
EVERY_COMMAND = (
    buy(2, 100, 5),
    market(2, SELL, 1),
    cancel(1, owner=7),
    replace(1, 100, 1, owner=7),
    r.mass_cancel(owner=7),
)

REFUSED: list[tuple[str, State, Command]] = [
    *[("HALTED", (MINE, HALT), c) for c in EVERY_COMMAND],
    *[("CANCEL_ONLY", (MINE, CANCELS), c) for c in (buy(2, 100, 5), market(2, SELL, 1), replace(1, 100, 1, owner=7))],
    ("CANCEL_ONLY", (CANCELS,), buy(1, 100, 5, tif=OPG)),
    *[("NOT_IN_AUCTION", (AUCTION,), c) for c in (
        buy(1, 100, 5, tif=IOC), buy(1, 100, 5, tif=FOK), market(1, BUY, 5), market(1, BUY, 5, fok=True),
        post_only(buy(1, 100, 5)), at_least(buy(1, 100, 5), 2),
    )],
    ("NOT_IN_AUCTION", (OPENING, MINE), post_only(replace(1, 101, 5, owner=7))),
    ("NOT_IN_AUCTION", (AUCTION, r.clock(9)), post_only(until(buy(1, 100, 5), 9))),
    *[("ONLY_IN_OPENING_AUCTION", s, buy(1, 100, 5, tif=OPG)) for s in ((), (AUCTION,), (r.set_state(BookState.CLOSING_AUCTION),))],
    ("ONLY_IN_OPENING_AUCTION", (MINE,), buy(1, 100, 5, tif=OPG)),
    ("NOT_AN_AUCTION", (), UNCROSS),
    *[("UNCROSS_FIRST", (*s, AUCTION, *t), r.set_state(BookState.TRADING)) for s in ((), (HALT,)) for t in ((), (HALT,), (CANCELS,), (OPENING,))],
    ("CLOCK_BACKWARDS", (r.clock(5),), r.clock(4)),
    ("CLOCK_BACKWARDS", (r.clock(5), HALT), r.clock(4, end_of_day=True)),
    ("ALREADY_EXPIRED", (r.clock(5), MINE), until(buy(1, 100, 5), 5)),
    ("ALREADY_EXPIRED", (r.clock(5),), stop(1, BUY, 100, 5, tif=GTD, expire_at=5)),
    *[("DUPLICATE_ORDER_ID", (c,), buy(1, 100, 5)) for c in (
        MINE, hidden(MINE), stop(1, SELL, 50, 1), trailing(1, BUY, 5, 1), buy(1, 100, 5, tif=CLS), peg(1, SELL, PegKind.PRIMARY, 1),
    )],
    ("DUPLICATE_ORDER_ID", (MINE,), market(1, SELL, 5)),
    ("UNKNOWN_ORDER", (MINE,), cancel(2, owner=7)),
    ("UNKNOWN_ORDER", (MINE,), replace(2, 100, 1, owner=7)),
    *[("NOT_OWNER", (c._replace(owner=7),), cancel(1, owner=8)) for c in (MINE, stop(1, SELL, 50, 1), peg(1, SELL, PegKind.PRIMARY, 1))],
    ("NOT_OWNER", (MINE,), replace(1, 100, MAX_QUANTITY_LOTS, owner=8)),
    *[("BOOK_FULL", (stop(11, BUY, 500, 1), peg(12, SELL, PegKind.PRIMARY, 1), buy(13, 9, 1, tif=CLS)), c) for c in (
        buy(1, 1, 1), buy(1, 1, 1, tif=DAY), until(buy(1, 1, 1), 9), buy(1, 1, 1, tif=CLS),
        stop(1, BUY, 500, 1), trailing(1, BUY, 500, 1), peg(1, BUY, PegKind.PRIMARY, 1), post_only(buy(1, 1, MAX_QUANTITY_LOTS)),
    )],
    *[("SIDE_QUANTITY_TOO_LARGE", (stop(11, BUY, 500, MAX_QUANTITY_LOTS - 9), buy(12, 9, 5, tif=CLS)), c) for c in (
        buy(1, 1, 5), stop(1, BUY, 500, 5), peg(1, BUY, PegKind.PRIMARY, 5), iceberg(1, BUY, 1, 5, display=1), replace(12, 9, 10),
    )],
    ("SIDE_QUANTITY_TOO_LARGE", (buy(11, 9, MAX_QUANTITY_LOTS - 1), stop(12, BUY, 500, 1)), replace(12, 9, 2)),
    ("POST_ONLY_WOULD_TRADE", (sell(11, 100, 5),), post_only(buy(1, 100, 5))),
    ("POST_ONLY_WOULD_TRADE", (sell(11, 1, 5),), sliding(buy(1, 100, 5))),
    ("POST_ONLY_WOULD_TRADE", (sell(11, 100, 5), MINE._replace(price=90)), post_only(replace(1, 100, 5, owner=7))),
    ("FOK_NOT_FILLABLE", (sell(11, 100, 5),), buy(1, 100, 6, tif=FOK)),
    ("FOK_NOT_FILLABLE", (), market(1, BUY, 1, fok=True)),
    ("MIN_QUANTITY_NOT_MET", (sell(11, 100, 5),), at_least(buy(1, 100, 9), 6)),
    ("MIN_QUANTITY_NOT_MET", (), at_least(market(1, BUY, 1), 1)),
    ("NOT_REPLACEABLE", (stop(11, BUY, 500, 5),), replace(11, 100, 1)),
    ("NOT_REPLACEABLE", (trailing(11, BUY, 5, 5, limit=9),), replace(11, 9, 1)),
    ("NOT_REPLACEABLE", (buy(11, 9, 5),), r.replace(order_id=11, price=9, quantity=1, stop_price=50)),
    ("NOT_REPLACEABLE", (iceberg(11, BUY, 90, 5, display=1),), r.replace(order_id=11, price=9, quantity=5000, stop_price=50)),
    ("DISPLAY_TOO_SMALL", (sell(12, 100, 1), iceberg(11, BUY, 90, 5, display=1)), post_only(replace(11, 100, 1001))),
]  # fmt: skip


@pytest.mark.parametrize(
    ("expected", "before", "command"), REFUSED, ids=[f"{name}-{i}" for i, (name, *_) in enumerate(REFUSED)]
)
def test_command_when_refused_then_the_documented_code_and_no_effect(
    make_book: MakeBook, expected: str, before: State, command: Command
):
    book = make_book(max_orders=3)
    for prepared in before:
        assert code(send(book, prepared)) is None
    standing_before = standing(book)
    assert code(send(book, command)) == expected
    assert standing(book) == standing_before


def test_codes_when_counted_then_each_is_reached_by_a_test_above():
    """OUT_OF_MEMORY is reached in test_book_api.py, where memory ends."""
    reached = {name for _, name in MALFORMED_CASES} | {name for name, *_ in REFUSED}
    assert reached == set(RejectCode.__members__) - {"OUT_OF_MEMORY"}


@pytest.mark.parametrize("state", BookState)
@pytest.mark.parametrize("command", [r.clock(9), r.set_bands(reference=5, static_width=1), HALT, AUCTION])
def test_venue_commands_when_the_book_is_in_any_state_then_they_work(
    make_book: MakeBook, state: BookState, command: Command
):
    book = make_book()
    send(book, r.set_state(state))
    assert code(send(book, command)) is None


def test_book_full_when_an_order_may_not_wait_then_it_needs_no_room(make_book: MakeBook):
    book = make_book(max_orders=1)
    send(book, sell(1, 100, 5))
    assert code(send(book, buy(2, 100, 1, tif=IOC))) is None
    assert code(send(book, market(2, BUY, 1))) is None


def test_post_only_when_the_replaced_order_only_waits_then_it_means_nothing(make_book: MakeBook):
    book = make_book()
    send(book, sell(1, 100, 5), stop(2, BUY, 200, 5, limit=150), buy(3, 150, 5, tif=CLS))
    assert code(send(book, post_only(replace(2, 160, 5)))) is None
    assert code(send(book, post_only(replace(3, 160, 5)))) is None


def test_builders_when_given_details_then_they_set_the_flag():
    plain = Command(Op.LIMIT, Side.BUY, order_id=1, price=5, quantity=5)
    assert with_details(plain, (0,) * 7) == plain
    assert len(r.limit(order_id=1, side=BUY, price=5, quantity=5, display_quantity=2).pack()) == 128
    assert len(r.replace(order_id=1, price=5, quantity=5, stop_price=2).pack()) == 128
    assert len(r.market(order_id=1, side=BUY, quantity=5).pack()) == 64


@pytest.mark.parametrize("fields", [{"stop_price": 9}, {"display_quantity": 2}, {"peg": 1}], ids=str)
def test_details_when_their_flag_is_missing_then_they_are_not_sent(make_book: MakeBook, fields: dict[str, int]):
    book = make_book()
    send(book, LIMIT._replace(**fields))
    order = book.order(1)
    assert order is not None
    assert (order.price_ticks, order.shown_lots) == (100, 5)


def test_records_when_iterated_then_pairs_are_one_command():
    commands = [LIMIT, DETAILED._replace(display_quantity=3), MARKET, r.clock(4)]
    assert list(r.iter_commands(b"".join(c.pack() for c in commands))) == commands
