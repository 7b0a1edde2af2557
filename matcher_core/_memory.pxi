# Memory of an engine. Everything that allocates is here (windows and ids have their own growing beside their data), and runs
# before a command has any effect: a command that cannot get its memory is refused whole. Only events grow while a command
# runs, see emit(). Functions return 0, or -1 when memory ran out.

cdef int64_t engines_alive      # for debug_counters()
cdef int64_t events_alive       # event arrays


cdef engine_t *engine_new(uint8_t stp, uint64_t max_orders, uint64_t salt) noexcept nogil:
    """An engine without books."""
    cdef engine_t *e = <engine_t *> calloc(1, sizeof(engine_t))
    if e == NULL:
        return NULL
    e.stp = stp
    e.max_orders = max_orders
    e.salt = salt
    e.order_free = NIL
    e.level_free = NIL
    e.extra_free = NIL
    e.ids.table = NO_PAGES
    e.ids.table_shift = 63
    add(&engines_alive, 1)
    return e


cdef void engine_free(engine_t *e) noexcept nogil:
    cdef uint64_t i
    if e == NULL:
        return
    add(&engines_alive, -1)
    for i in range(e.book_count):
        book_release(&e.books[i])
    if e.ids.table != NO_PAGES:
        free(e.ids.table)
    free(e.ids.pool)
    free(e.ids.entries)
    free(e.orders)
    free(e.cold)
    free(e.extra_of)
    free(e.extras)
    free(e.levels)
    free(e.far)
    free_lines(e.books)
    free(e.book_of)
    events_free(e.events)
    free(e)


cdef void book_release(book_t *b) noexcept nogil:
    """Give back what a book holds by itself."""
    cdef uint32_t index
    for index in range(places(b)):
        free(side_at(b, index).window.bits0)
    free(b.more)


# grow_array() is realloc, asking the system for huge pages where that pays: at random access much of the cost of a large
# array is the walk through page tables.

cdef int grow_orders(engine_t *e) noexcept nogil:
    """Double the order slots. O(capacity), amortised O(1) per order."""
    cdef uint64_t old = e.order_capacity
    cdef uint64_t capacity = old * 2 if old else SLOTS_MIN
    cdef void *extra_of
    if capacity > SLOTS_MAX:
        return -1
    cdef void *orders = grow_array(e.orders, old * sizeof(order_t), capacity * sizeof(order_t))
    if orders == NULL:
        return -1
    e.orders = <order_t *> orders
    cdef void *cold = grow_array(e.cold, old * sizeof(order_cold_t), capacity * sizeof(order_cold_t))
    if cold == NULL:
        return -1
    e.cold = <order_cold_t *> cold
    if e.extra_of != NULL:
        extra_of = realloc(e.extra_of, capacity * sizeof(uint32_t))
        if extra_of == NULL:
            return -1
        e.extra_of = <uint32_t *> extra_of
    e.order_capacity = capacity
    return 0


cdef int grow_levels(engine_t *e) noexcept nogil:
    cdef uint64_t old = e.level_capacity
    cdef uint64_t capacity = old * 2 if old else SLOTS_MIN
    if capacity > SLOTS_MAX:
        return -1
    cdef void *levels = grow_array(e.levels, old * sizeof(level_t), capacity * sizeof(level_t))
    if levels == NULL:
        return -1
    e.levels = <level_t *> levels
    cdef void *far = grow_array(e.far, old * sizeof(far_t), capacity * sizeof(far_t))
    if far == NULL:
        return -1
    e.far = <far_t *> far
    e.level_capacity = capacity
    return 0


cdef inline int reserve_level(engine_t *e) noexcept nogil:
    """Make sure one more level can stand."""
    if unlikely(e.level_free == NIL and e.level_high == e.level_capacity):
        return grow_levels(e)
    return 0


cdef inline int reserve_order(engine_t *e) noexcept nogil:
    """Make sure one more order can rest."""
    if unlikely(e.order_free == NIL and e.order_high == e.order_capacity):
        return grow_orders(e)
    return 0


cdef void events_free(event_t *events) noexcept nogil:
    if events != NULL:
        add(&events_alive, -1)
    free_lines(events)


cdef int grow_events(engine_t *e) noexcept nogil:
    """Double the event buffer. The old one has no readers while a command runs."""
    cdef uint64_t capacity = e.event_capacity * 2 if e.event_capacity else EVENTS_MIN
    cdef event_t *events = <event_t *> malloc_lines(capacity * sizeof(event_t))
    if events == NULL:
        return -1
    if e.event_count != 0:
        memcpy(events, e.events, e.event_count * sizeof(event_t))
    events_free(e.events)
    add(&events_alive, 1)
    e.events = events
    e.event_capacity = capacity
    return 0


