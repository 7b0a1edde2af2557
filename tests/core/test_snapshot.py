"""Snapshots: going on from one equals never having stopped, and damaged ones are refused."""

import hashlib
import random

import pytest

from matcher_core import Book, ReferenceBook, SelfTradePrevention
from matcher_core.snapshot import ORDER, Header, seal
from matcher_core.types import BookState, Place, TimeInForce
from tests.core.builders import a_seed, buy, sell, send, state
from tests.core.test_differential import SYMBOL, clustered, random_command


def test_restore_when_taken_at_any_step_then_the_rest_is_equal():
    rng = random.Random(a_seed())
    commands = [random_command(rng, i, clustered(rng)).pack() for i in range(400)]
    whole = Book(SYMBOL)
    outputs = [whole.process(c) for c in commands]
    running = Book(SYMBOL)
    for step, command in enumerate(commands):
        if step % 10 == 0:
            resumed = Book.restore(running.snapshot())
            assert [resumed.process(c) for c in commands[step:]] == outputs[step:]
            assert resumed.snapshot() == whole.snapshot()
            resumed.check_invariants()
        running.process(command)


def a_book() -> Book:
    book = Book(5, stp=SelfTradePrevention.CANCEL_BOTH, max_orders=10)
    send(book, *[c._replace(symbol=5) for c in (buy(1, 100, 5, owner=7), buy(2, 99, 6), sell(3, 105, 1, group=4))])
    send(book, state(BookState.CANCEL_ONLY)._replace(symbol=5))
    return book


def test_snapshot_when_restored_then_settings_and_orders_are_back():
    book = Book.restore(a_book().snapshot())
    assert (book.symbol, book.stp, book.max_orders, book.state) == (5, 3, 10, BookState.CANCEL_ONLY)
    assert book.orders() == a_book().orders()
    assert ReferenceBook.restore(a_book().snapshot()).snapshot() == book.snapshot()


def test_state_hash_when_the_same_commands_are_cut_differently_then_equal():
    one, other = Book(), Book()
    commands = [buy(1, 100, 5), buy(2, 2**60, 5), sell(3, 2**60, 5), buy(4, 99, 1)]
    send(one, *commands)
    for command in commands:
        send(other, command)
    assert one.state_hash() == other.state_hash() == one.snapshot()[-32:]


def test_state_hash_when_history_differs_then_differs():
    one, other = Book(), Book()
    send(one, buy(1, 100, 5))
    send(other, buy(9, 50, 5), buy(1, 100, 5))
    other.cancel(9)
    assert one.orders() == other.orders()
    assert one.state_hash() != other.state_hash()


def test_state_hash_is_blake2b_of_the_documented_bytes():
    image = a_book().snapshot()
    assert hashlib.blake2b(image[:-32], digest_size=32).digest() == image[-32:]


@pytest.mark.parametrize("kind", [Book, ReferenceBook])
def test_restore_when_a_byte_is_changed_then_refused(kind: type[Book | ReferenceBook]):
    image = a_book().snapshot()
    for at in range(len(image)):
        damaged = bytearray(image)
        damaged[at] ^= 1
        with pytest.raises(ValueError, match="snapshot"):
            kind.restore(bytes(damaged))
    for length in range(len(image)):
        with pytest.raises(ValueError, match="snapshot"):
            kind.restore(image[:length])


def row(order_id: int, lots: int, owner: int, group: int, price: int, side: int) -> bytes:
    return ORDER.pack(order_id, lots, owner, group, price, side, Place.BOOK, TimeInForce.GTC, 0)


def head(*, stp: int = 1, state: int = 1, max_orders: int = 3, orders: int = 0) -> bytes:
    """The header of a book without history."""
    return Header(0, stp, state, 0, max_orders, orders, 0, 0, 1, *[0] * 15).pack()


@pytest.mark.parametrize(
    "rows",
    [
        [row(1, 5, 0, 0, 100, 0), row(1, 5, 0, 0, 99, 0)],  # an id twice
        [row(0, 5, 0, 0, 100, 0)],
        [row(1, 0, 0, 0, 100, 0)],
        [row(1, 5, 0, 0, 0, 0)],
        [row(1, 5, 0, 0, -5, 0)],
        [row(1, 5, 0, 0, 100, 2)],  # no such side
        [row(1, 5, 3, 0, 100, 0)],  # owner without group
        [row(1, 5, 0, 0, 99, 0), row(2, 5, 0, 0, 100, 0)],  # bids out of order
        [row(1, 5, 0, 0, 101, 1), row(2, 5, 0, 0, 100, 1)],  # asks out of order
        [row(1, 5, 0, 0, 101, 1), row(2, 5, 0, 0, 100, 0)],  # asks before bids
        [row(1, 5, 0, 0, 100, 0), row(2, 5, 0, 0, 100, 1)],  # crossed
        [row(1, 2**64 - 1, 0, 0, 100, 0), row(2, 1, 0, 0, 100, 0)],  # side total
        [row(i, 1, 0, 0, 100, 0) for i in range(1, 5)],  # more than max_orders
    ],
)
def test_restore_when_well_sealed_but_impossible_then_refused(rows: list[bytes]):
    body = head(orders=len(rows)) + b"".join(rows)
    with pytest.raises(ValueError):  # noqa: PT011 - enum errors say it in their own words
        Book.restore(seal(body))


@pytest.mark.parametrize(("stp", "book_state", "max_orders"), [(9, 1, 3), (1, 0, 3), (1, 1, 0), (1, 1, 2**40)])
def test_restore_when_a_setting_is_impossible_then_refused(stp: int, book_state: int, max_orders: int):
    with pytest.raises(ValueError):  # noqa: PT011  # any ValueError will do: the text is not promised
        Book.restore(seal(head(stp=stp, state=book_state, max_orders=max_orders)))
