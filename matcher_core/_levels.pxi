# Levels and the orders queued in them. Invariants: a level has at least one order; a level stands in the window exactly
# when its key is inside it, else in the far tree; `best` is the level with the smallest key of its side.

cdef inline uint64_t key_of(uint8_t side, int64_t price) noexcept nogil:
    """An ask's price, a bid's complement; without a branch, for sides alternate at random."""
    return <uint64_t> price ^ (<uint64_t> side - 1)


cdef inline int64_t price_of(uint8_t side, uint64_t key) noexcept nogil:
    return <int64_t> (key ^ (<uint64_t> side - 1))


cdef inline uint8_t side_of(const level_t *level) noexcept nogil:
    """The direction of a level's orders."""
    return level.home & 1


cdef inline uint32_t level_find(const engine_t *e, const side_t *s, uint64_t key) noexcept nogil:
    """The level with this key, or NIL. O(1) inside the window."""
    cdef uint64_t i = key - s.window.base
    cdef uint32_t slot
    if likely(i < s.window.width):
        return s.window.ladder[i] if window_has(&s.window, i) else NIL
    if s.far_root == NIL:
        return NIL
    slot = far_from(e, s, key)
    return slot if slot != NIL and e.levels[slot].key == key else NIL


cdef inline uint32_t level_from(const engine_t *e, const side_t *s, uint64_t key) noexcept nogil:
    """The level with the smallest key at or above `key`, or NIL."""
    cdef uint64_t start = key - s.window.base if key > s.window.base else 0
    cdef uint64_t i = window_next(&s.window, start)
    cdef uint32_t near = s.window.ladder[i] if i < s.window.width else NIL
    cdef uint32_t far
    if likely(s.far_root == NIL):
        return near
    far = far_from(e, s, key)
    if near == NIL or (far != NIL and e.levels[far].key < e.levels[near].key):
        return far
    return near


cdef uint32_t level_last(const engine_t *e, const side_t *s) noexcept nogil:
    """The level with the largest key, or NIL."""
    cdef uint32_t far = far_last(e, s)
    cdef uint32_t near = s.window.ladder[window_last(&s.window)] if s.window.levels != 0 else NIL
    if near == NIL or (far != NIL and e.levels[far].key > e.levels[near].key):
        return far
    return near


cdef inline void best_find(const engine_t *e, side_t *s, uint64_t key) noexcept nogil:
    """Set the best level, known to be at `key` or worse."""
    cdef uint64_t start = key - s.window.base if key > s.window.base else 0
    cdef uint64_t i = window_next(&s.window, start)
    if likely(i < s.window.width and s.window.base + i < s.far_key):
        s.best = s.window.ladder[i]
        s.best_key = s.window.base + i
        return
    s.best_key = s.far_key
    s.best = NIL if s.far_root == NIL else far_from(e, s, s.far_key)


cdef inline uint32_t level_add(engine_t *e, side_t *s, uint32_t home, uint64_t key) noexcept nogil:
    """A new, still empty level. A free slot must have been reserved and the key must be new."""
    cdef uint32_t slot = e.level_free
    cdef level_t *level
    if likely(slot != NIL):
        e.level_free = e.levels[slot].head
    else:
        slot = <uint32_t> e.level_high
        e.level_high += 1
    level = &e.levels[slot]
    level.key = key
    level.open_lots = 0
    level.head = NIL
    level.tail = NIL
    level.orders = 0
    level.home = home
    if likely(in_window(&s.window, key)):
        window_set(&s.window, key, slot)
    else:
        far_insert(e, s, slot)
    if key < s.best_key:
        s.best = slot
        s.best_key = key
    return slot


cdef inline void level_drop(engine_t *e, side_t *s, uint32_t slot) noexcept nogil:
    """Remove an empty level and, when it was the best, find the next."""
    cdef uint64_t key = e.levels[slot].key
    expect(e.levels[slot].orders == 0 and e.levels[slot].open_lots == 0)
    if likely(in_window(&s.window, key)):
        window_clear(&s.window, key)
    else:
        far_remove(e, s, slot)
    e.levels[slot].head = e.level_free
    e.level_free = slot
    if s.best == slot:
        best_find(e, s, key)


