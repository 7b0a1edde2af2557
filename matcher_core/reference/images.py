"""A book to and from its snapshot rows (layout in matcher_core/snapshot.py), and the checks of its inner agreement."""

from matcher_core.reference.data import BookData, Order
from matcher_core.reference.tally import Tally
from matcher_core.snapshot import BookImage, DetailRow, Header, OrderRow, priority_key
from matcher_core.types import BookState, Op, PegKind, Place, SelfTradePrevention, Side, TimeInForce

COUNTED = ("rolling_hash", "accepted", "rejected", "canceled", "trades", "traded_lots", "open_price", "high_price",
           "low_price")  # fmt: skip
PLAIN = (
    "call_pending", "clock", "next_stamp", "last_price", "static_reference", "static_width", "dynamic_width",
    "peg_bid", "peg_ask",
)  # fmt: skip


def image_of(book: BookData, tally: Tally) -> BookImage:
    orders = list(book.in_place_order())
    detailed = sorted((o for o in orders if o.has_details), key=lambda o: o.stamp)
    fields = {name: getattr(book, name) for name in PLAIN} | {name: getattr(tally, name) for name in COUNTED}
    header = Header(
        symbol=book.symbol,
        stp=book.stp,
        state=book.state,
        max_orders=book.max_orders,
        order_rows=len(orders),
        detail_rows=len(detailed),
        **fields,
    )
    return BookImage(header, tuple(map(order_row, orders)), tuple(map(detail_row, detailed)))


def order_row(o: Order) -> OrderRow:
    return OrderRow(o.order_id, o.shown, o.owner, o.group, o.level_price, o.side, o.place, o.tif, int(o.has_details))


def detail_row(o: Order) -> DetailRow:
    return DetailRow(
        order_id=o.order_id,
        stamp=o.stamp,
        limit=o.cap if o.peg else o.price,
        watermark=o.watermark,
        trail_offset=o.trail_offset,
        reserve=o.reserve,
        display=o.display,
        expire_at=o.expire_at,
        peg_offset=o.peg_offset,
        op=o.op,
        peg=o.peg,
    )


def book_of(image: BookImage) -> tuple[BookData, Tally]:
    h = image.header
    book, tally = BookData(h.symbol, SelfTradePrevention(h.stp), h.max_orders), Tally()
    for name in PLAIN:
        setattr(book, name, getattr(h, name))
    for name in COUNTED:
        setattr(tally, name, getattr(h, name))
    book.state, book.call_pending = BookState(h.state), bool(h.call_pending)
    details = {row.order_id: row for row in image.details}
    for row in image.orders:
        book.put(order_of(row, details.get(row.order_id)), Place(row.place))
    return book, tally


def order_of(row: OrderRow, d: DetailRow | None) -> Order:
    order = Order(row.order_id, Side(row.side), row.price, row.shown_lots, row.owner, row.group)
    order.tif, order.hidden = TimeInForce(row.tif), row.place == Place.HIDDEN
    if d is None:
        order.op = Op.LIMIT if row.price else Op.MARKET
        return order
    order.op, order.stamp, order.expire_at = Op(d.op), d.stamp, d.expire_at
    order.open, order.reserve, order.display = row.shown_lots + d.reserve, d.reserve, d.display
    order.watermark, order.trail_offset = d.watermark, d.trail_offset
    order.peg, order.peg_offset = PegKind(d.peg), d.peg_offset
    if order.peg:
        order.hidden, order.cap = False, d.limit
        return order
    if row.place in (Place.STOP, Place.TRAILING):
        order.stop = row.price
    order.price = d.limit
    return order


def check(book: BookData) -> None:
    """Raise AssertionError when the parts of the book disagree."""
    orders = list(book.in_place_order())
    assert {o.order_id: o for o in orders} == book.orders, "id map and places hold different orders"
    assert {i for i, o in book.orders.items() if o.peg} == book.pegs.keys(), "the list of pegs is wrong"
    for side in Side:
        assert sum(o.open for o in orders if o.side is side) == book.open_lots[side], "the sum of a direction is wrong"
    for shelf in book.shelves:
        assert sorted(shelf.levels) == shelf.keys, "keys and levels differ"
        assert all(shelf.levels.values()), "an empty level stands"
    for o in orders:
        check_order(o)
    assert book.call_pending or not is_crossed(book), "the book is crossed"
    assert not book.trading or not book.armed().keys, "an armed order waits while the book trades"


def check_order(o: Order) -> None:
    assert 0 <= o.reserve < o.open, "an order is empty, or shows nothing"
    assert o.key == priority_key(o.place, o.side, o.level_price), "an order stands at another price than it says"
    assert (o.stamp > 0) == o.has_details, "a stamp without details, or the other way round"
    assert o.place is not Place.HIDDEN or o.hidden or o.peg, "an order hides that should not"


def is_crossed(book: BookData) -> bool:
    bids, asks = ([o.price for place in (Place.BOOK, Place.HIDDEN) for o in book.shelf(place, side)] for side in Side)
    return bool(bids and asks) and max(bids) >= min(asks)
