"""Databento market by order (schema mbo): one book per instrument.

    A  add           limit order
    C  cancel        cancel, or replace to what is left
    M  modify        replace; of an order that is not there, a limit order
    R  clear         every order of the book is canceled
    T  trade         IOC of the aggressor's side at the trade's price and size
    F  fill          not a command: what the trade before it did to one order, compared with what our book did

Records up to the flag "last" are one event of the venue, and their order within it is the venue's way of telling, not of
doing. Three things follow from that, and without them about one fill in thirty comes out differently:
  - Orders canceled, but not filled, in the event of a trade went first: that is the venue's self-trade prevention.
  - A trade whose order rests already is that order, repriced until it met the other side: it leaves the book, and comes in
    again as the aggressor. Its own fill is compared too.
  - A trade without a side whose fills add up to twice its size is an auction: buyers and sellers are both listed. The
    book is put into a call after the last trade before it (orders collect, crossed or not) and is uncrossed there. Orders
    that the auction fills but the recording never showed take part as market orders of the side that lacks quantity.

What stays different, and has to: the reserve of icebergs. The recording shows it only once it has traded.

Prices are 1e-9 units in the file. Ticks are those divided by their greatest common divisor, one per instrument, for which
the file is read once before it is replayed.
"""

from collections.abc import Iterator
from math import gcd
from pathlib import Path
from typing import Final

from matcher_core.feeds import dbn
from matcher_core.feeds.chunks import BadFile, Chunk
from matcher_core.feeds.recorder import UNSEEN, Recorder
from matcher_core.types import BookState, Op, Side, TimeInForce

SIDES: Final = {b"B": Side.BUY, b"A": Side.SELL}
LONGEST_EVENT: Final = 1 << 14
"""Records after which an event is replayed even without its last one: some writers never set the flag."""
_FROM_THE_START: Final = -1


def is_databento(head: bytes) -> bool:
    return head.startswith(dbn.MAGIC)


