"""The binary records of the batch API: 64-byte little-endian commands in, 64-byte events out.

A record is read with `struct` or, where numpy is at hand, with `numpy.dtype(COMMAND_FIELDS)`; numpy itself is not needed.
Unused fields of a command must be zero only where this says "reserved"; elsewhere they are ignored.

COMMAND   0 u8 op      1 u8 side   2 u8 tif    3 u8 flags   4 u32 symbol   8 u64 seq (echoed in every event)
         16 u64 order_id   24 u64 owner   32 u64 group   40 i64 price   48 u64 quantity   56 u64 reserved (0)

    op          uses
    LIMIT       side tif flags order_id owner group price quantity
    MARKET      side tif order_id owner group quantity, price = worst acceptable price or 0 for none
    CANCEL      order_id owner
    REPLACE     order_id owner flags price quantity (new open quantity); all else of the order stays
    MASS_CANCEL owner; side with flag ONE_SIDE; flag ALL_OWNERS: the owner is ignored
    SET_STATE   quantity = the new BookState
    CLOCK       quantity = now, in any unit; flag END_OF_DAY
    UNCROSS     quantity = the state afterwards: TRADING, CANCEL_ONLY or HALTED
    SET_BANDS   price = static reference or 0, quantity = static width in ticks, group = dynamic width (0: no such band)

DETAILS   0 u8 op=15   1 u8 peg   2 u16 zero   4 u32 symbol (the command's)   8 i64 stop_price   16 u64 trail_offset
         24 u64 display_quantity   32 u64 min_quantity   40 u64 expire_at   48 u64 peg_offset   56 u64 reserved (0)

    A LIMIT, MARKET or REPLACE with flag DETAILS takes the record after it as its details: one pair, one command, one
    answer, with the seq of the first record. When that record is missing or is no DETAILS record, the command is
    refused with BAD_DETAILS and the record is read as a command of its own. A DETAILS record anywhere else is an
    unknown operation.

EVENT     0 u8 type    1 u8 side   2 u16 code  4 u32 symbol  8 u64 seq (of the command)
         16 u64 order_id   24 u64 counter_id   32 i64 price   40 u64 quantity   48 u64 leaves   56 u64 counter_leaves

    type          code            order_id  counter_id  quantity         leaves                   counter_leaves
    ACCEPTED      0               order     0           entered          resting or waiting       0
    TRADE         1 in an uncross taker     maker       traded           taker's                  maker's
    CANCELED      CancelReason    order     0           canceled         0                        0
    REPLACED      1 kept priority order     0           new open         resting or waiting       0
    REJECTED      RejectCode      as sent   0           0                0                        0
    MASS_CANCELED 0               0         owner       orders canceled  0                        0
    STATE_CHANGED 0               0         0           new state        old state                0
    DECREMENTED   0               taker     maker       off both         taker's                  maker's
    TRIGGERED     TriggerReason   order     0           open before      resting afterwards       0
    REFRESHED     0               order     0           now shown        open                     0
    REPRICED      0               order     0           open before      resting or waiting       0
    UNCROSSED     0               0         0           volume           surplus                  0
    BAND_HIT      BandKind        taker     0           open of taker    0                        0
    CLOCK_SET     0               0         0           now              orders expired           0
    BANDS_SET     0               0         0           static width     dynamic width            0

    side is the order's, the taker's (the buy order's in an uncross), the surplus's, or the one side of a mass cancel.
    price is that of the order or the trade; of a new place where it changes; 0 where there is none.
"""

import struct
from collections.abc import Iterator
from typing import NamedTuple

from matcher_core.types import (
    Accepted,
    BandHit,
    BandKind,
    BandsSet,
    BookState,
    Canceled,
    CancelReason,
    ClockSet,
    CommandFlag,
    Decremented,
    Event,
    EventType,
    MassCanceled,
    Op,
    PegKind,
    Refreshed,
    RejectCode,
    Rejected,
    Replaced,
    Repriced,
    Side,
    StateChanged,
    TimeInForce,
    Trade,
    Triggered,
    TriggerReason,
    Uncrossed,
)

