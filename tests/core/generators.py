"""Random commands of every kind, most of them such that a book takes them.

Each function of KINDS draws one small batch. The generator is a random.Random or what Hypothesis gives for one, so the
mass runs and the state machine try the same things. It may look at a book, to name live orders and to see its state.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from matcher_core import Command, CommandFlag, Op, ReferenceBook, Side, TimeInForce
from matcher_core.records import COMMAND, DETAILS, with_details
from matcher_core.types import CALL_STATES, MAX_PRICE_TICKS, MAX_QUANTITY_LOTS, BookState, PegKind, RestingOrder

LASTING = (TimeInForce.GTC, TimeInForce.GTC, TimeInForce.DAY, TimeInForce.GTD)
LATEST = 2**64 - 1
EDGES = (1, 2, 2**32, 2**62, MAX_PRICE_TICKS - 1, MAX_PRICE_TICKS)


def near(rng: random.Random) -> int:
    return rng.randrange(95, 106)


@dataclass
class World:
    """What commands are drawn from. `ids` is how many order ids there are."""

    rng: random.Random
    book: ReferenceBook
    ids: int = 24
    price_near: Callable[[random.Random], int] = near
    seq: int = 0
    edges: bool = True
    drawn: set[int] = field(default_factory=set[int])  # lately, perhaps on their way to the book
    cached: list[RestingOrder] = field(default_factory=list[RestingOrder])

    def one_in(self, n: int) -> bool:
        return self.rng.randrange(n) == n - 1

    def next_seq(self) -> int:
        self.seq += 1
        return self.seq

    def price(self) -> int:
        if self.edges and self.one_in(24):
            return self.rng.choice(EDGES)
        return self.price_near(self.rng)

    def lots(self) -> int:
        if self.edges and self.one_in(40):
            return self.rng.choice((2**63, MAX_QUANTITY_LOTS))
        return self.rng.randrange(1, 21)

    def offset(self) -> int:
        return self.rng.choice((2**62, 2**62 + 1)) if self.edges and self.one_in(30) else self.rng.randrange(1, 8)

    def side(self) -> Side:
        return self.rng.choice((Side.BUY, Side.SELL))

    def new_id(self) -> int:
        """Mostly one that is free."""
        drawn = 1 + self.rng.randrange(self.ids)
        if self.one_in(12):
            return drawn
        if len(self.drawn) > self.ids // 3:
            self.drawn.clear()
        ring = ((drawn + i) % self.ids + 1 for i in range(self.ids))
        drawn = next((i for i in ring if i not in self.drawn and self.book.order(i) is None), drawn)
        self.drawn.add(drawn)
        return drawn

    def order(self, op: Op = Op.LIMIT, *, price: int | None = None, tif: int = 0) -> Command:
        """A new order of nobody's or of one of three owners, sometimes in a group that several share."""
        return Command(
            op, self.side(), tif, 0, self.book.symbol, self.next_seq(), self.new_id(),
            self.rng.randrange(4), self.rng.choice((0, 0, 0, 9)), self.price() if price is None else price, self.lots(),
        )  # fmt: skip

    def lasting(self, command: Command, **details: int) -> Command:
        """With a time in force that lets it wait, and the details this needs."""
        tif = self.rng.choice(LASTING)
        expire_at = min(self.book.clock_now + self.rng.randrange(1, 6), LATEST) if tif is TimeInForce.GTD else 0
        return detailed(command._replace(tif=tif), expire_at=expire_at, **details)

    def live(self) -> RestingOrder | None:
        orders = self.book.orders() if len(self.book) < 64 else self.cached or self.book.orders()
        self.cached = orders
        return self.rng.choice(orders) if orders else None

    def venue(self, op: Op, **fields: int) -> Command:
        return Command(op, symbol=self.book.symbol, seq=self.next_seq())._replace(**fields)


def detailed(command: Command, **details: int) -> Command:
    changed = command._replace(**details)
    return with_details(changed, changed[len(COMMAND.unpack(bytes(64))) :])


# ---- orders ----------------------------------------------------------------------------------------------------------


def limit(w: World) -> list[Command]:
    return [w.order(tif=w.rng.choice((0, 0, 0, 0, 0, 1, 2)))]


def lasting(w: World) -> list[Command]:
    return [w.lasting(w.order())]


def posting(w: World) -> list[Command]:
    flags = w.rng.choice((CommandFlag.POST_ONLY, CommandFlag.POST_ONLY | CommandFlag.SLIDE))
    command = w.lasting(w.order())
    return [command._replace(flags=command.flags | flags | w.rng.choice((0, 0, CommandFlag.HIDDEN)))]