class _Plan:
    """What must be known of an instrument before its first record: its tick and its auctions (by number of the record)."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.tick = 0
        self.uncrosses: set[int] = set()
        self.calls_after: set[int] = set()
        self._last_trade = _FROM_THE_START
        self._trade: int | None = None
        self._twice = 0

    def look(self, at: int, record: dbn.Record) -> None:
        if record.action in (b"A", b"M", b"T") and record.price != dbn.UNDEFINED_PRICE:
            self.tick = gcd(self.tick, record.price)
        if record.action == b"T":
            self._trade, self._twice = (None, 0) if record.side in SIDES else (at, 2 * record.size)
            if record.side in SIDES:
                self._last_trade = at
        elif record.action == b"F" and self._trade is not None:
            self._twice -= record.size
            if self._twice == 0:
                self.uncrosses.add(self._trade)
                self.calls_after.add(self._last_trade)
                self._last_trade = self._trade


class _Instrument:
    """One book of the recording: the orders it should hold, and the records of the event not yet complete."""

    def __init__(self, plan: _Plan, out: Recorder) -> None:
        self._plan = plan
        self._symbol = plan.number
        self._out = out
        self._orders: dict[int, tuple[int, int, int]] = {}  # id -> side, price, open
        self._event: list[tuple[int, dbn.Record]] = []
        out.opened(plan.number)
        if _FROM_THE_START in plan.calls_after:
            out.other(Op.SET_STATE, self._symbol, quantity=BookState.OPENING_AUCTION)

    def take(self, at: int, record: dbn.Record) -> None:
        self._event.append((at, record))
        if record.flags & (dbn.LAST | dbn.SNAPSHOT) or len(self._event) >= LONGEST_EVENT:
            self.finish()

    def finish(self) -> None:
        """Replay the event."""
        event, self._event = self._event, []
        if len(event) > 1:
            event = self._withdrawn_first(event)
        numbers = iter(range(len(event)))
        for number in numbers:
            at, record = event[number]
            if record.action == b"T":
                fills: list[dbn.Record] = []
                while number + 1 < len(event) and event[number + 1][1].action == b"F":
                    number = next(numbers)
                    fills.append(event[number][1])
                self._trade(at, record, fills)
            else:
                self._change(record)
        if any(at in self._plan.calls_after for at, record in event if record.action == b"T"):
            self._out.other(Op.SET_STATE, self._symbol, quantity=BookState.OPENING_AUCTION)

    def _withdrawn_first(self, event: list[tuple[int, dbn.Record]]) -> list[tuple[int, dbn.Record]]:
        traded = {record.order_id for _, record in event if record.action in (b"T", b"F")}
        return sorted(event, key=lambda entry: not (entry[1].action == b"C" and entry[1].order_id not in traded))

    def _price(self, record: dbn.Record) -> int:
        return record.price // self._plan.tick if self._plan.tick else record.price

    def _change(self, record: dbn.Record) -> None:
        if record.action == b"R":
            self._orders.clear()
            self._out.clear(self._symbol)
        elif record.action == b"C":
            self._canceled(record)
        elif record.side in SIDES and record.action in (b"A", b"M"):
            self._stands(record, SIDES[record.side])

    def _stands(self, record: dbn.Record, side: int) -> None:
        """The order is now there, with this price and size. With another side it is another order."""
        order_id, price = record.order_id, self._price(record)
        known = self._orders.get(order_id)
        if record.action == b"M" and known is not None and known[0] == side:
            self._out.replace(self._symbol, order_id, price, record.size)
        else:
            if known is not None:
                self._out.cancel(self._symbol, order_id)
            self._out.limit(self._symbol, order_id, side, price, record.size)
        self._orders[order_id] = (side, price, record.size)

    def _canceled(self, record: dbn.Record) -> None:
        known = self._orders.pop(record.order_id, None)
        if known is not None and record.size < known[2]:
            side, price, left = known[0], known[1], known[2] - record.size
            self._orders[record.order_id] = (side, price, left)
            self._out.replace(self._symbol, record.order_id, price, left)
        else:  # after a fill of all of it, an order that filled in our book too is gone there
            self._out.cancel(self._symbol, record.order_id, gone=known is None)

    def _trade(self, at: int, record: dbn.Record, fills: list[dbn.Record]) -> None:
        if at in self._plan.uncrosses:
            seq = self._uncross(record.size, fills)
        elif record.size == 0 or not (fills or record.side in SIDES):
            return  # hidden, off the book, or nothing
        else:
            seq = self._aggressor(record, fills)
        for fill in fills:
            self._out.fill(seq, fill.order_id, self._price(fill), fill.size)
            self._filled(fill)

    def _aggressor(self, record: dbn.Record, fills: list[dbn.Record]) -> int:
        side = SIDES.get(record.side)
        if side is None:  # implied from another book, perhaps: the makers tell the side
            makers = [self._orders[fill.order_id][0] for fill in fills if fill.order_id in self._orders]
            if not makers:
                return UNSEEN
            side = Side(1 - makers[0])
        known = self._orders.get(record.order_id)
        named = record.order_id != 0 and (known is None or known[0] == side)
        if named and known is not None:
            del self._orders[record.order_id]
            self._out.cancel(self._symbol, record.order_id)
        own = record.order_id if named else None
        return self._out.take_from(self._symbol, side, self._price(record), record.size, own)

    def _uncross(self, size: int, fills: list[dbn.Record]) -> int:
        """Orders the recording never showed go, the largest first, to the side that lacks more."""
        lacks = {Side.BUY: size, Side.SELL: size}
        for fill in fills:
            if fill.order_id in self._orders:
                lacks[Side(self._orders[fill.order_id][0])] -= fill.size
        unseen = [fill for fill in fills if fill.order_id not in self._orders]
        for fill in sorted(unseen, key=lambda fill: -fill.size):
            side = Side.BUY if lacks[Side.BUY] >= lacks[Side.SELL] else Side.SELL
            lacks[side] -= fill.size
            self._out.other(
                Op.MARKET, self._symbol, tif=TimeInForce.OPG, side=side, order_id=fill.order_id, quantity=fill.size
            )
        return self._out.other(Op.UNCROSS, self._symbol, quantity=BookState.TRADING)

    def _filled(self, fill: dbn.Record) -> None:
        known = self._orders.pop(fill.order_id, None)
        if known is not None and known[2] > fill.size:
            self._orders[fill.order_id] = (known[0], known[1], known[2] - fill.size)


class DatabentoSource:
    kind: str = "databento"

    def __init__(self, path: Path, *, only: str | None = None, limit: int | None = None) -> None:
        self._path = path
        self._only = only
        self._limit = limit
        self.total = path.stat().st_size
        self.symbols: list[int] = []
        self.names: dict[int, str] = {}
        self.facts = {"records": 0, "auctions": 0}
        self._plans: dict[int, _Plan] = {}
        self._plan()

    def _read(self) -> Iterator[tuple[int, dbn.Record, int]]:
        """(number, record, position in the file) of the instruments wanted."""
        known: dict[int, str] = {}
        at = 0
        for found, position in dbn.read(self._path):
            if isinstance(found, dict):
                known = found
                continue
            if at == self._limit:
                return
            if self._wanted(found.instrument, known):
                yield at, found, position
            at += 1

    def _wanted(self, instrument: int, known: dict[int, str]) -> bool:
        return self._only is None or self._only in (str(instrument), known.get(instrument))

    def _plan(self) -> None:
        for at, record, _ in self._read():
            plan = self._plans.get(record.instrument)
            if plan is None:
                plan = self._plans[record.instrument] = _Plan(len(self._plans))
            plan.look(at, record)
        if not self._plans:
            asked = "" if self._only is None else f" of {self._only!r}"
            raise BadFile(self._path, f"has no market-by-order record{asked}")
        known = next(names for names, _ in dbn.read(self._path) if isinstance(names, dict))
        for instrument, plan in self._plans.items():
            self.names[plan.number] = known.get(instrument, str(instrument))
        self.facts["auctions"] = sum(len(plan.uncrosses) for plan in self._plans.values())

    def chunks(self) -> Iterator[Chunk]:
        """A source is read once. Raises BadFile."""
        out, books, position = Recorder(), dict[int, _Instrument](), 0
        for at, record, position in self._read():
            book = books.get(record.instrument)
            if book is None:
                book = books[record.instrument] = _Instrument(self._plans[record.instrument], out)
            book.take(at, record)
            self.facts["records"] += 1
            if out.full:
                yield out.take(position)
        for book in books.values():
            book.finish()
        yield out.take(position)
