"""Snapshots: going on from one equals never having stopped, and damaged ones are refused."""

import hashlib
import random

import pytest

from matcher_core import Book, ReferenceBook, SelfTradePrevention
from matcher_core.snapshot import HEADER, ORDER, BookImage, DetailRow, OrderRow, parse, seal
from matcher_core.types import BookState
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


def a_book(kind: type[Book | ReferenceBook] = Book) -> Book | ReferenceBook:
    book = kind(5, stp=SelfTradePrevention.CANCEL_BOTH, max_orders=10)
    send(book, *[c._replace(symbol=5) for c in (buy(1, 100, 5, owner=7), buy(2, 99, 6), sell(3, 105, 1, group=4))])
    send(book, state(BookState.CANCEL_ONLY)._replace(symbol=5))
    return book


def test_snapshot_when_restored_then_settings_and_orders_are_back():
    book = Book.restore(a_book().snapshot())
    assert (book.symbol, book.stp, book.max_orders, book.state) == (5, 3, 10, BookState.CANCEL_ONLY)
    assert book.orders() == a_book().orders()
    assert ReferenceBook.restore(a_book().snapshot()).snapshot() == book.snapshot()


def test_snapshot_when_history_differs_but_the_book_is_equal_then_only_what_is_counted_differs():
    one, other = Book(), Book()
    send(one, buy(1, 100, 5), buy(2, 2**60, 5), sell(3, 2**60, 5), buy(4, 99, 1))
    send(other, buy(9, 50, 5), buy(5, 2**60, 5), sell(3, 2**60, 5), buy(4, 99, 1), buy(1, 100, 5))
    other.cancel(9)
    images = [parse(book.snapshot()) for book in (one, other)]
    assert images[0].orders == images[1].orders
    assert [image.header.canceled for image in images] == [0, 1]
    assert images[0].header.rolling_hash != images[1].header.rolling_hash
    assert one.state_hash() == one.snapshot()[-32:] != other.state_hash()


def test_state_hash_is_blake2b_of_the_documented_bytes():
    image = a_book().snapshot()
    assert hashlib.blake2b(image[:-32], digest_size=32).digest() == image[-32:]


@pytest.mark.parametrize("kind", [Book, ReferenceBook])
def test_restore_when_a_byte_is_changed_then_refused(kind: type[Book | ReferenceBook]):
    image = a_book(kind).snapshot()
    for at in range(len(image)):
        damaged = bytearray(image)
        damaged[at] ^= 1
        with pytest.raises(ValueError, match="snapshot"):
            kind.restore(bytes(damaged))
    for length in range(len(image)):
        with pytest.raises(ValueError, match="snapshot"):
            kind.restore(image[:length])


# ---- snapshots nobody wrote ------------------------------------------------------------------------------------------

HALTED, CALL = int(BookState.HALTED), int(BookState.AUCTION)
EMPTY = parse(ReferenceBook(max_orders=3).snapshot()).header
PLAIN = OrderRow(1, 5, 0, 0, 100, side=0, place=0, tif=0, has_details=0)
DETAILED = PLAIN._replace(has_details=1)
DETAIL = DetailRow(1, 1, 100, 0, 0, 0, 0, 0, 0, op=1, peg=0)
ICEBERG = DETAIL._replace(display=5, reserve=7)
GTD = (DETAILED._replace(tif=4), DETAIL._replace(expire_at=9))
STOP = (DETAILED._replace(place=2, price=90), DETAIL)
TRAILING = (DETAILED._replace(place=3, price=105), DETAIL._replace(watermark=100, trail_offset=5, limit=0, op=2))
PEG = (DETAILED._replace(place=5, price=0), DETAIL._replace(peg=1, limit=0))
PRICED_PEG = (DETAILED._replace(place=1), DETAIL._replace(peg=2, limit=0))
ARMED = (DETAILED._replace(place=6, price=0), DETAIL)
CLOSE = PLAIN._replace(place=4, tif=6)


def image(*orders: OrderRow, details: tuple[DetailRow, ...] = (), **header: int) -> bytes:
    fields = {"order_rows": len(orders), "detail_rows": len(details), "next_stamp": 9} | header
    return seal(BookImage(EMPTY._replace(**fields), orders, details).body())


def other(order: OrderRow, **fields: int) -> OrderRow:
    return order._replace(order_id=2)._replace(**fields)


