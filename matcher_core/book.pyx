"""The compiled order book. One extension module; its parts are included below and its data layout is book.pxd.

The rules are those of reference/. `process` is the way to speed: packed commands in, packed events out, the GIL released
once for the whole batch. The single calls take and return Python objects and are for convenience.
"""

cimport cython
from cpython.buffer cimport PyBUF_SIMPLE, PyBUF_WRITABLE, PyBuffer_FillInfo, PyBuffer_Release, PyObject_GetBuffer
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from cpython.long cimport PyLong_Check
from cpython.memoryview cimport PyMemoryView_FromObject
from cpython.number cimport PyNumber_Index
from cpython.ref cimport Py_INCREF
from cpython.tuple cimport PyTuple_SET_ITEM
from libc.stdint cimport INT64_MAX, UINT64_MAX, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, realloc
from libc.string cimport memcpy, memset

import os

from matcher_core import records, snapshot as images
from matcher_core import types as t

cdef extern from *:
    """
    #include <stdint.h>
    #include <stdlib.h>
    #define MC_NIL 0xFFFFFFFFu
    #define MC_ALL_SYMBOLS 0xFFFFFFFFu
    #define MC_SLOTS_MAX 0x80000000ull
    #define MC_NO_KEY UINT64_MAX
    #define MC_MARKET_KEY 0ull
    #define MC_BEYOND_PRICE 0x8000000000000000ull
    #define MC_OFFSET_MAX 0x4000000000000000ull
    #define MC_GOLDEN 0x9E3779B97F4A7C15ull
    #define MC_MIX 0xD6E8FEB86659FD93ull
    /* splitmix64 from the seed "token-x", each made odd */
    #define MC_ROLL_0 0x6E057707AD2A5431ull
    #define MC_ROLL_1 0x2B013E529E789BD9ull
    #define MC_ROLL_2 0xB2231E98E4735A6Bull
    #define MC_ROLL_3 0x0DA6C99059DA4BDDull
    #define MC_ROLL_4 0x61787AA724DB6165ull
    #define MC_ROLL_5 0xBEA7BE4B2C1FF31Dull
    #define MC_ROLL_6 0x484530EDFDB8D601ull
    #define MC_ROLL_7 0x69F1A81856BD40E9ull
    #define MC_ROLL_8 0xFE30DBB18C9C0507ull

    #if defined(_MSC_VER)
    #include <intrin.h>
    #define MC_PREFETCH(p) _mm_prefetch((const char *) (p), _MM_HINT_T0)
    #define MC_LIKELY(x) (x)
    #define MC_UNLIKELY(x) (x)
    static __inline int64_t mc_add(int64_t *p, int64_t v) { return _InterlockedExchangeAdd64((volatile __int64 *) p, v) + v; }
    static __inline int mc_ctz64(uint64_t x) { unsigned long i; _BitScanForward64(&i, x); return (int) i; }
    static __inline int mc_clz64(uint64_t x) { unsigned long i; _BitScanReverse64(&i, x); return 63 - (int) i; }
    static __inline uint32_t mc_swap(uint32_t *p, uint32_t v) { return (uint32_t) _InterlockedExchange((volatile long *) p, (long) v); }
    #else
    /* The empty asm keeps GCC from taking a function that only prefetches for one without effect and dropping its calls. */
    #define MC_PREFETCH(p) do { __builtin_prefetch(p); __asm__ __volatile__(""); } while (0)
    #define MC_LIKELY(x) __builtin_expect(!!(x), 1)
    #define MC_UNLIKELY(x) __builtin_expect(!!(x), 0)
    static inline int64_t mc_add(int64_t *p, int64_t v) { return __atomic_add_fetch(p, v, __ATOMIC_ACQ_REL); }
    static inline int mc_ctz64(uint64_t x) { return __builtin_ctzll(x); }
    static inline int mc_clz64(uint64_t x) { return __builtin_clzll(x); }
    static inline uint32_t mc_swap(uint32_t *p, uint32_t v) { return __atomic_exchange_n(p, v, __ATOMIC_ACQ_REL); }
    #endif

    #if defined(_WIN32)
    #include <malloc.h>
    static void *mc_malloc_lines(uint64_t n) { return _aligned_malloc((size_t) n, 64); }
    static void mc_free_lines(void *p) { _aligned_free(p); }
    #else
    static void *mc_malloc_lines(uint64_t n) { void *p; return posix_memalign(&p, 64, (size_t) n) == 0 ? p : NULL; }
    static void mc_free_lines(void *p) { free(p); }
    #endif

    #if defined(__linux__)
    #include <string.h>
    #include <sys/mman.h>
    #define MC_HUGE ((uint64_t) 1 << 21)
    /* The system gives huge pages only where they are wished for before first use, and only to whole aligned ones. */
    static void *mc_grow_array(void *old, uint64_t old_bytes, uint64_t bytes) {
        void *array;
        if (bytes < MC_HUGE) return realloc(old, (size_t) bytes);
        if (posix_memalign(&array, MC_HUGE, (size_t) bytes) != 0) return NULL;
        (void) madvise(array, (size_t) bytes, MADV_HUGEPAGE); /* refusal changes nothing but speed */
        if (old_bytes != 0) memcpy(array, old, (size_t) old_bytes);
        free(old);
        return array;
    }
    #else
    static void *mc_grow_array(void *old, uint64_t old_bytes, uint64_t bytes) {
        (void) old_bytes;
        return realloc(old, (size_t) bytes);
    }
    #endif

    /* A NamedTuple whose fields are still to be set. Its Python-level constructor would take most of a call's time. */
    static PyObject *mc_fields_of(PyObject *cls, Py_ssize_t count) {
        return ((PyTypeObject *) cls)->tp_alloc((PyTypeObject *) cls, count);
    }

    #ifndef TOKENX_BUILD_ID
    #error "build through setup.py, which defines TOKENX_BUILD_ID"
    #endif
    #ifdef TOKENX_DEBUG
    #undef NDEBUG
    #include <assert.h>
    #define MC_EXPECT(x) assert(x)
    #define MC_DEBUG 1
    #else
    #define MC_EXPECT(x) ((void) 0)
    #define MC_DEBUG 0
    #endif
    """
    const uint32_t NIL "MC_NIL"
    const uint32_t ALL_SYMBOLS "MC_ALL_SYMBOLS"     # in an Engine: every book, for the commands that allow it
    const uint64_t SLOTS_MAX "MC_SLOTS_MAX"         # orders or levels of all books: NIL and slot + 1 must fit 32 bits
    const uint64_t NO_KEY "MC_NO_KEY"       # no level has this key: it would be a buy order's at price 0
    const uint64_t MARKET_KEY "MC_MARKET_KEY"       # of market orders in a call: before every price
    const uint64_t BEYOND_PRICE "MC_BEYOND_PRICE"   # one more than the highest price
    const uint64_t OFFSET_MAX "MC_OFFSET_MAX"       # ticks of a band's width or an order's offset
    const uint64_t GOLDEN "MC_GOLDEN"
    const uint64_t MIX "MC_MIX"
    const uint64_t ROLL_0 "MC_ROLL_0"
    const uint64_t ROLL_1 "MC_ROLL_1"
    const uint64_t ROLL_2 "MC_ROLL_2"
    const uint64_t ROLL_3 "MC_ROLL_3"
    const uint64_t ROLL_4 "MC_ROLL_4"
    const uint64_t ROLL_5 "MC_ROLL_5"
    const uint64_t ROLL_6 "MC_ROLL_6"
    const uint64_t ROLL_7 "MC_ROLL_7"
    const uint64_t ROLL_8 "MC_ROLL_8"
    const char *BUILD_ID_TEXT "TOKENX_BUILD_ID"
    int ctz64 "mc_ctz64" (uint64_t x) noexcept nogil
    int clz64 "mc_clz64" (uint64_t x) noexcept nogil
    bint likely "MC_LIKELY" (bint condition) noexcept nogil
    bint unlikely "MC_UNLIKELY" (bint condition) noexcept nogil
    void prefetch "MC_PREFETCH" (const void *p) noexcept nogil
    object fields_of "mc_fields_of" (object cls, Py_ssize_t count)
    const bint DEBUG "MC_DEBUG"
    void expect "MC_EXPECT" (bint condition) noexcept nogil     # aborts a debug build, costs nothing otherwise
    uint32_t swap "mc_swap" (uint32_t *p, uint32_t value) noexcept nogil        # atomic, the old value
    int64_t add "mc_add" (int64_t *p, int64_t value) noexcept nogil             # atomic, the new value
    void *malloc_lines "mc_malloc_lines" (uint64_t bytes) noexcept nogil        # starts at a line of 64 bytes
    void free_lines "mc_free_lines" (void *p) noexcept nogil
    void *grow_array "mc_grow_array" (void *old, uint64_t old_bytes, uint64_t bytes) noexcept nogil     # realloc

