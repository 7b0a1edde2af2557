"""The reference engine: many reference books behind one door."""

import random

import pytest

from matcher_core import (
    ALL_SYMBOLS,
    Command,
    MassCanceled,
    Op,
    ReferenceBook,
    ReferenceEngine,
    RejectCode,
    Rejected,
    SelfTradePrevention,
    StateChanged,
    decode_events,
)
from matcher_core import records as r
from matcher_core.snapshot import digest
from matcher_core.types import BookState
from tests.core import generators
from tests.core.builders import BUY, SELL, a_seed, buy, iceberg, sell
from tests.core.generators import World, packed

SYMBOLS = (7, 0, 2**20 - 1, 300)


def a_flow(rng: random.Random, books: dict[int, ReferenceBook]) -> list[Command]:
    """One batch for one of the books."""
    return generators.any_batch(World(rng, books[rng.choice(SYMBOLS)], ids=60, seq=rng.randrange(2**32)))


def test_engine_when_books_share_it_then_each_is_as_if_alone():
    rng = random.Random(a_seed())
    engine, alone = ReferenceEngine(SYMBOLS), {symbol: ReferenceBook(symbol) for symbol in SYMBOLS}
    for _ in range(500):
        data = packed(commands := a_flow(rng, alone))
        assert engine.process(data) == alone[commands[0].symbol].process(data)
    assert [engine.book(s).snapshot() for s in SYMBOLS] == [alone[s].snapshot() for s in SYMBOLS]
    assert len(engine) == sum(map(len, alone.values()))
    engine.check_invariants()
    again = ReferenceEngine.restore(engine.snapshot())
    assert again.snapshot() == engine.snapshot()
    assert again.state_hash() == digest(engine.snapshot()[:-32])
    assert again.symbols == SYMBOLS


def test_engine_when_all_symbols_are_named_then_every_book_answers_in_the_order_opened():
    engine = ReferenceEngine((3, 1))
    engine.apply(buy(1, 100, 5, owner=7)._replace(symbol=1))
    engine.apply(sell(2, 100, 5, owner=7)._replace(symbol=3))
    events = engine.apply(r.mass_cancel(owner=7, symbol=ALL_SYMBOLS))
    assert [e for e in events if isinstance(e, MassCanceled)] == [MassCanceled(0, 7, 1)] * 2
    raw = engine.process(r.set_state(BookState.HALTED, symbol=ALL_SYMBOLS).pack())
    assert decode_events(raw) == (StateChanged(0, BookState.HALTED, BookState.TRADING),) * 2
    assert [int.from_bytes(raw[at + 4 : at + 8], "little") for at in (0, 64)] == [3, 1]
    assert len(engine.apply(r.clock(5, symbol=ALL_SYMBOLS))) == 2


@pytest.mark.parametrize(
    "command",
    [buy(9, 100, 5), r.cancel(order_id=9), r.uncross(), r.set_bands(reference=0, static_width=0), buy(9, 0, 0)],
)
def test_engine_when_an_op_is_not_for_all_then_wrong_symbol(command: Command):
    engine = ReferenceEngine((0, 1))
    before = engine.state_hash()
    events = engine.apply(command._replace(symbol=ALL_SYMBOLS))
    assert events == (Rejected(command.seq, command.order_id, RejectCode.WRONG_SYMBOL),)
    assert engine.state_hash() == before


def test_engine_when_no_book_has_the_symbol_then_refused_with_it_and_nobody_counts():
    engine = ReferenceEngine((1,))
    before = engine.state_hash()
    raw = engine.process(buy(9, 100, 5)._replace(symbol=2).pack())
    assert decode_events(raw) == (Rejected(9, 9, RejectCode.WRONG_SYMBOL),)
    assert raw[4] == 2
    assert decode_events(engine.process(Command(99, symbol=5).pack())) == (Rejected(0, 0, RejectCode.UNKNOWN_OP),)
    assert engine.state_hash() == before


def test_engine_when_pairs_are_for_several_books_then_each_is_one_command():
    engine = ReferenceEngine((1, 2))
    commands = [
        iceberg(5, side, 100, 20, 4)._replace(symbol=s) for s, side in ((1, BUY), (2, SELL), (9, BUY), (1, SELL))
    ]
    events = decode_events(engine.process(packed(commands)))
    assert [type(event).__name__ for event in events] == ["Accepted", "Accepted", "Rejected", "Rejected"]
    assert len(engine) == 2


def test_engine_when_books_are_opened_then_found_by_symbol():
    engine = ReferenceEngine(stp=SelfTradePrevention.DECREMENT, max_orders=5)
    assert engine.symbols == (0,)
    book = engine.open(5)
    assert (book.symbol, book.stp, book.max_orders) == (5, SelfTradePrevention.DECREMENT, 5)
    assert engine.book(5) is book
    with pytest.raises(ValueError, match="open already"):
        engine.open(5)
    with pytest.raises(ValueError, match="0 to 1048575"):
        engine.open(2**20)
    with pytest.raises(KeyError):
        engine.book(6)


def test_engine_when_it_has_no_book_then_nobody_answers():
    engine = ReferenceEngine(())
    assert engine.process(Command(Op.MASS_CANCEL, symbol=ALL_SYMBOLS).pack()) == b""
    assert ReferenceEngine.restore(engine.snapshot()).symbols == ()


def test_restore_when_an_engine_image_is_damaged_then_value_error():
    engine = ReferenceEngine((1, 2))
    engine.process(buy(1, 100, 5)._replace(symbol=2).pack())
    image = engine.snapshot()
    for at in range(0, len(image), 3):
        damaged = bytearray(image)
        damaged[at] ^= 1
        for wrong in (bytes(damaged), image[:at]):
            with pytest.raises(ValueError, match="snapshot"):
                ReferenceEngine.restore(wrong)


def test_restore_when_an_engine_image_is_well_sealed_but_impossible_then_value_error():
    body = ReferenceEngine((1, 2)).snapshot()[:-32]
    one = body[16 : 16 + (len(body) - 16) // 2]
    other = ReferenceEngine((3,), max_orders=9).snapshot()[16:-32]
    lies = {
        "version": body[:8] + b"\3" + body[9:],
        "count": body[:12] + b"\3" + body[13:],
        "more": body + b"\0",
        "length": body[:16] + b"\xff" + body[17:],
        "twice": body[:12] + b"\3" + body[13:] + one,
        "settings": body[:12] + b"\3" + body[13:] + other,
        "symbol": body.replace(
            (2).to_bytes(4, "little") + (2).to_bytes(4, "little"), (2).to_bytes(4, "little") + b"\0\0\x10\0"
        ),
    }
    for lie in lies.values():
        with pytest.raises(ValueError, match="snapshot"):
            ReferenceEngine.restore(lie + digest(lie))
