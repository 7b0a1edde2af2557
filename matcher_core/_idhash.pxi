# The ids that have no page. Open addressing with linear probing, at most half full, deletion by shifting back, so there are
# no tombstones and a lookup stays O(1). The multiplicative hash matters: with the id itself as hash, old live orders weld
# runs of dense ids together and a lookup becomes thousands of steps.

cdef inline uint64_t id_tag(uint64_t order_id, uint32_t index) noexcept nogil:
    """32 bits of hash of an id in a book."""
    return ((order_id ^ (order_id >> 32) ^ (<uint64_t> index * MIX)) * GOLDEN) >> 32


cdef inline uint32_t hash_find(const engine_t *e, const book_t *b, uint64_t order_id) noexcept nogil:
    """Slot of a live order of this book that is in the hash, or NIL. There must be a hash."""
    cdef const ids_t *ids = &e.ids
    cdef uint64_t tag = id_tag(order_id, b.index)
    cdef uint64_t i = tag >> ids.shift
    cdef uint64_t entry
    cdef uint32_t slot
    while True:
        entry = ids.entries[i]
        if entry == 0:
            return NIL
        if entry >> 32 == tag:
            slot = <uint32_t> entry - 1
            if e.orders[slot].order_id == order_id and lives_in(e, b, slot):
                return slot
        i = (i + 1) & ids.mask


cdef inline void hash_insert(ids_t *ids, uint64_t tag, uint64_t entry) noexcept nogil:
    cdef uint64_t i = tag >> ids.shift
    while ids.entries[i] != 0:
        i = (i + 1) & ids.mask
    ids.entries[i] = entry


cdef inline void hash_put(ids_t *ids, uint64_t order_id, uint32_t index, uint32_t slot) noexcept nogil:
    """Add an entry. The id must not be present and hash_reserve must have been asked."""
    cdef uint64_t tag = id_tag(order_id, index)
    cdef uint64_t number = order_id >> PAGE_SHIFT
    expect(2 * (ids.hashed + 1) <= ids.mask + 1)
    if ids.hashed == 0 or number < ids.hashed_low:
        ids.hashed_low = number
    if ids.hashed == 0 or number > ids.hashed_high:
        ids.hashed_high = number
    ids.hashed += 1
    hash_insert(ids, tag, (tag << 32) | (<uint64_t> slot + 1))


cdef inline void hash_remove(ids_t *ids, uint64_t order_id, uint32_t index, uint32_t slot) noexcept nogil:
    """Remove the entry of an id that is present, moving later entries of its run back over the hole."""
    cdef uint64_t tag = id_tag(order_id, index)
    cdef uint64_t wanted = (tag << 32) | (<uint64_t> slot + 1)
    cdef uint64_t hole = tag >> ids.shift
    cdef uint64_t i, entry
    while ids.entries[hole] != wanted:
        hole = (hole + 1) & ids.mask
    i = hole
    while True:
        i = (i + 1) & ids.mask
        entry = ids.entries[i]
        if entry == 0:
            break
        if ((i - (entry >> 32 >> ids.shift)) & ids.mask) >= ((i - hole) & ids.mask):
            ids.entries[hole] = entry
            hole = i
    ids.entries[hole] = 0
    ids.hashed -= 1


cdef inline int hash_reserve(ids_t *ids) noexcept nogil:
    """Make sure one more id fits."""
    if likely(2 * (ids.hashed + 1) <= ids.mask):
        return 0
    return hash_grow(ids)


cdef int hash_grow(ids_t *ids) noexcept nogil:
    """Double the hash; -1 when memory ran out, with the hash as it was."""
    cdef ids_t bigger = ids[0]
    cdef uint64_t size = 2 * (ids.mask + 1) if ids.entries != NULL else IDS_MIN
    cdef uint64_t i
    if size > <uint64_t> 1 << 32:
        return -1
    bigger.entries = <uint64_t *> calloc(size, sizeof(uint64_t))
    if bigger.entries == NULL:
        return -1
    bigger.mask = size - 1
    bigger.shift = 32 - <uint32_t> ctz64(size)
    if ids.entries != NULL:
        for i in range(ids.mask + 1):
            if ids.entries[i] != 0:
                hash_insert(&bigger, ids.entries[i] >> 32, ids.entries[i])
        free(ids.entries)
    ids[0] = bigger
    return 0
