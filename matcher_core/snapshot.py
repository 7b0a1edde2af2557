"""The one byte layout of a whole book at rest, shared by both books so that their snapshots are equal byte for byte.

HEADER  8s magic, u32 version, u32 symbol, u8 stp, u8 state, u8 call pending, 5 zero bytes, u64 max_orders,
        u64 order rows, u64 detail rows, u64 clock, u64 next stamp, i64 last price, i64 static reference,
        u64 static width, u64 dynamic width, i64 bid and i64 ask that pegs were last priced at, u64 rolling hash,
        u64 accepted, u64 rejected, u64 canceled, u64 trades, u64 traded lots, i64 open, i64 high, i64 low
        (0 in a price: none)
ORDER   u64 order_id, u64 open quantity (of an iceberg what it shows), u64 owner, u64 group, i64 price, u8 side,
        u8 place, u8 tif, u8 has details, 4 zero bytes
        Place by place, in each buys before sells, in priority order: the order of the rows is the priority of the
        orders. The price is that of the level: in STOP and TRAILING the stop price, in PEG and ARMED 0, of a market
        order 0. A trailing stop without a usable stop price has 0 (sell) or -2^63 (buy). ARMED is one queue.
DETAIL  u64 order_id, u64 stamp, i64 limit, i64 watermark, u64 trail offset, u64 reserve, u64 display, u64 expire_at,
        u64 peg offset, u8 op (LIMIT or MARKET), u8 peg, 6 zero bytes
        Of stops, trailing stops, pegs, icebergs and GTD orders, by ascending stamp. limit is the limit price, the
        protection of a stop without limit, or the cap of a peg (0: none).
DIGEST  blake2b-256 of everything before it; this digest is also the book's state hash

ENGINE  8s magic, u32 version, u32 books, then for each book, in the order opened, u64 length and its body (header and
        rows, no digest of its own), then one DIGEST of everything
"""

import hashlib
import struct
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import NamedTuple

from matcher_core.types import (
    CALL_STATES,
    MAX_DISPLAY_PARTS,
    MAX_DISTANCE_TICKS,
    MAX_ENGINE_SYMBOLS,
    MAX_ORDERS_CEILING,
    MAX_PRICE_TICKS,
    MAX_QUANTITY_LOTS,
    BookState,
    Op,
    PegKind,
    Place,
    SelfTradePrevention,
    Side,
    TimeInForce,
)

MAGIC = b"TKXBOOK2"
ENGINE_MAGIC = b"TKXENGN2"
VERSION = 2
HEADER = struct.Struct("<8sIIBBB5xQQQQQqqQQqqQQQQQQqqq")
ORDER = struct.Struct("<QQQQqBBBB4x")
DETAIL = struct.Struct("<QQqqQQQQQBB6x")
ENGINE_HEADER = struct.Struct("<8sII")
LENGTH = struct.Struct("<Q")
DIGEST_SIZE = 32
NO_BUY_STOP = -(2**63)  # the key of a trailing buy without a usable stop price, 2^63, as this field shows it


SIDES, PEGS = frozenset(Side), frozenset(PegKind)
AUCTION_TIFS = frozenset((TimeInForce.OPG, TimeInForce.CLS))
WAITING_TIFS = frozenset(TimeInForce) - {TimeInForce.IOC, TimeInForce.FOK}


class Header(NamedTuple):
    """Everything about a book but its orders, in the order of the bytes. Prices: 0 means none."""

    symbol: int
    stp: int
    state: int
    call_pending: int
    max_orders: int
    order_rows: int
    detail_rows: int
    clock: int
    next_stamp: int
    last_price: int
    static_reference: int
    static_width: int
    dynamic_width: int
    peg_bid: int
    peg_ask: int
    rolling_hash: int
    accepted: int
    rejected: int
    canceled: int
    trades: int
    traded_lots: int
    open_price: int
    high_price: int
    low_price: int

    def pack(self) -> bytes:
        return HEADER.pack(MAGIC, VERSION, *self)


class OrderRow(NamedTuple):
    order_id: int
    shown_lots: int
    owner: int
    group: int
    price: int
    side: int
    place: int
    tif: int
    has_details: int