RECORD_SIZE = 64
COMMAND = struct.Struct("<BBBBIQQQQqQQ")
DETAILS = struct.Struct("<BBHIqQQQQQQ")
EVENT = struct.Struct("<BBHIQQQqQQQ")
DETAILED_OPS = frozenset((Op.LIMIT, Op.MARKET, Op.REPLACE))  # those that may be followed by a details record

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
DETAILS_FIELDS: list[tuple[str, str]] = [
    ("op", "u1"),
    ("peg", "u1"),
    ("zero", "<u2"),
    ("symbol", "<u4"),
    ("stop_price", "<i8"),
    ("trail_offset", "<u8"),
    ("display_quantity", "<u8"),
    ("min_quantity", "<u8"),
    ("expire_at", "<u8"),
    ("peg_offset", "<u8"),
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
    """A command before it is packed. Every field is a plain integer, so malformed ones can be expressed and refused.

    The last seven fields are the details; they count only with flag DETAILS on an operation that has details.
    """

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
    peg: int = 0
    stop_price: int = 0
    trail_offset: int = 0
    display_quantity: int = 0
    min_quantity: int = 0
    expire_at: int = 0
    peg_offset: int = 0

    @property
    def has_details(self) -> bool:
        return bool(self.flags & CommandFlag.DETAILS) and self.op in DETAILED_OPS

    def pack(self) -> bytes:
        """The record of 64 bytes, or the pair of 128. A value that does not fit its field raises struct.error."""
        first = COMMAND.pack(*self[:FIRST_FIELDS])
        if not self.has_details:
            return first
        return first + DETAILS.pack(Op.DETAILS, self.peg, 0, self.symbol, *self[FIRST_FIELDS + 1 :], 0)


FIRST_FIELDS = len(COMMAND_FIELDS)
NO_DETAILS = (0,) * (len(Command._fields) - FIRST_FIELDS)


class BrokenCommand(Command):
    """A command that announced details and has none that can be read. It packs to its first record alone."""

    __slots__ = ()

    def pack(self) -> bytes:
        return COMMAND.pack(*self[:FIRST_FIELDS])


def with_details(command: Command, fields: tuple[int, ...]) -> Command:
    """A command with these details and, when any is not 0, the flag that announces them."""
    if not any(fields):
        return command
    flagged = command._replace(flags=command.flags | CommandFlag.DETAILS)
    return Command(*flagged[:FIRST_FIELDS], *fields)


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
    peg: PegKind = PegKind.NONE,
    stop_price: int = 0,
    trail_offset: int = 0,
    display_quantity: int = 0,
    min_quantity: int = 0,
    expire_at: int = 0,
    peg_offset: int = 0,
) -> Command:
    first = Command(Op.LIMIT, side, tif, flags, symbol, seq, order_id, owner, group, price, quantity)
    return with_details(first, (peg, stop_price, trail_offset, display_quantity, min_quantity, expire_at, peg_offset))


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
    stop_price: int = 0,
    trail_offset: int = 0,
    min_quantity: int = 0,
    expire_at: int = 0,
) -> Command:
    first = Command(Op.MARKET, side, tif, 0, symbol, seq, order_id, owner, group, protection, quantity)
    return with_details(first, (0, stop_price, trail_offset, 0, min_quantity, expire_at, 0))


def cancel(*, order_id: int, owner: int = 0, symbol: int = 0, seq: int = 0) -> Command:
    return Command(Op.CANCEL, symbol=symbol, seq=seq, order_id=order_id, owner=owner)


def replace(
    *,
    order_id: int,
    price: int,
    quantity: int,
    owner: int = 0,
    flags: int = 0,
    symbol: int = 0,
    seq: int = 0,
    stop_price: int = 0,
) -> Command:
    first = Command(Op.REPLACE, 0, 0, flags, symbol, seq, order_id, owner, 0, price, quantity)
    return with_details(first, (0, stop_price, 0, 0, 0, 0, 0))


