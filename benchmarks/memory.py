"""Bytes a resting order costs: what the book says it holds, over what rests in it."""

import random
from typing import Any

from benchmarks.engines import packed_batches
from matcher_core import Book, Command, Op, SelfTradePrevention, Side

RESTING = (10_000, 100_000, 1_000_000)
PRICES = 2_000  # on each side, without a gap between the sides
MIDDLE = 1_000_000


def memory_rows(seed: int) -> list[dict[str, Any]]:
    """Books filled with ids counted up from 1, and with ids drawn from 64 bits; plain limit orders with an owner each."""
    return [row(resting, seed, sparse) for resting in RESTING for sparse in (False, True)]


def row(resting: int, seed: int, sparse: bool) -> dict[str, Any]:
    book = Book(stp=SelfTradePrevention.OFF)
    for start in range(0, resting, 10_000):
        for packed in packed_batches(orders(resting, start, seed, sparse), 1024):
            book.process(packed)
    assert len(book) == resting, f"seed {seed}: {len(book)} of {resting} orders rest"
    return {
        "resting": resting,
        "ids": "random 64 bits" if sparse else "counted",
        "bytes": book.memory_bytes(),
        "bytes_per_order": round(book.memory_bytes() / resting, 1),
    }


def orders(resting: int, start: int, seed: int, sparse: bool) -> list[Command]:
    """The next ten thousand, or what is left; the same for one seed."""
    rng = random.Random(f"{seed} {start}")
    return [
        order(rng, rng.getrandbits(63) + 1 if sparse else number + 1)
        for number in range(start, min(start + 10_000, resting))
    ]


def order(rng: random.Random, order_id: int) -> Command:
    side = Side(rng.randrange(2))
    distance = 1 + rng.randrange(PRICES)
    price = MIDDLE - distance if side is Side.BUY else MIDDLE + distance
    return Command(Op.LIMIT, side, order_id=order_id, owner=order_id, price=price, quantity=rng.randrange(1, 10) * 100)
