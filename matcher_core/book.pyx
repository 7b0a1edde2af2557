"""The compiled order book. One extension module; its parts are included below and its data layout is book.pxd.

The rules are those of reference.py. `process` is the way to speed: packed commands in, packed events out, the GIL released
once for the whole batch. The single calls take and return Python objects and are for convenience.
"""

cimport cython
from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from cpython.long cimport PyLong_Check
from cpython.number cimport PyNumber_Index
from libc.stdint cimport UINT64_MAX, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, realloc
from libc.string cimport memcpy, memset

import os

from matcher_core import records, snapshot as images
from matcher_core import types as t

cdef extern from *:
    """
    #define MC_NIL 0xFFFFFFFFu
    #define MC_GOLDEN 0x9E3779B97F4A7C15ull
    #define MC_MIX 0xD6E8FEB86659FD93ull
    #ifndef TOKENX_BUILD_ID
    #error "build through setup.py, which defines TOKENX_BUILD_ID"
    #endif
    #ifdef TOKENX_DEBUG
    #undef NDEBUG
    #include <assert.h>
    #define MC_EXPECT(x) assert(x)
    #else
    #define MC_EXPECT(x) ((void) 0)
    #endif
    """
    const uint32_t NIL "MC_NIL"
    const uint64_t GOLDEN "MC_GOLDEN"
    const uint64_t MIX "MC_MIX"
    const char *BUILD_ID_TEXT "TOKENX_BUILD_ID"
    int ctz64 "__builtin_ctzll" (uint64_t x) noexcept nogil
    int clz64 "__builtin_clzll" (uint64_t x) noexcept nogil
    void prefetch "__builtin_prefetch" (const void *p) noexcept nogil
    void expect "MC_EXPECT" (bint condition) noexcept nogil     # aborts a debug build, costs nothing otherwise

cdef enum:
    SLOTS_MIN = 16
    IDS_MIN = 64
    EVENTS_KEPT = 16384         # events, 1 MiB: larger buffers are given back after a batch
    EVENTS_PER_COMMAND = 3      # beyond one per order met: acknowledgement, remainder, summary
    WINDOW_MIN = 1024           # keys
    WINDOW_MAX = 262144         # keys: what three levels of 64 bits can index
    CREDIT_MAX = 1048576
    CREDIT_STEP = 64
    PREFETCH_FROM = 16384       # live orders; below this the book fits the cache and prefetching costs more than it gives
    PREFETCH_COMMANDS = 40      # how many commands ahead each step looks
    PREFETCH_IDS = 16
    PREFETCH_ORDERS = 11
    PREFETCH_LEVELS = 5

cdef enum:                      # the numbers of types.py; a test compares them
    BUY = 0
    SELL = 1
    TIF_GTC = 0
    TIF_FOK = 2
    OP_LIMIT = 1
    OP_MARKET = 2
    OP_CANCEL = 3
    OP_REPLACE = 4
    OP_MASS_CANCEL = 5
    OP_SET_STATE = 6
    FLAG_POST_ONLY = 1
    STATE_TRADING = 1
    STATE_HALTED = 3
    STP_OFF = 0
    STP_CANCEL_NEWEST = 1
    STP_CANCEL_OLDEST = 2
    EVENT_ACCEPTED = 1
    EVENT_TRADE = 2
    EVENT_CANCELED = 3
    EVENT_REPLACED = 4
    EVENT_REJECTED = 5
    EVENT_MASS_CANCELED = 6
    EVENT_STATE_CHANGED = 7
    REASON_USER = 1
    REASON_REMAINDER = 2
    REASON_SELF_TRADE = 3
    REASON_MASS_CANCEL = 4
    REJECT_UNKNOWN_OP = 101
    REJECT_WRONG_SYMBOL = 102
    REJECT_RESERVED_NOT_ZERO = 103
    REJECT_BAD_SIDE = 104
    REJECT_BAD_TIME_IN_FORCE = 105
    REJECT_BAD_FLAGS = 106
    REJECT_BAD_ORDER_ID = 107
    REJECT_BAD_PRICE = 108
    REJECT_BAD_QUANTITY = 109
    REJECT_BAD_STATE = 110
    REJECT_HALTED = 201
    REJECT_CANCEL_ONLY = 202
    REJECT_DUPLICATE_ORDER_ID = 301
    REJECT_UNKNOWN_ORDER = 302
    REJECT_NOT_OWNER = 303
    REJECT_BOOK_FULL = 401
    REJECT_SIDE_QUANTITY_TOO_LARGE = 402
    REJECT_OUT_OF_MEMORY = 403
    REJECT_POST_ONLY_WOULD_TRADE = 501
    REJECT_FOK_NOT_FILLABLE = 502

