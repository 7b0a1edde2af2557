# What must hold between commands, checked from the outside in. For tests: O(everything), raises AssertionError.

cdef int check_engine(engine_t *e) except -1:
    cdef uint64_t i
    cdef uint64_t live = 0
    cdef uint64_t levels = 0
    for i in range(e.book_count):
        assert e.books[i].index == i, "a book does not know its number"
        assert e.book_of == NULL or e.book_of[e.books[i].symbol] == i + 1, "a book cannot be found by its symbol"
        check_book(e, &e.books[i])
        live += e.books[i].live
        for side in range(2):
            levels += e.books[i].sides[side].window.levels + e.books[i].sides[side].far_levels
    assert live == e.live, f"books hold {live} orders, the engine counts {e.live}"
    assert e.order_high == live + free_orders(e), "an order slot is neither live nor free"
    assert e.level_high == levels + free_levels(e), "a level slot is neither live nor free"
    check_ids(e)
    return 0


cdef int check_book(engine_t *e, book_t *b) except -1:
    cdef uint64_t orders = 0
    cdef uint32_t best_bid = b.sides[BUY].best
    cdef uint32_t best_ask = b.sides[SELL].best
    for side in range(2):
        orders += check_side(e, b, side)
    assert orders == b.live, f"sides hold {orders} orders, the book counts {b.live}"
    assert b.live <= b.max_orders, "more orders rest than may"
    if best_bid != NIL and best_ask != NIL:
        assert price_of(BUY, e.levels[best_bid].key) < price_of(SELL, e.levels[best_ask].key), "the book is crossed"
    return 0


cdef int64_t check_side(engine_t *e, book_t *b, uint8_t side) except -1:
    """Orders on the side."""
    cdef side_t *s = &b.sides[side]
    cdef uint64_t lots = 0
    cdef uint64_t orders = 0
    cdef uint64_t near = 0
    cdef uint64_t far = 0
    cdef uint32_t slot = level_from(e, s, 0)
    assert slot == s.best, "best is not the first level"
    assert s.best_key == (NO_KEY if slot == NIL else e.levels[slot].key), "the best key is not the best level's"
    assert s.far_key == far_first_key(e, s), "the smallest far key is stale"
    while slot != NIL:
        assert e.levels[slot].home == ((b.index << 4) | side), "a level is not at home"
        check_level(e, b, slot)
        orders += e.levels[slot].orders
        lots += e.levels[slot].open_lots
        if in_window(&s.window, e.levels[slot].key):
            near += 1
        else:
            far += 1
        assert level_find(e, s, e.levels[slot].key) == slot, "a level cannot be found by its key"
        slot = level_from(e, s, e.levels[slot].key + 1)
    assert (near, far) == (s.window.levels, s.far_levels), "window or far tree lost a level"
    assert <uint64_t> far_check(e, s.far_root, 0, UINT64_MAX) == s.far_levels, "the far tree holds other levels than counted"
    assert lots == b.total_lots[side], "the total of a direction is wrong"
    check_window(&s.window)
    return <int64_t> orders


cdef int check_level(engine_t *e, book_t *b, uint32_t level_slot) except -1:
    cdef level_t *level = &e.levels[level_slot]
    cdef uint64_t lots = 0
    cdef uint32_t orders = 0
    cdef uint32_t prev = NIL
    cdef uint32_t slot = level.head
    assert slot != NIL, "an empty level stands"
    while slot != NIL:
        assert e.orders[slot].prev == prev, "queue links disagree"
        assert e.orders[slot].level == level_slot, "an order names another level"
        assert e.orders[slot].open_lots > 0, "an empty order rests"
        assert e.orders[slot].tag_flags >> 8 == tag_of_group(e.cold[slot].group), "a group tag is stale"
        assert id_find(e, b, e.orders[slot].order_id) == slot, "an order cannot be found by its id"
        lots += e.orders[slot].open_lots
        orders += 1
        prev = slot
        slot = e.orders[slot].next
    assert level.tail == prev, "tail is not the youngest order"
    assert (orders, lots) == (level.orders, level.open_lots), "level totals are wrong"
    return 0


cdef int check_ids(engine_t *e) except -1:
    """Pages and hash together hold every live id once; that each is found was checked at its level."""
    cdef uint64_t i, j
    cdef uint64_t pages = 0
    cdef uint64_t paged = 0
    cdef uint64_t hashed = 0
    cdef uint64_t live
    cdef page_t *p
    for i in range(e.ids.table_size):
        p = &e.ids.table[i]
        if p.number == 0:
            continue
        assert page_seat(e, p.number - 1) == p, "a page is not in its seat"
        live = 0
        for j in range(<uint64_t> PAGE_IDS):
            live += page_entry(e, p, j)[0] != 0
        assert live == p.live, "a page counts other ids than it holds"
        pages += 1
        paged += live
    if e.ids.entries != NULL:
        for i in range(e.ids.mask + 1):
            hashed += e.ids.entries[i] != 0
        assert 2 * hashed <= e.ids.mask + 1, "the id hash is more than half full"
    assert pages == e.ids.pages, "pages are miscounted"
    assert hashed == e.ids.hashed, "hashed ids are miscounted"
    assert paged + hashed == e.live, f"{paged} ids in pages and {hashed} in the hash for {e.live} orders"
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


cdef int64_t far_check(engine_t *e, uint32_t node, uint64_t low, uint64_t high) except -1:
    """Levels below a node of the far tree, whose keys must lie in [low, high] and ranks fall towards the leaves."""
    cdef uint64_t key
    if node == NIL:
        return 0
    key = e.levels[node].key
    assert low <= key <= high, "the far tree is out of order"
    for child in (e.far[node].left, e.far[node].right):
        assert child == NIL or far_rank(e, child) <= far_rank(e, node), "the far tree is no heap"
    return 1 + far_check(e, e.far[node].left, low, key - 1) + far_check(e, e.far[node].right, key + 1, high)


cdef uint64_t free_orders(const engine_t *e) noexcept:
    cdef uint64_t n = 0
    cdef uint32_t slot = e.order_free
    while slot != NIL:
        n += 1
        slot = e.orders[slot].next
    return n


cdef uint64_t free_levels(const engine_t *e) noexcept:
    cdef uint64_t n = 0
    cdef uint32_t slot = e.level_free
    while slot != NIL:
        n += 1
        slot = e.levels[slot].head
    return n