cdef enum:
    SLOTS_MIN = 16
    IDS_MIN = 64
    EVENTS_MIN = 64
    EVENTS_KEPT = 16384         # events, 1 MiB: a larger buffer that is not used is given back in the end
    EVENTS_TO_ROLL = 128        # mc_process lets as many events gather before it hashes them and starts over
    QUIET_CALLS = 64            # calls in a row that used less than a quarter of it
    SYMBOLS_MAX = 1048576       # symbols of an Engine: 0 to this, exclusive
    PAGE_SHIFT = 10             # ids a page: 1 << PAGE_SHIFT
    PAGE_IDS = 1024
    PAGE_BYTES = 4096
    PAGES_BASE = 65536          # bytes of pages always allowed
    PAGES_PER_ORDER = 48        # and by live order
    TABLE_MIN = 64              # seats for pages
    EVICT_LOOKS = 256           # seats searched for a sparse page
    EVICT_LIVE = 256            # ids at most of a page that goes to the hash
    EVICT_COST = 512            # ids that must have come before it
    WINDOW_MIN = 256            # keys
    WINDOW_MAX = 262144         # keys: what three levels of 64 bits can index
    CREDIT_MAX = 1048576
    CREDIT_STEP = 64
    PREFETCH_FROM = 16384       # live orders; below this the book fits the cache and prefetching costs more than it gives
    PREFETCH_COMMANDS = 40      # how many commands ahead each step looks
    PREFETCH_IDS = 16
    PREFETCH_ORDERS = 11
    PREFETCH_LEVELS = 5

