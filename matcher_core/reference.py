"""The rulebook: every rule of the book in plain Python, slow on purpose and written to be read.

The compiled book in book.pyx must agree with this one on every event, every refusal and the state hash; the tests drive
both with the same commands. Nothing here reads a clock, draws a random number or depends on the order of a hash table.

The rules in short
  Priority      best price first, then the order that has waited longest at that price. Trades are at the resting price.
  Replace       same price and no more quantity than open: the order shrinks where it stands. Anything else leaves the
                book and enters again as new, last at its price, and may trade at once.
  Self-trade    an order's group is its `group`, or its owner when that is 0. Two orders of one group (not 0) never trade.
  Fill-or-kill  counts only what the order could really trade: other people's orders up to its limit, and, unless the
                mode is CANCEL_OLDEST, only those ahead of its group's first resting order.
  Authority     an order id is never a capability: cancel and replace must name the owner that entered the order.
"""

from bisect import bisect_left, insort
from collections.abc import Iterator
from dataclasses import dataclass

from matcher_core import snapshot
from matcher_core.records import RECORD_SIZE, Command, encode_event, iter_commands
from matcher_core.types import (
    DEFAULT_MAX_ORDERS,
    MAX_QUANTITY_LOTS,
    Accepted,
    BookState,
    Canceled,
    CancelReason,
    CommandFlag,
    DepthLevel,
    Event,
    MassCanceled,
    Op,
    RejectCode,
    Rejected,
    Replaced,
    RestingOrder,
    SelfTradePrevention,
    Side,
    StateChanged,
    TimeInForce,
    Trade,
)

ALLOWED_FLAGS = {Op.LIMIT: CommandFlag.POST_ONLY, Op.REPLACE: CommandFlag.POST_ONLY}
CANCELS = (Op.CANCEL, Op.MASS_CANCEL)
OPS, SIDES, TIFS, STATES = frozenset(Op), frozenset(Side), frozenset(TimeInForce), frozenset(BookState)


@dataclass(slots=True, eq=False)
class _Order:
    order_id: int
    side: Side
    price: int
    open: int
    owner: int
    group: int


@dataclass(slots=True)
class _Incoming:
    """An order on its way in. `limit` None means any price; `stopped` means self-trade prevention took the rest."""

    order_id: int
    side: Side
    limit: int | None
    open: int
    owner: int
    group: int
    stopped: bool = False


