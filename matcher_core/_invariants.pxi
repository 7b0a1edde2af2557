# What must hold between commands, checked from the outside in. For tests: O(everything), raises AssertionError.

cdef int check_book(book_t *b) except -1:
    cdef uint64_t orders = 0
    cdef uint64_t levels = 0
    cdef uint64_t entries = 0
    cdef uint64_t i
    cdef uint32_t best_bid = b.sides[BUY].best
    cdef uint32_t best_ask = b.sides[SELL].best
    cdef uint8_t side
    for side in range(2):
        check_side(b, side)
        orders += b.sides[side].orders
        levels += b.sides[side].window.levels + b.sides[side].far_levels
    assert orders == b.live, f"sides hold {orders} orders, the book counts {b.live}"
    assert b.live <= b.max_orders, "more orders rest than may"
    assert b.order_high == b.live + free_orders(b), "an order slot is neither live nor free"
    assert b.level_high == levels + free_levels(b), "a level slot is neither live nor free"
    assert b.event_count == 0, "events of a finished command remain"
    if b.ids.entries != NULL:
        for i in range(b.ids.mask + 1):
            entries += b.ids.entries[i] != 0
        assert 2 * entries <= b.ids.mask + 1, "the id map is more than half full"
    assert entries == b.live, f"the id map holds {entries} ids for {b.live} orders"
    if best_bid != NIL and best_ask != NIL:
        assert price_of(BUY, b.levels[best_bid].key) < price_of(SELL, b.levels[best_ask].key), "the book is crossed"
    return 0


cdef int check_side(book_t *b, uint8_t side) except -1:
    cdef side_t *s = &b.sides[side]
    cdef uint64_t lots = 0
    cdef uint64_t orders = 0
    cdef uint64_t near = 0
    cdef uint64_t far = 0
    cdef uint32_t slot = level_from(b, s, 0)
    assert slot == s.best, "best is not the first level"
    while slot != NIL:
        assert b.levels[slot].side == side, "a level is on the wrong side"
        check_level(b, slot)
        orders += b.levels[slot].orders
        lots += b.levels[slot].open_lots
        if in_window(&s.window, b.levels[slot].key):
            near += 1
        else:
            far += 1
        assert level_find(b, s, b.levels[slot].key) == slot, "a level cannot be found by its key"
        slot = level_from(b, s, b.levels[slot].key + 1)
    assert (near, far) == (s.window.levels, s.far_levels), "window or far tree lost a level"
    assert <uint64_t> far_check(b, s.far_root, 0, UINT64_MAX) == s.far_levels, "the far tree holds other levels than counted"
    assert (orders, lots) == (s.orders, s.open_lots), "side totals are wrong"
    check_window(&s.window)
    return 0


cdef int check_level(book_t *b, uint32_t level_slot) except -1:
    cdef level_t *level = &b.levels[level_slot]
    cdef uint64_t lots = 0
    cdef uint32_t orders = 0
    cdef uint32_t prev = NIL
    cdef uint32_t slot = level.head
    assert slot != NIL, "an empty level stands"
    while slot != NIL:
        assert b.orders[slot].prev == prev, "queue links disagree"
        assert b.orders[slot].level == level_slot, "an order names another level"
        assert b.orders[slot].open_lots > 0, "an empty order rests"
        assert b.orders[slot].group_tag == tag_of_group(b.cold[slot].group), "a group tag is stale"
        assert idmap_find(b, b.orders[slot].order_id) == slot, "an order cannot be found by its id"
        lots += b.orders[slot].open_lots
        orders += 1
        prev = slot
        slot = b.orders[slot].next
    assert level.tail == prev, "tail is not the youngest order"
    assert (orders, lots) == (level.orders, level.open_lots), "level totals are wrong"
    return 0


cdef int check_window(const window_t *w) except -1:
    """The summary bits say exactly which words below them are not zero."""
    cdef uint64_t i
    cdef uint64_t levels = 0
    for i in range(w.width):
        levels += window_has(w, i)
    assert levels == w.levels, "window bits and count differ"
    for i in range(w.width >> 6):
        assert ((w.bits1[i >> 6] >> (i & 63)) & 1) == (w.bits0[i] != 0), "bits1 does not summarise bits0"
    for i in range(((w.width >> 6) + 63) >> 6):
        assert ((w.bits2 >> i) & 1) == (w.bits1[i] != 0), "bits2 does not summarise bits1"
    return 0


cdef int64_t far_check(book_t *b, uint32_t node, uint64_t low, uint64_t high) except -1:
    """Levels below a node of the far tree, whose keys must lie in [low, high] and ranks fall towards the leaves."""
    cdef uint64_t key
    if node == NIL:
        return 0
    key = b.levels[node].key
    assert low <= key <= high, "the far tree is out of order"
    for child in (b.far[node].left, b.far[node].right):
        assert child == NIL or far_rank(b, child) <= far_rank(b, node), "the far tree is no heap"
    return 1 + far_check(b, b.far[node].left, low, key - 1) + far_check(b, b.far[node].right, key + 1, high)


cdef uint64_t free_orders(const book_t *b) noexcept:
    cdef uint64_t n = 0
    cdef uint32_t slot = b.order_free
    while slot != NIL:
        n += 1
        slot = b.orders[slot].next
    return n


cdef uint64_t free_levels(const book_t *b) noexcept:
    cdef uint64_t n = 0
    cdef uint32_t slot = b.level_free
    while slot != NIL:
        n += 1
        slot = b.levels[slot].head
    return n