cdef enum:
    HOME_BITS = 4               # of level_t.home that say which side of the book
    HOME_INDEX = 15
    ORDER_TIF = 7               # bits of order_t.tag_flags
    ORDER_EXTRA = 8
    SPECIAL_STATE = 1           # bits of book_t.special
    SPECIAL_BANDS = 2
    SPECIAL_PLACES = 4
    SPECIAL_DECREMENT = 8
    REFRESH_MAX = 1000          # parts of an iceberg at most
    TRADE_AUCTION = 1           # code of a TRADE event made by an uncross

cdef enum:                      # the numbers of types.py; a test compares them
    BUY = 0
    SELL = 1
    TIF_GTC = 0
    TIF_IOC = 1
    TIF_FOK = 2
    TIF_DAY = 3
    TIF_GTD = 4
    TIF_OPG = 5
    TIF_CLS = 6
    OP_LIMIT = 1
    OP_MARKET = 2
    OP_CANCEL = 3
    OP_REPLACE = 4
    OP_MASS_CANCEL = 5
    OP_SET_STATE = 6
    OP_CLOCK = 7
    OP_UNCROSS = 8
    OP_SET_BANDS = 9
    OP_DETAILS = 15
    FLAG_POST_ONLY = 1
    FLAG_SLIDE = 2
    FLAG_HIDDEN = 4
    FLAG_ONE_SIDE = 8
    FLAG_ALL_OWNERS = 16
    FLAG_END_OF_DAY = 32
    FLAG_DETAILS = 128
    PEG_NONE = 0
    PEG_MIDPOINT = 1
    PEG_PRIMARY = 2
    PEG_MARKET = 3
    PLACE_BOOK = 0
    PLACE_HIDDEN = 1
    PLACE_STOP = 2
    PLACE_TRAILING = 3
    PLACE_CLOSE = 4
    PLACE_PEG = 5
    PLACE_ARMED = 6
    STATE_TRADING = 1
    STATE_CANCEL_ONLY = 2
    STATE_HALTED = 3
    STATE_OPENING_AUCTION = 4
    STATE_CLOSING_AUCTION = 5
    STATE_AUCTION = 6
    STP_OFF = 0
    STP_CANCEL_NEWEST = 1
    STP_CANCEL_OLDEST = 2
    STP_CANCEL_BOTH = 3
    STP_DECREMENT = 4
    EVENT_ACCEPTED = 1
    EVENT_TRADE = 2
    EVENT_CANCELED = 3
    EVENT_REPLACED = 4
    EVENT_REJECTED = 5
    EVENT_MASS_CANCELED = 6
    EVENT_STATE_CHANGED = 7
    EVENT_DECREMENTED = 8
    EVENT_TRIGGERED = 9
    EVENT_REFRESHED = 10
    EVENT_REPRICED = 11
    EVENT_UNCROSSED = 12
    EVENT_BAND_HIT = 13
    EVENT_CLOCK_SET = 14
    EVENT_BANDS_SET = 15
    REASON_USER = 1
    REASON_REMAINDER = 2
    REASON_SELF_TRADE = 3
    REASON_MASS_CANCEL = 4
    REASON_EXPIRED = 5
    REASON_PRICE_BAND = 6
    TRIGGER_STOP = 1
    TRIGGER_CLOSE = 2
    BAND_STATIC = 1
    BAND_DYNAMIC = 2
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
    REJECT_BAD_DETAILS = 111
    REJECT_BAD_STOP = 112
    REJECT_BAD_DISPLAY = 113
    REJECT_BAD_MIN_QUANTITY = 114
    REJECT_BAD_PEG = 115
    REJECT_BAD_EXPIRY = 116
    REJECT_HALTED = 201
    REJECT_CANCEL_ONLY = 202
    REJECT_NOT_IN_AUCTION = 203
    REJECT_ONLY_IN_OPENING_AUCTION = 204
    REJECT_NOT_AN_AUCTION = 205
    REJECT_UNCROSS_FIRST = 206
    REJECT_CLOCK_BACKWARDS = 207
    REJECT_ALREADY_EXPIRED = 208
    REJECT_DUPLICATE_ORDER_ID = 301
    REJECT_UNKNOWN_ORDER = 302
    REJECT_NOT_OWNER = 303
    REJECT_BOOK_FULL = 401
    REJECT_SIDE_QUANTITY_TOO_LARGE = 402
    REJECT_OUT_OF_MEMORY = 403
    REJECT_POST_ONLY_WOULD_TRADE = 501
    REJECT_FOK_NOT_FILLABLE = 502
    REJECT_MIN_QUANTITY_NOT_MET = 503
    REJECT_NOT_REPLACEABLE = 504
    REJECT_DISPLAY_TOO_SMALL = 505

