# Batches: one command after the other, and for large engines a look ahead that brings memory closer.

cdef inline uint64_t peek(const uint8_t *commands, uint64_t i, uint64_t offset) noexcept nogil:
    """Eight bytes of a coming command; buffers need no alignment."""
    cdef uint64_t value = 0
    memcpy(&value, commands + i * sizeof(command_t) + offset, sizeof(value))
    return value


cdef inline const void *either(uint64_t mask, const void *a, const void *b) noexcept nogil:
    """a where the mask is all ones, b where it is zero."""
    return <const void *> ((<size_t> a & mask) | (<size_t> b & ~mask))


cdef inline uint32_t id_hint(const engine_t *e, uint64_t order_id) noexcept nogil:
    """The order an id seems to name, plus 1, or 0. The book is not compared and the hash not searched."""
    cdef const page_t *p = page_seat(e, order_id >> PAGE_SHIFT)
    return page_entry(e, p, order_id)[0] if likely(p.number == (order_id >> PAGE_SHIFT) + 1) else 0


cdef inline const side_t *side_hint(
    const engine_t *e, const book_t *only, const uint8_t *commands, uint64_t i
) noexcept nogil:
    """The side of a coming command; some side if it names no book."""
    cdef uint64_t head = peek(commands, i, 0)
    cdef const book_t *b = only if only != NULL else book_find(e, <uint32_t> (head >> 32))
    return &(b if likely(b != NULL) else e.books).sides[(head >> 8) & 1]


cdef inline uint64_t place_hint(const side_t *s, const uint8_t *commands, uint64_t i) noexcept nogil:
    """Where in a window that is not empty the price of a coming command stands; some place if it is outside."""
    cdef uint64_t head = peek(commands, i, 0)
    return (key_of((head >> 8) & 1, <int64_t> peek(commands, i, 40)) - s.window.base) & (s.window.width - 1)


cdef inline void prefetch_ahead(
    const engine_t *e, const book_t *only, const uint8_t *commands, uint64_t i
) noexcept nogil:
    """Bring the memory of coming commands closer, one step of the chain id -> order -> level at a time.

    Hints only: what is read here may be stale when the command runs, so it serves as an address and nothing else. An id
    entry found means an old order, none a new one. That is chosen without branches: news and cancels come at random, and a
    wrongly foreseen branch costs as much as the prefetch saves.
    """
    cdef uint64_t order_id = peek(commands, i + PREFETCH_IDS, 16)
    cdef const page_t *p = page_seat(e, order_id >> PAGE_SHIFT)
    cdef const side_t *s
    cdef uint64_t place, old, slot
    cdef uint32_t near, known
    prefetch(commands + (i + PREFETCH_COMMANDS) * sizeof(command_t))
    prefetch(page_entry(e, p, order_id))
    if only == NULL:
        s = side_hint(e, only, commands, i + PREFETCH_IDS)
        prefetch(s)

    s = side_hint(e, only, commands, i + PREFETCH_ORDERS)
    slot = id_hint(e, peek(commands, i + PREFETCH_ORDERS, 16))
    old = 0 - <uint64_t> (slot != 0)                # all ones or nothing
    if likely(s.window.width != 0):
        place = place_hint(s, commands, i + PREFETCH_ORDERS)
        prefetch(either(old, &e.orders[slot - (old & 1)], &s.window.ladder[place]))
        prefetch(either(old, &e.cold[slot - (old & 1)], &s.window.bits0[place >> 6]))

    s = side_hint(e, only, commands, i + PREFETCH_LEVELS)
    slot = id_hint(e, peek(commands, i + PREFETCH_LEVELS, 16))
    old = 0 - <uint64_t> (slot != 0)
    if likely(s.window.width != 0):
        near = s.window.ladder[place_hint(s, commands, i + PREFETCH_LEVELS)]
        known = e.orders[slot - (old & 1)].level
        prefetch(either(old, &e.levels[known], &e.levels[near]))


cdef details_t NO_DETAILS       # of a plain command: all zero


cdef inline bint takes_details(const command_t *c) noexcept nogil:
    return c.flags & FLAG_DETAILS != 0 and (c.op == OP_LIMIT or c.op == OP_MARKET or c.op == OP_REPLACE)


cdef uint8_t read_details(const command_t *c, const uint8_t *next, bint there, details_t *d) noexcept nogil:
    """Read the record after a command as its details. Broken details are all zero."""
    if there and next[0] == OP_DETAILS:
        memcpy(d, next, sizeof(details_t))
        if d.zero == 0 and d.reserved == 0 and d.symbol == c.symbol:
            return DETAILS_READ
        memset(d, 0, sizeof(details_t))
    return DETAILS_BROKEN


cdef void apply_unlisted(engine_t *e, command_t *c, const details_t *d, uint8_t found) noexcept nogil:
    """A command whose symbol no book has: for all books, or refused."""
    cdef uint64_t i
    cdef event_t *v
    if c.symbol == ALL_SYMBOLS and (c.op == OP_MASS_CANCEL or c.op == OP_SET_STATE or c.op == OP_CLOCK):
        for i in range(e.book_count):
            c.symbol = e.books[i].symbol
            apply(e, &e.books[i], c, d, found)
        return
    v = emit_for(e, c.symbol, EVENT_REJECTED, 0, REJECT_WRONG_SYMBOL, c.seq)
    v.order_id = c.order_id
    if c.op < OP_LIMIT or c.op > OP_SET_BANDS:
        v.code = REJECT_UNKNOWN_OP


cdef inline uint64_t step(
    engine_t *e, book_t *b, const uint8_t *commands, uint64_t i, uint64_t count
) noexcept nogil:
    """Apply the command at record i, to a book or to the one of its symbol. How many records it took.

    Each record is copied before it is checked, so a caller that changes its buffer meanwhile cannot slip past a check.
    """
    cdef command_t c
    cdef details_t own
    cdef const details_t *d = &NO_DETAILS
    cdef uint8_t found = DETAILS_NONE
    cdef uint64_t took = 1
    memcpy(&c, commands + i * sizeof(command_t), sizeof(command_t))
    if unlikely(takes_details(&c)):
        memset(&own, 0, sizeof(details_t))
        d = &own
        found = read_details(&c, commands + (i + 1) * sizeof(command_t), i + 1 < count, &own)
        took += i + 1 < count and commands[(i + 1) * sizeof(command_t)] == OP_DETAILS
    if b == NULL:
        b = book_find(e, c.symbol)
    if likely(b != NULL):
        apply(e, b, &c, d, found)
    else:
        apply_unlisted(e, &c, d, found)
    return took


cdef inline void run(engine_t *e, book_t *only, const uint8_t *commands, uint64_t count) noexcept nogil:
    """Apply packed commands in order: all to one book, or each to that of its symbol. The caller rolls the events."""
    cdef uint64_t i = 0
    while i < count and likely(not e.broken):
        if e.live > PREFETCH_FROM and i + PREFETCH_IDS < count:
            prefetch_ahead(e, only, commands, i)
        i += step(e, only, commands, i, count)
