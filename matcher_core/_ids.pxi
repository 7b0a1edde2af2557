# Order id to slot. Venues issue ids in sequence, so most live ids are dense: pages of 1,024 consecutive ids, found through a
# small direct-mapped table, need no hashing, no probing and no deletion. What does not fit (an id alive in two books, ids far
# from any other, the last survivors of an old page) goes to the hash in _idhash.pxi. A page costs 4 KiB; together they stay
# within about 64 KiB + 48 bytes a live order, so sparse ids cannot blow them up.

cdef page_t NO_PAGES[2]         # the table of an engine without ids: always misses


cdef inline page_t *page_seat(const engine_t *e, uint64_t number) noexcept nogil:
    """Where the page of this number (id >> 10) stands, if it stands."""
    return &e.ids.table[(number * GOLDEN) >> e.ids.table_shift]


cdef inline uint32_t *page_entry(const engine_t *e, const page_t *p, uint64_t order_id) noexcept nogil:
    return &e.ids.pool[(<uint64_t> p.at << PAGE_SHIFT) + (order_id & (PAGE_IDS - 1))]


cdef inline bint lives_in(const engine_t *e, const book_t *b, uint32_t slot) noexcept nogil:
    return e.levels[e.orders[slot].level].home >> 4 == b.index


cdef inline uint32_t id_find(const engine_t *e, const book_t *b, uint64_t order_id) noexcept nogil:
    """Slot of a live order of this book, or NIL. O(1)."""
    cdef uint64_t number = order_id >> PAGE_SHIFT
    cdef const page_t *p = page_seat(e, number)
    cdef uint32_t entry
    if likely(p.number == number + 1):
        entry = page_entry(e, p, order_id)[0]
        if entry != 0 and likely(lives_in(e, b, entry - 1)):
            return entry - 1
        if likely(p.strays == 0):
            return NIL
    return NIL if e.ids.hashed == 0 else hash_find(e, b, order_id)


cdef inline int id_prepare(engine_t *e, uint64_t order_id) noexcept nogil:
    """Make sure an id that is not alive in its book can be put. -1 when memory ran out, with nothing changed."""
    cdef uint64_t number = order_id >> PAGE_SHIFT
    cdef const page_t *p = page_seat(e, number)
    if likely(p.number == number + 1 and page_entry(e, p, order_id)[0] == 0):
        return 0
    if p.number != number + 1 and page_make(e, number):
        return 0
    return hash_reserve(&e.ids)


cdef inline void id_put(engine_t *e, const book_t *b, uint64_t order_id, uint32_t slot) noexcept nogil:
    """Remember where an order is. id_prepare must have been asked before."""
    cdef uint64_t number = order_id >> PAGE_SHIFT
    cdef page_t *p = page_seat(e, number)
    cdef uint32_t *entry
    if likely(p.number == number + 1):
        entry = page_entry(e, p, order_id)
        if likely(entry[0] == 0):
            entry[0] = slot + 1
            p.live += 1
            e.ids.credit += 1
            return
        p.strays = 1
    hash_put(&e.ids, order_id, b.index, slot)


cdef inline void id_remove(engine_t *e, const book_t *b, uint64_t order_id, uint32_t slot) noexcept nogil:
    """Forget an order. An empty page stays until its place is wanted, so a lonely id that comes and goes costs nothing."""
    cdef uint64_t number = order_id >> PAGE_SHIFT
    cdef page_t *p = page_seat(e, number)
    cdef uint32_t *entry
    if likely(p.number == number + 1):
        entry = page_entry(e, p, order_id)
        if likely(entry[0] == slot + 1):
            entry[0] = 0
            p.live -= 1
            return
    hash_remove(&e.ids, order_id, b.index, slot)


cdef bint page_make(engine_t *e, uint64_t number) noexcept nogil:
    """Try to give a range of ids a page. False when the bound, the table or the memory says no; the hash is then right too."""
    cdef ids_t *ids = &e.ids
    cdef page_t *p
    cdef uint64_t page
    if (ids.pages + 1) * PAGE_BYTES > PAGES_BASE + PAGES_PER_ORDER * e.live and not page_evict(e):
        return False
    if 4 * (ids.pages + 1) > ids.table_size and not pages_grow(ids):
        return False
    p = page_seat(e, number)
    if p.number != 0:
        if p.live != 0:
            return False
        page_free(ids, p)
    if ids.pool_free == 0 and ids.pool_used == ids.pool_capacity:
        pages_reclaim(ids)
    if ids.pool_free != 0:
        page = ids.pool_free - 1
        ids.pool_free = ids.pool[page << PAGE_SHIFT]
        ids.pool[page << PAGE_SHIFT] = 0
    else:
        if ids.pool_used == ids.pool_capacity and not pool_grow(ids):
            return False
        page = ids.pool_used
        ids.pool_used += 1
    p.number = number + 1
    p.at = <uint32_t> page
    p.live = 0
    p.strays = ids.hashed != 0 and ids.hashed_low <= number <= ids.hashed_high
    ids.pages += 1
    return True