# ---- books -------------------------------------------------------------------------------------------------------------

cdef int grow_books(engine_t *e) noexcept nogil:
    cdef uint64_t capacity = e.book_capacity * 2 if e.book_capacity else 1
    cdef book_t *books = <book_t *> malloc_lines(capacity * sizeof(book_t))
    if books == NULL:
        return -1
    if e.book_count != 0:
        memcpy(books, e.books, e.book_count * sizeof(book_t))
    free_lines(e.books)
    e.books = books
    e.book_capacity = capacity
    return 0


cdef int reserve_symbol(engine_t *e, uint32_t symbol) noexcept nogil:
    """Make the table of symbols long enough for one."""
    cdef uint64_t symbols = e.symbols if e.symbols else 16
    cdef void *table
    while symbols <= symbol:
        symbols *= 2
    if symbols == e.symbols:
        return 0
    table = realloc(e.book_of, symbols * sizeof(uint32_t))
    if table == NULL:
        return -1
    e.book_of = <uint32_t *> table
    memset(&e.book_of[e.symbols], 0, (symbols - e.symbols) * sizeof(uint32_t))
    e.symbols = symbols
    return 0


cdef int open_book(engine_t *e, uint32_t symbol, bint listed) noexcept nogil:
    """Add an empty book; its number is the book count before. `listed` books are found by symbol, which must be new and
    below SYMBOLS_MAX. Moves the books: no book_t pointer may be held across this."""
    cdef book_t *b
    cdef int i
    if listed and reserve_symbol(e, symbol) < 0:
        return -1
    if e.book_count == e.book_capacity and grow_books(e) < 0:
        return -1
    b = &e.books[e.book_count]
    memset(b, 0, sizeof(book_t))
    b.symbol = symbol
    b.index = <uint32_t> e.book_count
    b.stp = e.stp
    b.state = STATE_TRADING
    b.max_orders = e.max_orders
    b.next_stamp = 1
    special_note(b)
    for i in range(2):
        side_init(&b.sides[i])
    e.book_count += 1
    if listed:
        e.book_of[symbol] = <uint32_t> e.book_count
    return 0


cdef inline book_t *book_find(const engine_t *e, uint32_t symbol) noexcept nogil:
    """The open book of a symbol, or NULL. For engines whose books are listed."""
    cdef uint32_t number = e.book_of[symbol] if likely(symbol < e.symbols) else 0
    return &e.books[number - 1] if likely(number != 0) else NULL


cdef inline uint32_t places(const book_t *b) noexcept nogil:
    """How many sides a book has: two, or with special orders all of them."""
    return PLACE_ARMED * 2 + 1 if b.more != NULL else 2


cdef inline side_t *side_at(book_t *b, uint32_t index) noexcept nogil:
    """A side by the low bits of a level's home."""
    expect(index < places(b))
    return &b.sides[index] if likely(index < 2) else &b.more.sides[index - 2]


cdef void side_init(side_t *s) noexcept nogil:
    """An empty side, from zeroed memory."""
    s.best = NIL
    s.best_key = NO_KEY
    s.far_root = NIL
    s.far_key = NO_KEY
    s.credit = CREDIT_MAX


cdef uint64_t engine_bytes(engine_t *e) noexcept nogil:
    """What the engine holds from the allocator now."""
    cdef uint64_t i
    cdef uint64_t total = sizeof(engine_t)
    total += e.order_capacity * (sizeof(order_t) + sizeof(order_cold_t))
    total += e.level_capacity * (sizeof(level_t) + sizeof(far_t))
    total += e.order_capacity * sizeof(uint32_t) if e.extra_of != NULL else 0
    total += e.extra_capacity * sizeof(extra_t)
    total += e.event_capacity * sizeof(event_t)
    total += e.book_capacity * sizeof(book_t) + e.symbols * sizeof(uint32_t)
    total += e.ids.table_size * sizeof(page_t) + e.ids.pool_capacity * PAGE_BYTES
    total += (e.ids.mask + 1) * sizeof(uint64_t) if e.ids.entries != NULL else 0
    for i in range(e.book_count):
        total += book_bytes(&e.books[i])
    return total


cdef uint64_t book_bytes(book_t *b) noexcept nogil:
    """What one book holds beside its share of the engine's arrays."""
    cdef uint64_t total = sizeof(more_t) if b.more != NULL else 0
    cdef uint32_t index
    for index in range(places(b)):
        total += window_bytes(side_at(b, index).window.width)
    return total
