"""The binary records of the batch API: 64-byte little-endian commands in, 64-byte events out.

A record is read with `struct` or, where numpy is at hand, with `numpy.dtype(COMMAND_FIELDS)`; numpy itself is not needed.
Unused fields of a command must be zero only where this says "reserved"; elsewhere they are ignored.

COMMAND   0 u8 op      1 u8 side   2 u8 tif    3 u8 flags   4 u32 symbol   8 u64 seq (echoed in every event)
         16 u64 order_id   24 u64 owner   32 u64 group   40 i64 price   48 u64 quantity   56 u64 reserved (0)

    op          uses
    LIMIT       side tif flags order_id owner group price quantity
    MARKET      side tif(IOC, FOK) order_id owner group quantity, price = worst acceptable price or 0 for none
    CANCEL      order_id owner
    REPLACE     order_id owner flags price quantity (new open quantity); side, owner and group of the order stay
    MASS_CANCEL owner
    SET_STATE   quantity = the new BookState

EVENT     0 u8 type    1 u8 side   2 u16 code  4 u32 symbol  8 u64 seq (of the command)
         16 u64 order_id   24 u64 counter_id   32 i64 price   40 u64 quantity   48 u64 leaves   56 u64 counter_leaves

    type          code            order_id  counter_id  quantity         leaves                   counter_leaves
    ACCEPTED      0               order     0           entered          resting after command    0
    TRADE         0               taker     maker       traded           taker's                  maker's
    CANCELED      CancelReason    order     0           canceled         0                        0
    REPLACED      1 kept priority order     0           new open         resting after command    0
    REJECTED      RejectCode      as sent   0           0                0                        0
    MASS_CANCELED 0               0         owner       orders canceled  0                        0
    STATE_CHANGED 0               0         0           new state        old state                0
"""

import struct
from collections.abc import Iterator
from typing import NamedTuple

from matcher_core.types import (
    Accepted,
    BookState,
    Canceled,
    CancelReason,
    Event,
    EventType,
    MassCanceled,
    Op,
    RejectCode,
    Rejected,
    Replaced,
    Side,
    StateChanged,
    TimeInForce,
    Trade,
)

RECORD_SIZE = 64
COMMAND = struct.Struct("<BBBBIQQQQqQQ")
EVENT = struct.Struct("<BBHIQQQqQQQ")

COMMAND_FIELDS: list[tuple[str, str]] = [
    ("op", "u1"),
    ("side", "u1"),
    ("tif", "u1"),
    ("flags", "u1"),
    ("symbol", "<u4"),
    ("seq", "<u8"),
    ("order_id", "<u8"),
    ("owner", "<u8"),
    ("group", "<u8"),
    ("price", "<i8"),
    ("quantity", "<u8"),
    ("reserved", "<u8"),
]
EVENT_FIELDS: list[tuple[str, str]] = [
    ("type", "u1"),
    ("side", "u1"),
    ("code", "<u2"),
    ("symbol", "<u4"),
    ("seq", "<u8"),
    ("order_id", "<u8"),
    ("counter_id", "<u8"),
    ("price", "<i8"),
    ("quantity", "<u8"),
    ("leaves", "<u8"),
    ("counter_leaves", "<u8"),
]


class Command(NamedTuple):
    """A command before it is packed. Every field is a plain integer, so malformed ones can be expressed and refused."""

    op: int
    side: int = 0
    tif: int = 0
    flags: int = 0
    symbol: int = 0
    seq: int = 0
    order_id: int = 0
    owner: int = 0
    group: int = 0
    price: int = 0
    quantity: int = 0
    reserved: int = 0

    def pack(self) -> bytes:
        """The 64-byte record. A value that does not fit its field raises struct.error."""
        return COMMAND.pack(*self)


def limit(
    *,
    order_id: int,
    side: Side,
    price: int,
    quantity: int,
    owner: int = 0,
    group: int = 0,
    tif: TimeInForce = TimeInForce.GTC,
    flags: int = 0,
    symbol: int = 0,
    seq: int = 0,
) -> Command:
    return Command(Op.LIMIT, side, tif, flags, symbol, seq, order_id, owner, group, price, quantity)


