"""What a book keeps of the events it has told: the statistics and the rolling hash.

Rolling hash  A u64, 0 at first. The eight u64 words w0..w7 of each event record give
                  h = rotl64(h ^ (w0*C0 + ... + w7*C7 mod 2^64), 29) * C8 mod 2^64
              with nine odd constants, the first outputs of splitmix64 from the seed "tokenx-x", lowest bit set. It says
              cheaply whether two books told the same story; it is no defence against somebody who wants to deceive.
"""

import struct
from collections.abc import Iterator

from matcher_core.types import Accepted, BookStatistics, Canceled, Event, Rejected, Trade

WORDS = struct.Struct("<8Q")
MASK = 2**64 - 1
SEED = 0x746F6B656E782D78


def splitmix64(state: int) -> Iterator[int]:
    """Source: Steele, Lea, Flood: Fast splittable pseudorandom number generators (OOPSLA 2014)."""
    while True:
        state = (state + 0x9E3779B97F4A7C15) & MASK
        z = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        yield z ^ (z >> 31)


_outputs = splitmix64(SEED)
C0, C1, C2, C3, C4, C5, C6, C7, C8 = (next(_outputs) | 1 for _ in range(9))


class Tally:
    def __init__(self) -> None:
        self.rolling_hash = 0
        self.accepted = 0
        self.rejected = 0
        self.canceled = 0
        self.trades = 0
        self.traded_lots = 0
        self.open_price = 0
        self.high_price = 0
        self.low_price = 0

    def add(self, event: Event, record: bytes) -> None:
        w0, w1, w2, w3, w4, w5, w6, w7 = WORDS.unpack(record)
        mixed = w0 * C0 + w1 * C1 + w2 * C2 + w3 * C3 + w4 * C4 + w5 * C5 + w6 * C6 + w7 * C7
        h = self.rolling_hash ^ (mixed & MASK)
        self.rolling_hash = ((h << 29 | h >> 35) & MASK) * C8 & MASK
        if isinstance(event, Trade):
            self._add_trade(event.price_ticks, event.quantity_lots)
        elif isinstance(event, Accepted):
            self.accepted += 1
        elif isinstance(event, Canceled):
            self.canceled += 1
        elif isinstance(event, Rejected):
            self.rejected += 1

    def _add_trade(self, price: int, lots: int) -> None:
        self.trades += 1
        self.traded_lots = (self.traded_lots + lots) & MASK
        self.open_price = self.open_price or price
        self.high_price = max(self.high_price, price)
        self.low_price = min(self.low_price or price, price)

    def statistics(self, last_price: int) -> BookStatistics:
        return BookStatistics(
            self.accepted,
            self.rejected,
            self.canceled,
            self.trades,
            self.traded_lots,
            self.open_price,
            self.high_price,
            self.low_price,
            last_price,
        )
