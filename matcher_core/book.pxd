# Data layout of the order book. All memory belongs to one book_t, which belongs to one Book; nothing here is shared.
#
# Prices become keys: an ask's key is its price, a bid's key is the complement of its price. On both sides the better
# price then has the smaller key, so one piece of code serves both. Quantities are lots, prices ticks.

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t

cdef struct command_t:      # 64 bytes, see records.py
    uint8_t op
    uint8_t side
    uint8_t tif
    uint8_t flags
    uint32_t symbol
    uint64_t seq
    uint64_t order_id
    uint64_t owner
    uint64_t group
    int64_t price
    uint64_t quantity
    uint64_t reserved

cdef struct event_t:        # 64 bytes, see records.py
    uint8_t type
    uint8_t side
    uint16_t code
    uint32_t symbol
    uint64_t seq
    uint64_t order_id
    uint64_t counter_id
    int64_t price
    uint64_t quantity
    uint64_t leaves
    uint64_t counter_leaves

cdef struct order_t:        # 32 bytes, the half that matching touches
    uint64_t order_id
    uint64_t open_lots
    uint32_t prev           # older order at the same price, or NIL
    uint32_t next           # younger order at the same price, or NIL; links free slots too
    uint32_t level          # slot in levels
    uint32_t group_tag      # hash of the group, 0 for none: equal groups have equal tags

cdef struct order_cold_t:   # 16 bytes, parallel to order_t
    uint64_t owner          # who may cancel and replace
    uint64_t group          # whose orders must not trade with each other, 0 for none

cdef struct level_t:        # 32 bytes, one price of one side with at least one order
    uint64_t key
    uint64_t open_lots
    uint32_t head           # oldest order; links free slots too
    uint32_t tail           # youngest order
    uint32_t orders
    uint32_t side

cdef struct far_t:          # 8 bytes, parallel to level_t: children in the tree of far levels
    uint32_t left
    uint32_t right

cdef struct window_t:       # a dense ladder over `width` consecutive keys from `base`
    uint64_t base
    uint64_t width          # 0 (none yet) or a power of two, WINDOW_MIN to WINDOW_MAX
    uint64_t levels
    uint64_t bits2          # bit i: bits1[i] is not zero
    uint64_t *bits1         # bit i: bits0[i] is not zero
    uint64_t *bits0         # bit i: a level stands at base + i; this array starts the allocation
    uint32_t *ladder        # level slot at base + i, meaningful only where the bit is set

cdef struct side_t:
    window_t window
    uint64_t open_lots      # sum over the side; never more than 2^64 - 1
    uint64_t orders
    uint64_t far_levels
    uint64_t credit         # work units saved up for rebuilding the window
    uint32_t best           # level slot or NIL
    uint32_t far_root       # level slot or NIL

cdef struct idmap_t:        # order id -> slot: open addressing, at most half full
    uint64_t *entries       # high half: top of the hash; low half: slot + 1; 0 is empty
    uint64_t mask
    uint32_t shift          # bucket = tag >> shift

cdef struct book_t:
    side_t sides[2]
    idmap_t ids
    order_t *orders
    order_cold_t *cold
    level_t *levels
    far_t *far
    event_t *events
    uint64_t order_capacity
    uint64_t order_high     # slots below were used at least once
    uint64_t level_capacity
    uint64_t level_high
    uint64_t event_capacity
    uint64_t event_count
    uint64_t live           # resting orders
    uint64_t max_orders
    uint64_t salt           # shapes the far tree, never the output
    uint32_t order_free     # head of the LIFO list of free slots
    uint32_t level_free
    uint32_t symbol
    uint8_t stp
    uint8_t state

cdef struct taker_t:        # an order on its way in
    uint64_t order_id
    uint64_t open_lots
    uint64_t limit_key      # worst acceptable key of the other side
    uint64_t owner
    uint64_t group
    uint64_t seq
    uint32_t group_tag      # 0 when self-trade prevention cannot apply
    uint8_t side
    uint8_t stopped         # self-trade prevention took the rest

cdef class Book:
    cdef book_t *_b
    cdef bint _busy

    cdef int _claim(self) except -1
    cdef book_t *_idle(self) except NULL
    cdef tuple _one(self, command_t *c)
    cdef object _best(self, uint8_t side)
    cdef list _depth(self, uint8_t side, Py_ssize_t levels)
    cdef int _rest(self, order) except -1