def mass_cancel(*, owner: int | None, side: Side | None = None, symbol: int = 0, seq: int = 0) -> Command:
    """Cancel all orders of an owner (None: of everybody), on one side or on both (None)."""
    flags = (CommandFlag.ALL_OWNERS if owner is None else 0) | (CommandFlag.ONE_SIDE if side is not None else 0)
    return Command(Op.MASS_CANCEL, side or 0, 0, flags, symbol, seq, owner=owner or 0)


def set_state(state: BookState, *, symbol: int = 0, seq: int = 0) -> Command:
    return Command(Op.SET_STATE, symbol=symbol, seq=seq, quantity=state)


def clock(now: int, *, end_of_day: bool = False, symbol: int = 0, seq: int = 0) -> Command:
    flags = CommandFlag.END_OF_DAY if end_of_day else 0
    return Command(Op.CLOCK, flags=flags, symbol=symbol, seq=seq, quantity=now)


def uncross(state: BookState = BookState.TRADING, *, symbol: int = 0, seq: int = 0) -> Command:
    return Command(Op.UNCROSS, symbol=symbol, seq=seq, quantity=state)


def set_bands(*, reference: int, static_width: int, dynamic_width: int = 0, symbol: int = 0, seq: int = 0) -> Command:
    return Command(Op.SET_BANDS, symbol=symbol, seq=seq, group=dynamic_width, price=reference, quantity=static_width)


def iter_commands(data: bytes | bytearray | memoryview) -> Iterator[Command]:
    """Packed records as commands, pairs merged. A command whose details cannot be read comes as BrokenCommand."""
    at, end = 0, len(data)
    while at < end:
        row = COMMAND.unpack_from(data, at)
        at += RECORD_SIZE
        if not (row[3] & CommandFlag.DETAILS and row[0] in DETAILED_OPS):
            yield Command._make(row + NO_DETAILS)
            continue
        fields: tuple[int, ...] | None = None
        if at < end and data[at] == Op.DETAILS:
            fields = _details(DETAILS.unpack_from(data, at), symbol=row[4])
            at += RECORD_SIZE
        yield BrokenCommand._make(row + NO_DETAILS) if fields is None else Command._make(row + fields)


def _details(row: tuple[int, ...], *, symbol: int) -> tuple[int, ...] | None:
    """The detail fields of a details record, None when it is not what belongs to a command for this symbol."""
    _op, peg, zero, its_symbol, *values, reserved = row
    return None if zero or reserved or its_symbol != symbol else (peg, *values)


def decode_events(data: bytes | bytearray | memoryview) -> tuple[Event, ...]:
    """Event records as typed events, in order. Raises struct.error when the length is not a multiple of 64."""
    return tuple(_decode(row) for row in EVENT.iter_unpack(data))


def _decode(row: tuple[int, ...]) -> Event:
    kind, side, code, _symbol, seq, order_id, counter_id, price, quantity, leaves, counter_leaves = row
    if kind == EventType.TRADE:
        return Trade(seq, order_id, counter_id, Side(side), price, quantity, leaves, counter_leaves, code == 1)
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
    return _decode_rare(row)


def _decode_rare(row: tuple[int, ...]) -> Event:
    kind, side, code, _symbol, seq, order_id, counter_id, price, quantity, leaves, counter_leaves = row
    if kind == EventType.DECREMENTED:
        return Decremented(seq, order_id, counter_id, Side(side), price, quantity, leaves, counter_leaves)
    if kind == EventType.TRIGGERED:
        return Triggered(seq, order_id, Side(side), price, quantity, leaves, TriggerReason(code))
    if kind == EventType.REFRESHED:
        return Refreshed(seq, order_id, Side(side), price, quantity, leaves)
    if kind == EventType.REPRICED:
        return Repriced(seq, order_id, Side(side), price, quantity, leaves)
    if kind == EventType.UNCROSSED:
        return Uncrossed(seq, price, quantity, Side(side), leaves)
    if kind == EventType.BAND_HIT:
        return BandHit(seq, order_id, Side(side), price, quantity, BandKind(code))
    if kind == EventType.CLOCK_SET:
        return ClockSet(seq, quantity, leaves)
    if kind == EventType.BANDS_SET:
        return BandsSet(seq, price, quantity, leaves)
    raise ValueError(f"event type must be 1 to 15, was {kind}")


