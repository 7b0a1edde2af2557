# Levels and the orders queued in them. Invariants: a level has at least one order; a level stands in the window exactly
# when its key is inside it, else in the far tree; `best` is the level with the smallest key of its side.

cdef inline uint64_t key_of(uint8_t side, int64_t price) noexcept nogil:
    return <uint64_t> price if side == SELL else ~<uint64_t> price


cdef inline int64_t price_of(uint8_t side, uint64_t key) noexcept nogil:
    return <int64_t> key if side == SELL else <int64_t> ~key


cdef inline uint32_t level_find(const book_t *b, const side_t *s, uint64_t key) noexcept nogil:
    """The level with this key, or NIL. O(1) inside the window."""
    cdef uint64_t i = key - s.window.base
    cdef uint32_t slot
    if i < s.window.width:
        return s.window.ladder[i] if window_has(&s.window, i) else NIL
    if s.far_root == NIL:
        return NIL
    slot = far_from(b, s, key)
    return slot if slot != NIL and b.levels[slot].key == key else NIL


cdef inline uint32_t level_from(const book_t *b, const side_t *s, uint64_t key) noexcept nogil:
    """The level with the smallest key at or above `key`, or NIL."""
    cdef uint64_t start = key - s.window.base if key > s.window.base else 0
    cdef uint64_t i = window_next(&s.window, start)
    cdef uint32_t near = s.window.ladder[i] if i < s.window.width else NIL
    cdef uint32_t far
    if s.far_root == NIL:
        return near
    far = far_from(b, s, key)
    if near == NIL or (far != NIL and b.levels[far].key < b.levels[near].key):
        return far
    return near


cdef inline uint32_t level_add(book_t *b, side_t *s, uint8_t side, uint64_t key) noexcept nogil:
    """A new, still empty level. A free slot must have been reserved and the key must be new."""
    cdef uint32_t slot = b.level_free
    cdef level_t *level
    if slot != NIL:
        b.level_free = b.levels[slot].head
    else:
        slot = <uint32_t> b.level_high
        b.level_high += 1
    level = &b.levels[slot]
    level.key = key
    level.open_lots = 0
    level.head = NIL
    level.tail = NIL
    level.orders = 0
    level.side = side
    if in_window(&s.window, key):
        window_set(&s.window, key, slot)
    else:
        far_insert(b, s, slot)
    if s.best == NIL or key < b.levels[s.best].key:
        s.best = slot
    return slot


cdef inline void level_drop(book_t *b, side_t *s, uint32_t slot) noexcept nogil:
    """Remove an empty level and, when it was the best, find the next."""
    cdef uint64_t key = b.levels[slot].key
    expect(b.levels[slot].orders == 0 and b.levels[slot].open_lots == 0)
    if in_window(&s.window, key):
        window_clear(&s.window, key)
    else:
        far_remove(b, s, slot)
    b.levels[slot].head = b.level_free
    b.level_free = slot
    if s.best == slot:
        s.best = level_from(b, s, key)


cdef inline void order_rest(book_t *b, const taker_t *t, uint64_t key) noexcept nogil:
    """Queue an order last at its price. Slots must have been reserved."""
    cdef side_t *s = &b.sides[t.side]
    cdef uint32_t level_slot = level_find(b, s, key)
    cdef uint32_t slot = b.order_free
    cdef order_t *order
    cdef level_t *level
    if level_slot == NIL:
        level_slot = level_add(b, s, t.side, key)
    if slot != NIL:
        b.order_free = b.orders[slot].next
    else:
        slot = <uint32_t> b.order_high
        b.order_high += 1
    expect(slot < b.order_capacity and level_slot < b.level_capacity and t.open_lots > 0)
    level = &b.levels[level_slot]
    order = &b.orders[slot]
    order.order_id = t.order_id
    order.open_lots = t.open_lots
    order.prev = level.tail
    order.next = NIL
    order.level = level_slot
    order.group_tag = tag_of_group(t.group)
    b.cold[slot].owner = t.owner
    b.cold[slot].group = t.group
    if level.tail == NIL:
        level.head = slot
    else:
        b.orders[level.tail].next = slot
    level.tail = slot
    level.orders += 1
    level.open_lots += t.open_lots
    s.open_lots += t.open_lots
    s.orders += 1
    b.live += 1
    idmap_put(&b.ids, id_tag(t.order_id), slot)


cdef inline void order_remove(book_t *b, uint32_t slot) noexcept nogil:
    """Take an order, whatever is open of it, out of the book and free its slot."""
    cdef order_t *order = &b.orders[slot]
    cdef level_t *level = &b.levels[order.level]
    cdef side_t *s = &b.sides[level.side]
    if order.prev == NIL:
        level.head = order.next
    else:
        b.orders[order.prev].next = order.next
    if order.next == NIL:
        level.tail = order.prev
    else:
        b.orders[order.next].prev = order.prev
    level.orders -= 1
    level.open_lots -= order.open_lots
    s.open_lots -= order.open_lots
    s.orders -= 1
    b.live -= 1
    idmap_remove(&b.ids, order.order_id, slot)
    if level.orders == 0:
        level_drop(b, s, order.level)
    order.order_id = 0                          # a free slot never looks live
    order.next = b.order_free
    b.order_free = slot


cdef inline void order_reduce(book_t *b, uint32_t slot, uint64_t lots) noexcept nogil:
    """Take less than all of an order's open quantity, in place."""
    cdef level_t *level = &b.levels[b.orders[slot].level]
    expect(lots < b.orders[slot].open_lots)
    b.orders[slot].open_lots -= lots
    level.open_lots -= lots
    b.sides[level.side].open_lots -= lots


cdef inline uint32_t tag_of_group(uint64_t group) noexcept nogil:
    return 0 if group == 0 else <uint32_t> ((group * GOLDEN) >> 32) | 1