include "_idhash.pxi"
include "_ids.pxi"
include "_memory.pxi"
include "_far.pxi"
include "_window.pxi"
include "_levels.pxi"
include "_events.pxi"
include "_places.pxi"
include "_match.pxi"
include "_take.pxi"
include "_stops.pxi"
include "_pegs.pxi"
include "_auction.pxi"
include "_commands.pxi"
include "_details.pxi"
include "_enter.pxi"
include "_states.pxi"
include "_run.pxi"
include "_image.pxi"
include "_invariants.pxi"
include "_capi.pxi"

BUILD_ID = (<bytes> BUILD_ID_TEXT).decode("ascii")
DEBUG_BUILD = bool(DEBUG)


def debug_counters():
    """Engines and event arrays alive in this process: what is not zero when nothing uses the library is a leak."""
    return {"engines": engines_alive, "event_arrays": events_alive}


# Bound once: single calls make several of these objects each.
cdef tuple SIDES = (t.Side.BUY, t.Side.SELL)
cdef tuple REASONS = (None, *t.CancelReason)     # their numbers are 1, 2, ...
cdef dict CODES = {int(code): code for code in t.RejectCode}
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


cdef int details_init(details_t *d, expire_at) except -1:
    memset(d, 0, sizeof(details_t))
    d.expire_at = whole(expire_at)
    return 0


cdef int waiting_init(
    command_t *c, uint8_t op, order_id, side, quantity_lots, owner, group, tif, seq
) except -1:
    command_init(c, op, order_id, owner, seq)
    c.side = whole(side)
    c.tif = whole(tif)
    c.group = whole(group)
    c.quantity = whole(quantity_lots)
    return 0


include "_engine.pxi"
include "_book.pxi"
