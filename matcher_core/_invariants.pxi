# What must hold between commands, checked from the outside in. For tests: O(everything), raises AssertionError.

cdef int check_engine(engine_t *e) except -1:
    cdef uint64_t i
    cdef uint64_t live = 0
    cdef uint64_t levels = 0
    cdef uint32_t index
    cdef const side_t *s
    for i in range(e.book_count):
        assert e.books[i].index == i, "a book does not know its number"
        assert e.book_of == NULL or e.book_of[e.books[i].symbol] == i + 1, "a book cannot be found by its symbol"
        check_book(e, &e.books[i])
        live += e.books[i].live
        for index in range(places(&e.books[i])):
            s = side_at(&e.books[i], index)
            levels += s.window.levels + s.far_levels
    assert live == e.live, f"books hold {live} orders, the engine counts {e.live}"
    assert e.order_high == live + free_orders(e), "an order slot is neither live nor free"
    assert e.level_high == levels + free_levels(e), "a level slot is neither live nor free"
    check_ids(e)
    return 0


cdef int check_book(engine_t *e, book_t *b) except -1:
    cdef uint64_t orders = 0
    cdef uint64_t totals[2]
    cdef uint32_t bid = best_maker(e, b, BUY)
    cdef uint32_t ask = best_maker(e, b, SELL)
    cdef uint32_t index
    cdef uint32_t special = b.special
    totals[BUY] = 0
    totals[SELL] = 0
    for index in range(places(b)):
        orders += check_side(e, b, index, totals)
    assert orders == b.live, f"places hold {orders} orders, the book counts {b.live}"
    assert b.live <= b.max_orders, "more orders live than may"
    assert (totals[BUY], totals[SELL]) == (b.total_lots[BUY], b.total_lots[SELL]), "the total of a direction is wrong"
    special_note(b)
    assert b.special == special, "the book does not know how special it is"
    assert b.call_pending or not in_call(b), "a call is not pending"
    if bid != NIL and ask != NIL and not b.call_pending:
        assert e.levels[ask].key > ~e.levels[bid].key, "the book is crossed"
    if b.more != NULL:
        assert b.state != STATE_TRADING or side_at(b, PLACE_ARMED * 2).best == NIL, "an armed order was not entered"
        check_list(e, b, &b.more.pegs, True)
        check_list(e, b, &b.more.timed, False)
    return 0


cdef int check_list(engine_t *e, book_t *b, const list_t *members, bint pegs) except -1:
    """Pegs or timed orders, by rising stamp, each with what made it one."""
    cdef uint32_t slot = members.first
    cdef uint32_t prev = NIL
    cdef uint64_t stamp = 0
    cdef extra_t *x
    while slot != NIL:
        assert has_extra(e, slot), "a listed order is not special"
        x = extra_at(e, slot)
        assert (x.peg_prev if pegs else x.timed_prev) == prev, "list links disagree"
        assert x.stamp > stamp, "a list is not in the order of stamps"
        assert x.peg != PEG_NONE if pegs else x.expire_at >= b.more.next_expiry > 0, "an order is in the wrong list"
        if pegs:
            assert (place_of(index_at(e, slot)) == PLACE_PEG) or b.state == STATE_TRADING, "a peg has a price without trading"
        stamp = x.stamp
        prev = slot
        slot = x.peg_next if pegs else x.timed_next
    assert members.last == prev, "a list ends elsewhere"
    return 0


cdef int64_t check_side(engine_t *e, book_t *b, uint32_t index, uint64_t *totals) except -1:
    """Orders on the side; adds their open quantity to the totals of the directions."""
    cdef side_t *s = side_at(b, index)
    cdef uint64_t orders = 0
    cdef uint64_t near = 0
    cdef uint64_t far = 0
    cdef uint32_t slot = level_from(e, s, 0)
    assert slot == s.best, "best is not the first level"
    assert s.best_key == (NO_KEY if slot == NIL else e.levels[slot].key), "the best key is not the best level's"
    assert s.far_key == far_first_key(e, s), "the smallest far key is stale"
    while slot != NIL:
        assert e.levels[slot].home == ((b.index << HOME_BITS) | index), "a level is not at home"
        check_level(e, b, slot, totals)
        orders += e.levels[slot].orders
        if in_window(&s.window, e.levels[slot].key):
            near += 1
        else:
            far += 1
        assert level_find(e, s, e.levels[slot].key) == slot, "a level cannot be found by its key"
        slot = level_after(e, s, slot)
    assert (near, far) == (s.window.levels, s.far_levels), "window or far tree lost a level"
    assert <uint64_t> far_check(e, s.far_root, 0, UINT64_MAX) == s.far_levels, "the far tree holds other levels than counted"
    check_window(&s.window)
    return <int64_t> orders


cdef int check_level(engine_t *e, book_t *b, uint32_t level_slot, uint64_t *totals) except -1:
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
        if has_extra(e, slot):
            assert reserve_of(e, slot) == 0 or e.orders[slot].open_lots <= extra_at(e, slot).display, "an iceberg shows too much"
        lots += e.orders[slot].open_lots
        totals[direction_of(e, slot)] += open_of(e, slot)
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