include "_idmap.pxi"
include "_memory.pxi"
include "_far.pxi"
include "_window.pxi"
include "_levels.pxi"
include "_match.pxi"
include "_commands.pxi"
include "_image.pxi"
include "_invariants.pxi"

BUILD_ID = (<bytes> BUILD_ID_TEXT).decode("ascii")

# Bound once: single calls make several of these objects each.
cdef tuple SIDES = (t.Side.BUY, t.Side.SELL)
cdef dict REASONS = {int(reason): reason for reason in t.CancelReason}
cdef dict CODES = {int(code): code for code in t.RejectCode}
cdef object new_tuple = tuple.__new__
cdef object Accepted = t.Accepted
cdef object Trade = t.Trade
cdef object Canceled = t.Canceled
cdef object Replaced = t.Replaced
cdef object Rejected = t.Rejected
cdef object RestingOrder = t.RestingOrder


cdef inline object whole(value):
    """An integer, or TypeError: a float price or quantity is never rounded silently. Range is checked on assignment."""
    return value if PyLong_Check(value) else PyNumber_Index(value)


cdef int command_init(command_t *c, uint8_t op, order_id, owner, seq) except -1:
    memset(c, 0, sizeof(command_t))
    c.op = op
    c.order_id = whole(order_id)
    c.owner = whole(owner)
    c.seq = whole(seq)
    return 0


