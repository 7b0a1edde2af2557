# Where an order can be besides the displayed book, and how it moves between such places. A place is a pair of sides like the
# displayed ones, keyed so that the order to be looked at first has the smallest key; what only such orders need is in extra_t.
# Everything here is allocated with the first special order of a book and costs a plain book nothing.
#
# A move may need a level slot. If there is no memory for one, the engine is marked broken: it answers no more commands.

cdef inline uint8_t index_of(uint8_t place, uint8_t side) noexcept nogil:
    return PLACE_ARMED * 2 if place == PLACE_ARMED else place * 2 + side


cdef inline uint8_t place_of(uint32_t index) noexcept nogil:
    return <uint8_t> (index >> 1)


cdef inline uint64_t stop_key(uint8_t side, uint64_t price) noexcept nogil:
    """Buy stops wake from the lowest, sell stops from the highest. Never NO_KEY, even for a sell stop at 0."""
    return price if side == BUY else NO_KEY - 1 - price


cdef inline int64_t level_price(uint32_t index, uint64_t key) noexcept nogil:
    """The price a level stands for: that of its orders, the stop price of waiting ones, 0 for market orders and queues."""
    if index >= PLACE_PEG * 2:
        return 0
    if place_of(index) == PLACE_STOP or place_of(index) == PLACE_TRAILING:
        return <int64_t> stop_key(index & 1, key)       # its own inverse
    return price_of(index & 1, key) if key != MARKET_KEY else 0


cdef inline uint32_t level_after(const engine_t *e, const side_t *s, uint32_t level_slot) noexcept nogil:
    cdef uint64_t key = e.levels[level_slot].key
    return level_from(e, s, key + 1) if key != UINT64_MAX else NIL


cdef inline uint32_t index_at(const engine_t *e, uint32_t slot) noexcept nogil:
    return e.levels[e.orders[slot].level].home & HOME_INDEX


cdef inline bint has_extra(const engine_t *e, uint32_t slot) noexcept nogil:
    return e.orders[slot].tag_flags & ORDER_EXTRA != 0


cdef inline extra_t *extra_at(engine_t *e, uint32_t slot) noexcept nogil:
    return &e.extras[e.extra_of[slot]]


cdef inline uint64_t reserve_of(const engine_t *e, uint32_t slot) noexcept nogil:
    """What an iceberg does not show."""
    return e.extras[e.extra_of[slot]].reserve if has_extra(e, slot) else 0


cdef inline uint64_t open_of(const engine_t *e, uint32_t slot) noexcept nogil:
    return e.orders[slot].open_lots + reserve_of(e, slot)


cdef int64_t price_now(engine_t *e, uint32_t slot) noexcept nogil:
    """The price an order rests at; of one that only waits its limit or cap. 0 for none."""
    cdef uint32_t index = index_at(e, slot)
    if place_of(index) > PLACE_HIDDEN and has_extra(e, slot):
        return extra_at(e, slot).limit
    return level_price(index, e.levels[e.orders[slot].level].key)


cdef inline uint8_t direction_of(const engine_t *e, uint32_t slot) noexcept nogil:
    cdef uint32_t index = index_at(e, slot)
    return <uint8_t> (index & 1) if place_of(index) != PLACE_ARMED else e.extras[e.extra_of[slot]].side


cdef int more_new(book_t *b) noexcept nogil:
    """The other places of a book. -1 without memory."""
    cdef uint32_t i
    if b.more != NULL:
        return 0
    b.more = <more_t *> calloc(1, sizeof(more_t))
    if b.more == NULL:
        return -1
    for i in range(PLACE_ARMED * 2 - 1):
        side_init(&b.more.sides[i])
    b.more.pegs.first = NIL
    b.more.pegs.last = NIL
    b.more.timed.first = NIL
    b.more.timed.last = NIL
    b.more.peg_cursor = NIL
    special_note(b)
    return 0


cdef int reserve_extra(engine_t *e) noexcept nogil:
    """Make sure one more order can have an extra_t. -1 without memory."""
    cdef uint64_t capacity
    cdef void *grown
    if e.extra_of == NULL:
        e.extra_of = <uint32_t *> calloc(e.order_capacity, sizeof(uint32_t))
        if e.extra_of == NULL:
            return -1
    if e.extra_free != NIL or e.extra_high < e.extra_capacity:
        return 0
    capacity = e.extra_capacity * 2 if e.extra_capacity else SLOTS_MIN
    grown = realloc(e.extras, capacity * sizeof(extra_t))
    if grown == NULL:
        return -1
    e.extras = <extra_t *> grown
    e.extra_capacity = capacity
    return 0


cdef extra_t *extra_new(engine_t *e, uint32_t slot) noexcept nogil:
    """Room for what a special order carries, all zero. It must have been reserved."""
    cdef uint32_t found = e.extra_free
    if found != NIL:
        e.extra_free = e.extras[found].peg_next
    else:
        found = <uint32_t> e.extra_high
        e.extra_high += 1
    memset(&e.extras[found], 0, sizeof(extra_t))
    e.extra_of[slot] = found
    e.orders[slot].tag_flags |= ORDER_EXTRA
    return &e.extras[found]


cdef void extra_drop(engine_t *e, book_t *b, uint32_t slot) noexcept nogil:
    """Forget what made an order special, its places in the lists included. O(1)."""
    cdef extra_t *x = extra_at(e, slot)
    if x.peg != PEG_NONE:
        peg_unlist(e, b, slot)
    if x.expire_at != 0:
        timed_unlist(e, b, slot)
    x.peg_next = e.extra_free
    e.extra_free = e.extra_of[slot]
    e.orders[slot].tag_flags &= ~<uint32_t> ORDER_EXTRA