def encode_event(event: Event, symbol: int, *, one_side: int = 0) -> bytes:
    """The 64-byte record of an event, exactly as the compiled book writes it (a rejection's unused fields are zero).

    `one_side` is the side of a mass cancel with ONE_SIDE: all that a record says and the typed event does not.
    """
    match event:
        case Accepted(seq, order_id, side, price, quantity, resting):
            return EVENT.pack(EventType.ACCEPTED, side, 0, symbol, seq, order_id, 0, price, quantity, resting, 0)
        case Trade(seq, taker, maker, side, price, quantity, leaves, maker_leaves, auction):
            return EVENT.pack(
                EventType.TRADE, side, auction, symbol, seq, taker, maker, price, quantity, leaves, maker_leaves
            )
        case Canceled(seq, order_id, side, price, quantity, reason):
            return EVENT.pack(EventType.CANCELED, side, reason, symbol, seq, order_id, 0, price, quantity, 0, 0)
        case Replaced(seq, order_id, side, price, quantity, resting, kept):
            return EVENT.pack(EventType.REPLACED, side, kept, symbol, seq, order_id, 0, price, quantity, resting, 0)
        case Rejected(seq, order_id, code):
            return EVENT.pack(EventType.REJECTED, 0, code, symbol, seq, order_id, 0, 0, 0, 0, 0)
        case MassCanceled(seq, owner, count):
            return EVENT.pack(EventType.MASS_CANCELED, one_side, 0, symbol, seq, 0, owner, 0, count, 0, 0)
        case StateChanged(seq, state, previous):
            return EVENT.pack(EventType.STATE_CHANGED, 0, 0, symbol, seq, 0, 0, 0, state, previous, 0)
        case _:
            return _encode_rare(event, symbol)


def _encode_rare(event: Event, symbol: int) -> bytes:
    match event:
        case Decremented(seq, taker, maker, side, price, quantity, leaves, maker_leaves):
            return EVENT.pack(
                EventType.DECREMENTED, side, 0, symbol, seq, taker, maker, price, quantity, leaves, maker_leaves
            )
        case Triggered(seq, order_id, side, price, quantity, resting, reason):
            return EVENT.pack(EventType.TRIGGERED, side, reason, symbol, seq, order_id, 0, price, quantity, resting, 0)
        case Refreshed(seq, order_id, side, price, shown, total):
            return EVENT.pack(EventType.REFRESHED, side, 0, symbol, seq, order_id, 0, price, shown, total, 0)
        case Repriced(seq, order_id, side, price, quantity, resting):
            return EVENT.pack(EventType.REPRICED, side, 0, symbol, seq, order_id, 0, price, quantity, resting, 0)
        case Uncrossed(seq, price, volume, side, surplus):
            return EVENT.pack(EventType.UNCROSSED, side, 0, symbol, seq, 0, 0, price, volume, surplus, 0)
        case BandHit(seq, order_id, side, price, quantity, band):
            return EVENT.pack(EventType.BAND_HIT, side, band, symbol, seq, order_id, 0, price, quantity, 0, 0)
        case ClockSet(seq, now, expired):
            return EVENT.pack(EventType.CLOCK_SET, 0, 0, symbol, seq, 0, 0, 0, now, expired, 0)
        case BandsSet(seq, reference, static, dynamic):
            return EVENT.pack(EventType.BANDS_SET, 0, 0, symbol, seq, 0, 0, reference, static, dynamic, 0)
        case _:
            raise TypeError(f"not an event of a book: {event!r}")