class DetailRow(NamedTuple):
    order_id: int
    stamp: int
    limit: int
    watermark: int
    trail_offset: int
    reserve: int
    display: int
    expire_at: int
    peg_offset: int
    op: int
    peg: int


class BookImage(NamedTuple):
    """What a snapshot says."""

    header: Header
    orders: tuple[OrderRow, ...]
    details: tuple[DetailRow, ...]

    def body(self) -> bytes:
        return self.header.pack() + order_rows(self.orders) + detail_rows(self.details)


def order_rows(orders: Iterable[OrderRow]) -> bytes:
    return b"".join(ORDER.pack(*row) for row in orders)


def detail_rows(details: Iterable[DetailRow]) -> bytes:
    return b"".join(DETAIL.pack(*row) for row in details)


def digest(body: bytes) -> bytes:
    return hashlib.blake2b(body, digest_size=DIGEST_SIZE).digest()


def seal(body: bytes) -> bytes:
    return body + digest(body)


def engine_body(bodies: Iterable[bytes]) -> bytes:
    parts = [LENGTH.pack(len(body)) + body for body in bodies]
    return ENGINE_HEADER.pack(ENGINE_MAGIC, VERSION, len(parts)) + b"".join(parts)


# ---- reading --------------------------------------------------------------------------------------------------------


def parse(data: bytes | bytearray | memoryview) -> BookImage:
    """Read and check a snapshot. Raises ValueError, saying what was found, for anything `snapshot()` cannot have written."""
    return parse_body(_unseal(bytes(data), HEADER.size))


def parse_engine(data: bytes | bytearray | memoryview) -> tuple[BookImage, ...]:
    """Read and check the snapshot of an engine: its books in the order opened. Raises ValueError as parse does."""
    body = _unseal(bytes(data), ENGINE_HEADER.size)
    magic, version, count = ENGINE_HEADER.unpack_from(body)
    _check_magic(magic, version, ENGINE_MAGIC)
    images = tuple(parse_body(part) for part in _parts(body))
    if len(images) != count:
        raise ValueError(f"snapshot announces {count} books, has {len(images)}")
    if len({image.header.symbol for image in images}) != count:
        raise ValueError("snapshot names a symbol twice")
    if any(image.header.symbol >= MAX_ENGINE_SYMBOLS for image in images):
        raise ValueError(f"snapshot holds a symbol that is not below {MAX_ENGINE_SYMBOLS}")
    if len({(image.header.stp, image.header.max_orders) for image in images}) > 1:
        raise ValueError("snapshot holds books with different settings")
    return images


def _parts(body: bytes) -> Iterator[bytes]:
    at = ENGINE_HEADER.size
    while at < len(body):
        if at + LENGTH.size > len(body):
            raise ValueError("snapshot ends within a length")
        (length,) = LENGTH.unpack_from(body, at)
        at += LENGTH.size
        if length > len(body) - at:
            raise ValueError(f"snapshot announces a book of {length} bytes, has {len(body) - at}")
        yield body[at : at + length]
        at += length


def _unseal(raw: bytes, least: int) -> bytes:
    if len(raw) < least + DIGEST_SIZE:
        raise ValueError(f"snapshot must have at least {least + DIGEST_SIZE} bytes, was {len(raw)}")
    body = raw[:-DIGEST_SIZE]
    if digest(body) != raw[-DIGEST_SIZE:]:
        raise ValueError("snapshot digest does not fit its content")
    return body


def _check_magic(magic: bytes, version: int, wanted: bytes) -> None:
    if magic != wanted or version != VERSION:
        raise ValueError(f"snapshot must be {wanted!r} version {VERSION}, was {magic!r} version {version}")


def parse_body(body: bytes) -> BookImage:
    """A book without its digest. Raises ValueError as parse does."""
    if len(body) < HEADER.size:
        raise ValueError(f"snapshot must have a header of {HEADER.size} bytes, was {len(body)}")
    magic, version, *fields = HEADER.unpack_from(body)
    _check_magic(magic, version, MAGIC)
    header = Header(*fields)
    split = HEADER.size + header.order_rows * ORDER.size
    if len(body) != split + header.detail_rows * DETAIL.size:
        raise ValueError(
            f"snapshot announces {header.order_rows} orders and {header.detail_rows} details, "
            f"has {len(body) - HEADER.size} bytes of them"
        )
    orders = tuple(OrderRow(*row) for row in ORDER.iter_unpack(body[HEADER.size : split]))
    image = BookImage(header, orders, tuple(DetailRow(*row) for row in DETAIL.iter_unpack(body[split:])))
    if image.body() != body:
        raise ValueError("snapshot padding must be zero")
    _check_header(header)
    _check_orders(image)
    return image


