"""What a book is made of: its orders, the places they stand in, and the few numbers beside them. No rule lives here.

Priority    An order stands in one place. Within a place and direction orders are sorted by key, smallest first (see
            snapshot.priority_key), and within one key by how long they have stood there, oldest first.
"""

from bisect import bisect_left, insort
from collections.abc import Iterator
from dataclasses import dataclass

from matcher_core.snapshot import priority_key
from matcher_core.types import (
    BookState,
    Event,
    Op,
    PegKind,
    Place,
    SelfTradePrevention,
    Side,
    TimeInForce,
)

WAITING_PLACES = frozenset((Place.STOP, Place.TRAILING, Place.PEG, Place.ARMED))


@dataclass(slots=True, eq=False)
class Order:
    """An order, on its way in or in its place.

    price is its limit or, of a market order, its protection (0: none); of a peg the price it has now (0: none).
    open is all that is left of it; reserve is the part an iceberg does not show.
    """

    order_id: int
    side: Side
    price: int
    open: int
    owner: int
    group: int
    op: Op = Op.LIMIT
    tif: TimeInForce = TimeInForce.GTC
    hidden: bool = False
    display: int = 0
    reserve: int = 0
    stop: int = 0
    trail_offset: int = 0
    watermark: int = 0
    peg: PegKind = PegKind.NONE
    peg_offset: int = 0
    cap: int = 0
    expire_at: int = 0
    stamp: int = 0
    place: Place = Place.BOOK
    key: int = 0

    @property
    def shown(self) -> int:
        return self.open - self.reserve

    @property
    def may_wait(self) -> bool:
        return self.tif is not TimeInForce.IOC and self.tif is not TimeInForce.FOK

    @property
    def level_price(self) -> int:
        """The price its place sorts it by."""
        if self.place in (Place.STOP, Place.TRAILING):
            return self.stop
        return 0 if self.place in (Place.PEG, Place.ARMED) else self.price

    @property
    def listed_price(self) -> int:
        """The price anyone who asks is told: where it stands or, while it waits, its limit (0: none)."""
        return self.cap if self.place is Place.PEG else self.price

    @property
    def has_details(self) -> bool:
        return self.expire_at > 0 or self.display > 0 or self.peg != PegKind.NONE or self.place in WAITING_PLACES


class Shelf:
    """The orders of one place and direction in priority order."""

    def __init__(self) -> None:
        self.keys: list[int] = []  # ascending: the best first
        self.levels: dict[int, list[Order]] = {}  # key -> oldest first

    def __iter__(self) -> Iterator[Order]:
        for key in self.keys:
            yield from self.levels[key]

    def first(self) -> Order | None:
        return self.levels[self.keys[0]][0] if self.keys else None

    def add(self, order: Order) -> None:
        level = self.levels.get(order.key)
        if level is None:
            level = self.levels[order.key] = []
            insort(self.keys, order.key)
        level.append(order)

    def discard(self, order: Order) -> None:
        level = self.levels[order.key]
        level.remove(order)
        if not level:
            del self.levels[order.key]
            del self.keys[bisect_left(self.keys, order.key)]


class BookData:
    """The whole state of one book, and the events of the command it is carrying out. A price of 0 means none."""

    def __init__(self, symbol: int, stp: SelfTradePrevention, max_orders: int) -> None:
        self.symbol = symbol
        self.stp = stp
        self.max_orders = max_orders
        self.state = BookState.TRADING
        self.call_pending = False
        self.clock = 0
        self.next_stamp = 1
        self.last_price = 0
        self.static_reference = 0
        self.static_width = 0
        self.dynamic_width = 0
        self.peg_bid = 0  # what pegs were last priced at
        self.peg_ask = 0
        self.orders: dict[int, Order] = {}
        self.pegs: dict[int, Order] = {}
        self.open_lots = [0, 0]  # per direction, over all places
        self.shelves = [Shelf() for _ in range(2 * len(Place) - 1)]  # the last one, ARMED, is for both directions
        # Of the command being carried out:
        self.seq = 0
        self.events: list[Event] = []
        self.peg_entered = False

    @property
    def trading(self) -> bool:
        return self.state is BookState.TRADING

    def tell(self, event: Event) -> None:
        self.events.append(event)

    def shelf(self, place: Place, side: Side) -> Shelf:
        return self.shelves[12 if place is Place.ARMED else 2 * place + side]

    def armed(self) -> Shelf:
        return self.shelves[12]

    def in_place_order(self) -> Iterator[Order]:
        """Every live order: place by place, in each buys before sells, in priority order."""
        for shelf in self.shelves:
            yield from shelf

    def best_displayed(self, side: Side) -> int:
        """The best limit price displayed; market orders in a call have none and are passed over. 0: none."""
        shelf = self.shelves[side]
        for key in shelf.keys:
            if (price := shelf.levels[key][0].price) != 0:
                return price
        return 0

    # ---- moving orders --------------------------------------------------------------------------------------------

    def put(self, order: Order, place: Place) -> None:
        """Put an order that is nowhere last into its level of a place.

        An order with details takes a stamp the first time it rests or waits; the stamp is its age for expiry and, for
        pegs, for the order of pricing.
        """
        order.place = place
        order.key = priority_key(place, order.side, order.level_price)
        self.shelf(place, order.side).add(order)
        self.orders[order.order_id] = order
        self.open_lots[order.side] += order.open
        if order.has_details:
            self._stamp(order)

    def _stamp(self, order: Order) -> None:
        if order.stamp == 0:
            order.stamp = self.next_stamp
            self.next_stamp += 1
        if order.peg:
            self.pegs[order.order_id] = order

    def take(self, order: Order) -> None:
        """Take an order out of its place; it is nowhere then."""
        del self.orders[order.order_id]
        self.pegs.pop(order.order_id, None)
        self.open_lots[order.side] -= order.open
        self.shelf(order.place, order.side).discard(order)

    def move(self, order: Order, place: Place) -> None:
        self.take(order)
        self.put(order, place)

    def reduce(self, order: Order, lots: int) -> None:
        """Take open quantity, shown first, from an order in its place; at zero it leaves the book."""
        if lots == order.open:
            self.take(order)
            order.open = 0
            return
        order.open -= lots
        self.open_lots[order.side] -= lots


def other(side: Side) -> Side:
    return Side.SELL if side is Side.BUY else Side.BUY