def hidden(w: World) -> list[Command]:
    command = w.lasting(w.order())
    return [command._replace(flags=command.flags | CommandFlag.HIDDEN)]


def iceberg(w: World) -> list[Command]:
    return [w.lasting(w.order(), display_quantity=w.rng.randrange(1, 6))]


def minimum(w: World) -> list[Command]:
    command = w.order(tif=w.rng.choice((TimeInForce.GTC, TimeInForce.IOC)))
    return [detailed(command, min_quantity=w.rng.randrange(1, min(command.quantity, 6) + 1))]


def market(w: World) -> list[Command]:
    price = w.rng.choice((0, w.price()))
    command = w.order(Op.MARKET, price=price, tif=w.rng.choice((TimeInForce.IOC, TimeInForce.IOC, TimeInForce.FOK)))
    return [detailed(command, min_quantity=w.rng.choice((0, 0, 0, 2)))]


def stop(w: World) -> list[Command]:
    op = w.rng.choice((Op.LIMIT, Op.MARKET))
    price = w.price() if op is Op.LIMIT or w.one_in(4) else 0
    return [w.lasting(w.order(op, price=price), stop_price=w.price())]


def trailing(w: World) -> list[Command]:
    op = w.rng.choice((Op.LIMIT, Op.MARKET))
    price = w.price() if op is Op.LIMIT or w.one_in(4) else 0
    return [w.lasting(w.order(op, price=price), trail_offset=w.offset())]


def peg(w: World) -> list[Command]:
    kind = w.rng.choice((PegKind.MIDPOINT, PegKind.PRIMARY, PegKind.MARKET))
    offset = {PegKind.MIDPOINT: 0, PegKind.PRIMARY: w.rng.choice((0, w.offset()))}.get(kind, w.offset())
    return [w.lasting(w.order(price=w.rng.choice((0, 0, w.price()))), peg=kind, peg_offset=offset)]


def for_auction(w: World) -> list[Command]:
    tif = TimeInForce.OPG if w.book.state is BookState.OPENING_AUCTION and w.one_in(2) else TimeInForce.CLS
    op = w.rng.choice((Op.LIMIT, Op.MARKET))
    return [w.order(op, price=None if op is Op.LIMIT else 0, tif=tif)]


def ladder(w: World) -> list[Command]:
    """Several orders at neighbouring prices, one batch."""
    first, step = w.order(), w.rng.randrange(4)
    return [
        first._replace(
            seq=w.next_seq(),
            order_id=1 + (first.order_id + i) % w.ids,
            price=min(first.price + i * step, MAX_PRICE_TICKS),
        )
        for i in range(w.rng.randrange(2, 8))
    ]


# ---- changes ---------------------------------------------------------------------------------------------------------


def cancel(w: World) -> list[Command]:
    target = w.live()
    if target is None or w.one_in(8):
        return [w.order(Op.CANCEL)]
    return [w.venue(Op.CANCEL, order_id=target.order_id, owner=target.owner)]


def replace(w: World) -> list[Command]:
    """Mostly by the right owner, often at the same price or with less."""
    target = w.live()
    if target is None:
        return [w.order(Op.REPLACE)]
    price = target.price_ticks if target.price_ticks and w.one_in(2) else w.price()
    quantity = w.rng.randrange(1, min(target.open_lots, 2**32) + 1) if w.one_in(2) else w.lots()
    command = w.venue(
        Op.REPLACE,
        order_id=target.order_id,
        owner=99 if w.one_in(12) else target.owner,
        price=price,
        quantity=quantity,
        flags=w.rng.choice((0, 0, 0, 0, CommandFlag.POST_ONLY, CommandFlag.POST_ONLY | CommandFlag.SLIDE)),
    )
    return [detailed(command, stop_price=w.price() if target.stop_ticks and w.one_in(2) else 0)]


def mass_cancel(w: World) -> list[Command]:
    flags = w.rng.choice((0, CommandFlag.ONE_SIDE, CommandFlag.ONE_SIDE | CommandFlag.ALL_OWNERS))
    return [w.venue(Op.MASS_CANCEL, owner=w.rng.randrange(4), side=w.side(), flags=flags)]


# ---- the venue -------------------------------------------------------------------------------------------------------


def state(w: World) -> list[Command]:
    """Towards trading when the book does not trade, else into any state."""
    if w.book.state is not BookState.TRADING and not w.one_in(3):
        return go_on(w)
    return [w.venue(Op.SET_STATE, quantity=w.rng.choice(tuple(BookState)))]