cdef inline void order_link(engine_t *e, book_t *b, uint32_t slot, uint32_t home, uint64_t key) noexcept nogil:
    """Queue an order, whose open lots are set, last at a price. A level must have been reserved."""
    cdef side_t *s = side_at(b, home & HOME_INDEX)
    cdef uint32_t level_slot = level_find(e, s, key)
    cdef order_t *order = &e.orders[slot]
    cdef level_t *level
    if level_slot == NIL:
        level_slot = level_add(e, s, home, key)
    expect(slot < e.order_capacity and level_slot < e.level_capacity and order.open_lots > 0)
    level = &e.levels[level_slot]
    order.prev = level.tail
    order.next = NIL
    order.level = level_slot
    if level.tail == NIL:
        level.head = slot
    else:
        e.orders[level.tail].next = slot
    level.tail = slot
    level.orders += 1
    level.open_lots += order.open_lots
    b.total_lots[home & 1] += order.open_lots


cdef inline void order_unlink(engine_t *e, book_t *b, uint32_t slot) noexcept nogil:
    """Take an order, whatever is open of it, out of its queue. It keeps its slot and its id."""
    cdef order_t *order = &e.orders[slot]
    cdef level_t *level = &e.levels[order.level]
    if order.prev == NIL:
        level.head = order.next
    else:
        e.orders[order.prev].next = order.next
    if order.next == NIL:
        level.tail = order.prev
    else:
        e.orders[order.next].prev = order.prev
    level.orders -= 1
    level.open_lots -= order.open_lots
    b.total_lots[level.home & 1] -= order.open_lots
    if level.orders == 0:
        level_drop(e, side_at(b, level.home & HOME_INDEX), order.level)


cdef inline uint32_t order_new(engine_t *e, book_t *b, const taker_t *t) noexcept nogil:
    """A slot for an order that will wait, with all but its queue set. Slot and id must have been reserved."""
    cdef uint32_t slot = e.order_free
    cdef order_t *order
    if likely(slot != NIL):
        e.order_free = e.orders[slot].next
    else:
        slot = <uint32_t> e.order_high
        e.order_high += 1
    order = &e.orders[slot]
    order.order_id = t.order_id
    order.open_lots = t.open_lots
    order.tag_flags = (tag_of_group(t.group) << 8) | t.tif
    e.cold[slot].owner = t.owner
    e.cold[slot].group = t.group
    b.live += 1
    e.live += 1
    id_put(e, b, t.order_id, slot)
    return slot


cdef inline void order_free(engine_t *e, book_t *b, uint32_t slot) noexcept nogil:
    """Give back the slot and the id of an order that is in no queue."""
    cdef order_t *order = &e.orders[slot]
    id_remove(e, b, order.order_id, slot)
    order.order_id = 0                          # a free slot never looks live
    order.next = e.order_free
    e.order_free = slot
    b.live -= 1
    e.live -= 1


cdef inline void order_remove(engine_t *e, book_t *b, uint32_t slot) noexcept nogil:
    order_unlink(e, b, slot)
    order_free(e, b, slot)


cdef inline void order_reduce(engine_t *e, book_t *b, uint32_t slot, uint64_t lots) noexcept nogil:
    """Take less than all of an order's open quantity, in place."""
    cdef level_t *level = &e.levels[e.orders[slot].level]
    expect(lots < e.orders[slot].open_lots)
    e.orders[slot].open_lots -= lots
    level.open_lots -= lots
    b.total_lots[level.home & 1] -= lots


cdef inline uint32_t tag_of_group(uint64_t group) noexcept nogil:
    """24 bits, 0 only for no group."""
    return 0 if group == 0 else <uint32_t> ((group * GOLDEN) >> 40) | 1
