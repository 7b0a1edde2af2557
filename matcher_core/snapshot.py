"""The one byte layout of a whole book at rest, shared by both books so that their snapshots are equal byte for byte.

HEADER  8s magic, u32 version, u32 symbol, u8 stp, u8 state, 6 zero bytes, u64 max_orders, u64 order count
ORDER   u64 order_id, u64 open quantity, u64 owner, u64 group, i64 price, u8 side, 7 zero bytes
        bids before asks, best price first, oldest first: the order of the rows is the priority of the orders
DIGEST  blake2b-256 of everything before it; this digest is also the book's state hash
"""

import hashlib
import struct
from collections.abc import Iterable
from typing import NamedTuple

from matcher_core.types import (
    MAX_ORDERS_CEILING,
    MAX_QUANTITY_LOTS,
    BookState,
    RestingOrder,
    SelfTradePrevention,
    Side,
)

MAGIC = b"TKXBOOK1"
VERSION = 1
HEADER = struct.Struct("<8sIIBB6xQQ")
ORDER = struct.Struct("<QQQQqB7x")
DIGEST_SIZE = 32


class BookImage(NamedTuple):
    """What a snapshot says: the settings of the book and its orders in priority order."""

    symbol: int
    stp: SelfTradePrevention
    state: BookState
    max_orders: int
    orders: tuple[RestingOrder, ...]


def header(symbol: int, stp: int, state: int, max_orders: int, count: int) -> bytes:
    return HEADER.pack(MAGIC, VERSION, symbol, stp, state, max_orders, count)


def order_rows(orders: Iterable[RestingOrder]) -> bytes:
    return b"".join(ORDER.pack(o.order_id, o.open_lots, o.owner, o.group, o.price_ticks, o.side) for o in orders)


def digest(body: bytes) -> bytes:
    return hashlib.blake2b(body, digest_size=DIGEST_SIZE).digest()


def seal(body: bytes) -> bytes:
    return body + digest(body)


def parse(data: bytes | bytearray | memoryview) -> BookImage:
    """Read and check a snapshot. Raises ValueError, saying what was found, for anything `snapshot()` cannot have written."""
    raw = bytes(data)
    if len(raw) < HEADER.size + DIGEST_SIZE:
        raise ValueError(f"snapshot must have at least {HEADER.size + DIGEST_SIZE} bytes, was {len(raw)}")
    body = raw[:-DIGEST_SIZE]
    magic, version, symbol, stp, state, max_orders, count = HEADER.unpack_from(body)
    if magic != MAGIC or version != VERSION:
        raise ValueError(f"snapshot must be {MAGIC!r} version {VERSION}, was {magic!r} version {version}")
    if digest(body) != raw[-DIGEST_SIZE:]:
        raise ValueError("snapshot digest does not fit its content")
    if len(body) != HEADER.size + count * ORDER.size:
        raise ValueError(f"snapshot announces {count} orders, has {len(body) - HEADER.size} bytes of them")
    if not 0 < max_orders <= MAX_ORDERS_CEILING or count > max_orders:
        raise ValueError(f"snapshot holds {count} orders with room for {max_orders}")
    image = BookImage(
        symbol, SelfTradePrevention(stp), BookState(state), max_orders, tuple(_orders(body[HEADER.size :]))
    )
    if header(symbol, stp, state, max_orders, count) + order_rows(image.orders) != body:
        raise ValueError("snapshot padding must be zero")
    _check_orders(image.orders)
    return image


def _orders(rows: bytes) -> Iterable[RestingOrder]:
    for order_id, open_lots, owner, group, price, side in ORDER.iter_unpack(rows):
        yield RestingOrder(order_id, Side(side), price, open_lots, owner, group)


def _check_orders(orders: tuple[RestingOrder, ...]) -> None:
    if len({o.order_id for o in orders}) != len(orders):
        raise ValueError("snapshot names an order twice")
    for o in orders:
        if o.order_id == 0 or o.price_ticks <= 0 or o.open_lots == 0:
            raise ValueError(f"snapshot holds an impossible order: {o}")
        if o.group == 0 and o.owner != 0:
            raise ValueError(f"snapshot holds an owned order without a group: {o}")
    bids = [o for o in orders if o.side is Side.BUY]
    asks = [o for o in orders if o.side is Side.SELL]
    if orders != (*bids, *asks):
        raise ValueError("snapshot mixes bids and asks")
    bid_prices = [o.price_ticks for o in bids]
    ask_prices = [o.price_ticks for o in asks]
    if bid_prices != sorted(bid_prices, reverse=True) or ask_prices != sorted(ask_prices):
        raise ValueError("snapshot orders are not in price priority")
    if bids and asks and bid_prices[0] >= ask_prices[0]:
        raise ValueError(f"snapshot is crossed: bid {bid_prices[0]}, ask {ask_prices[0]}")
    if max(sum(o.open_lots for o in bids), sum(o.open_lots for o in asks)) > MAX_QUANTITY_LOTS:
        raise ValueError(f"snapshot holds more than {MAX_QUANTITY_LOTS} lots on one side")