def market(
    *,
    order_id: int,
    side: Side,
    quantity: int,
    owner: int = 0,
    group: int = 0,
    tif: TimeInForce = TimeInForce.IOC,
    protection: int = 0,
    symbol: int = 0,
    seq: int = 0,
) -> Command:
    return Command(Op.MARKET, side, tif, 0, symbol, seq, order_id, owner, group, protection, quantity)


def cancel(*, order_id: int, owner: int = 0, symbol: int = 0, seq: int = 0) -> Command:
    return Command(Op.CANCEL, symbol=symbol, seq=seq, order_id=order_id, owner=owner)


def replace(
    *, order_id: int, price: int, quantity: int, owner: int = 0, flags: int = 0, symbol: int = 0, seq: int = 0
) -> Command:
    return Command(Op.REPLACE, 0, 0, flags, symbol, seq, order_id, owner, 0, price, quantity)


def mass_cancel(*, owner: int, symbol: int = 0, seq: int = 0) -> Command:
    return Command(Op.MASS_CANCEL, symbol=symbol, seq=seq, owner=owner)


def set_state(state: BookState, *, symbol: int = 0, seq: int = 0) -> Command:
    return Command(Op.SET_STATE, symbol=symbol, seq=seq, quantity=state)


def iter_commands(data: bytes | bytearray | memoryview) -> Iterator[Command]:
    for row in COMMAND.iter_unpack(data):
        yield Command(*row)


def decode_events(data: bytes | bytearray | memoryview) -> tuple[Event, ...]:
    """Event records as typed events, in order. Raises struct.error when the length is not a multiple of 64."""
    return tuple(_decode(row) for row in EVENT.iter_unpack(data))


def _decode(row: tuple[int, ...]) -> Event:
    kind, side, code, _symbol, seq, order_id, counter_id, price, quantity, leaves, counter_leaves = row
    if kind == EventType.TRADE:
        return Trade(seq, order_id, counter_id, Side(side), price, quantity, leaves, counter_leaves)
    if kind == EventType.ACCEPTED:
        return Accepted(seq, order_id, Side(side), price, quantity, leaves)
    if kind == EventType.CANCELED:
        return Canceled(seq, order_id, Side(side), price, quantity, CancelReason(code))
    if kind == EventType.REPLACED:
        return Replaced(seq, order_id, Side(side), price, quantity, leaves, code == 1)
    if kind == EventType.REJECTED:
        return Rejected(seq, order_id, RejectCode(code))
    if kind == EventType.MASS_CANCELED:
        return MassCanceled(seq, counter_id, quantity)
    if kind == EventType.STATE_CHANGED:
        return StateChanged(seq, BookState(quantity), BookState(leaves))
    raise ValueError(f"event type must be 1 to 7, was {kind}")


def encode_event(event: Event, symbol: int) -> bytes:
    """The 64-byte record of an event, exactly as the compiled book writes it (a rejection's unused fields are zero)."""
    match event:
        case Accepted(seq, order_id, side, price, quantity, resting):
            return EVENT.pack(EventType.ACCEPTED, side, 0, symbol, seq, order_id, 0, price, quantity, resting, 0)
        case Trade(seq, taker, maker, side, price, quantity, leaves, maker_leaves):
            return EVENT.pack(
                EventType.TRADE, side, 0, symbol, seq, taker, maker, price, quantity, leaves, maker_leaves
            )
        case Canceled(seq, order_id, side, price, quantity, reason):
            return EVENT.pack(EventType.CANCELED, side, reason, symbol, seq, order_id, 0, price, quantity, 0, 0)
        case Replaced(seq, order_id, side, price, quantity, resting, kept):
            return EVENT.pack(EventType.REPLACED, side, kept, symbol, seq, order_id, 0, price, quantity, resting, 0)
        case Rejected(seq, order_id, code):
            return EVENT.pack(EventType.REJECTED, 0, code, symbol, seq, order_id, 0, 0, 0, 0, 0)
        case MassCanceled(seq, owner, count):
            return EVENT.pack(EventType.MASS_CANCELED, 0, 0, symbol, seq, 0, owner, 0, count, 0, 0)
        case StateChanged(seq, state, previous):
            return EVENT.pack(EventType.STATE_CHANGED, 0, 0, symbol, seq, 0, 0, 0, state, previous, 0)
