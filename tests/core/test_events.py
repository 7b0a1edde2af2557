"""The events a call returns: memory that stays as it was while anyone looks, and what is derived from them."""

import gc
import random
import subprocess
import sys
import threading

import pytest

from matcher_core import SelfTradePrevention, decode_events
from matcher_core.book import Book, Engine
from matcher_core.types import EventType
from tests.core.builders import BUY, SELL, a_seed, buy, cancel, sell, send
from tests.core.test_differential import SYMBOL, near, random_command


def test_views_when_kept_then_never_change():
    rng = random.Random(a_seed())
    engine, kept = Engine((SYMBOL,)), list[tuple[memoryview, bytes]]()
    for i in range(300):
        view = engine.process(b"".join(random_command(rng, i, near(rng)).pack() for _ in range(rng.randrange(200))))
        if rng.random() < 0.5:
            kept.append((view, bytes(view)))
        if rng.random() < 0.3 and kept:
            kept.pop(rng.randrange(len(kept)))
    del engine
    gc.collect()
    assert all(view == copy for view, copy in kept)


def test_view_when_a_slice_is_all_that_is_left_then_it_stays():
    book = Book()
    part = book.process(buy(1, 100, 5).pack() * 2)[64:]
    before = bytes(part)
    book.process(sell(2, 101, 7).pack() * 50)
    assert part == before


def test_view_when_asked_for_then_read_only_bytes():
    view = Book().process(buy(1, 100, 5).pack())
    assert (view.readonly, view.format, view.shape, view.contiguous) == (True, "B", (64,), True)
    with pytest.raises(TypeError):
        view[0] = 1
    with pytest.raises(BufferError, match="through the view"):
        memoryview(view.obj)


def test_memory_when_views_are_dropped_then_the_same_buffer_serves_every_call():
    book, packed = Book(), buy(1, 100, 5).pack() + cancel(1).pack()
    book.process(packed)
    warm = book.memory_bytes()
    owners = {id(book.process(packed).obj) for _ in range(200)}
    assert (len(owners), book.memory_bytes()) == (1, warm)


def test_memory_when_one_batch_was_huge_then_its_buffer_is_given_back():
    book = Book()
    book.process((buy(1, 100, 5).pack() + cancel(1).pack()) * 50_000)
    assert book.memory_bytes() > 6_400_000
    for _ in range(100):
        book.process(cancel(1).pack())
    assert book.memory_bytes() < 100_000


OUT_OF_MEMORY = """
import resource
from matcher_core import BookState, Side
from matcher_core.book import Book
from matcher_core.records import mass_cancel, cancel
book = Book()
for i in range(1, 400_001):
    book.limit(i, Side.BUY, 1 + i % 100, 1, owner=7)
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + (8 << 20), -1))
try:
    book.process(mass_cancel(owner=7).pack())
except MemoryError as error:
    print(error)
for call in (lambda: book.cancel(1), lambda: book.process(b""), book.orders, book.snapshot, lambda: book.best_bid):
    try:
        call()
    except RuntimeError as error:
        print(error)
"""