def _check_header(h: Header) -> None:
    if h.stp not in frozenset(SelfTradePrevention) or h.state not in frozenset(BookState):
        raise ValueError(f"snapshot has self-trade prevention {h.stp} and state {h.state}")
    if not 0 < h.max_orders <= MAX_ORDERS_CEILING or h.order_rows > h.max_orders:
        raise ValueError(f"snapshot holds {h.order_rows} orders with room for {h.max_orders}")
    if h.call_pending > 1 or (h.state in CALL_STATES and not h.call_pending):
        raise ValueError(f"snapshot is in state {h.state} with call pending {h.call_pending}")
    if h.state == BookState.TRADING and h.call_pending:
        raise ValueError("snapshot trades while a call is pending")
    prices = (h.last_price, h.static_reference, h.peg_bid, h.peg_ask, h.open_price, h.high_price, h.low_price)
    if min(prices) < 0 or max(h.static_width, h.dynamic_width) > MAX_DISTANCE_TICKS:
        raise ValueError("snapshot holds an impossible price or width")
    if h.static_width and not h.static_reference:
        raise ValueError("snapshot has a static band around nothing")
    if (h.peg_bid or h.peg_ask) and h.state != BookState.TRADING:
        raise ValueError("snapshot has priced pegs outside trading")
    if h.next_stamp == 0:
        raise ValueError("snapshot stamps start at 1")


def _check_orders(image: BookImage) -> None:
    orders, details = image.orders, {row.order_id: row for row in image.details}
    if len({o.order_id for o in orders}) != len(orders) or len(details) != len(image.details):
        raise ValueError("snapshot names an order twice")
    if {o.order_id for o in orders if o.has_details} != details.keys():
        raise ValueError("snapshot has details of other orders than it says")
    stamps = [0, *(row.stamp for row in image.details), image.header.next_stamp]
    if any(a >= b for a, b in pairwise(stamps)):
        raise ValueError("snapshot details are not in the order of their stamps")
    for o in orders:
        if not _possible(o, details.get(o.order_id)) or not _timely(o, details.get(o.order_id), image.header):
            raise ValueError(f"snapshot holds an impossible order: {o} {details.get(o.order_id)}")
    ranks = [(o.place, o.side if o.place != Place.ARMED else 0, priority_key(o.place, o.side, o.price)) for o in orders]
    if ranks != sorted(ranks):
        raise ValueError("snapshot orders are not in the order of their places and prices")
    _check_crossed(image)
    for side in Side:
        total = sum(
            o.shown_lots + (details[o.order_id].reserve if o.has_details else 0) for o in orders if o.side == side
        )
        if total > MAX_QUANTITY_LOTS:
            raise ValueError(f"snapshot holds more than {MAX_QUANTITY_LOTS} lots on one side")


def _possible(o: OrderRow, d: DetailRow | None) -> bool:
    """Whether such an order can exist at all."""
    if o.order_id == 0 or o.shown_lots == 0 or o.side not in SIDES or o.has_details > 1 or o.tif not in WAITING_TIFS:
        return False
    if o.group == 0 and o.owner != 0:
        return False
    if o.tif in AUCTION_TIFS and o.place not in (Place.BOOK, Place.CLOSE):
        return False
    if d is None:
        return o.tif != TimeInForce.GTD and (
            (o.place == Place.BOOK and (o.price > 0 or (o.price == 0 and o.tif in AUCTION_TIFS)))
            or (o.place == Place.HIDDEN and o.price > 0)
            or (o.place == Place.CLOSE and o.price >= 0 and o.tif == TimeInForce.CLS)
        )
    return _details_possible(o, d)


