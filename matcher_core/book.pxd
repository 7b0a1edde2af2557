# Data layout. An engine_t is one arena: orders, levels, ids and events of all its books live in its arrays, and a book_t is
# only what a book needs by itself. Nothing is shared between engines.
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

cdef struct details_t:      # 64 bytes, see records.py
    uint8_t op
    uint8_t peg
    uint16_t zero
    uint32_t symbol
    int64_t stop_price
    uint64_t trail_offset
    uint64_t display_quantity
    uint64_t min_quantity
    uint64_t expire_at
    uint64_t peg_offset
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
    uint32_t tag_flags      # 24 bits: tag of the group, 0 for none, equal groups have equal tags; 8 bits: flags.
                            # Flags: low 3 bits TimeInForce, bit 3 ORDER_EXTRA: extra_of[slot] is valid.

cdef struct order_cold_t:   # 16 bytes, parallel to order_t
    uint64_t owner          # who may cancel and replace
    uint64_t group          # whose orders must not trade with each other, 0 for none

cdef struct extra_t:        # 96 bytes, what only special orders carry: stops, trailing stops, pegs, icebergs, GTD
    int64_t limit           # limit price of a waiting stop, cap of a peg; 0 none
    int64_t watermark       # best price since a trailing stop entered; 0 none yet
    uint64_t trail_offset   # ticks
    uint64_t reserve        # lots an iceberg does not show
    uint64_t display        # lots it shows at most; 0 for others
    uint64_t expire_at      # 0 never
    uint64_t peg_offset     # ticks
    uint64_t stamp          # order of entry among the special orders of a book
    uint32_t peg_prev       # slots in the list of pegs, or NIL
    uint32_t peg_next       # links free extras too
    uint32_t timed_prev     # slots in the list of orders with an expiry time, or NIL
    uint32_t timed_next
    uint8_t op              # OP_LIMIT or OP_MARKET: what a stop becomes
    uint8_t peg
    uint8_t side
    uint8_t unused[5]

cdef struct level_t:        # 32 bytes, one price of one side with at least one order
    uint64_t key
    uint64_t open_lots
    uint32_t head           # oldest order; links free slots too
    uint32_t tail           # youngest order
    uint32_t orders
    uint32_t home           # (book index << 4) | side index: 2 * place + side; its lowest bit is the direction,
                            # but for ARMED, a queue of both

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

cdef struct side_t:         # 128 bytes; the first 64 are all that entering and leaving inside the window needs
    window_t window
    uint64_t best_key       # of `best`; NO_KEY when there is none
    uint32_t best           # level slot or NIL
    uint32_t far_root       # level slot or NIL
    uint64_t far_key        # smallest key of the far tree; NO_KEY when there is none
    uint64_t far_levels
    uint64_t credit         # work units saved up for rebuilding the window
    uint64_t unused[4]

cdef struct list_t:
    uint32_t first
    uint32_t last

cdef struct more_t:         # what only a book with special orders has
    side_t sides[11]        # HIDDEN, STOP, TRAILING, CLOSE and PEG, buys before sells, and the queue ARMED
    list_t pegs
    list_t timed
    uint64_t next_expiry    # no order expires before; 0: none expires
    int64_t watermark[2]    # no trailing order moves unless a price is better than this; 0: any may
    int64_t peg_bid         # best displayed prices the pegs follow now; 0 none
    int64_t peg_ask
    uint32_t peg_cursor     # the next peg of a pass under way, or NIL
    uint32_t peg_new        # 1: a peg has entered since the last pass

cdef struct book_t:         # 448 bytes in lines of 64: settings and totals, statistics, prices and clock, two sides
    uint32_t symbol
    uint32_t index          # in engine_t.books
    uint8_t state
    uint8_t stp
    uint8_t call_pending
    uint8_t unused
    uint32_t special        # SPECIAL_ bits: why match() may not take the plain way; 0 for a plain book
    uint64_t max_orders
    uint64_t live           # orders alive, wherever they wait
    uint64_t total_lots[2]  # open by direction over all places; never more than 2^64 - 1
    more_t *more            # NULL until the first special order
    uint64_t rolling_hash

    uint64_t accepted
    uint64_t rejected
    uint64_t canceled
    uint64_t trades
    uint64_t traded_lots    # modulo 2^64
    int64_t open_price      # first, highest and lowest trade price, 0 before the first trade
    int64_t high_price
    int64_t low_price

    int64_t last_price      # of the last trade, 0 before the first
    uint64_t static_ref
    uint64_t static_width
    uint64_t dynamic_width
    uint64_t clock
    uint64_t next_stamp
    uint64_t unused_line[2]

    side_t sides[2]         # displayed bids and asks

cdef struct page_t:         # 16 bytes: where 1,024 consecutive ids find their orders
    uint64_t number         # (id >> 10) + 1, 0 for none
    uint32_t at             # page in the pool
    uint16_t live           # ids in it
    uint16_t strays         # 1: some id of this range may be in the hash