def go_on(w: World) -> list[Command]:
    """Into trading, if the state is as it was seen."""
    if w.book.state is BookState.TRADING:
        return [w.venue(Op.SET_STATE, quantity=BookState.TRADING)]
    after = BookState.HALTED if w.one_in(8) else BookState.TRADING
    return [w.venue(Op.UNCROSS, quantity=after)]


def call(w: World) -> list[Command]:
    """A whole auction: some orders collect, and then they trade."""
    into = w.venue(Op.SET_STATE, quantity=w.rng.choice(tuple(CALL_STATES - {w.book.state}) or (BookState.AUCTION,)))
    drawn = [w.rng.choice((limit, lasting, hidden, iceberg, for_auction, stop))(w) for _ in range(w.rng.randrange(7))]
    return [into, *[command for batch in drawn for command in batch], w.venue(Op.UNCROSS, quantity=BookState.TRADING)]


def clock(w: World) -> list[Command]:
    now = w.book.clock_now + w.rng.randrange(-1, 4)
    flags = CommandFlag.END_OF_DAY if w.one_in(8) else 0
    return [w.venue(Op.CLOCK, quantity=min(max(now, 0), LATEST), flags=flags)]


def bands(w: World) -> list[Command]:
    widths = w.rng.choice(((0, 0), (5, 0), (0, 3), (3, 2), (1, 0), (0, 1), (2**62, 2**62)))
    reference = w.price() if widths[0] or w.one_in(4) else 0
    return [w.venue(Op.SET_BANDS, price=reference, quantity=widths[0], group=widths[1])]


KINDS: dict[str, Callable[[World], list[Command]]] = {
    f.__name__: f
    for f in (
        limit, lasting, posting, hidden, iceberg, minimum, market, stop, trailing, peg, for_auction, ladder, cancel,
        replace, mass_cancel, state, go_on, call, clock, bands,
    )
}  # fmt: skip
WEIGHTS = {"limit": 16, "replace": 8, "cancel": 5, "market": 4, "mass_cancel": 0.2, "state": 0.3, "call": 0.7, "clock": 1,
           "bands": 0.5, "go_on": 0.1}  # fmt: skip


def any_batch(w: World) -> list[Command]:
    """One batch, of the kinds in about the proportions a day has them."""
    if w.book.state is not BookState.TRADING and w.one_in(2 if w.book.state is BookState.HALTED else 4):
        return go_on(w)
    kind = w.rng.choices(list(KINDS), [WEIGHTS.get(name, 2) for name in KINDS])[0]
    return KINDS[kind](w)


def packed(commands: list[Command]) -> bytes:
    return b"".join(command.pack() for command in commands)


# ---- nonsense --------------------------------------------------------------------------------------------------------


def nonsense(w: World) -> bytes:
    """One to three records with anything in them, the first bytes mostly such that later checks are reached."""
    return b"".join(a_record(w) for _ in range(w.rng.randrange(1, 4)))


def a_record(w: World) -> bytes:
    def u64() -> int:
        return w.rng.choice((0, 0, 1, 2, 5, 100, 2**62, 2**63, 2**64 - 1, w.rng.getrandbits(64)))

    def i64() -> int:
        return w.rng.choice((0, 1, 100, 101, -1, MAX_PRICE_TICKS, -(2**63)))

    symbol = w.book.symbol if not w.one_in(10) else w.rng.getrandbits(32)
    if w.one_in(3):
        zero = 0 if not w.one_in(6) else 1
        return DETAILS.pack(15, w.rng.randrange(5), zero, symbol, i64(), *(u64() for _ in range(5)), u64() * zero)
    op, tif = w.rng.choice((1, 1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 200)), w.rng.choice((0, 1, 2, 3, 4, 5, 6, 7))
    flags = w.rng.choice((0, 0, 128, 128, w.rng.randrange(256)))
    order_id, owner = w.rng.randrange(w.ids + 1), w.rng.randrange(4)
    return COMMAND.pack(
        op, w.rng.choice((0, 1, 1, 2)), tif, flags, symbol, w.next_seq(), order_id, owner, u64(), i64(), u64(),
        0 if not w.one_in(10) else 1,
    )  # fmt: skip


def damaged(w: World) -> bytes:
    """A plausible batch with one byte changed."""
    data = bytearray(packed(any_batch(w)))
    data[w.rng.randrange(len(data))] = w.rng.randrange(256)
    return bytes(data)