def _details_possible(o: OrderRow, d: DetailRow) -> bool:
    if (d.expire_at > 0) != (o.tif == TimeInForce.GTD) or d.limit < 0 or d.watermark < 0:
        return False
    if d.op not in (Op.LIMIT, Op.MARKET) or o.tif in AUCTION_TIFS:
        return False
    if d.peg:
        return _peg_possible(o, d)
    if d.peg_offset or (d.op == Op.LIMIT and d.limit == 0):
        return False
    if o.place in (Place.STOP, Place.TRAILING, Place.ARMED):
        return _stop_possible(o, d)
    if o.place not in (Place.BOOK, Place.HIDDEN) or d.op != Op.LIMIT or d.limit != o.price:
        return False
    if d.trail_offset or d.watermark:
        return False
    if d.display == 0:
        return d.reserve == 0 and o.tif == TimeInForce.GTD
    whole = o.shown_lots + d.reserve
    return o.place == Place.BOOK and o.shown_lots <= d.display and whole <= MAX_DISPLAY_PARTS * d.display


def _peg_possible(o: OrderRow, d: DetailRow) -> bool:
    if d.peg not in PEGS or d.op != Op.LIMIT or any((d.trail_offset, d.watermark, d.reserve, d.display)):
        return False
    if d.peg_offset > (0 if d.peg == PegKind.MIDPOINT else MAX_DISTANCE_TICKS):
        return False
    if d.peg == PegKind.MARKET and d.peg_offset == 0:
        return False
    if o.place == Place.PEG:
        return o.price == 0
    within = d.limit == 0 or (o.price <= d.limit if o.side == Side.BUY else o.price >= d.limit)
    return o.place == Place.HIDDEN and o.price > 0 and within


def _stop_possible(o: OrderRow, d: DetailRow) -> bool:
    if d.reserve or d.display or d.trail_offset > MAX_DISTANCE_TICKS or (d.watermark and not d.trail_offset):
        return False
    if o.place == Place.ARMED:
        return o.price == 0
    if o.place == Place.STOP:
        return o.price > 0 and d.trail_offset == 0
    return d.trail_offset > 0 and o.price == trailing_price(o.side, d.watermark, d.trail_offset)


def _timely(o: OrderRow, d: DetailRow | None, h: Header) -> bool:
    """Whether such an order can exist in the present state of its book."""
    trading = h.state == BookState.TRADING
    if d is not None and 0 < d.expire_at <= h.clock:
        return False
    if o.place == Place.ARMED:
        return not trading
    if o.place == Place.HIDDEN and d is not None and d.peg:
        return trading
    return not (o.place == Place.BOOK and o.tif in AUCTION_TIFS and not h.call_pending)


def _check_crossed(image: BookImage) -> None:
    """Only while a call is pending may orders stand across each other, or without a price in the book."""
    if image.header.call_pending:
        return
    trading = [o for o in image.orders if o.place in (Place.BOOK, Place.HIDDEN)]
    bid = max((o.price for o in trading if o.side == Side.BUY), default=0)
    ask = min((o.price for o in trading if o.side == Side.SELL), default=bid + 1)
    if bid >= ask:
        raise ValueError(f"snapshot is crossed: bid {bid}, ask {ask}")
    if any(o.price == 0 for o in trading):
        raise ValueError("snapshot holds a market order outside a call")


def trailing_price(side: int, watermark: int, offset: int) -> int:
    """The stop price of a trailing stop as its level shows it: 0 (sell) or NO_BUY_STOP (buy) when none can be reached."""
    if side == Side.SELL:
        return max(watermark - offset, 0)
    return watermark + offset if watermark and watermark + offset <= MAX_PRICE_TICKS else NO_BUY_STOP


def priority_key(place: int, side: int, price: int) -> int:
    """What orders of one place and direction are sorted by, smallest first. `price` is that of the level.

    BOOK, HIDDEN and CLOSE: market orders, then the best price. STOP and TRAILING: the stop price reached first.
    """
    if place in (Place.STOP, Place.TRAILING):
        return (price if price != NO_BUY_STOP else 2**63) if side == Side.BUY else -price
    if place in (Place.PEG, Place.ARMED):
        return 0
    return price if side == Side.SELL else -price or -(2**63)