POSSIBLE = {
    "empty": image(),
    "plain": image(PLAIN),
    "iceberg": image(DETAILED, details=(ICEBERG,)),
    "gtd": image(GTD[0], details=(GTD[1],)),
    "stop": image(STOP[0], details=(STOP[1],)),
    "trailing": image(TRAILING[0], details=(TRAILING[1],)),
    "trailing-without-stop": image(TRAILING[0]._replace(price=-(2**63)), details=(TRAILING[1]._replace(watermark=0),)),
    "peg": image(PEG[0], details=(PEG[1],)),
    "priced-peg": image(PRICED_PEG[0], details=(PRICED_PEG[1],), peg_bid=100),
    "armed": image(ARMED[0], details=(ARMED[1],), state=HALTED),
    "close": image(CLOSE._replace(price=0), other(CLOSE)),
    "crossed-in-a-call": image(PLAIN, other(PLAIN, side=1), state=CALL, call_pending=1),
    "market-in-a-call": image(PLAIN._replace(price=0, tif=5), state=CALL, call_pending=1),
    "halted-call": image(PLAIN._replace(price=0, tif=5), state=HALTED, call_pending=1),
}


@pytest.mark.parametrize("data", POSSIBLE.values(), ids=POSSIBLE)
@pytest.mark.parametrize("kind", [Book, ReferenceBook])
def test_restore_when_possible_then_the_same_snapshot_again(kind: type[Book | ReferenceBook], data: bytes):
    book = kind.restore(data)
    book.check_invariants()
    assert book.snapshot() == data