class ReferenceBook:
    """One order book. See `matcher_core.Book` for the fast one with the same rules."""

    def __init__(
        self,
        symbol: int = 0,
        *,
        stp: SelfTradePrevention = SelfTradePrevention.CANCEL_NEWEST,
        max_orders: int = DEFAULT_MAX_ORDERS,
    ) -> None:
        self.symbol = symbol
        self.stp = SelfTradePrevention(stp)
        self.max_orders = max_orders
        self.state = BookState.TRADING
        self._orders: dict[int, _Order] = {}
        self._levels: dict[Side, dict[int, list[_Order]]] = {Side.BUY: {}, Side.SELL: {}}  # price -> oldest first
        self._prices: dict[Side, list[int]] = {Side.BUY: [], Side.SELL: []}  # ascending
        self._open_lots: dict[Side, int] = {Side.BUY: 0, Side.SELL: 0}

    # ---- commands -------------------------------------------------------------------------------------------------

    def process(self, commands: bytes | bytearray | memoryview) -> bytes:
        """Apply packed commands in order and return packed events. See records.py for both layouts."""
        if len(commands) % RECORD_SIZE:
            raise ValueError(f"commands must be a multiple of {RECORD_SIZE} bytes, was {len(commands)}")
        events = (event for command in iter_commands(commands) for event in self.apply(command))
        return b"".join(encode_event(event, self.symbol) for event in events)

    def apply(self, c: Command) -> tuple[Event, ...]:
        """Apply one command. A refused command returns one Rejected and changes nothing."""
        code = self._malformed(c) or self._not_now(c) or self._not_allowed(c) or self._no_room(c) or self._unmet(c)
        if code is not None:
            return (Rejected(c.seq, c.order_id, code),)
        if c.op in (Op.LIMIT, Op.MARKET):
            return tuple(self._enter(c))
        if c.op == Op.CANCEL:
            return (self._cancel(c.seq, self._orders[c.order_id], CancelReason.USER),)
        if c.op == Op.REPLACE:
            return tuple(self._replace(c))
        if c.op == Op.MASS_CANCEL:
            return tuple(self._mass_cancel(c))
        return (self._set_state(c),)

    # ---- checks, in the documented order --------------------------------------------------------------------------

    def _malformed(self, c: Command) -> RejectCode | None:
        """1xx: is the command well formed in itself?"""
        if c.op not in OPS:
            return RejectCode.UNKNOWN_OP
        if c.symbol != self.symbol:
            return RejectCode.WRONG_SYMBOL
        if c.reserved != 0:
            return RejectCode.RESERVED_NOT_ZERO
        entering = c.op in (Op.LIMIT, Op.MARKET)
        if entering and c.side not in SIDES:
            return RejectCode.BAD_SIDE
        if entering and (c.tif not in TIFS or (c.op == Op.MARKET and c.tif == TimeInForce.GTC)):
            return RejectCode.BAD_TIME_IN_FORCE
        if c.flags & ~ALLOWED_FLAGS.get(Op(c.op), 0):
            return RejectCode.BAD_FLAGS
        if entering and c.flags & CommandFlag.POST_ONLY and c.tif != TimeInForce.GTC:
            return RejectCode.BAD_FLAGS
        if c.op in (Op.LIMIT, Op.MARKET, Op.CANCEL, Op.REPLACE) and c.order_id == 0:
            return RejectCode.BAD_ORDER_ID
        if (c.op in (Op.LIMIT, Op.REPLACE) and c.price <= 0) or (c.op == Op.MARKET and c.price < 0):
            return RejectCode.BAD_PRICE
        if c.op in (Op.LIMIT, Op.MARKET, Op.REPLACE) and c.quantity == 0:
            return RejectCode.BAD_QUANTITY
        if c.op == Op.SET_STATE and c.quantity not in STATES:
            return RejectCode.BAD_STATE
        return None

    def _not_now(self, c: Command) -> RejectCode | None:
        """2xx: does the book take such a command in its present state?"""
        if c.op == Op.SET_STATE or self.state == BookState.TRADING:
            return None
        if self.state == BookState.HALTED:
            return RejectCode.HALTED
        return None if c.op in CANCELS else RejectCode.CANCEL_ONLY

    def _not_allowed(self, c: Command) -> RejectCode | None:
        """3xx: is the id free, or does it name a live order of this owner?"""
        order = self._orders.get(c.order_id)
        if c.op in (Op.LIMIT, Op.MARKET):
            return None if order is None else RejectCode.DUPLICATE_ORDER_ID
        if c.op in (Op.CANCEL, Op.REPLACE):
            if order is None:
                return RejectCode.UNKNOWN_ORDER
            return None if order.owner == c.owner else RejectCode.NOT_OWNER
        return None

    def _no_room(self, c: Command) -> RejectCode | None:
        """4xx: only orders that may rest need room. The whole quantity is counted, whatever would trade at once."""
        if c.op == Op.LIMIT and c.tif == TimeInForce.GTC:
            if len(self._orders) >= self.max_orders:
                return RejectCode.BOOK_FULL
            if self._open_lots[Side(c.side)] + c.quantity > MAX_QUANTITY_LOTS:
                return RejectCode.SIDE_QUANTITY_TOO_LARGE
        if c.op == Op.REPLACE:
            order = self._orders[c.order_id]
            if self._open_lots[order.side] - order.open + c.quantity > MAX_QUANTITY_LOTS:
                return RejectCode.SIDE_QUANTITY_TOO_LARGE
        return None

    def _unmet(self, c: Command) -> RejectCode | None:
        """5xx: can the order's own conditions be met?"""
        if c.op in (Op.LIMIT, Op.REPLACE) and c.flags & CommandFlag.POST_ONLY:
            side = self._orders[c.order_id].side if c.op == Op.REPLACE else Side(c.side)
            best = self.best(_other(side))
            if best is not None and _crosses(side, c.price, best):
                return RejectCode.POST_ONLY_WOULD_TRADE
        if c.op in (Op.LIMIT, Op.MARKET) and c.tif == TimeInForce.FOK:
            order = self._incoming(c)
            if self._tradable(order) < order.open:
                return RejectCode.FOK_NOT_FILLABLE
        return None

    # ---- effects --------------------------------------------------------------------------------------------------

    def _enter(self, c: Command) -> Iterator[Event]:
        order = self._incoming(c)
        events = list(self._match(c.seq, order))
        resting = order.open if c.op == Op.LIMIT and c.tif == TimeInForce.GTC and not order.stopped else 0
        if resting:
            self._rest(_Order(order.order_id, order.side, c.price, resting, order.owner, order.group))
        yield Accepted(c.seq, c.order_id, order.side, c.price, c.quantity, resting)
        yield from events
        if order.open and not resting:
            reason = CancelReason.SELF_TRADE if order.stopped else CancelReason.REMAINDER
            yield Canceled(c.seq, c.order_id, order.side, c.price, order.open, reason)

    def _replace(self, c: Command) -> Iterator[Event]:
        old = self._orders[c.order_id]
        if c.price == old.price and c.quantity <= old.open:
            self._reduce(old, old.open - c.quantity)
            yield Replaced(c.seq, c.order_id, old.side, c.price, c.quantity, c.quantity, kept_priority=True)
            return
        self._remove(old)
        order = _Incoming(c.order_id, old.side, c.price, c.quantity, old.owner, old.group)
        events = list(self._match(c.seq, order))
        resting = 0 if order.stopped else order.open
        if resting:
            self._rest(_Order(order.order_id, order.side, c.price, resting, order.owner, order.group))
        yield Replaced(c.seq, c.order_id, old.side, c.price, c.quantity, resting, kept_priority=False)
        yield from events
        if order.stopped:
            yield Canceled(c.seq, c.order_id, old.side, c.price, order.open, CancelReason.SELF_TRADE)

    def _match(self, seq: int, order: _Incoming) -> Iterator[Event]:
        """Trade in priority order until the order is done, the prices part, or its own group is met."""
        while order.open and (maker := self._first_maker(order)) is not None:
            if order.group and maker.group == order.group and self.stp != SelfTradePrevention.OFF:
                if self.stp != SelfTradePrevention.CANCEL_NEWEST:
                    yield self._cancel(seq, maker, CancelReason.SELF_TRADE)
                if self.stp != SelfTradePrevention.CANCEL_OLDEST:
                    order.stopped = True
                    return
                continue
            traded = min(order.open, maker.open)
            order.open -= traded
            self._reduce(maker, traded)
            yield Trade(seq, order.order_id, maker.order_id, order.side, maker.price, traded, order.open, maker.open)

    def _mass_cancel(self, c: Command) -> Iterator[Event]:
        theirs = [order for order in self._in_priority() if order.owner == c.owner]
        for order in theirs:
            yield self._cancel(c.seq, order, CancelReason.MASS_CANCEL)
        yield MassCanceled(c.seq, c.owner, len(theirs))

    def _set_state(self, c: Command) -> Event:
        previous, self.state = self.state, BookState(c.quantity)
        return StateChanged(c.seq, self.state, previous)

    def _cancel(self, seq: int, order: _Order, reason: CancelReason) -> Canceled:
        self._remove(order)
        return Canceled(seq, order.order_id, order.side, order.price, order.open, reason)

    # ---- matching helpers -----------------------------------------------------------------------------------------

    def _incoming(self, c: Command) -> _Incoming:
        limit = None if c.op == Op.MARKET and c.price == 0 else c.price
        return _Incoming(c.order_id, Side(c.side), limit, c.quantity, c.owner, c.group or c.owner)

    def _first_maker(self, order: _Incoming) -> _Order | None:
        side = _other(order.side)
        best = self.best(side)
        if best is None or not _crosses(order.side, order.limit, best):
            return None
        return self._levels[side][best][0]

    def _tradable(self, order: _Incoming) -> int:
        """How much of an order could trade now, self-trade prevention included."""
        total = 0
        for maker in self._in_priority(_other(order.side)):
            if not _crosses(order.side, order.limit, maker.price):
                break
            if order.group and maker.group == order.group and self.stp != SelfTradePrevention.OFF:
                if self.stp == SelfTradePrevention.CANCEL_OLDEST:
                    continue
                break
            total += maker.open
            if total >= order.open:
                break
        return total

    # ---- the resting book -----------------------------------------------------------------------------------------

    def _rest(self, order: _Order) -> None:
        level = self._levels[order.side].get(order.price)
        if level is None:
            level = self._levels[order.side][order.price] = []
            insort(self._prices[order.side], order.price)
        level.append(order)
        self._orders[order.order_id] = order
        self._open_lots[order.side] += order.open

    def _reduce(self, order: _Order, lots: int) -> None:
        """Take open quantity from a resting order; at zero it leaves the book."""
        if lots == order.open:
            self._remove(order)
            order.open = 0
            return
        order.open -= lots
        self._open_lots[order.side] -= lots

    def _remove(self, order: _Order) -> None:
        del self._orders[order.order_id]
        self._open_lots[order.side] -= order.open
        level = self._levels[order.side][order.price]
        level.remove(order)
        if not level:
            del self._levels[order.side][order.price]
            prices = self._prices[order.side]
            del prices[bisect_left(prices, order.price)]

    def _in_priority(self, side: Side | None = None) -> Iterator[_Order]:
        """Resting orders, bids before asks unless one side is asked for, best price first, oldest first."""
        for s in Side if side is None else (side,):
            for price in reversed(self._prices[s]) if s is Side.BUY else self._prices[s]:
                yield from self._levels[s][price]

    # ---- queries --------------------------------------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self._orders)

    def best(self, side: Side) -> int | None:
        prices = self._prices[side]
        if not prices:
            return None
        return prices[-1] if side is Side.BUY else prices[0]

    @property
    def best_bid(self) -> int | None:
        return self.best(Side.BUY)

    @property
    def best_ask(self) -> int | None:
        return self.best(Side.SELL)

    def orders(self) -> list[RestingOrder]:
        return [RestingOrder(o.order_id, o.side, o.price, o.open, o.owner, o.group) for o in self._in_priority()]

    def order(self, order_id: int) -> RestingOrder | None:
        o = self._orders.get(order_id)
        return None if o is None else RestingOrder(o.order_id, o.side, o.price, o.open, o.owner, o.group)

    def depth(self, levels: int) -> tuple[list[DepthLevel], list[DepthLevel]]:
        """The best `levels` prices of each side, bids then asks."""
        if levels < 0:
            raise ValueError(f"levels must not be negative, was {levels}")
        bids, asks = self._prices[Side.BUY][::-1][:levels], self._prices[Side.SELL][:levels]
        return [self._level(Side.BUY, p) for p in bids], [self._level(Side.SELL, p) for p in asks]

    def _level(self, side: Side, price: int) -> DepthLevel:
        level = self._levels[side][price]
        return DepthLevel(price, sum(o.open for o in level), len(level))

    # ---- whole state ----------------------------------------------------------------------------------------------

    def snapshot(self) -> bytes:
        return snapshot.seal(self._body())

    def state_hash(self) -> bytes:
        return snapshot.digest(self._body())

    def _body(self) -> bytes:
        head = snapshot.header(self.symbol, self.stp, self.state, self.max_orders, len(self))
        return head + snapshot.order_rows(self.orders())

    @classmethod
    def restore(cls, data: bytes | bytearray | memoryview) -> "ReferenceBook":
        image = snapshot.parse(data)
        book = cls(image.symbol, stp=image.stp, max_orders=image.max_orders)
        book.state = image.state
        for o in image.orders:
            book._rest(_Order(o.order_id, o.side, o.price_ticks, o.open_lots, o.owner, o.group))
        return book

    def check_invariants(self) -> None:
        """Raise AssertionError when the parts of the book disagree. For tests."""
        resting = list(self._in_priority())
        assert {o.order_id: o for o in resting} == self._orders, "id map and levels hold different orders"
        assert all(o.open > 0 for o in resting), "an empty order rests"
        for side in Side:
            assert sorted(self._levels[side]) == self._prices[side], "price list and levels differ"
            assert all(self._levels[side].values()), "an empty level stands"
            assert sum(o.open for o in resting if o.side is side) == self._open_lots[side], "side total is wrong"
        bid, ask = self.best_bid, self.best_ask
        assert bid is None or ask is None or bid < ask, f"book is crossed: bid {bid}, ask {ask}"


def _other(side: Side) -> Side:
    return Side.SELL if side is Side.BUY else Side.BUY


def _crosses(taker_side: Side, limit: int | None, maker_price: int) -> bool:
    """Whether an order on `taker_side` with this limit may trade at the maker's price."""
    if limit is None:
        return True
    return maker_price <= limit if taker_side is Side.BUY else maker_price >= limit
