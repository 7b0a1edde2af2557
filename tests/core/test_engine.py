"""Many books in one arena: each answers as a book of its own would, whatever the others do."""

import random

import pytest

from matcher_core import Command, MassCanceled, Op, ReferenceBook, RejectCode, Rejected, StateChanged, decode_events
from matcher_core.book import Engine
from matcher_core.records import mass_cancel, set_state
from matcher_core.snapshot import digest
from matcher_core.types import BookState
from tests.core.builders import a_seed, buy, sell
from tests.core.test_differential import clustered, near, random_command

ALL_SYMBOLS = 2**32 - 1
SYMBOLS = (7, 0, 2**20 - 1, 300)


def a_flow(rng: random.Random, count: int) -> list[Command]:
    """Commands for four books that use the same ids and prices."""
    price = rng.choice([near, clustered])
    return [random_command(rng, i, price(rng))._replace(symbol=rng.choice(SYMBOLS)) for i in range(count)]


def test_engine_when_books_share_it_then_each_equals_its_own_reference():
    rng = random.Random(a_seed())
    engine, plain = Engine(SYMBOLS), {s: ReferenceBook(s) for s in SYMBOLS}
    for _ in range(40):
        commands = a_flow(rng, 200)
        got = bytes(engine.process(b"".join(c.pack() for c in commands)))
        assert got == b"".join(plain[c.symbol].process(c.pack()) for c in commands)
        engine.check_invariants()
    assert [engine.book(s).snapshot() for s in SYMBOLS] == [plain[s].snapshot() for s in SYMBOLS]
    assert len(engine) == sum(len(book) for book in plain.values())


def test_engine_when_books_are_opened_then_found_by_symbol():
    engine = Engine()
    assert engine.symbols == (0,)
    assert engine.open(5).symbol == 5
    assert engine.symbols == (0, 5)
    assert engine.book(5).limit(1, 0, 100, 5) == engine.book(0).limit(1, 0, 100, 5)  # pyright: ignore  # 0 is BUY
    assert repr(engine) == "<Engine books=2 orders=2>"
    for taken in (0, 5):
        with pytest.raises(ValueError, match="open already"):
            engine.open(taken)
    for impossible in (2**20, -1, ALL_SYMBOLS):
        with pytest.raises(ValueError, match="0 to 1048575"):
            engine.open(impossible)
        with pytest.raises(KeyError):
            engine.book(impossible)
    with pytest.raises(KeyError):
        engine.book(6)


def test_engine_when_no_book_has_the_symbol_then_wrong_symbol():
    engine = Engine((1,))
    for symbol in (0, 2, 2**20, ALL_SYMBOLS):
        events = decode_events(engine.process(buy(9, 100, 5)._replace(symbol=symbol).pack()))
        assert events == (Rejected(9, 9, RejectCode.WRONG_SYMBOL),)
    events = decode_events(engine.process(Command(99, symbol=0, order_id=4).pack()))
    assert events == (Rejected(0, 4, RejectCode.UNKNOWN_OP),)


def test_engine_when_all_symbols_are_named_then_every_book_answers_in_the_order_opened():
    engine = Engine((3, 1))
    orders = [buy(1, 100, 5, owner=7)._replace(symbol=1), sell(2, 100, 5, owner=7)._replace(symbol=3)]
    more = [mass_cancel(owner=7, symbol=ALL_SYMBOLS), set_state(BookState.HALTED, symbol=ALL_SYMBOLS)]
    raw = engine.process(b"".join(c.pack() for c in [*orders, *more]))
    events = [e for e in decode_events(raw) if isinstance(e, MassCanceled | StateChanged)]
    halted = StateChanged(0, BookState.HALTED, BookState.TRADING)
    assert events == [MassCanceled(0, 7, 1), MassCanceled(0, 7, 1), halted, halted]
    assert [int.from_bytes(raw[at + 4 : at + 8], "little") for at in range(0, len(raw), 64)] == [1, 3, 3, 3, 1, 1, 3, 1]


def test_view_when_a_command_names_another_book_then_wrong_symbol():
    engine = Engine((1, 2))
    for symbol in (2, ALL_SYMBOLS):
        command = set_state(BookState.HALTED, symbol=symbol)
        assert decode_events(engine.book(1).process(command.pack())) == (Rejected(0, 0, RejectCode.WRONG_SYMBOL),)


def test_snapshot_when_restored_then_the_engine_goes_on_as_before():
    rng = random.Random(a_seed())
    engine = Engine(SYMBOLS, max_orders=500)
    engine.process(b"".join(c.pack() for c in a_flow(rng, 2000)))
    again = Engine.restore(engine.snapshot())
    more = b"".join(c.pack() for c in a_flow(rng, 2000))
    assert again.process(more) == engine.process(more)
    assert again.snapshot() == engine.snapshot()
    assert again.state_hash() == engine.state_hash() == digest(engine.snapshot()[:-32]) == engine.snapshot()[-32:]
    assert again.symbols == SYMBOLS
    again.check_invariants()


def test_restore_when_an_engine_image_is_damaged_then_value_error():
    engine = Engine((1, 2))
    engine.process(buy(1, 100, 5)._replace(symbol=2).pack())
    image = engine.snapshot()
    for at in range(len(image)):
        damaged = bytearray(image)
        damaged[at] ^= 1
        for wrong in (damaged, image[:at]):
            with pytest.raises(ValueError, match="snapshot"):
                Engine.restore(wrong)
    body = image[:-32]
    twice = body[:12] + (3).to_bytes(4, "little") + body[16:] + body[16 : 16 + 8 + 40]
    lies = [body[:8] + b"\3" + body[9:], body[:12] + b"\3" + body[13:], body + b"\0", twice]
    for lie in lies:
        with pytest.raises(ValueError, match="snapshot"):
            Engine.restore(lie + digest(lie))


def test_memory_when_many_books_are_idle_then_small():
    engine = Engine(range(1000))
    assert engine.memory_bytes() < 1000 * 1024
    assert engine.book(5).memory_bytes() < 1024


def test_op_when_engine_is_empty_then_nobody_answers():
    assert Engine(()).process(Command(Op.MASS_CANCEL, symbol=ALL_SYMBOLS).pack()) == b""
