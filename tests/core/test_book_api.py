"""What the compiled book promises beyond the rules: its single calls, its buffers, its memory and its threads."""

import re
import subprocess
import sys
import threading
import time
from itertools import count
from pathlib import Path

import numpy as np
import pytest

import matcher_core
from matcher_core import (
    COMMAND_FIELDS,
    EVENT_FIELDS,
    RECORD_SIZE,
    Accepted,
    Book,
    Canceled,
    CancelReason,
    Command,
    MassCanceled,
    Op,
    RejectCode,
    Rejected,
    Replaced,
    SelfTradePrevention,
    Side,
    StateChanged,
    TimeInForce,
    Trade,
    decode_events,
    encode_event,
    types,
)
from matcher_core.types import BookState
from tests.core.builders import BUY, SELL, buy, cancel, sell, send


def test_single_calls_when_used_then_typed_events():
    book = Book()
    assert book.limit(1, SELL, 101, 10, owner=7, seq=5) == (Accepted(5, 1, SELL, 101, 10, 10),)
    assert book.limit(2, BUY, 101, 4, owner=8) == (Accepted(0, 2, BUY, 101, 4, 0), Trade(0, 2, 1, BUY, 101, 4, 0, 6))
    assert book.limit(3, BUY, 101, 4, post_only=True) == (Rejected(0, 3, RejectCode.POST_ONLY_WOULD_TRADE),)
    assert book.limit(3, BUY, 101, 40, tif=TimeInForce.FOK) == (Rejected(0, 3, RejectCode.FOK_NOT_FILLABLE),)
    assert book.replace(1, 101, 5, owner=7) == (Replaced(0, 1, SELL, 101, 5, 5, kept_priority=True),)
    assert book.market(4, BUY, 1, protection_ticks=100)[-1] == Canceled(0, 4, BUY, 100, 1, CancelReason.REMAINDER)
    assert book.cancel(1, owner=8) == (Rejected(0, 1, RejectCode.NOT_OWNER),)
    assert book.cancel(1, owner=7) == (Canceled(0, 1, SELL, 101, 5, CancelReason.USER),)
    assert book.mass_cancel(owner=7) == (MassCanceled(0, 7, 0),)
    assert book.set_state(BookState.HALTED) == (StateChanged(0, BookState.HALTED, BookState.TRADING),)
    assert repr(book) == "<Book symbol=0 state=HALTED orders=0>"


def test_single_calls_when_a_number_does_not_fit_then_overflow_error():
    book = Book()
    for arguments in [(-1, BUY, 1, 1), (2**64, BUY, 1, 1), (1, BUY, 2**63, 1), (1, BUY, 1, 2**64), (1, 256, 1, 1)]:
        with pytest.raises(OverflowError):
            book.limit(*arguments)  # pyright: ignore[reportArgumentType]  # wrong on purpose
    for arguments in [(1.0, BUY, 1, 1), (1, BUY, 1.5, 1), (1, BUY, 1, 1.0), (1, BUY, "1", 1), (1, BUY, 1, None)]:
        with pytest.raises(TypeError):
            book.limit(*arguments)  # pyright: ignore[reportArgumentType]  # wrong on purpose
    assert len(book) == 0


@pytest.mark.parametrize("arguments", [{"max_orders": 0}, {"max_orders": 2**32}, {"stp": 9}])
def test_book_when_a_setting_is_impossible_then_value_error(arguments: dict[str, int]):
    with pytest.raises(ValueError):  # noqa: PT011 - the enum says it in its own words
        Book(**arguments)  # pyright: ignore[reportArgumentType]  # wrong on purpose


def test_process_when_any_contiguous_buffer_then_accepted():
    packed = buy(1, 100, 5).pack() + sell(2, 100, 5).pack()
    outputs = {Book().process(kind(packed)) for kind in (bytes, bytearray, memoryview)}
    shifted = memoryview(b"x" + packed)[1:]  # records need no alignment
    assert outputs == {Book().process(shifted)}
    assert Book().process(b"") == b""