cdef struct ids_t:          # order id and book -> slot: dense pages, and a hash for what does not fit them
    page_t *table           # direct mapped by a hash of the page number
    uint32_t *pool          # pages of 1,024 words: slot + 1 of the order with that id, 0 for none
    uint64_t table_size
    uint64_t pages          # in the table, empty ones included
    uint64_t pool_capacity
    uint64_t pool_used
    uint64_t pool_free      # first of the list of free pages, plus 1; 0 is none
    uint64_t credit         # work units saved up for evicting sparse pages
    uint64_t hand           # where the search for a sparse page goes on
    uint64_t *entries       # the hash, at most half full: high half tag, low half slot + 1; 0 is empty
    uint64_t mask
    uint64_t hashed         # ids in the hash
    uint64_t hashed_low     # page numbers of all ids hashed since it was last empty lie in [low, high]
    uint64_t hashed_high
    uint32_t table_shift
    uint32_t shift          # bucket = tag >> shift

cdef struct engine_t "mc_engine":
    order_t *orders
    order_cold_t *cold
    level_t *levels
    far_t *far
    event_t *events
    uint64_t event_count
    uint64_t event_capacity
    uint64_t events_rolled  # events below are in the rolling hashes of their books
    uint64_t events_first   # where the events of the last mc_process start
    book_t *books           # in the order opened; starts at a line of 64 bytes
    uint32_t *book_of       # symbol -> book index + 1; NULL in the engine of a single Book
    uint64_t symbols        # entries of book_of
    uint64_t book_count
    ids_t ids
    uint32_t *extra_of      # by order slot, valid where ORDER_EXTRA is set; NULL until the first special order
    extra_t *extras
    uint64_t extra_capacity
    uint64_t extra_high
    uint64_t order_capacity
    uint64_t order_high     # slots below were used at least once
    uint64_t level_capacity
    uint64_t level_high
    uint64_t book_capacity
    uint64_t live           # resting orders of all books
    uint64_t salt           # shapes the far tree, never the output
    uint64_t max_orders     # for books opened from now on
    uint32_t order_free     # head of the LIFO list of free slots
    uint32_t level_free
    uint32_t extra_free
    uint8_t stp             # for books opened from now on
    uint8_t broken          # events were lost for want of memory
    uint32_t busy           # 1 while a call is inside
    event_t spare           # written to when there is no memory for an event

cdef struct taker_t:        # an order on its way in
    uint64_t order_id
    uint64_t open_lots
    uint64_t limit_key      # worst acceptable key of the other side
    uint64_t owner
    uint64_t group
    uint64_t seq
    uint32_t group_tag      # 0 when self-trade prevention cannot apply
    uint8_t side
    uint8_t tif
    uint8_t stopped         # self-trade prevention took the rest
    uint8_t banded          # a price band stopped it
    int64_t first_price     # of its trades, 0 before the first
    uint64_t floor_key      # keys of the other side within the price bands
    uint64_t cap_key

cdef class EventBuffer:
    cdef event_t *data
    cdef uint64_t capacity
    cdef Py_ssize_t size
    cdef int64_t exports        # views alive
    cdef bint open              # may be viewed: only while process() makes its result

cdef class Engine:
    cdef engine_t *_e
    cdef EventBuffer _out
    cdef uint64_t _quiet        # calls in a row that hardly used a large event buffer

    cdef engine_t *_enter(self, str who) except NULL
    cdef void _leave(self) noexcept
    cdef int _take_events(self, uint64_t expected) except -1
    cdef int _give_events(self, str who) except -1
    cdef object _process(self, object commands, int64_t index, str who)

cdef class Book:
    cdef Engine _engine
    cdef uint32_t _index

    cdef book_t *_book(self, engine_t *e) noexcept
    cdef tuple _one(self, command_t *c, const details_t *d)
    cdef object _best(self, uint8_t side)

cdef struct depth_row_t:     # mc_level of the header
    int64_t price
    uint64_t lots
    uint64_t orders

cdef struct order_row_t:     # mc_order_info of the header
    uint64_t order_id
    uint64_t open_lots
    uint64_t owner
    uint64_t group
    int64_t price
    uint32_t side
    uint32_t place

# The C interface (include/matcher_core.h says what each does). cimport it, and nothing has to be linked.
cdef public engine_t *mc_engine_new(
    const uint32_t *symbols, uint64_t count, uint8_t stp, uint64_t max_orders
) noexcept nogil
cdef public void mc_engine_free(engine_t *e) noexcept nogil
cdef public int mc_open(engine_t *e, uint32_t symbol) noexcept nogil
cdef public int64_t mc_process(engine_t *e, const command_t *commands, uint64_t count) noexcept nogil
cdef public const event_t *mc_events(const engine_t *e) noexcept nogil
cdef public int mc_best(engine_t *e, uint32_t symbol, uint8_t side, int64_t *price, uint64_t *lots) noexcept nogil
cdef public int64_t mc_depth(
    const engine_t *e, uint32_t symbol, uint8_t side, depth_row_t *rows, uint64_t room
) noexcept nogil
cdef public int64_t mc_lots_at(
    const engine_t *e, uint32_t symbol, uint8_t side, int64_t price, uint64_t *lots
) noexcept nogil
cdef public int mc_order(engine_t *e, uint32_t symbol, uint64_t order_id, order_row_t *row) noexcept nogil
cdef public int mc_state(const engine_t *e, uint32_t symbol) noexcept nogil
cdef public int mc_indicative(
    engine_t *e, uint32_t symbol, int64_t *price, uint64_t *volume, uint64_t *surplus, uint8_t *surplus_side
) noexcept nogil
cdef public uint64_t mc_live(const engine_t *e) noexcept nogil
cdef public uint64_t mc_rolling_hash(engine_t *e, uint32_t symbol) noexcept nogil
cdef public const char *mc_build_id() noexcept nogil
