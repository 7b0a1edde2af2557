"""A seeded mix of new, cancel and aggressive orders around a drifting price, the same for every engine measured.

Ids are issued densely from 1, because one of the peers issues its own. Only live orders are cancelled, because a peer
stops on others. Everything is integer arithmetic on random.Random, so one seed gives one workload everywhere.
"""

import random
from typing import NamedTuple

from matcher_core import Command, Op, ReferenceBook, SelfTradePrevention, Side

NEW_SHARE, CANCEL_SHARE = 52, 43  # percent; the rest is aggressive


class Workload(NamedTuple):
    """`warm` builds the book and is not timed; `timed` is."""

    resting: int
    warm: list[Command]
    timed: list[Command]

    def first(self, operations: int) -> "Workload":
        """The same book, with only the first operations timed."""
        return self._replace(timed=self.timed[:operations])


class _Generator:
    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.book = ReferenceBook(stp=SelfTradePrevention.OFF)
        self.live: list[int] = []
        self.next_id = 1
        self.mid = 20_000

    def passive(self) -> Command:
        """A new order behind the best price of the other side, near ones likelier than far ones."""
        side = Side(self.rng.randrange(2))
        distance = 1 + int(400 / (1 + self.rng.randrange(400)))
        other = self.book.best_ask if side is Side.BUY else self.book.best_bid
        price = self.mid - distance if side is Side.BUY else self.mid + distance
        if other is not None:
            price = min(price, other - 1) if side is Side.BUY else max(price, other + 1)
        return self.new(side, price, self.rng.randrange(1, 10) * 100)

    def aggressive(self) -> Command:
        """A limit order through the best price, taking one to a few orders."""
        side = Side(self.rng.randrange(2))
        best = self.book.best_ask if side is Side.BUY else self.book.best_bid
        return self.passive() if best is None else self.new(side, best, self.rng.randrange(1, 15) * 100)

    def new(self, side: Side, price: int, quantity: int) -> Command:
        order_id = self.next_id
        self.next_id += 1
        self.live.append(order_id)
        return Command(Op.LIMIT, side, seq=order_id, order_id=order_id, price=price, quantity=quantity)

    def cancel(self) -> Command:
        while True:
            at = self.rng.randrange(len(self.live))
            order_id, self.live[at] = self.live[at], self.live[-1]
            self.live.pop()
            if self.book.order(order_id) is not None:
                return Command(Op.CANCEL, order_id=order_id)

    def step(self, resting: int) -> Command:
        if self.rng.randrange(16) == 0:
            self.mid += self.rng.choice([-1, 1])
        kind = self.rng.randrange(100)
        if kind >= NEW_SHARE + CANCEL_SHARE:
            return self.aggressive()
        return self.cancel() if kind < CANCEL_SHARE and len(self.book) > resting // 2 else self.passive()


def make(*, seed: int, resting: int, operations: int) -> Workload:
    """`resting` orders to begin with, then `operations` of the mix."""
    generator = _Generator(seed)
    warm: list[Command] = []
    while len(generator.book) < resting:
        warm.append(generator.passive())
        generator.book.apply(warm[-1])
    timed: list[Command] = []
    for _ in range(operations):
        timed.append(generator.step(resting))
        generator.book.apply(timed[-1])
    return Workload(resting, warm, timed)