def test_book_when_events_were_lost_then_every_later_call_says_so():
    done = subprocess.run(
        [sys.executable, "-c", OUT_OF_MEMORY], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stderr == ""
    first, *rest = done.stdout.splitlines()
    assert first == "no memory for events: rebuild the book from its commands"
    assert rest == ["the book lost events for want of memory: rebuild it from its commands"] * 5


# ---- rolling hash and statistics --------------------------------------------------------------------------------------


def splitmix64(state: int) -> int:
    z = (state ^ (state >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB % 2**64
    return z ^ (z >> 31)


FACTORS = [splitmix64((0x746F6B656E782D78 + i * 0x9E3779B97F4A7C15) % 2**64) | 1 for i in range(1, 10)]


def rolled(events: bytes | memoryview, start: int = 0) -> int:
    """The rolling hash by its definition."""
    h = start
    for at in range(0, len(events), 64):
        words = [int.from_bytes(events[at + i : at + i + 8], "little") for i in range(0, 64, 8)]
        h ^= sum(word * factor for word, factor in zip(words, FACTORS[:8], strict=True)) % 2**64
        h = (h << 29 | h >> 35) % 2**64 * FACTORS[8] % 2**64
    return h


def test_rolling_hash_when_events_are_made_then_as_defined_however_they_are_asked_for():
    rng = random.Random(a_seed())
    commands = [random_command(rng, i, near(rng)).pack() for i in range(500)]
    book, engine = Book(SYMBOL), Engine((1, SYMBOL))
    events = b"".join(bytes(book.process(c)) for c in commands)
    engine.process(b"".join(commands))
    assert book.rolling_hash == engine.book(SYMBOL).rolling_hash == rolled(events) != 0
    assert engine.book(1).rolling_hash == Book().rolling_hash == 0


def test_rolling_hash_when_a_symbol_is_wrong_then_the_refusing_book_counts_it():
    book, engine = Book(5), Engine((5,))
    raw = book.process(buy(1, 100, 5).pack())
    engine.process(buy(1, 100, 5).pack())
    assert book.rolling_hash == rolled(raw)
    assert engine.book(5).rolling_hash == 0  # no book refused it, the engine did


def test_statistics_when_commands_ran_then_as_counted_from_the_events():
    rng = random.Random(a_seed())
    book = Book(SYMBOL, stp=SelfTradePrevention.CANCEL_BOTH)
    commands = [random_command(rng, i, near(rng)) for i in range(2000)]
    events = bytes(book.process(b"".join(c.pack() for c in commands)))
    rows = [(events[at], events[at + 32 : at + 40], events[at + 40 : at + 48]) for at in range(0, len(events), 64)]
    kinds = [EventType(kind) for kind, _, _ in rows]
    prices = [int.from_bytes(price, "little") for kind, price, _ in rows if kind == EventType.TRADE]
    lots = sum(int.from_bytes(quantity, "little") for kind, _, quantity in rows if kind == EventType.TRADE)
    counted = [kinds.count(k) for k in (EventType.ACCEPTED, EventType.REJECTED, EventType.CANCELED, EventType.TRADE)]
    assert book.statistics() == (*counted, lots, prices[0], max(prices), min(prices), prices[-1])
    assert Book().statistics() == (0,) * 9


# ---- one caller at a time ---------------------------------------------------------------------------------------------


def test_engine_when_two_threads_use_it_then_the_second_is_told():
    engine, refused = Engine((0,)), list[str]()
    packed = (buy(1, 100, 5).pack() + cancel(1).pack()) * 200_000
    worker = threading.Thread(target=lambda: engine.process(packed))
    worker.start()
    while worker.is_alive():
        for call in (engine.snapshot, lambda: engine.open(5), lambda: engine.book(0)):
            try:
                call()
            except (RuntimeError, ValueError) as error:
                refused.append(str(error))
    assert "the engine is in use by another thread" in refused
    engine.check_invariants()


def test_view_of_a_book_when_used_then_like_a_book():
    book = Engine((0, 9)).book(9)
    assert book.limit(1, SELL, 101, 10, owner=7) == Book(9).limit(1, SELL, 101, 10, owner=7)
    assert len(send(book, buy(2, 101, 4)._replace(symbol=9))) == 2
    assert (book.best_ask, book.best_bid, len(book), book.symbol) == (101, None, 1, 9)
    assert book.depth(5)[1][0].quantity_lots == 6
    assert decode_events(book.process(cancel(1, owner=7)._replace(symbol=9).pack()))[0].seq == 0
    assert Book.restore(book.snapshot()).snapshot() == book.snapshot()
    book.check_invariants()
    assert book.limit(3, BUY, 5, 5)