# ---- two lists through the extras: pegs, and orders with an expiry time, both in order of entry ----

cdef void peg_enlist(engine_t *e, book_t *b, uint32_t slot) noexcept nogil:
    cdef extra_t *x = extra_at(e, slot)
    x.peg_prev = b.more.pegs.last
    x.peg_next = NIL
    if x.peg_prev == NIL:
        b.more.pegs.first = slot
    else:
        extra_at(e, x.peg_prev).peg_next = slot
    b.more.pegs.last = slot


cdef void peg_unlist(engine_t *e, book_t *b, uint32_t slot) noexcept nogil:
    cdef extra_t *x = extra_at(e, slot)
    if b.more.peg_cursor == slot:
        b.more.peg_cursor = x.peg_next
    if x.peg_prev == NIL:
        b.more.pegs.first = x.peg_next
    else:
        extra_at(e, x.peg_prev).peg_next = x.peg_next
    if x.peg_next == NIL:
        b.more.pegs.last = x.peg_prev
    else:
        extra_at(e, x.peg_next).peg_prev = x.peg_prev


cdef void timed_enlist(engine_t *e, book_t *b, uint32_t slot) noexcept nogil:
    cdef extra_t *x = extra_at(e, slot)
    x.timed_prev = b.more.timed.last
    x.timed_next = NIL
    if x.timed_prev == NIL:
        b.more.timed.first = slot
    else:
        extra_at(e, x.timed_prev).timed_next = slot
    b.more.timed.last = slot
    if b.more.next_expiry == 0 or x.expire_at < b.more.next_expiry:
        b.more.next_expiry = x.expire_at


cdef void timed_unlist(engine_t *e, book_t *b, uint32_t slot) noexcept nogil:
    cdef extra_t *x = extra_at(e, slot)
    if x.timed_prev == NIL:
        b.more.timed.first = x.timed_next
    else:
        extra_at(e, x.timed_prev).timed_next = x.timed_next
    if x.timed_next == NIL:
        b.more.timed.last = x.timed_prev
    else:
        extra_at(e, x.timed_next).timed_prev = x.timed_prev


cdef void restamp(engine_t *e, book_t *b, uint32_t slot) noexcept nogil:
    """An order that lost its place counts as entered now."""
    cdef extra_t *x = extra_at(e, slot)
    x.stamp = b.next_stamp
    b.next_stamp += 1
    if x.peg != PEG_NONE:
        peg_unlist(e, b, slot)
        peg_enlist(e, b, slot)
    if x.expire_at != 0:
        timed_unlist(e, b, slot)
        timed_enlist(e, b, slot)


# ---- moves ----

cdef inline uint32_t home_at(const book_t *b, uint32_t index) noexcept nogil:
    return b.index << HOME_BITS | index


cdef void place_link(engine_t *e, book_t *b, uint32_t slot, uint32_t index, uint64_t key) noexcept nogil:
    """Queue an order that stands nowhere, last at a key of a place. Its open quantity counts for the book from now on."""
    cdef side_t *s = side_at(b, index)
    cdef uint64_t shown = e.orders[slot].open_lots
    if reserve_level(e) < 0:
        e.broken = 1
        drop(e, b, slot)
        return
    if not in_window(&s.window, key):
        widen(e, s, key)
    order_link(e, b, slot, home_at(b, index), key)
    b.total_lots[index & 1] -= shown
    b.total_lots[direction_of(e, slot)] += shown + reserve_of(e, slot)


cdef void place_unlink(engine_t *e, book_t *b, uint32_t slot) noexcept nogil:
    """Take an order from its place. It keeps its slot and its id, and its open quantity counts for nothing."""
    cdef uint64_t shown = e.orders[slot].open_lots
    b.total_lots[direction_of(e, slot)] -= shown + reserve_of(e, slot)
    b.total_lots[index_at(e, slot) & 1] += shown
    order_unlink(e, b, slot)


cdef inline void place_move(engine_t *e, book_t *b, uint32_t slot, uint32_t index, uint64_t key) noexcept nogil:
    place_unlink(e, b, slot)
    place_link(e, b, slot, index, key)


cdef void drop(engine_t *e, book_t *b, uint32_t slot) noexcept nogil:
    """Forget an order that stands nowhere."""
    if has_extra(e, slot):
        extra_drop(e, b, slot)
    order_free(e, b, slot)


cdef void place_remove(engine_t *e, book_t *b, uint32_t slot) noexcept nogil:
    place_unlink(e, b, slot)
    drop(e, b, slot)


cdef void order_show(engine_t *e, uint32_t slot, uint64_t open_lots) noexcept nogil:
    """Give an order that stands nowhere this open quantity, of which an iceberg shows only a part."""
    cdef extra_t *x
    e.orders[slot].open_lots = open_lots
    if has_extra(e, slot):
        x = extra_at(e, slot)
        x.reserve = 0
        if x.display != 0 and x.display < open_lots:
            e.orders[slot].open_lots = x.display
            x.reserve = open_lots - x.display


cdef void order_shrink(engine_t *e, book_t *b, uint32_t slot, uint64_t lots) noexcept nogil:
    """Take less than all of an order's open quantity where it stands: an iceberg's reserve first."""
    cdef uint64_t hidden = min(lots, reserve_of(e, slot))
    expect(lots < open_of(e, slot))
    b.total_lots[direction_of(e, slot)] -= lots
    if hidden != 0:
        extra_at(e, slot).reserve -= hidden
    e.orders[slot].open_lots -= lots - hidden
    e.levels[e.orders[slot].level].open_lots -= lots - hidden
