"""Books in threads: different books run at once and answer as they do alone, a book takes one thread at a time.

Nothing here measures time: what runs beside a batch is counted. benchmarks/bench_threads.py measures.
"""

import random
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from matcher_core import Book, Command, Op
from tests.core.builders import a_seed
from tests.core.test_differential import random_command

SYMBOL = 3  # of random_command
RESTING = 20_000
SWEEPS = 2_000
ROUNDS = 200


@pytest.fixture
def patient_interpreter() -> Iterator[None]:
    """No thread is made to give up the GIL, so it changes hands only where it is released on purpose."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1_000)
    yield
    sys.setswitchinterval(before)


def in_threads(*jobs: Callable[[], None]) -> None:
    """Run each in a thread of its own, begun together; an exception in one fails the test."""
    failures: list[BaseException] = []
    barrier = threading.Barrier(len(jobs))

    def guarded(job: Callable[[], None]) -> None:
        try:
            barrier.wait()
            job()
        except BaseException as error:  # noqa: BLE001  # any failure of a thread is raised in the test's own
            failures.append(error)

    threads = [threading.Thread(target=guarded, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def a_long_batch() -> tuple[Book, bytes]:
    """A book with many orders, and commands that each look at all of them and change nothing."""
    book = Book(SYMBOL)
    orders = [
        Command(
            Op.LIMIT, i & 1, symbol=SYMBOL, order_id=i + 1, owner=1, price=1000 + 500 * (i & 1) + i % 100, quantity=5
        )
        for i in range(RESTING)
    ]
    book.process(b"".join(order.pack() for order in orders))
    assert len(book) == RESTING
    return book, Command(Op.MASS_CANCEL, symbol=SYMBOL, owner=2).pack() * SWEEPS


def batches(seed: int) -> list[bytes]:
    rng = random.Random(seed)
    commands = [random_command(rng, seq, rng.randrange(95, 106)).pack() for seq in range(20_000)]
    return [b"".join(commands[at : at + 500]) for at in range(0, len(commands), 500)]


def test_books_in_four_threads_when_run_at_once_then_give_the_bytes_of_a_serial_run():
    seed = a_seed()
    work = [batches(seed + i) for i in range(4)]
    serial, threaded = ([Book(SYMBOL) for _ in work] for _ in range(2))
    expected = [[bytes(book.process(batch)) for batch in own] for book, own in zip(serial, work, strict=True)]
    got: list[list[bytes]] = [[] for _ in work]

    def job(number: int) -> Callable[[], None]:
        return lambda: got[number].extend(bytes(threaded[number].process(batch)) for batch in work[number])

    in_threads(*(job(number) for number in range(4)))
    assert got == expected
    assert [book.snapshot() for book in threaded] == [book.snapshot() for book in serial]


@pytest.mark.usefixtures("patient_interpreter")
def test_process_when_it_runs_then_other_python_threads_make_progress():
    """The counting thread can only run while `process` has released the GIL: nothing takes it away from the other one."""
    book, batch = a_long_batch()
    counted, counted_within = 0, 0
    ends = threading.Event()

    def count() -> None:
        nonlocal counted
        while not ends.is_set():
            counted += 1
            time.sleep(0)  # gives the GIL back each time, or the batch could not end

    def process() -> None:
        nonlocal counted_within
        try:
            before = counted
            book.process(batch)
            counted_within = counted - before
        finally:
            ends.set()

    in_threads(count, process)
    assert counted_within > 100


def test_process_when_another_thread_is_inside_then_runtime_error_and_no_effect():
    """Two threads try for the same book until they meet; whoever came second is told so, and the first is not disturbed."""
    book, batch = a_long_batch()
    before = book.orders()
    answered, refused = [0, 0], [0, 0]

    def job(number: int) -> Callable[[], None]:
        def once() -> None:
            try:
                answered[number] += len(book.process(batch)) // 64
            except RuntimeError as error:
                refused[number] += "in use" in str(error)

        return once

    rounds = 0
    while sum(refused) == 0 and rounds < ROUNDS:
        in_threads(job(0), job(1))
        rounds += 1
    assert sum(refused) > 0
    assert sum(answered) == SWEEPS * (2 * rounds - sum(refused))
    assert book.orders() == before
    book.check_invariants()


QUERIES: dict[str, Callable[[Book], object]] = {
    "best_bid": lambda book: book.best_bid,
    "order": lambda book: book.order(1),
    "depth": lambda book: book.depth(3),
    "snapshot": lambda book: book.snapshot(),
    "state_hash": lambda book: book.state_hash(),
    "check_invariants": lambda book: book.check_invariants(),
}


@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES.keys())
def test_query_when_another_thread_is_inside_then_runtime_error_instead_of_half_a_state(
    query: Callable[[Book], object],
):
    book, batch = a_long_batch()
    refused = 0
    ends = threading.Event()

    def process() -> None:
        answered = 0
        while not refused and answered < ROUNDS:
            with suppress(RuntimeError):  # the question came first this time
                book.process(batch)
                answered += 1
        ends.set()

    def ask() -> None:
        nonlocal refused
        while not ends.is_set() and not refused:
            try:
                query(book)
            except RuntimeError as error:
                refused += "in use" in str(error)

    in_threads(process, ask)
    assert refused == 1