@cython.final
cdef class Book:
    """One order book: price-time priority, integer prices and quantities, deterministic.

    symbol is the u32 that commands must carry. stp says what gives way when an owner group would trade with itself.
    max_orders is how many orders may rest; the next one is refused with BOOK_FULL. Memory grows with what rests.

    A book may be used from several threads, one at a time: a call while another thread is inside `process` raises
    RuntimeError. Different books run in parallel.
    """

    def __cinit__(self, symbol=0, *, stp=t.SelfTradePrevention.CANCEL_NEWEST, max_orders=t.DEFAULT_MAX_ORDERS):
        cdef uint32_t checked_symbol = whole(symbol)
        cdef uint8_t checked_stp = t.SelfTradePrevention(stp)
        if not 0 < max_orders <= t.MAX_ORDERS_CEILING:
            raise ValueError(f"max_orders must be 1 to {t.MAX_ORDERS_CEILING}, was {max_orders}")
        self._b = book_new()
        if self._b == NULL:
            raise MemoryError("no memory for a book")
        self._b.symbol = checked_symbol
        self._b.stp = checked_stp
        self._b.state = STATE_TRADING
        self._b.max_orders = whole(max_orders)
        self._b.salt = int.from_bytes(os.urandom(8), "little")

    def __dealloc__(self):
        book_free(self._b)

    # ---- commands ------------------------------------------------------------------------------------------------

    def process(self, commands):
        """Apply packed 64-byte commands in order; return their packed 64-byte events (see records.py).

        commands is any contiguous buffer. The GIL is released while the batch runs. Malformed records become rejections;
        a length that is not a multiple of 64 raises ValueError and has no effect. Working memory is 192 bytes a command
        beside what trades; without it MemoryError and no effect. Only when there is memory for the work and then none for
        the answer does MemoryError come after the effect: such a book must be rebuilt from its commands.
        """
        cdef Py_buffer view
        cdef uint64_t count
        cdef const uint8_t *data
        cdef book_t *b = self._b
        PyObject_GetBuffer(commands, &view, PyBUF_SIMPLE)
        try:
            if view.len % sizeof(command_t):
                raise ValueError(f"commands must be a multiple of {sizeof(command_t)} bytes, was {view.len}")
            data = <const uint8_t *> view.buf
            count = <uint64_t> view.len // sizeof(command_t)
            self._claim()
            try:
                if reserve_events(b, EVENTS_PER_COMMAND * count) < 0:
                    raise MemoryError(f"no memory for the events of {count} commands")
                with nogil:
                    run(b, data, count)
                return PyBytes_FromStringAndSize(<char *> b.events, b.event_count * sizeof(event_t))
            finally:
                release_events(b)
                self._busy = False
        finally:
            PyBuffer_Release(&view)

    def limit(
        self, order_id, side, price_ticks, quantity_lots, *, owner=0, group=0, tif=0, bint post_only=False, seq=0
    ):
        """Enter a limit order and return its events. A refusal is a Rejected event, not an exception."""
        cdef command_t c
        command_init(&c, OP_LIMIT, order_id, owner, seq)
        c.side = whole(side)
        c.tif = whole(tif)
        c.flags = FLAG_POST_ONLY if post_only else 0
        c.group = whole(group)
        c.price = whole(price_ticks)
        c.quantity = whole(quantity_lots)
        return self._one(&c)

    def market(self, order_id, side, quantity_lots, *, owner=0, group=0, tif=1, protection_ticks=0, seq=0):
        """Enter a market order (IOC or FOK). protection_ticks is the worst acceptable price, 0 for none."""
        cdef command_t c
        command_init(&c, OP_MARKET, order_id, owner, seq)
        c.side = whole(side)
        c.tif = whole(tif)
        c.group = whole(group)
        c.price = whole(protection_ticks)
        c.quantity = whole(quantity_lots)
        return self._one(&c)

    def cancel(self, order_id, *, owner=0, seq=0):
        """Cancel a resting order of this owner."""
        cdef command_t c
        command_init(&c, OP_CANCEL, order_id, owner, seq)
        return self._one(&c)

    def replace(self, order_id, price_ticks, quantity_lots, *, owner=0, bint post_only=False, seq=0):
        """Give a resting order of this owner a new price and a new open quantity."""
        cdef command_t c
        command_init(&c, OP_REPLACE, order_id, owner, seq)
        c.flags = FLAG_POST_ONLY if post_only else 0
        c.price = whole(price_ticks)
        c.quantity = whole(quantity_lots)
        return self._one(&c)

    def mass_cancel(self, *, owner, seq=0):
        """Cancel every resting order of an owner. O(resting orders)."""
        cdef command_t c
        command_init(&c, OP_MASS_CANCEL, 0, owner, seq)
        return self._one(&c)

    def set_state(self, state, *, seq=0):
        """Open, restrict to cancels, or halt the book."""
        cdef command_t c
        command_init(&c, OP_SET_STATE, 0, 0, seq)
        c.quantity = whole(state)
        return self._one(&c)

    cdef int _claim(self) except -1:
        if self._busy:
            raise RuntimeError("the book is in use by another thread")
        self._busy = True
        return 0

    cdef tuple _one(self, command_t *c):
        cdef book_t *b = self._b
        c.symbol = b.symbol
        self._claim()
        try:
            if reserve_events(b, EVENTS_PER_COMMAND) < 0:
                raise MemoryError("no memory for the events of a command")
            run(b, <const uint8_t *> c, 1)
            if b.event_count == 1:
                return (event_object(b.events),)
            return tuple([event_object(&b.events[i]) for i in range(b.event_count)])
        finally:
            release_events(b)
            self._busy = False

    # ---- queries -------------------------------------------------------------------------------------------------

    def __len__(self):
        """Resting orders."""
        return self._b.live

    def __repr__(self):
        return f"<Book symbol={self._b.symbol} state={self.state.name} orders={self._b.live}>"

    @property
    def symbol(self):
        return self._b.symbol

    @property
    def stp(self):
        return t.SelfTradePrevention(self._b.stp)

    @property
    def max_orders(self):
        return self._b.max_orders

    @property
    def state(self):
        return t.BookState(self._b.state)

    @property
    def best_bid(self):
        """Highest price of a resting buy order in ticks, None when there is none."""
        return self._best(BUY)

    @property
    def best_ask(self):
        """Lowest price of a resting sell order in ticks, None when there is none."""
        return self._best(SELL)

    cdef object _best(self, uint8_t side):
        cdef book_t *b = self._idle()
        cdef uint32_t best = b.sides[side].best
        return None if best == NIL else price_of(side, b.levels[best].key)

    cdef book_t *_idle(self) except NULL:
        if self._busy:
            raise RuntimeError("the book is in use by another thread")
        return self._b

    def order(self, order_id):
        """The resting order with this id, or None. O(1)."""
        cdef book_t *b = self._idle()
        cdef uint64_t wanted = whole(order_id)
        cdef uint32_t slot = idmap_find(b, wanted) if wanted != 0 else NIL
        return None if slot == NIL else order_object(b, slot)

    def orders(self):
        """Every resting order: bids before asks, best price first, oldest first."""
        cdef book_t *b = self._idle()
        cdef list out = []
        cdef uint32_t level_slot, slot
        for side in range(2):
            level_slot = b.sides[side].best
            while level_slot != NIL:
                slot = b.levels[level_slot].head
                while slot != NIL:
                    out.append(order_object(b, slot))
                    slot = b.orders[slot].next
                level_slot = level_from(b, &b.sides[side], b.levels[level_slot].key + 1)
        return out

    def depth(self, Py_ssize_t levels):
        """The best `levels` prices of each side, bids then asks, as lists of DepthLevel. O(levels)."""
        if levels < 0:
            raise ValueError(f"levels must not be negative, was {levels}")
        return self._depth(BUY, levels), self._depth(SELL, levels)

    cdef list _depth(self, uint8_t side, Py_ssize_t levels):
        cdef book_t *b = self._idle()
        cdef list out = []
        cdef uint32_t slot = b.sides[side].best
        cdef level_t *level
        while slot != NIL and len(out) < levels:
            level = &b.levels[slot]
            out.append(t.DepthLevel(price_of(side, level.key), level.open_lots, level.orders))
            slot = level_from(b, &b.sides[side], level.key + 1)
        return out

    # ---- whole state ---------------------------------------------------------------------------------------------

    def snapshot(self):
        """The whole book as bytes (layout in snapshot.py), equal for equal books whatever their history."""
        return images.seal(image_body(self._idle()))

    def state_hash(self):
        """blake2b-256 of the book: its settings and every resting order in priority order. 32 bytes."""
        return images.digest(image_body(self._idle()))

    @classmethod
    def restore(cls, data):
        """The book a snapshot describes. Bytes that `snapshot` cannot have written raise ValueError."""
        image = images.parse(data)
        cdef Book book = cls(image.symbol, stp=image.stp, max_orders=image.max_orders)
        book._b.state = image.state
        for order in image.orders:
            book._rest(order)
        return book

    cdef int _rest(self, order) except -1:
        cdef taker_t taker
        cdef uint64_t key = key_of(order.side, order.price_ticks)
        memset(&taker, 0, sizeof(taker))
        taker.order_id = order.order_id
        taker.open_lots = order.open_lots
        taker.owner = order.owner
        taker.group = order.group
        taker.side = order.side
        if reserve(self._b, &taker, True, key, 0) != 0:
            raise MemoryError("no memory for the orders of a snapshot")
        order_rest(self._b, &taker, key)
        return 0

    def check_invariants(self):
        """Raise AssertionError when the parts of the book disagree. O(everything); for tests."""
        check_book(self._idle())

    def memory_bytes(self):
        """What the book holds from the allocator now, in bytes."""
        cdef book_t *b = self._idle()
        cdef uint64_t total = sizeof(book_t)
        total += b.order_capacity * (sizeof(order_t) + sizeof(order_cold_t))
        total += b.level_capacity * (sizeof(level_t) + sizeof(far_t))
        total += b.event_capacity * sizeof(event_t)
        total += (b.ids.mask + 1) * sizeof(uint64_t) if b.ids.entries != NULL else 0
        for side in range(2):
            total += b.sides[side].window.width * sizeof(uint32_t) + b.sides[side].window.width // 8
        return total
