"""Order flow made up here, from a seed, for measuring: no file and no recording is needed.

A maker of flow runs a real book beside it, so it knows which orders are alive and where the best prices are. Passive orders
never cross; a fixed share of aggressors trades, cancels and replaces meet orders that are there. Every book is first filled
to its size (warm), then kept near it. The same profile, seed and number of operations give the same commands everywhere.

The six profiles and what each is for
    small, medium, large   1,000, 10,000 and 100,000 resting orders; two thirds of all orders within ten ticks of the best,
                           a long tail behind; 48 % adds, 42 % cancels, 5 % replaces, 5 % aggressors
    sweep                  20,000 orders on 600 prices; nine of ten operations add, and now and then a market order takes
                           hundreds of them
    deep                   100,000 orders spread evenly over 100,000 prices; adds and cancels anywhere, 2 % aggressors
    many                   1,000 books of 100 orders in one engine; the r-th book gets a share of 1/(r + 5)
"""

from bisect import bisect
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate, count
from random import Random
from typing import Final, NamedTuple

from matcher_core.book import Book
from matcher_core.records import COMMAND
from matcher_core.types import Event, Op, SelfTradePrevention, Side, TimeInForce, Trade

MID: Final = 200_000
BIGGEST_LOT: Final = 100


@dataclass(frozen=True)
class Profile:
    """What kind of flow. Shares are of a thousand operations; what they leave is adds and cancels, as the size demands."""

    name: str
    resting: int  # per book
    reach: int  # prices on each side of the middle
    books: int = 1
    even: bool = False  # prices evenly over the reach, instead of mostly near the best
    aggressors: int = 50
    aggressor_lots: int = 3 * BIGGEST_LOT
    replaces: int = 50
    cancels: int = 460  # of a thousand adds and cancels, in a book of its size


PROFILES: Final = (
    Profile("small", 1_000, 2_000),
    Profile("medium", 10_000, 2_000),
    Profile("large", 100_000, 2_000),
    Profile("sweep", 20_000, 300, even=True, aggressors=4, aggressor_lots=200 * BIGGEST_LOT, replaces=0, cancels=80),
    Profile("deep", 100_000, 50_000, even=True, aggressors=20, replaces=0, cancels=480),
    Profile("many", 100, 2_000, books=1_000),
)


class Synthetic(NamedTuple):
    """Packed commands: `warm` ones that fill the books, `timed` ones to measure. Symbols are 0 to books - 1."""

    books: int
    warm: bytes
    timed: bytes


def make(profile: Profile, *, ops: int, seed: int) -> Synthetic:
    """Flow of `ops` timed operations."""
    rng = Random(f"{profile.name} {seed}")  # noqa: S311  # flow to measure with, repeatable on purpose
    ids = count(1)  # one sequence for all books, as a venue issues them
    makers = [_Maker(symbol, profile, rng, ids) for symbol in range(profile.books)]
    packed: list[bytes] = []
    for maker in makers:
        while len(maker.book) < profile.resting:
            packed.append(maker.add())
    warm = b"".join(packed)
    shares = list(accumulate(1 / (rank + 5) for rank in range(profile.books)))
    timed = [makers[bisect(shares, rng.random() * shares[-1])].step() for _ in range(ops)]
    numbered = [piece[:8] + seq.to_bytes(8, "little") + piece[16:] for seq, piece in enumerate(timed, len(packed))]
    return Synthetic(profile.books, warm, b"".join(numbered))


class _Maker:
    """One book's flow."""

    def __init__(self, symbol: int, profile: Profile, rng: Random, ids: Iterator[int]) -> None:
        self.book = Book(symbol, stp=SelfTradePrevention.OFF)
        self._symbol = symbol
        self._profile = profile
        self._rng = rng
        self._ids = ids
        self._mid = MID
        self._live: list[int] = []
        self._at: dict[int, int] = {}  # id -> where it stands in _live

    def step(self) -> bytes:
        """One operation, applied and packed."""
        self._drift()
        draw = self._below(1000)
        if draw < self._profile.aggressors and self._live:
            return self._aggressor()
        if draw < self._profile.aggressors + self._profile.replaces and self._live:
            return self._replace()
        return self._cancel() if self._live and self._below(1000) < self._wanted_cancels() else self.add()

    def _wanted_cancels(self) -> int:
        """Steers the book back to its size."""
        excess = 10 * (len(self.book) - self._profile.resting) / self._profile.resting
        return int(self._profile.cancels + 300 * min(1.0, max(-1.0, excess)))

    def add(self) -> bytes:
        side = Side(self._below(2))
        order_id, price, lots = next(self._ids), self._passive(side), 1 + self._below(BIGGEST_LOT)
        self.book.limit(order_id, side, price, lots)
        self._at[order_id] = len(self._live)
        self._live.append(order_id)
        return self._pack(Op.LIMIT, side, 0, order_id, price, lots)

    def _aggressor(self) -> bytes:
        """Half of them market orders, half limit orders that give up what does not trade at the best price."""
        side, order_id = Side(self._below(2)), next(self._ids)
        lots = 1 + self._below(self._profile.aggressor_lots)
        best = self.book.best_ask if side == Side.BUY else self.book.best_bid
        if best is None or self._below(2):
            self._forget_filled(self.book.market(order_id, side, lots))
            return self._pack(Op.MARKET, side, TimeInForce.IOC, order_id, 0, lots)
        self._forget_filled(self.book.limit(order_id, side, best, lots, tif=TimeInForce.IOC))
        return self._pack(Op.LIMIT, side, TimeInForce.IOC, order_id, best, lots)

    def _replace(self) -> bytes:
        order_id = self._live[self._below(len(self._live))]
        order = self.book.order(order_id)
        assert order is not None
        price, lots = self._passive(order.side), 1 + self._below(BIGGEST_LOT)
        self.book.replace(order_id, price, lots)
        return self._pack(Op.REPLACE, 0, 0, order_id, price, lots)

    def _cancel(self) -> bytes:
        order_id = self._live[self._below(len(self._live))]
        self.book.cancel(order_id)
        self._forget(order_id)
        return self._pack(Op.CANCEL, 0, 0, order_id, 0, 0)

    def _passive(self, side: Side) -> int:
        """A price that does not cross."""
        reach = self._profile.reach
        distance = self._below(reach) if self._profile.even else min(reach, int(4 / (1 - self._rng.random())) - 4)
        if side == Side.BUY:
            ask = self.book.best_ask
            return min(self._mid - 1, MID + reach if ask is None else ask - 1) - distance
        bid = self.book.best_bid
        return max(self._mid + 1, MID - reach if bid is None else bid + 1) + distance

    def _drift(self) -> None:
        if not self._profile.even and self._below(16) == 0:
            self._mid += 1 if self._below(2) else -1

    def _forget_filled(self, events: tuple[Event, ...]) -> None:
        for event in events:
            if isinstance(event, Trade) and event.maker_leaves_lots == 0:
                self._forget(event.maker_id)

    def _forget(self, order_id: int) -> None:
        at, last = self._at.pop(order_id), self._live.pop()
        if last != order_id:
            self._live[at], self._at[last] = last, at

    def _below(self, bound: int) -> int:
        return int(self._rng.random() * bound)

    def _pack(self, op: int, side: int, tif: int, order_id: int, price: int, lots: int) -> bytes:
        return COMMAND.pack(op, side, tif, 0, self._symbol, 0, order_id, 0, 0, price, lots, 0)