IMPOSSIBLE = {
    "id-twice": image(PLAIN, PLAIN._replace(price=99)),
    "no-id": image(PLAIN._replace(order_id=0)),
    "no-quantity": image(PLAIN._replace(shown_lots=0)),
    "no-price": image(PLAIN._replace(price=0)),
    "negative-price": image(PLAIN._replace(price=-5)),
    "no-such-side": image(PLAIN._replace(side=2)),
    "no-such-place": image(PLAIN._replace(place=7)),
    "no-such-tif": image(PLAIN._replace(tif=7)),
    "immediate": image(PLAIN._replace(tif=1)),
    "owner-without-group": image(PLAIN._replace(owner=3)),
    "bids-out-of-order": image(PLAIN, other(PLAIN, price=101)),
    "asks-out-of-order": image(PLAIN._replace(side=1), other(PLAIN, side=1, price=99)),
    "asks-before-bids": image(PLAIN._replace(side=1), other(PLAIN, price=99)),
    "places-out-of-order": image(PLAIN._replace(place=1), other(PLAIN, price=99)),
    "stops-out-of-order": image(STOP[0], other(STOP[0], price=89), details=(STOP[1], DETAIL._replace(order_id=2, stamp=2))),
    "market-order-behind": image(CLOSE, other(CLOSE, price=0)),
    "crossed": image(PLAIN, other(PLAIN, side=1)),
    "crossed-hidden": image(PLAIN, other(PLAIN, side=1, place=1)),
    "too-much-on-a-side": image(PLAIN._replace(shown_lots=2**64 - 1), other(PLAIN, shown_lots=1)),
    "too-much-with-reserve": image(
        DETAILED, other(PLAIN, shown_lots=2**64 - 10), details=(ICEBERG._replace(reserve=10),)
    ),
    "more-than-max-orders": image(*(PLAIN._replace(order_id=i) for i in range(1, 5))),
    "no-such-stp": image(stp=9),
    "no-such-state": image(state=0),
    "no-room": image(max_orders=0),
    "too-much-room": image(max_orders=2**40),
    "call-not-pending": image(state=CALL),
    "trading-while-pending": image(call_pending=1),
    "pending-twice": image(state=CALL, call_pending=2),
    "negative-last-price": image(last_price=-1),
    "band-around-nothing": image(static_width=1),
    "wide-band": image(static_width=2**62 + 1, static_reference=1),
    "pegs-priced-in-a-halt": image(state=HALTED, peg_ask=1),
    "stamps-from-zero": image(next_stamp=0),
    "opg-outside-a-call": image(PLAIN._replace(tif=5)),
    "cls-outside-a-call": image(PLAIN._replace(tif=6)),
    "hidden-cls": image(PLAIN._replace(tif=6, place=1)),
    "close-but-gtc": image(CLOSE._replace(tif=0)),
    "details-missing": image(STOP[0]),
    "details-not-said": image(PLAIN, details=(ICEBERG,)),
    "details-without-reason": image(DETAILED, details=(DETAIL,)),
    "details-of-another": image(DETAILED, details=(ICEBERG._replace(order_id=7),)),
    "details-twice": image(DETAILED, details=(ICEBERG, ICEBERG._replace(stamp=2))),
    "stamp-zero": image(DETAILED, details=(ICEBERG._replace(stamp=0),)),
    "stamp-to-come": image(DETAILED, details=(ICEBERG._replace(stamp=9),)),
    "limit-elsewhere": image(DETAILED, details=(ICEBERG._replace(limit=101),)),
    "shows-too-much": image(DETAILED, details=(ICEBERG._replace(display=4),)),
    "too-many-parts": image(DETAILED, details=(ICEBERG._replace(reserve=4996),)),
    "hidden-iceberg": image(DETAILED._replace(place=1), details=(ICEBERG,)),
    "reserve-without-display": image(GTD[0], details=(GTD[1]._replace(reserve=1),)),
    "gtd-without-expiry": image(GTD[0], details=(ICEBERG,)),
    "gtd-without-details": image(PLAIN._replace(tif=4)),
    "expiry-without-gtd": image(DETAILED, details=(ICEBERG._replace(expire_at=9),)),
    "expired": image(GTD[0], details=(GTD[1],), clock=9),
    "market-at-rest": image(GTD[0], details=(GTD[1]._replace(op=2),)),
    "no-such-op": image(GTD[0], details=(GTD[1]._replace(op=3),)),
    "stop-without-price": image(STOP[0]._replace(price=0), details=(STOP[1],)),
    "stop-that-trails": image(STOP[0], details=(STOP[1]._replace(trail_offset=1),)),
    "stop-limit-without-limit": image(STOP[0], details=(STOP[1]._replace(limit=0),)),
    "trailing-elsewhere": image(TRAILING[0]._replace(price=104), details=(TRAILING[1],)),
    "trailing-without-offset": image(TRAILING[0], details=(TRAILING[1]._replace(trail_offset=0),)),
    "trailing-too-far": image(
        TRAILING[0]._replace(side=1, price=0), details=(TRAILING[1]._replace(trail_offset=2**62 + 1),)
    ),
    "armed-while-trading": image(ARMED[0], details=(ARMED[1],)),
    "armed-with-a-price": image(ARMED[0]._replace(price=1), details=(ARMED[1],), state=HALTED),
    "no-such-peg": image(PEG[0], details=(PEG[1]._replace(peg=4),)),
    "midpoint-with-offset": image(PEG[0], details=(PEG[1]._replace(peg_offset=1),)),
    "market-peg-without-offset": image(PEG[0], details=(PEG[1]._replace(peg=3),)),
    "peg-beyond-its-cap": image(PRICED_PEG[0], details=(PRICED_PEG[1]._replace(limit=99),)),
    "peg-displayed": image(DETAILED, details=(DETAIL._replace(peg=2, limit=0),)),
    "peg-priced-in-a-halt": image(PRICED_PEG[0], details=(PRICED_PEG[1],), state=HALTED),
    "peg-place-without-peg": image(PEG[0], details=(DETAIL,)),
    "offset-without-peg": image(DETAILED, details=(ICEBERG._replace(peg_offset=1),)),
}  # fmt: skip


@pytest.mark.parametrize("data", IMPOSSIBLE.values(), ids=IMPOSSIBLE)
@pytest.mark.parametrize("kind", [Book, ReferenceBook])
def test_restore_when_well_sealed_but_impossible_then_refused(kind: type[Book | ReferenceBook], data: bytes):
    with pytest.raises(ValueError, match="snapshot"):
        kind.restore(data)


@pytest.mark.parametrize("at", [19, 23, HEADER.size + 44, HEADER.size + ORDER.size + 74])
def test_restore_when_padding_is_not_zero_then_refused(at: int):
    body = bytearray(POSSIBLE["iceberg"][:-32])
    body[at] = 1
    with pytest.raises(ValueError, match="padding"):
        ReferenceBook.restore(seal(bytes(body)))