def test_process_when_length_is_wrong_then_value_error_and_no_effect():
    book = Book()
    with pytest.raises(ValueError, match="multiple of 64 bytes, was 65"):
        book.process(buy(1, 100, 5).pack() + b"x")
    assert len(book) == 0
    with pytest.raises(TypeError):
        book.process("text")  # pyright: ignore[reportArgumentType]  # wrong on purpose


def test_process_when_records_are_garbage_then_refusals_and_never_a_crash():
    book = Book(2**32 - 1)
    for byte in range(256):
        events = decode_events(book.process(bytes([byte]) * 64 * 3))
        assert [type(e) for e in events] == [Rejected] * 3
    book.check_invariants()


def test_events_when_decoded_and_encoded_then_the_same_bytes():
    book = Book(4)
    commands = [buy(1, 100, 5), sell(2, 100, 7), buy(2, 1, 1), sell(3, 100, 1), cancel(3)]
    more = [Command(Op.REPLACE, order_id=2, price=101, quantity=1), Command(Op.MASS_CANCEL)]
    packed = b"".join(c._replace(symbol=4).pack() for c in [*commands, *more, Command(Op.SET_STATE, quantity=2)])
    raw = book.process(packed)
    assert b"".join(encode_event(e, 4) for e in decode_events(raw)) == raw
    assert {type(e) for e in decode_events(raw)} == {
        Accepted, Trade, Rejected, Canceled, Replaced, MassCanceled, StateChanged,
    }  # fmt: skip


def test_records_when_built_and_read_with_numpy_then_the_same():
    commands = np.zeros(2, np.dtype(COMMAND_FIELDS))
    commands["op"], commands["side"], commands["order_id"] = Op.LIMIT, [BUY, SELL], [1, 2]
    commands["price"], commands["quantity"] = 100, [5, 3]
    raw = Book().process(commands.data)
    assert raw == Book().process(buy(1, 100, 5)._replace(seq=0).pack() + sell(2, 100, 3)._replace(seq=0).pack())
    events = np.frombuffer(raw, np.dtype(EVENT_FIELDS))
    assert events["type"].tolist() == [1, 1, 2]
    assert events["counter_leaves"].tolist() == [0, 0, 2]
    assert (commands.itemsize, events.itemsize) == (RECORD_SIZE, RECORD_SIZE)


def test_constants_when_compiled_then_those_of_types():
    source = Path(matcher_core.__file__).with_name("book.pyx").read_text()
    block = source[source.index("the numbers of types.py") : source.index("\ninclude")]
    compiled = {name: int(value) for name, value in re.findall(r"^    ([A-Z_]+) = (\d+)$", block, re.MULTILINE)}
    families = {
        "TIF_": types.TimeInForce, "OP_": types.Op, "FLAG_": types.CommandFlag, "STATE_": types.BookState,
        "STP_": types.SelfTradePrevention, "EVENT_": types.EventType, "REASON_": types.CancelReason,
        "REJECT_": types.RejectCode, "PEG_": types.PegKind, "PLACE_": types.Place, "TRIGGER_": types.TriggerReason,
        "BAND_": types.BandKind, "": types.Side,
    }  # fmt: skip
    for name, value in compiled.items():
        prefix = next(p for p in families if name.startswith(p))
        assert families[prefix][name.removeprefix(prefix)] == value
    assert {n.removeprefix("REJECT_") for n in compiled if n.startswith("REJECT_")} == set(RejectCode.__members__)


# ---- memory ---------------------------------------------------------------------------------------------------------


def test_memory_when_book_is_idle_then_small():
    book = Book()
    assert book.memory_bytes() < 1024
    book.limit(1, BUY, 100, 5)
    book.limit(2, SELL, 10**15, 5)
    assert book.memory_bytes() < 16 * 1024