cdef void page_free(ids_t *ids, page_t *p) noexcept nogil:
    """Put an empty page on the free list. All its words are zero, and stay so but for the link."""
    ids.pool[<uint64_t> p.at << PAGE_SHIFT] = <uint32_t> ids.pool_free
    ids.pool_free = <uint64_t> p.at + 1
    ids.pages -= 1
    p.number = 0


cdef void pages_reclaim(ids_t *ids) noexcept nogil:
    """Free the empty ones of some pages."""
    cdef page_t *p
    cdef uint64_t i
    cdef uint64_t seats = EVICT_LOOKS if EVICT_LOOKS < ids.table_size else ids.table_size
    for i in range(seats):
        p = &ids.table[(ids.hand + i) & (ids.table_size - 1)]
        if p.number != 0 and p.live == 0:
            page_free(ids, p)
    ids.hand += seats


cdef bint page_evict(engine_t *e) noexcept nogil:
    """Make room by freeing the sparsest of some pages, its ids moved to the hash. Paid from credit that each id earns."""
    cdef ids_t *ids = &e.ids
    cdef page_t *sparsest = NULL
    cdef page_t *p
    cdef uint32_t *words
    cdef uint64_t i
    cdef uint64_t seats = EVICT_LOOKS if EVICT_LOOKS < ids.table_size else ids.table_size
    if ids.credit < EVICT_COST:
        return False
    for i in range(seats):
        p = &ids.table[(ids.hand + i) & (ids.table_size - 1)]
        if p.number != 0 and (sparsest == NULL or p.live < sparsest.live):
            sparsest = p
    ids.hand += seats
    ids.credit -= EVICT_COST
    if sparsest == NULL or sparsest.live > EVICT_LIVE:
        return False
    words = &ids.pool[<uint64_t> sparsest.at << PAGE_SHIFT]
    for i in range(<uint64_t> PAGE_IDS):
        if words[i] != 0:
            if hash_reserve(ids) < 0:
                return False
            hash_put(
                ids,
                ((sparsest.number - 1) << PAGE_SHIFT) | i,
                e.levels[e.orders[words[i] - 1].level].home >> 4,
                words[i] - 1,
            )
            words[i] = 0
            sparsest.live -= 1
            sparsest.strays = 1
    page_free(ids, sparsest)
    return True


cdef bint pages_grow(ids_t *ids) noexcept nogil:
    """Enlarge the table. Pages that lose their seat to another's hash keep theirs: sizes double, so order is kept."""
    cdef ids_t bigger = ids[0]
    cdef uint64_t i
    bigger.table_size = 2 * ids.table_size if ids.table_size > 2 else TABLE_MIN
    bigger.table_shift = 64 - <uint32_t> ctz64(bigger.table_size)
    bigger.table = <page_t *> calloc(bigger.table_size, sizeof(page_t))
    if bigger.table == NULL:
        return False
    for i in range(ids.table_size):
        if ids.table[i].number != 0:
            bigger.table[((ids.table[i].number - 1) * GOLDEN) >> bigger.table_shift] = ids.table[i]
    if ids.table != NO_PAGES:
        free(ids.table)
    ids[0] = bigger
    return True


cdef bint pool_grow(ids_t *ids) noexcept nogil:
    cdef uint64_t capacity = 1
    if ids.pool_capacity != 0:
        capacity = ids.pool_capacity * (4 if ids.pool_capacity < 16 else 2)
    cdef void *pool = grow_array(ids.pool, ids.pool_capacity * PAGE_BYTES, capacity * PAGE_BYTES)
    if pool == NULL:
        return False
    ids.pool = <uint32_t *> pool
    memset(&ids.pool[ids.pool_capacity << PAGE_SHIFT], 0, (capacity - ids.pool_capacity) * PAGE_BYTES)
    ids.pool_capacity = capacity
    return True