def test_memory_when_prices_are_scattered_then_follows_orders_not_prices():
    book = Book()
    for i in range(1, 1001):
        book.limit(i, BUY, i * 10**9, 1)
    assert book.memory_bytes() < 1000 * 1024
    book.check_invariants()


def test_memory_when_warm_then_steady():
    """After one round every later round of the same size allocates nothing."""
    book = Book()
    ids = count(1)

    def one_round() -> int:
        batch = [next(ids) for _ in range(2000)]
        for packed in ([buy(i, 100 + i % 50, 1) for i in batch], [cancel(i) for i in batch]):
            send(book, *packed)
        return book.memory_bytes()

    warm = one_round()
    assert {one_round() for _ in range(20)} == {warm}
    assert len(book) == 0


OUT_OF_MEMORY = """
import resource, sys
from matcher_core import Book, Rejected, RejectCode, Side
book, next_id = Book(), 1
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + (48 << 20), -1))
while True:
    (event, *_) = book.limit(next_id, Side.BUY, 100, 5)
    if isinstance(event, Rejected):
        break
    next_id += 1
assert event.code is RejectCode.OUT_OF_MEMORY, event
assert len(book) == next_id - 1 > 100_000
assert book.order(next_id) is None
assert not isinstance(book.cancel(1)[0], Rejected)
assert not isinstance(book.limit(next_id, Side.BUY, 100, 5)[0], Rejected)  # into the freed slot
resource.setrlimit(resource.RLIMIT_AS, (-1, -1))
book.check_invariants()
"""


def test_memory_when_there_is_no_more_then_a_reject_code_and_the_book_goes_on():
    done = subprocess.run(
        [sys.executable, "-c", OUT_OF_MEMORY], capture_output=True, text=True, check=False, timeout=120
    )
    assert (done.returncode, done.stderr) == (0, "")


# ---- threads --------------------------------------------------------------------------------------------------------


def a_long_batch() -> bytes:
    """New and cancel, a few hundred thousand times: some tens of milliseconds without the GIL."""
    pair = buy(1, 100, 5).pack() + cancel(1).pack()
    return pair * 200_000


def test_gil_when_a_batch_runs_then_other_threads_go_on():
    packed, book, spans = a_long_batch(), Book(), list[tuple[int, int]]()

    def work() -> None:
        begin = time.perf_counter_ns()
        book.process(packed)
        spans.append((begin, time.perf_counter_ns()))

    worker = threading.Thread(target=work)
    worker.start()
    ticks: list[int] = []
    while worker.is_alive():
        ticks.append(time.perf_counter_ns())
    begin, end = spans[0]
    third = (end - begin) // 3
    assert sum(begin + third < tick < end - third for tick in ticks) > 100  # this thread ran in the middle of the batch


def test_book_when_two_threads_use_it_then_the_second_is_told():
    packed, book, refused = a_long_batch(), Book(), list[str]()
    worker = threading.Thread(target=book.process, args=(packed,))
    worker.start()
    while worker.is_alive():
        try:
            book.orders()
        except RuntimeError as error:
            refused.append(str(error))
    assert set(refused) == {"the book is in use by another thread"}
    book.check_invariants()


def test_books_when_each_has_its_thread_then_independent():
    batches = [b"".join(buy(i, 100 + s, 1 + s)._replace(symbol=s).pack() for i in range(1, 5000)) for s in range(4)]
    books = [Book(s, stp=SelfTradePrevention.OFF) for s in range(4)]
    threads = [threading.Thread(target=book.process, args=(batch,)) for book, batch in zip(books, batches, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for s, (book, batch) in enumerate(zip(books, batches, strict=True)):
        alone = Book(s, stp=SelfTradePrevention.OFF)
        alone.process(batch)
        assert book.state_hash() == alone.state_hash()


def test_public_names_when_listed_then_all_exist():
    assert all(hasattr(matcher_core, name) for name in matcher_core.__all__)
    assert Side.BUY == 0
